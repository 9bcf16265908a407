/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Section [Kubernetes] of *.target files: what it says, and what is wrong with it. */

#include "base/text.h"
#include "model/target-config.h"
#include "unit.h"

#define ACCESS "Server=https://api.example.com:6443\nTokenFile=/run/cluster.token\n"

static TargetConfig *read_target(const char *text, Conf **ret_conf) {
        TargetConfig *t = NULL;

        assert_int_equal(conf_new(ret_conf), 0);
        assert_int_equal(conf_parse(*ret_conf, "/t", text, strlen(text)), 0);
        assert_int_equal(target_config_new("pods", *ret_conf, &t), 0);
        return t;
}

static TargetConfig *read_good(const char *text) {
        _cleanup_conf_ Conf *conf = NULL;
        TargetConfig *t = read_target(text, &conf);

        assert_int_equal(conf->n_messages, 0);
        assert_non_null(t->cluster);
        return t;
}

static void assert_complaint(const char *text, unsigned line, const char *words) {
        _cleanup_conf_ Conf *conf = NULL;
        _cleanup_(target_config_freep) TargetConfig *t = read_target(text, &conf);

        assert_int_equal(conf->n_messages, 1);
        assert_int_equal(conf->messages[0].severity, CONF_ERROR);
        assert_int_equal(conf->messages[0].line, line);
        assert_non_null(strstr(conf->messages[0].text, words));
        assert_null(t->paths);
}

static void all_of_it(void **state) {
        _cleanup_(target_config_freep) TargetConfig *t = read_good(
                "[Kubernetes]\nSecret=quay-pull\nNamespace=edge\nCreate=orphan\nDelete=retain\n" ACCESS
                "CAFile=/ca.pem\nLabel=team=a\nLabel=team=b\nAnnotation=x.io/y=a = b\n[Target]\n"
                "Keys=registry\n");
        const ClusterConfig *c = t->cluster;

        assert_string_equal(c->secret, "quay-pull");
        assert_int_equal(c->create, CLUSTER_ORPHAN);
        assert_true(c->retain);
        assert_int_equal(c->access->source, IDENTITY_KUBERNETES);
        assert_string_equal(identity_config_get(c->access, "Namespace"), "edge");
        assert_int_equal(strv_length(c->labels), 2);
        assert_string_equal(c->labels[1], "b");
        assert_string_equal(c->annotations[0], "x.io/y");
        assert_string_equal(c->annotations[1], "a = b");
        assert_int_equal(strv_length(t->paths), 1);
        assert_string_equal(t->paths[0], "kubernetes:https://api.example.com:6443/edge/quay-pull");
        assert_int_equal(t->keys, TARGET_KEYS_REGISTRY);
}

static void what_is_there_without_saying_it(void **state) {
        _cleanup_(target_config_freep)
                TargetConfig *t = read_good("[Kubernetes]\nSecret=a\nInCluster=yes\n"),
                             *u = read_good("[Kubernetes]\nSecret=a\nKubeconfig=/k\n"
                                            "Context=edge\n");

        assert_int_equal(t->cluster->create, CLUSTER_OWNER);
        assert_false(t->cluster->retain);
        assert_string_equal(t->paths[0], "kubernetes:in-cluster/a");
        assert_string_equal(u->paths[0], "kubernetes:/k#edge/a");
}

static void what_is_empty_is_as_if_it_were_not_there(void **state) {
        _cleanup_(target_config_freep) TargetConfig *t = read_good(
                "[Kubernetes]\nSecret=b\nSecret=\nSecret=a\nCreate=merge\nCreate=\nDelete=retain\nDelete=\n"
                "Label=a=b\nLabel=\nAnnotation=a=b\nAnnotation=\n" ACCESS);

        assert_string_equal(t->cluster->secret, "a");
        assert_int_equal(t->cluster->create, CLUSTER_OWNER);
        assert_true(!t->cluster->retain && !t->cluster->labels && !t->cluster->annotations);
}

