/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests and answers can be freed at any stage of being filled, and leave no secret behind. */

#include "base/text.h"
#include "memory-scan.h"
#include "model/request.h"

static void empty_ones_can_be_freed(void **state) {
        Request *q = calloc(1, sizeof(*q));
        Answer *a = calloc(1, sizeof(*a));
        IdentityClaims *c = calloc(1, sizeof(*c));

        assert_null(request_free(q));
        assert_null(answer_free(a));
        assert_null(identity_claims_free(c));
        assert_null(request_free(NULL));
        assert_null(answer_free(NULL));
        assert_null(identity_claims_free(NULL));
}

static IdentityClaims *make_claims(const char *subject, const char *audience) {
        IdentityClaims *c = calloc(1, sizeof(*c));

        assert_non_null(c);
        c->subject = strdup(subject);
        c->expires = 5;
        assert_ok(strv_append(&c->audience, audience));
        return c;
}

static void claims_can_be_shared_and_compared(void **state) {
        IdentityClaims *a = make_claims("edge-1", "quay"), *b = make_claims("edge-1", "quay"),
                       *c = make_claims("edge-1", "other"), *again = identity_claims_share(a);

        assert_ptr_equal(again, a);
        assert_true(identity_claims_equal(a, b));
        assert_false(identity_claims_equal(a, c));
        assert_null(identity_claims_free(a));
        assert_true(identity_claims_equal(again, b));
        again->expires++;
        assert_false(identity_claims_equal(again, b));
        assert_null(identity_claims_free(again));
        assert_null(identity_claims_free(b));
        assert_null(identity_claims_free(c));
}

static void full_ones_free_everything_in_them(void **state) {
        Request *q = calloc(1, sizeof(*q));
        Answer *a = calloc(1, sizeof(*a));

        assert_non_null(q);
        assert_non_null(a);
        q->job = strdup("edge");
        q->source = strdup("file");
        q->audience = strdup("quay");
        q->exchange = strdup("quay");
        q->registry = strdup("quay.example.com");
        q->robot = strdup("acme+edge");
        q->ca = strdup("-----BEGIN");
        q->proxy = strdup("http://proxy");
        q->cluster = calloc(1, sizeof(*q->cluster));
        assert_non_null(q->cluster);
        q->cluster->name = strdup("quay-pull");
        assert_int_equal(strv_append(&q->scopes, "quay.example.com/acme"), 0);
        assert_int_equal(secret_new_string("jwt", &q->token), 0);
        request_free(q);

        a->credential = calloc(1, sizeof(*a->credential));
        a->claims = calloc(1, sizeof(*a->claims));
        assert_non_null(a->credential);
        assert_non_null(a->claims);
        a->credential->user = strdup("acme+edge");
        assert_int_equal(secret_new_string("token", &a->credential->secret), 0);
        a->claims->issuer = strdup("i");
        a->claims->subject = strdup("s");
        a->claims->algorithm = strdup("RS256");
        a->claims->key_id = strdup("k");
        assert_int_equal(strv_append(&a->claims->audience, "quay"), 0);
        assert_int_equal(strv_append(&a->notices, "So it is"), 0);
        assert_int_equal(failure_new(&a->failure, STEP_EXCHANGE, REASON_TIMEOUT, "late"), 0);
        a->cluster = calloc(1, sizeof(*a->cluster));
        assert_non_null(a->cluster);
        assert_int_equal(secret_new_string("{}", &a->cluster->data), 0);
        answer_free(a);
}

static void a_freed_request_leaves_no_copy_of_its_token(void **state) {
        uint8_t token[PATTERN_SIZE];
        Request *q = calloc(1, sizeof(*q));

        assert_non_null(q);
        pattern_fill(token, 11);
        assert_int_equal(secret_new(token, sizeof(token), &q->token), 0);
        explicit_bzero(token, sizeof(token));
        assert_int_equal(pattern_count(11), 1);
        request_free(q);
        assert_int_equal(pattern_count(11), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(empty_ones_can_be_freed),
                cmocka_unit_test(claims_can_be_shared_and_compared),
                cmocka_unit_test(full_ones_free_everything_in_them),
                cmocka_unit_test(a_freed_request_leaves_no_copy_of_its_token),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
