/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests and answers through the private door: whole, or not at all. */

#include "base/text.h"
#include "door-fixture.h"
#include "model/door.h"

static void add_secret(Request *q, const char *name, const void *data, size_t size) {
        Secret *value;

        assert_int_equal(secret_new(data, size, &value), 0);
        assert_int_equal(named_secrets_add(&q->secrets, name, value), 0);
}

static Request *make_request(void) {
        Request *q = calloc(1, sizeof(*q));

        assert_non_null(q);
        q->id = 42;
        q->job = strdup("edge");
        q->source = strdup("file");
        q->audience = strdup("quay");
        q->exchange = strdup("quay");
        q->registry = strdup("quay.example.com:8443");
        q->robot = strdup("acme+edge");
        q->ca = strdup("-----BEGIN CERTIFICATE-----\nJ\xfcrgen\n");
        q->proxy = strdup("http://proxy:3128");
        q->timeout = 60 * USEC_PER_SEC;
        assert_int_equal(secret_new("not\0utf-8\xff", 10, &q->token), 0);
        assert_int_equal(strv_append(&q->scopes, "quay.example.com:8443/acme/app"), 0);
        assert_int_equal(strv_append(&q->scopes, "quay.example.com:8443"), 0);
        assert_int_equal(strv_append(&q->settings, "Issuer"), 0);
        assert_int_equal(strv_append(&q->settings, "https://issuer.example.com"), 0);
        assert_int_equal(strv_append(&q->settings, "Scope"), 0);
        assert_int_equal(strv_append(&q->settings, ""), 0);
        add_secret(q, "ClientKeyFile", "key\0\xff", 5);
        add_secret(q, "CAFile", "", 0);
        return q;
}

static int through_request(void **state, const Request *q, Request **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(state);

        assert_ok(door_append_request(m, q));
        seal(m);
        return door_read_request(m, ret);
}

static int through_answer(void **state, const Answer *a, Answer **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(state);

        assert_ok(door_append_answer(m, a));
        seal(m);
        return door_read_answer(m, ret);
}

static void a_full_request_arrives_as_it_was_sent(void **state) {
        _cleanup_request_ Request *q = make_request(), *got = NULL;

        assert_int_equal(through_request(state, q, &got), 0);
        assert_int_equal(got->id, 42);
        assert_string_equal(got->job, q->job);
        assert_string_equal(got->source, q->source);
        assert_string_equal(got->audience, q->audience);
        assert_true(secret_equal(got->token, q->token));
        assert_string_equal(got->exchange, q->exchange);
        assert_string_equal(got->registry, q->registry);
        assert_string_equal(got->robot, q->robot);
        assert_true(strv_equal(got->scopes, q->scopes));
        assert_true(strv_equal(got->settings, q->settings));
        assert_string_equal(request_setting(got, "Issuer"), "https://issuer.example.com");
        assert_string_equal(request_setting(got, "Scope"), "");
        assert_null(request_setting(got, "https://issuer.example.com"));
        assert_int_equal(got->secrets.n_items, 2);
        assert_true(secret_equal(request_secret(got, "ClientKeyFile"), q->secrets.items[0].value));
        assert_int_equal(secret_size(request_secret(got, "CAFile")), 0);
        assert_null(request_secret(got, "TokenFile"));
        assert_string_equal(got->ca, q->ca);
        assert_string_equal(got->proxy, q->proxy);
        assert_int_equal(got->timeout, q->timeout);
}

/* As a change would have it. */
static ClusterSecret *make_cluster(Request *q, ClusterAction action) {
        ClusterSecret *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        q->kind = REQUEST_CLUSTER;
        q->action = action;
        s->name = strdup("quay-pull");
        s->uid = strdup("u-1");
        s->version = strdup("7");
        assert_int_equal(strv_append(&s->labels, "team"), 0);
        assert_int_equal(strv_append(&s->labels, "a"), 0);
        assert_int_equal(strv_append(&s->annotations, "note"), 0);
        assert_int_equal(strv_append(&s->annotations, ""), 0);
        assert_int_equal(secret_new_string("{\"auths\":{}}", &s->data), 0);
        return s;
}