static void what_is_wrong_is_said_with_its_line(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *words;
        } rows[] = {
                { "[Kubernetes]\nSecret=A\n" ACCESS, 2, "Secret=quay-pull" },
                { "[Kubernetes]\n" ACCESS, 0, "Secret= is missing" },
                { "[Kubernetes]\nSecret=a\n" ACCESS "Namespace=a/b\n", 5, "Namespace=edge" },
                { "[Kubernetes]\nSecret=a\n" ACCESS "Create=none\n", 5, "owner, merge and orphan" },
                { "[Kubernetes]\nSecret=a\n" ACCESS "Delete=merge\n", 5, "delete nor retain" },
                { "[Kubernetes]\nSecret=a\n" ACCESS "Label=a\n", 5, "Label=team=edge" },
                { "[Kubernetes]\nSecret=a\n" ACCESS "Label=a=https://b\n", 5, "Label=team=edge" },
                { "[Kubernetes]\nSecret=a\n" ACCESS "Annotation=a b=c\n", 5, "tekton.dev" },
                { "[Kubernetes]\nSecret=a\n" ACCESS "Label=app.kubernetes.io/managed-by=me\n", 5, "itself" },
                { "[Kubernetes]\nSecret=a\n" ACCESS "Annotation=pullauth.org/owner=me\n", 5, "itself" },
                { "[Kubernetes]\nSecret=a\nServer=http://a\nTokenFile=/t\n", 3, "Server=https://" },
                { "[Kubernetes]\nSecret=a\nTokenFile=/t\n", 0, "Server=, InCluster=, Kubeconfig=" },
                { "[Kubernetes]\nSecret=a\nServer=https://a\n", 0, "TokenFile=, ClientKeyFile=" },
                { "[Kubernetes]\nSecret=a\nServer=https://a\nClientKeyFile=/k\n", 0,
                  "ClientCertificateFile=" },
                { "[Kubernetes]\nSecret=a\n" ACCESS "Context=a\n", 0, "Kubeconfig=" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_complaint(rows[i].text, rows[i].line, rows[i].words);
}

static void a_secret_is_no_file(void **state) {
        static const char *const keys[] = { "Path=/a", "Owner=root", "Group=root", "Mode=0640",
                                            "Policy=own" };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                _cleanup_conf_ Conf *conf = NULL;
                _cleanup_(target_config_freep) TargetConfig *t = NULL;
                _cleanup_free_ char *text = NULL;

                assert_int_equal(
                        text_format(&text, "[Kubernetes]\nSecret=a\n" ACCESS "[Target]\n%s\n", keys[i]), 0);
                t = read_target(text, &conf);
                assert_true(conf_has_error(conf));
                assert_non_null(strstr(conf->messages[0].text, "[Kubernetes]"));
        }
}

static void labels_are_for_a_secret_of_ours(void **state) {
        _cleanup_conf_ Conf *conf = NULL;
        _cleanup_(target_config_freep) TargetConfig *t =
                read_target("[Kubernetes]\nSecret=a\nCreate=merge\nLabel=a=b\n" ACCESS, &conf);

        assert_int_equal(conf->n_messages, 1);
        assert_int_equal(conf->messages[0].severity, CONF_WARNING);
        assert_non_null(t->paths);
}

static void there_are_not_too_many_of_them(void **state) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        (void) fputs("[Kubernetes]\nSecret=a\n" ACCESS, f);
        for (unsigned i = 0; i < 33; i++)
                (void) fprintf(f, "Label=a%u=b\n", i);
        assert_int_equal(fclose(f), 0);
        assert_complaint(text, 37, "more than 32 Label=");
}

static void each_difference_makes_another_target(void **state) {
        static const char *const more[] = { "",
                                            "Create=merge\n",
                                            "Delete=retain\n",
                                            "Label=a=b\n",
                                            "Annotation=a=b\n",
                                            "Namespace=n\n",
                                            "CAFile=/ca\n" };

        for (size_t i = 0; i < ELEMENTSOF(more); i++)
                for (size_t k = 0; k < ELEMENTSOF(more); k++) {
                        _cleanup_(target_config_freep) TargetConfig *a = NULL, *b = NULL;
                        _cleanup_free_ char *x = NULL, *y = NULL;

                        assert_int_equal(text_format(&x, "[Kubernetes]\nSecret=a\n" ACCESS "%s", more[i]),
                                         0);
                        assert_int_equal(text_format(&y, "[Kubernetes]\nSecret=a\n" ACCESS "%s", more[k]),
                                         0);
                        a = read_good(x);
                        b = read_good(y);
                        assert_int_equal(target_config_equal(a, b), i == k);
                }
        assert_true(cluster_config_equal(NULL, NULL));
}

static void words_of_the_file_are_those_of_the_enum(void **state) {
        for (ClusterCreate c = 0; c < _CLUSTER_CREATE_MAX; c++)
                assert_int_equal(cluster_create_from_string(cluster_create_to_string(c)), c);
        assert_null(cluster_create_to_string(_CLUSTER_CREATE_MAX));
        assert_int_equal(cluster_create_from_string(NULL), _CLUSTER_CREATE_INVALID);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_of_it),
                cmocka_unit_test(what_is_there_without_saying_it),
                cmocka_unit_test(what_is_empty_is_as_if_it_were_not_there),
                cmocka_unit_test(what_is_wrong_is_said_with_its_line),
                cmocka_unit_test(a_secret_is_no_file),
                cmocka_unit_test(labels_are_for_a_secret_of_ours),
                cmocka_unit_test(there_are_not_too_many_of_them),
                cmocka_unit_test(each_difference_makes_another_target),
                cmocka_unit_test(words_of_the_file_are_those_of_the_enum),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
