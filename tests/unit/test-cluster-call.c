/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls about Secrets of a cluster: what is sent to the byte, and what each answer means. */

#include "worker-fixture.h"
#include "worker/cluster-call.h"

#define ASKER "a long enough token"

static char *labels[] = { (char *) "app.kubernetes.io/managed-by", (char *) "pullauthd", NULL },
            *annotations[] = { (char *) "pullauth.org/owner", (char *) "1/pods", NULL };

/* Frees data and asker when the test is over. */
typedef struct Fixture {
        ClusterSecret secret;
        ClusterCall call;
        Secret *data, *asker;
} Fixture;

static void fixture_done(Fixture *f) {
        secret_free(f->data);
        secret_free(f->asker);
}

static void fixture_init(Fixture *f, ClusterAction action, bool known) {
        *f = (Fixture){};
        assert_int_equal(secret_new_string("{\"auths\":{}}", &f->data), 0);
        assert_int_equal(secret_new_string(ASKER, &f->asker), 0);
        f->secret = (ClusterSecret){
                .name = (char *) "quay-pull",
                .labels = labels,
                .annotations = annotations,
                .uid = known ? (char *) "u-1" : NULL,
                .version = known ? (char *) "101" : NULL,
                .data = f->data,
        };
        f->call = (ClusterCall){ action, &f->secret, "https://api.example.com:6443/", "edge", f->asker };
}

#define AT "https://api.example.com:6443/api/v1/namespaces/edge/secrets/quay-pull"
#define DATA "\"data\":{\".dockerconfigjson\":\"eyJhdXRocyI6e319\"}}"
#define PAIRS                                                          \
        "\"labels\":{\"app.kubernetes.io/managed-by\":\"pullauthd\"}," \
        "\"annotations\":{\"pullauth.org/owner\":\"1/pods\"}}"