static void a_request_about_a_cluster_arrives_as_it_was_sent(void **state) {
        for (ClusterAction a = 0; a < _CLUSTER_ACTION_MAX; a++) {
                _cleanup_request_ Request *q = make_request(), *got = NULL;

                q->cluster = make_cluster(q, a);
                assert_int_equal(through_request(state, q, &got), 0);
                assert_int_equal(got->action, a);
                assert_string_equal(got->cluster->name, "quay-pull");
                assert_string_equal(got->cluster->uid, "u-1");
                assert_string_equal(got->cluster->version, "7");
                assert_true(strv_equal(got->cluster->labels, q->cluster->labels));
                assert_true(strv_equal(got->cluster->annotations, q->cluster->annotations));
                assert_true(secret_equal(got->cluster->data, q->cluster->data));
        }
}

/* What each change cannot do without. */
static void a_change_of_a_cluster_says_what_it_is_about(void **state) {
        for (ClusterAction a = 0; a < _CLUSTER_ACTION_MAX; a++) {
                _cleanup_request_ Request *q = make_request(), *got = NULL;

                q->cluster = make_cluster(q, a);
                q->cluster->data = secret_free(q->cluster->data);
                assert_int_equal(through_request(state, q, &got),
                                 a == CLUSTER_APPLY || a == CLUSTER_PATCH ? -EBADMSG : 0);
        }
        for (ClusterAction a = 0; a < _CLUSTER_ACTION_MAX; a++) {
                _cleanup_request_ Request *q = make_request(), *got = NULL, *half = NULL;

                q->cluster = make_cluster(q, a);
                assert_ok(free_and_strdup(&q->cluster->version, NULL));
                assert_int_equal(through_request(state, q, &half), -EBADMSG);
                assert_ok(free_and_strdup(&q->cluster->uid, NULL));
                assert_int_equal(through_request(state, q, &got),
                                 a == CLUSTER_PATCH || a == CLUSTER_REMOVE ? -EBADMSG : 0);
        }
}

static void a_request_about_a_cluster_names_a_secret(void **state) {
        _cleanup_request_ Request *q = make_request(), *got = NULL;

        q->cluster = make_cluster(q, CLUSTER_READ);
        assert_ok(free_and_strdup(&q->cluster->name, "../x"));
        assert_int_equal(through_request(state, q, &got), -EBADMSG);
        q->cluster = cluster_secret_free(q->cluster);
        assert_int_equal(through_request(state, q, &got), -EBADMSG);
}

static void each_kind_of_request_arrives(void **state) {
        for (RequestKind k = 0; k < _REQUEST_KIND_MAX; k++) {
                _cleanup_request_ Request *q = make_request(), *got = NULL;

                q->kind = k;
                q->cluster = k == REQUEST_CLUSTER ? make_cluster(q, CLUSTER_READ) : NULL;
                assert_int_equal(through_request(state, q, &got), 0);
                assert_int_equal(got->kind, k);
        }
}

static void an_explanation_needs_no_registry(void **state) {
        _cleanup_request_ Request *q = make_request(), *got = NULL;

        assert_ok(free_and_strdup(&q->registry, NULL));
        assert_ok(free_and_strdup(&q->job, NULL));
        assert_int_equal(through_request(state, q, &got), -EBADMSG);
        q->kind = REQUEST_EXPLAIN;
        assert_int_equal(through_request(state, q, &got), 0);
        assert_ok(free_and_strdup(&q->source, "a b"));
        got = request_free(got);
        assert_int_equal(through_request(state, q, &got), -EBADMSG);
}

