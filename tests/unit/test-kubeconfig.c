/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is taken of a kubeconfig, and what is refused with a remedy. */

#include "unit.h"

#include "base/text.h"
#include "worker/kubeconfig.h"

#define PEM "-----BEGIN X"
#define PEM_DATA "LS0tLS1CRUdJTiBY"
#define CLUSTER "server: 'https://api.example.com:6443', certificate-authority-data: " PEM_DATA

/* A file with two contexts; returns the failure, or NULL. */
static Failure *read_file(const char *cluster, const char *user, const char *context, Kubeconfig *ret) {
        _cleanup_free_ char *text = NULL;
        _cleanup_secret_ Secret *s = NULL;
        Failure *f = NULL;
        int r;

        assert_ok(text_format(&text,
                              "apiVersion: v1\nkind: Config\ncurrent-context: edge\n"
                              "contexts:\n- name: edge\n  context: {cluster: c, user: u, namespace: ns}\n"
                              "- name: other\n  context: {cluster: c, user: v}\n"
                              "- name: lost\n  context: {cluster: c, user: nobody}\n"
                              "clusters:\n- name: c\n  cluster: {%s}\n"
                              "users:\n- name: u\n  user: {%s}\n- name: v\n  user: {token: of-v}\n",
                              cluster, user));
        assert_int_equal(secret_new_string(text, &s), 0);
        r = kubeconfig_read(s, context, ret, &f);
        assert_int_equal(r, f ? 1 : 0);
        return f;
}

static void the_current_context_is_taken_or_another(void **state) {
        _cleanup_(kubeconfig_done) Kubeconfig k = {}, other = {};

        assert_null(read_file(CLUSTER ", proxy-url: 'http://p:3128'", "token: secret-token", NULL, &k));
        assert_string_equal(k.server, "https://api.example.com:6443");
        assert_string_equal(k.namespace, "ns");
        assert_string_equal(k.proxy, "http://p:3128");
        assert_string_equal(secret_peek(k.ca).iov_base, PEM);
        assert_string_equal(secret_peek(k.token).iov_base, "secret-token");
        assert_null(k.certificate);
        assert_null(read_file(CLUSTER ", insecure-skip-tls-verify: false", "", "other", &other));
        assert_string_equal(secret_peek(other.token).iov_base, "of-v");
        assert_null(other.namespace);
}

static void a_certificate_will_do(void **state) {
        _cleanup_(kubeconfig_done) Kubeconfig k = {};

        assert_null(read_file(CLUSTER, "client-certificate-data: " PEM_DATA ", client-key-data: " PEM_DATA,
                              NULL, &k));
        assert_string_equal(secret_peek(k.certificate).iov_base, PEM);
        assert_string_equal(secret_peek(k.key).iov_base, PEM);
}

static void what_is_refused_has_a_remedy(void **state) {
        static const struct {
                const char *cluster, *user, *context, *message, *hint;
        } rows[] = {
                { CLUSTER, "exec: {command: aws}", NULL, "'exec'", "Source=exec" },
                { CLUSTER, "auth-provider: {name: gcp}", NULL, "'auth-provider'", "kubectl create token" },
                { CLUSTER, "token: t, as: admin", NULL, "impersonates", "right itself" },
                { CLUSTER, "username: a, password: hunter2", NULL, "password", "kubectl create token" },
                { CLUSTER, "tokenFile: /t", NULL, "another file", "TokenFile=" },
                { CLUSTER, "client-certificate: /c, client-key: /k", NULL, "another file", "--flatten" },
                { CLUSTER, "client-certificate-data: " PEM_DATA, NULL, "neither", "kubectl create token" },
                { CLUSTER, "client-key-data: '%%%'", NULL, "client-key-data", "--flatten" },
                { CLUSTER, "client-key-data: aGVsbG8=", NULL, "no PEM text in 'client-key-data'",
                  "--flatten" },
                { "server: 'https://a', certificate-authority-data: aGVsbG8=", "token: t", NULL,
                  "no PEM text in 'certificate-authority-data'", "--flatten" },
                { CLUSTER, "", NULL, "neither", "kubectl create token" },
                { CLUSTER, "token: t", "none", "no context 'none'", "get-contexts" },
                { CLUSTER, "token: t", "lost", "no user for context 'lost'", "--flatten" },
                { CLUSTER ", insecure-skip-tls-verify: true", "token: t", NULL, "switches the check",
                  "authority" },
                { CLUSTER ", tls-server-name: x", "token: t", NULL, "another name", "certificate" },
                { "server: 'https://a', certificate-authority: /ca", "token: t", NULL, "another file",
                  "--flatten" },
                { "server: 'http://a'", "token: t", NULL, "no https://", "'server'" },
                { "server: 'https://me:hunter2@a'", "token: t", NULL, "no https://", "'server'" },
                { "server: 'https://a:70000'", "token: t", NULL, "no https://", "'server'" },
                { "", "token: t", NULL, "no https://", "'server'" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(kubeconfig_done) Kubeconfig k = {};
                _cleanup_failure_ Failure *f = read_file(rows[i].cluster, rows[i].user, rows[i].context, &k);

                assert_non_null(f);
                assert_int_equal(f->reason, REASON_IDENTITY_FILE_UNREADABLE);
                if (!strstr(f->message, rows[i].message) || !strstr(f->hint, rows[i].hint))
                        fail_msg("row %zu: %s. %s", i, f->message, f->hint);
                assert_null(strstr(f->message, "hunter2"));
                assert_null(k.server);
        }
}

static void what_is_no_kubeconfig_is_said(void **state) {
        static const char *const texts[] = { "",     "- a", "text", "{",
                                             "a: [", "\t",  "{}",   "current-context: [x]" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_secret_ Secret *s = NULL;
                _cleanup_failure_ Failure *f = NULL;
                Kubeconfig k = {};

                assert_int_equal(secret_new_string(texts[i], &s), 0);
                assert_int_equal(kubeconfig_read(s, NULL, &k, &f), 1);
                assert_non_null(strstr(f->message, "kubeconfig"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_current_context_is_taken_or_another),
                cmocka_unit_test(a_certificate_will_do),
                cmocka_unit_test(what_is_refused_has_a_remedy),
                cmocka_unit_test(what_is_no_kubeconfig_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