static void what_is_sent(void **state) {
        static const struct {
                ClusterAction action;
                bool known;
                const char *method, *url, *type, *body;
        } rows[] = {
                { CLUSTER_READ, false, "GET", AT, "application/json", NULL },
                { CLUSTER_APPLY, false, "PATCH", AT "?fieldManager=pullauthd&force=false",
                  "application/apply-patch+yaml",
                  "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"quay-pull\","
                  "\"namespace\":\"edge\"," PAIRS ",\"type\":\"kubernetes.io/dockerconfigjson\"," DATA },
                { CLUSTER_APPLY, true, "PATCH", AT "?fieldManager=pullauthd&force=true",
                  "application/apply-patch+yaml",
                  "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"quay-pull\","
                  "\"namespace\":\"edge\",\"uid\":\"u-1\",\"resourceVersion\":\"101\"," PAIRS
                  ",\"type\":\"kubernetes.io/dockerconfigjson\"," DATA },
                { CLUSTER_PATCH, true, "PATCH", AT "?fieldManager=pullauthd", "application/merge-patch+json",
                  "{\"metadata\":{\"uid\":\"u-1\",\"resourceVersion\":\"101\"}," DATA },
                { CLUSTER_REMOVE, true, "DELETE", AT, "application/json",
                  "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":\"u-1\","
                  "\"resourceVersion\":\"101\"}}" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(fixture_done) Fixture f;
                _cleanup_free_ char *url = NULL;
                _cleanup_secret_ Secret *body = NULL;

                fixture_init(&f, rows[i].action, rows[i].known);
                assert_string_equal(cluster_call_method(&f.call), rows[i].method);
                assert_string_equal(cluster_call_content_type(&f.call), rows[i].type);
                assert_int_equal(cluster_call_url(&f.call, &url), 0);
                assert_string_equal(url, rows[i].url);
                assert_int_equal(cluster_call_body(&f.call, &body), 0);
                assert_true(streq_ptr(text_of(body), rows[i].body));
        }
}

static void names_cannot_leave_their_place_in_the_address(void **state) {
        _cleanup_(fixture_done) Fixture f;
        _cleanup_free_ char *url = NULL;

        fixture_init(&f, CLUSTER_READ, false);
        f.call.server = "https://rancher.example.com/k8s/clusters/c-1";
        f.call.namespace = "a/../b?";
        assert_int_equal(cluster_call_url(&f.call, &url), 0);
        assert_string_equal(url,
                            "https://rancher.example.com/k8s/clusters/c-1/api/v1/namespaces/a%2F..%2Fb%3F/"
                            "secrets/quay-pull");
}

static Failure *read_answer(ClusterAction action, HttpAnswer a, ClusterSecret **ret) {
        _cleanup_(answer_done) HttpAnswer owned = a;
        _cleanup_(fixture_done) Fixture fixture;
        Failure *f = NULL;
        int r;

        fixture_init(&fixture, action, action == CLUSTER_PATCH || action == CLUSTER_REMOVE);
        r = cluster_call_read(&fixture.call, &owned, ret, &f);
        assert_int_equal(r, f ? 1 : 0);
        return f;
}

#define FOUND(name, metadata, data)                                                               \
        "{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"" name "\"" metadata \
        "},\"type\":\"Opaque\",\"data\":" data "}"
#define KNOWN ",\"uid\":\"u-1\",\"resourceVersion\":\"7\""

static void what_is_found_is_what_was_asked_for(void **state) {
        static const char body[] = FOUND(
                "quay-pull", KNOWN ",\"labels\":{\"app.kubernetes.io/managed-by\":\"helm\",\"team\":\"a\"}",
                "{\".dockerconfigjson\":\"eyJhdXRocyI6e319\",\"x\":\"?\"}");
        _cleanup_(cluster_secret_freep) ClusterSecret *s = NULL;

        assert_null(read_answer(CLUSTER_READ, answer_of(200, body), &s));
        assert_string_equal(s->uid, "u-1");
        assert_string_equal(s->version, "7");
        assert_string_equal(s->type, "Opaque");
        assert_int_equal(strv_length(s->labels), 2);
        assert_string_equal(s->labels[1], "helm");
        assert_null(s->annotations);
        assert_string_equal(text_of(s->data), "{\"auths\":{}}");
}

static void one_without_the_key_is_one(void **state) {
        static const char *const data[] = { "{}", "null", "{\"other\":\"\"}" };

        for (size_t i = 0; i < ELEMENTSOF(data); i++) {
                _cleanup_(cluster_secret_freep) ClusterSecret *s = NULL;
                _cleanup_free_ char *body = NULL;

                assert_int_equal(text_format(&body, FOUND("quay-pull", KNOWN, "%s"), data[i]), 0);
                assert_null(read_answer(CLUSTER_READ, answer_of(200, body), &s));
                assert_non_null(s);
                assert_null(s->data);
        }
}

#define STATUS(kind) "{\"kind\":\"Status\",\"message\":\"not found\",\"details\":{\"kind\":\"" kind "\"}}"

static void that_there_is_none_is_no_failure(void **state) {
        ClusterSecret *s = NULL;

        assert_null(read_answer(CLUSTER_READ, answer_of(404, STATUS("secrets")), &s));
        assert_null(s);
        assert_null(read_answer(CLUSTER_REMOVE, answer_of(404, STATUS("secrets")), &s));
        assert_null(read_answer(CLUSTER_REMOVE, answer_of(200, "{}"), &s));
        assert_null(read_answer(CLUSTER_REMOVE, answer_of(202, "{}"), &s));
        assert_null(read_answer(CLUSTER_APPLY, answer_of(201, "whatever"), &s));
        assert_null(s);
}

static void assert_refusal(ClusterAction action, int status, const char *body, Reason reason,
                           const char *hint, const char *words) {
        ClusterSecret *s = NULL;
        _cleanup_failure_ Failure *f = read_answer(action, answer_of(status, body), &s);

        assert_non_null(f);
        assert_null(s);
        assert_int_equal(f->reason, reason);
        assert_int_equal(f->step, STEP_PUBLICATION);
        assert_int_equal(f->http_status, status);
        assert_non_null(strstr(failure_hint(f), hint));
        assert_true(streq_ptr(f->words, words));
}

static void each_refusal_has_its_remedy(void **state) {
        assert_refusal(CLUSTER_READ, 401, "{\"message\":\"Unauthorized\"}", REASON_TARGET_REFUSED,
                       "TokenFile=", "Unauthorized");
        assert_refusal(CLUSTER_READ, 401, "{\"message\":\"bad token: " ASKER "\"}", REASON_TARGET_REFUSED,
                       "TokenFile=", NULL);
        assert_refusal(CLUSTER_APPLY, 400, "{\"message\":\"in eyJhdXRocyI6e319\"}", REASON_TARGET_REFUSED,
                       "API server", NULL);
        assert_refusal(CLUSTER_READ, 403, "", REASON_TARGET_REFUSED, "'get' 'secrets'", NULL);
        assert_refusal(CLUSTER_APPLY, 403, "", REASON_TARGET_REFUSED, "'create' and 'patch' 'secrets'",
                       NULL);
        assert_refusal(CLUSTER_PATCH, 403, "", REASON_TARGET_REFUSED, "'patch' 'secrets'", NULL);
        assert_refusal(CLUSTER_REMOVE, 403, "", REASON_TARGET_REFUSED, "'delete' 'secrets'", NULL);
        assert_refusal(CLUSTER_READ, 404, STATUS("namespaces"), REASON_TARGET_REFUSED, "Namespace= ('edge')",
                       "not found");
        assert_refusal(CLUSTER_READ, 404, "<html>", REASON_TARGET_REFUSED, "API server", NULL);
        assert_refusal(CLUSTER_PATCH, 404, STATUS("secrets"), REASON_TARGET_REFUSED, "", "not found");
        assert_refusal(CLUSTER_APPLY, 409, "", REASON_TARGET_CONFLICT, "quay-pull", NULL);
        assert_refusal(CLUSTER_APPLY, 422, "", REASON_TARGET_REFUSED, "immutable", NULL);
        assert_refusal(CLUSTER_READ, 302, "", REASON_TARGET_REFUSED, "API server", NULL);
        assert_refusal(CLUSTER_READ, 408, "", REASON_TARGET_UNREACHABLE, "tried again", NULL);
        assert_refusal(CLUSTER_READ, 429, "", REASON_TARGET_UNREACHABLE, "tried again", NULL);
        assert_refusal(CLUSTER_READ, 503, "", REASON_TARGET_UNREACHABLE, "tried again", NULL);
}

static void success_without_a_secret_is_none(void **state) {
        static const char *const bodies[] = {
                "",
                "<html>",
                "[]",
                "{}",
                "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"quay-pull\"" KNOWN "},\"type\":\"a\"}",
                FOUND("other", KNOWN, "{}"),
                FOUND("quay-pull", "", "{}"),
                FOUND("quay-pull", ",\"uid\":\"u-1\"", "{}"),
                FOUND("quay-pull", ",\"uid\":\"\",\"resourceVersion\":\"a b\"", "{}"),
                FOUND("quay-pull", KNOWN, "[]"),
                FOUND("quay-pull", KNOWN, "{\".dockerconfigjson\":\"?\"}"),
                FOUND("quay-pull", KNOWN, "{\".dockerconfigjson\":1}"),
        };

        for (size_t i = 0; i < ELEMENTSOF(bodies); i++)
                assert_refusal(CLUSTER_READ, 200, bodies[i], REASON_TARGET_UNREACHABLE, "API server", NULL);
}

static void every_problem_is_one_of_the_publication(void **state) {
        for (HttpProblem p = HTTP_OK + 1; p < _HTTP_PROBLEM_MAX; p++) {
                ClusterSecret *s = NULL;
                _cleanup_failure_ Failure *f =
                        read_answer(CLUSTER_READ, (HttpAnswer){ .problem = p, .timings.secured = 5 }, &s);

                assert_non_null(f);
                assert_int_equal(f->reason, REASON_TARGET_UNREACHABLE);
                assert_int_equal(f->step, STEP_PUBLICATION);
                assert_non_null(strstr(f->message, "api.example.com:6443"));
                assert_null(strstr(failure_hint(f), "registry"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_sent),
                cmocka_unit_test(names_cannot_leave_their_place_in_the_address),
                cmocka_unit_test(what_is_found_is_what_was_asked_for),
                cmocka_unit_test(one_without_the_key_is_one),
                cmocka_unit_test(that_there_is_none_is_no_failure),
                cmocka_unit_test(each_refusal_has_its_remedy),
                cmocka_unit_test(success_without_a_secret_is_none),
                cmocka_unit_test(every_problem_is_one_of_the_publication),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