static void what_may_be_missing_stays_missing(void **state) {
        _cleanup_request_ Request *q = make_request(), *got = NULL;

        assert_ok(free_and_strdup(&q->audience, NULL));
        assert_ok(free_and_strdup(&q->ca, NULL));
        assert_ok(free_and_strdup(&q->proxy, NULL));
        q->token = secret_free(q->token);
        q->scopes = strv_free(q->scopes);
        assert_int_equal(through_request(state, q, &got), 0);
        assert_true(!got->audience && !got->ca && !got->proxy && !got->token && !got->scopes);
}

static void refuse_with(void **state, size_t offset, const char *value) {
        _cleanup_request_ Request *q = make_request(), *got = NULL;

        assert_ok(free_and_strdup((char **) (void *) ((char *) q + offset), value));
        assert_int_equal(through_request(state, q, &got), -EBADMSG);
        assert_null(got);
}

static void requests_that_name_nonsense_are_refused(void **state) {
        refuse_with(state, offsetof(Request, job), NULL);
        refuse_with(state, offsetof(Request, job), "../edge");
        refuse_with(state, offsetof(Request, source), NULL);
        refuse_with(state, offsetof(Request, source), "fi le");
        refuse_with(state, offsetof(Request, exchange), NULL);
        refuse_with(state, offsetof(Request, exchange), "");
        refuse_with(state, offsetof(Request, registry), NULL);
        refuse_with(state, offsetof(Request, registry), "https://quay.example.com");
        refuse_with(state, offsetof(Request, registry), "user@quay.example.com");
        refuse_with(state, offsetof(Request, registry), "quay.example.com/path");
        refuse_with(state, offsetof(Request, robot), NULL);
        refuse_with(state, offsetof(Request, robot), "acme");
        refuse_with(state, offsetof(Request, robot), "acme+edge:x");
        refuse_with(state, offsetof(Request, proxy), "http://pro xy");
}

static void refuse_scope(void **state, const char *scope) {
        _cleanup_request_ Request *q = make_request(), *got = NULL;

        assert_ok(strv_append(&q->scopes, scope));
        assert_int_equal(through_request(state, q, &got), -EBADMSG);
}

static void scopes_belong_to_the_registry(void **state) {
        refuse_scope(state, "other.example.com/acme");
        refuse_scope(state, "quay.example.com:8443.evil/acme");
        refuse_scope(state, "quay.example.com:8443/");
        refuse_scope(state, "quay.example.com:8443/../x");
        refuse_scope(state, "quay.example.com:8443/ACME&scope=x");
}

static void a_request_has_an_end(void **state) {
        static const usec_t wrong[] = { 0, USEC_PER_HOUR + 1, USEC_INFINITY };
        _cleanup_request_ Request *longest = make_request(), *taken = NULL;

        longest->timeout = USEC_PER_HOUR;
        assert_int_equal(through_request(state, longest, &taken), 0);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_request_ Request *q = make_request(), *got = NULL;

                q->timeout = wrong[i];
                assert_int_equal(through_request(state, q, &got), -EBADMSG);
        }
}

static void a_token_beyond_the_limit_is_refused(void **state) {
        for (size_t over = 0; over < 2; over++) {
                _cleanup_request_ Request *q = make_request(), *got = NULL;

                secret_free(q->token);
                assert_int_equal(secret_new_zero(DOOR_TOKEN_MAX + over, &q->token), 0);
                assert_int_equal(through_request(state, q, &got), over ? -EBADMSG : 0);
        }
}

static Credential *make_credential(void) {
        Credential *c = calloc(1, sizeof(*c));

        assert_non_null(c);
        c->user = strdup("acme+edge");
        assert_int_equal(secret_new_string("eyJhbGciOi.eyJp.c2ln", &c->secret), 0);
        c->issued = 1700000000;
        c->expires = 1700003600;
        c->obtained_boot = 77;
        return c;
}

