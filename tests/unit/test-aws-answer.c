/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words, keys and tokens out of what AWS answers, and its refusals. */

#include "worker-fixture.h"
#include "worker/aws-answer.h"

static Secret *body_of(const char *text) {
        Secret *s;

        assert_int_equal(secret_new_string(text, &s), 0);
        return s;
}

static void a_word_is_one_line_of_visible_text(void **state) {
        static const struct {
                const char *text, *word;
        } rows[] = {
                { "role", "role" },      { "a/b+c==\n", "a/b+c==" }, { "", NULL },
                { "\n", NULL },          { "two words", NULL },      { "a\r\nb", NULL },
                { "caf\xc3\xa9", NULL }, { "123456789", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_secret_ Secret *body = body_of(rows[i].text), *word = NULL;

                assert_int_equal(aws_read_word(body, 8, &word), rows[i].word ? 0 : -EBADMSG);
                if (rows[i].word)
                        assert_string_equal(text_of(word), rows[i].word);
        }
}

static void a_region_is_part_of_a_name_of_a_host(void **state) {
        static const char *const bad[] = { "", "EU", "eu-central-1/x", "a.b", "a@b", "eu central" };
        _cleanup_secret_ Secret *body = body_of("eu-central-1\n"), *region = NULL;

        assert_int_equal(aws_read_region(body, &region), 0);
        assert_string_equal(text_of(region), "eu-central-1");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_secret_ Secret *other = body_of(bad[i]), *none = NULL;

                assert_int_equal(aws_read_region(other, &none), -EBADMSG);
        }
}

static void keys_are_all_there_and_fit_into_a_header(void **state) {
        static const char *const bad[] = {
                "",
                "[]",
                "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\"}",
                "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"\",\"Token\":\"c\"}",
                "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Token\":\"c\\r\\nX: y\"}",
                "{\"AccessKeyId\":1,\"SecretAccessKey\":\"b\",\"Token\":\"c\"}",
        };
        _cleanup_secret_ Secret *body = body_of(
                "{\"Code\":\"Success\",\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Token\":\"c\"}");
        _cleanup_(aws_keys_done) AwsKeys k = {};

        assert_int_equal(aws_read_keys(body, &k), 0);
        assert_string_equal(text_of(k.id), "a");
        assert_string_equal(text_of(k.key), "b");
        assert_string_equal(text_of(k.session), "c");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_secret_ Secret *other = body_of(bad[i]);
                AwsKeys none = {};

                assert_int_equal(aws_read_keys(other, &none), -EBADMSG);
                assert_null(none.id);
        }
}

static void the_token_is_the_text_of_its_element(void **state) {
        static const char *const bad[] = { "", "<WebIdentityToken>", "<WebIdentityToken>a.b.c",
                                           "<WebIdentityToken></WebIdentityToken>",
                                           "<WebIdentityTokens>a</x>" };
        _cleanup_secret_ Secret *body = body_of("<a><WebIdentityToken>h.p.s</WebIdentityToken></a>"),
                                *token = NULL;

        assert_int_equal(aws_read_token(body, &token), 0);
        assert_string_equal(text_of(token), "h.p.s");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_secret_ Secret *other = body_of(bad[i]), *none = NULL;

                assert_int_equal(aws_read_token(other, &none), -EBADMSG);
        }
}

static void refusals_keep_their_words_and_no_key(void **state) {
        _cleanup_secret_ Secret *plain = body_of("<Code>AccessDenied</Code><Message>no</Message>"),
                                *loud = body_of("<Code>AccessDenied</Code><Message>no hushkey</Message>"),
                                *strange = body_of("<html>");
        _cleanup_(aws_keys_done) AwsKeys k = { .key = body_of("hushkey") };
        _cleanup_failure_ Failure *f = NULL, *g = NULL;

        assert_int_equal(failure_new(&f, STEP_IDENTITY, REASON_IDENTITY_SOURCE_REFUSED, "x"), 0);
        assert_int_equal(aws_explain_refusal(strange, &k, f), 0);
        assert_null(f->words);
        assert_int_equal(aws_explain_refusal(plain, &k, f), 0);
        assert_string_equal(f->words, "AccessDenied: no");
        assert_non_null(strstr(failure_hint(f), "sts:GetWebIdentityToken"));
        assert_int_equal(failure_new(&g, STEP_IDENTITY, REASON_IDENTITY_SOURCE_REFUSED, "x"), 0);
        assert_int_equal(aws_explain_refusal(loud, &k, g), 0);
        assert_null(g->words);
        assert_non_null(strstr(failure_hint(g), "sts:GetWebIdentityToken"));
}

/* As STS does when it tells what should have been signed. */
static void a_piece_of_a_key_is_enough_and_the_remedy_stays(void **state) {
        _cleanup_secret_ Secret *body =
                body_of("<Code>SignatureDoesNotMatch</Code><Message>The Canonical String "
                        "should have been 'x-amz-security-token:IQoJb3JpZ2luX2Vj"
                        "</Message>");
        _cleanup_(aws_keys_done) AwsKeys k = { .session = body_of("IQoJb3JpZ2luX2VjEJr//////////wEaCXVz") };
        _cleanup_failure_ Failure *f = NULL;

        assert_int_equal(failure_new(&f, STEP_IDENTITY, REASON_IDENTITY_SOURCE_REFUSED, "x"), 0);
        assert_int_equal(aws_explain_refusal(body, &k, f), 0);
        assert_null(f->words);
        assert_non_null(strstr(failure_hint(f), "clock"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_word_is_one_line_of_visible_text),
                cmocka_unit_test(a_region_is_part_of_a_name_of_a_host),
                cmocka_unit_test(keys_are_all_there_and_fit_into_a_header),
                cmocka_unit_test(the_token_is_the_text_of_its_element),
                cmocka_unit_test(refusals_keep_their_words_and_no_key),
                cmocka_unit_test(a_piece_of_a_key_is_enough_and_the_remedy_stays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