static Answer *make_answer(bool good) {
        Answer *a = calloc(1, sizeof(*a));

        assert_non_null(a);
        a->claims = calloc(1, sizeof(*a->claims));
        assert_non_null(a->claims);
        a->claims->issuer = strdup("https://issuer.example.com");
        a->claims->subject = strdup("host-1");
        a->claims->algorithm = strdup("RS256");
        a->claims->key_id = strdup("k1");
        assert_int_equal(strv_append(&a->claims->audience, "quay"), 0);
        a->claims->issued = 1;
        a->claims->expires = 2;
        assert_int_equal(strv_append(&a->notices, "So it is"), 0);
        a->skew_known = true;
        a->skew_usec = -5;
        a->identity_usec = 1;
        a->exchange_usec = 2;
        a->verification_usec = 3;
        if (good) {
                a->credential = make_credential();
                return a;
        }
        assert_int_equal(failure_new(&a->failure, STEP_EXCHANGE, REASON_ROBOT_UNKNOWN, "No such robot"), 0);
        assert_int_equal(failure_set_words(a->failure, "its words", 9), 0);
        assert_int_equal(failure_set_hint(a->failure, "do this"), 0);
        a->failure->http_status = 400;
        a->failure->retry_after = 9 * USEC_PER_SEC;
        return a;
}

static void assert_knowledge_equal(const Answer *a, const Answer *b) {
        assert_string_equal(a->claims->issuer, b->claims->issuer);
        assert_string_equal(a->claims->subject, b->claims->subject);
        assert_string_equal(a->claims->algorithm, b->claims->algorithm);
        assert_string_equal(a->claims->key_id, b->claims->key_id);
        assert_true(strv_equal(a->claims->audience, b->claims->audience));
        assert_true(a->claims->issued == b->claims->issued && a->claims->expires == b->claims->expires);
        assert_true(strv_equal(a->notices, b->notices));
        assert_true(a->skew_known == b->skew_known && a->skew_usec == b->skew_usec);
        assert_true(a->identity_usec == b->identity_usec && a->exchange_usec == b->exchange_usec &&
                    a->verification_usec == b->verification_usec);
}

static void a_credential_arrives_as_it_was_sent(void **state) {
        _cleanup_answer_ Answer *a = make_answer(true), *got = NULL;

        assert_int_equal(through_answer(state, a, &got), 0);
        assert_null(got->failure);
        assert_string_equal(got->credential->user, a->credential->user);
        assert_true(secret_equal(got->credential->secret, a->credential->secret));
        assert_true(got->credential->issued == a->credential->issued &&
                    got->credential->expires == a->credential->expires &&
                    got->credential->obtained_boot == a->credential->obtained_boot);
        assert_knowledge_equal(got, a);
}

static void every_failure_arrives_as_it_was_sent(void **state) {
        for (Reason r = REASON_NONE + 1; r < _REASON_MAX; r++) {
                _cleanup_answer_ Answer *a = make_answer(false), *got = NULL;

                a->failure->reason = r;
                a->failure->step = (FailureStep) (r % _STEP_MAX);
                assert_int_equal(through_answer(state, a, &got), 0);
                assert_null(got->credential);
                assert_true(failure_equal(got->failure, a->failure));
                assert_knowledge_equal(got, a);
        }
}

static void without_claims_there_are_none(void **state) {
        _cleanup_answer_ Answer *a = make_answer(false), *got = NULL;

        a->claims = identity_claims_free(a->claims);
        assert_int_equal(through_answer(state, a, &got), 0);
        assert_null(got->claims);
}

static void an_answer_is_a_credential_or_a_failure(void **state) {
        _cleanup_answer_ Answer *both = make_answer(true), *neither = make_answer(true), *got = NULL;

        assert_int_equal(failure_new(&both->failure, STEP_EXCHANGE, REASON_TIMEOUT, "late"), 0);
        assert_int_equal(through_answer(state, both, &got), -EBADMSG);
        neither->credential = credential_free(neither->credential);
        assert_int_equal(through_answer(state, neither, &got), -EBADMSG);
        assert_null(got);
}

static void refuse_credential(void **state, const char *user, const char *secret, int64_t issued,
                              int64_t expires) {
        _cleanup_answer_ Answer *a = make_answer(true), *got = NULL;

        assert_ok(free_and_strdup(&a->credential->user, user));
        a->credential->secret = secret_free(a->credential->secret);
        if (secret)
                assert_int_equal(secret_new_string(secret, &a->credential->secret), 0);
        a->credential->issued = issued;
        a->credential->expires = expires;
        assert_int_equal(through_answer(state, a, &got), -EBADMSG);
}

static void credentials_that_no_file_should_hold_are_refused(void **state) {
        refuse_credential(state, NULL, "s", 1, 2);
        refuse_credential(state, "", "s", 1, 2);
        refuse_credential(state, "a:b", "s", 1, 2);
        refuse_credential(state, "a b", "s", 1, 2);
        refuse_credential(state, "a+b", NULL, 1, 2);
        refuse_credential(state, "a+b", "", 1, 2);
        refuse_credential(state, "a+b", "line\nbreak", 1, 2);
        refuse_credential(state, "a+b", "bl ank", 1, 2);
        refuse_credential(state, "a+b", "\xc3\xa4", 1, 2);
        refuse_credential(state, "a+b", "\x7f", 1, 2);
        refuse_credential(state, "a+b", "s", 2, 2);
        refuse_credential(state, "a+b", "s", 3, 2);
        refuse_credential(state, "a+b", "s", -1, 2);
        refuse_credential(state, "a+b", "s", 1, INT64_MAX);
}

static void that_all_is_well_is_an_answer_of_its_own(void **state) {
        _cleanup_answer_ Answer *a = make_answer(true), *got = NULL;

        a->well = true;
        assert_int_equal(through_answer(state, a, &got), -EBADMSG);
        a->credential = credential_free(a->credential);
        assert_int_equal(through_answer(state, a, &got), 0);
        assert_true(got->well && !got->credential && !got->failure);
        assert_knowledge_equal(got, a);
        a->well = false;
        got = answer_free(got);
        assert_int_equal(through_answer(state, a, &got), -EBADMSG);
}

static void a_trace_arrives_in_its_order(void **state) {
        _cleanup_answer_ Answer *a = make_answer(false), *got = NULL, *none = NULL;

        assert_int_equal(trace_add(&a->trace, TRACE_CLAIMS, TRACE_OK, 12, "sub host-1"), 0);
        assert_int_equal(trace_add(&a->trace, TRACE_DNS, TRACE_FAILED, 3, "no such name"), 0);
        assert_int_equal(through_answer(state, a, &got), 0);
        assert_int_equal(got->trace.n_entries, 3);
        assert_int_equal(got->trace.entries[1].usec, 12);
        assert_string_equal(got->trace.entries[2].detail, "no such name");
        a->trace.entries[2].step = TRACE_CLAIMS;
        assert_int_equal(through_answer(state, a, &none), -EBADMSG);
        a->trace.entries[2].step = TRACE_TLS;
        assert_int_equal(through_answer(state, a, &none), -EBADMSG);
}

static void what_people_will_read_is_clean(void **state) {
        _cleanup_answer_ Answer *a = make_answer(true), *got = NULL;

        assert_ok(free_and_strdup(&a->claims->subject, "a\nb\033[1m"));
        assert_ok(strv_append(&a->claims->audience, "\xe2\x80\xae"
                                                    "evil"));
        assert_ok(strv_append(&a->notices, "two\nlines"));
        a->claims->issued = -5;
        a->claims->expires = INT64_MAX;
        assert_int_equal(through_answer(state, a, &got), 0);
        assert_string_equal(got->claims->subject, "a b [1m");
        assert_string_equal(got->claims->audience[1], "evil");
        assert_string_equal(got->notices[1], "two lines");
        assert_int_equal(got->claims->issued, 0);
        assert_int_equal(got->claims->expires, 0);
}

static int read_failure(void **state, const char *reason, const char *step, const char *message,
                        int status) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(state);
        _cleanup_answer_ Answer *got = NULL;

        assert_ok(sd_bus_message_append(m, "a{sv}", 4, "Reason", "s", reason, "Step", "s", step, "Message",
                                        "s", message, "HTTPStatus", "i", status));
        seal(m);
        return door_read_answer(m, &got);
}

static void failures_that_make_no_sense_are_refused(void **state) {
        assert_int_equal(read_failure(state, "timeout", "exchange", "late", 0), 0);
        assert_int_equal(read_failure(state, "", "exchange", "late", 0), -EBADMSG);
        assert_int_equal(read_failure(state, "boredom", "exchange", "late", 0), -EBADMSG);
        assert_int_equal(read_failure(state, "timeout", "dancing", "late", 0), -EBADMSG);
        assert_int_equal(read_failure(state, "timeout", "exchange", "", 0), -EBADMSG);
        assert_int_equal(read_failure(state, "timeout", "exchange", "late", -1), -EBADMSG);
        assert_int_equal(read_failure(state, "timeout", "exchange", "late", 1000), -EBADMSG);
}

static void what_was_found_arrives_if_it_can_be_asked_for_again(void **state) {
        _cleanup_answer_ Answer *a = make_answer(true), *got = NULL, *none = NULL, *nameless = NULL;

        assert_int_equal(through_answer(state, a, &none), 0);
        assert_null(none->cluster);
        a->cluster = make_cluster(&(Request){ .kind = REQUEST_CLUSTER }, CLUSTER_READ);
        assert_int_equal(through_answer(state, a, &got), 0);
        assert_string_equal(got->cluster->version, "7");
        assert_true(secret_equal(got->cluster->data, a->cluster->data));
        assert_ok(free_and_strdup(&a->cluster->version, "7 "));
        assert_int_equal(through_answer(state, a, &nameless), -EBADMSG);
        assert_ok(free_and_strdup(&a->cluster->version, NULL));
        assert_int_equal(through_answer(state, a, &nameless), -EBADMSG);
}

static void documents_are_json_or_none(void **state) {
        _cleanup_answer_ Answer *a = make_answer(true), *got = NULL;

        a->discovery = strdup("{\n  \"issuer\": \"https://i\"\n}");
        a->key_set = strdup("rubbish");
        assert_int_equal(through_answer(state, a, &got), 0);
        assert_string_equal(got->discovery, a->discovery);
        assert_null(got->key_set);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_full_request_arrives_as_it_was_sent),
                cmocka_unit_test(what_may_be_missing_stays_missing),
                cmocka_unit_test(each_kind_of_request_arrives),
                cmocka_unit_test(a_request_about_a_cluster_arrives_as_it_was_sent),
                cmocka_unit_test(a_change_of_a_cluster_says_what_it_is_about),
                cmocka_unit_test(a_request_about_a_cluster_names_a_secret),
                cmocka_unit_test(an_explanation_needs_no_registry),
                cmocka_unit_test(that_all_is_well_is_an_answer_of_its_own),
                cmocka_unit_test(a_trace_arrives_in_its_order),
                cmocka_unit_test(requests_that_name_nonsense_are_refused),
                cmocka_unit_test(scopes_belong_to_the_registry),
                cmocka_unit_test(a_request_has_an_end),
                cmocka_unit_test(a_token_beyond_the_limit_is_refused),
                cmocka_unit_test(a_credential_arrives_as_it_was_sent),
                cmocka_unit_test(every_failure_arrives_as_it_was_sent),
                cmocka_unit_test(without_claims_there_are_none),
                cmocka_unit_test(an_answer_is_a_credential_or_a_failure),
                cmocka_unit_test(credentials_that_no_file_should_hold_are_refused),
                cmocka_unit_test(what_people_will_read_is_clean),
                cmocka_unit_test(failures_that_make_no_sense_are_refused),
                cmocka_unit_test(what_was_found_arrives_if_it_can_be_asked_for_again),
                cmocka_unit_test(documents_are_json_or_none),
        };

        return cmocka_run_group_tests(tests, setup_bus, teardown_bus);
}
