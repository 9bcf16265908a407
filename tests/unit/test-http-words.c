/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The registry's own words: found in each shape, clean, and never a piece of a secret. */

#include "base/failure.h"
#include "draw.h"
#include "worker-fixture.h"
#include "worker/http-words.h"

static void assert_words(const char *body, WordsShape shape, const char *text) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(400, body);
        _cleanup_(words_done) Words w = {};

        assert_int_equal(words_read(&a, NULL, 0, &w), 0);
        assert_int_equal(w.shape, shape);
        assert_true(streq_ptr(w.text, text));
}

static void the_shapes_of_quay(void **state) {
        assert_words("{\"message\":\"Invalid token: x\"}\n", WORDS_MESSAGE, "Invalid token: x");
        assert_words("{\"error\":\"No auth header\"}\n", WORDS_ERROR, "No auth header");
        assert_words("{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"detail\":{},\"message\":\"no\"}]}",
                     WORDS_ERROR, "no");
        assert_words("{\"error\":\"invalid_client\",\"error_description\":\"secret\\nexpired\"}",
                     WORDS_ERROR, "invalid_client: secret expired");
        assert_words("{\"error\":\"invalid_client\",\"error_description\":5}", WORDS_ERROR,
                     "invalid_client");
        assert_words("<html>\n  <head>\n    <title>Internal Server Error</title>\n  </head>", WORDS_TITLE,
                     "Internal Server Error");
        assert_words("<HTML><TITLE>\n502  Bad\tGateway </TITLE>", WORDS_TITLE, "502 Bad Gateway");
}

static void what_has_no_words(void **state) {
        static const char *const bodies[] = {
                "",
                "plain",
                "[]",
                "{}",
                "null",
                "\"text\"",
                "{\"message\":5}",
                "{\"message\":null}",
                "{\"errors\":[]}",
                "{\"errors\":[5]}",
                "{\"errors\":{}}",
                "{\"errors\":[{\"code\":\"X\"}]}",
                "<html></html>",
                "<title>open",
                "</title><title>",
                "{\"message\":\"\"}",
                "{\"message\":\"torn",
                "<title> </title>",
        };

        for (size_t i = 0; i < ELEMENTSOF(bodies); i++)
                assert_words(bodies[i], WORDS_NONE, NULL);
}

static void a_message_goes_before_an_error(void **state) {
        assert_words("{\"error\":\"e\",\"message\":\"m\"}", WORDS_MESSAGE, "m");
        assert_words("{\"message\":null,\"error\":\"e\"}", WORDS_ERROR, "e");
}

static void words_are_cleaned_and_cut(void **state) {
        _cleanup_(answer_done) HttpAnswer a = {};
        _cleanup_(words_done) Words w = {};
        char body[2000];

        assert_words("{\"message\":\"a\\u001b[31m\\nb\\u202ec\"}", WORDS_MESSAGE, "a [31m b c");
        assert_true(snprintf(body, sizeof(body), "{\"message\":\"%01500d\"}", 0) > 0);
        a = answer_of(400, body);
        assert_int_equal(words_read(&a, NULL, 0, &w), 0);
        assert_int_equal(strlen(w.text), FAILURE_TEXT_MAX);
}

static void read_only_is_noticed(void **state) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(503, "{\"message\":\"m\",\"is_readonly\":true}");
        _cleanup_(words_done) Words w = {};

        assert_int_equal(words_read(&a, NULL, 0, &w), 0);
        assert_true(w.read_only);
        assert_string_equal(w.text, "m");
}

static void what_is_not_read_only_is_not(void **state) {
        static const char *const bodies[] = { "{\"message\":\"m\"}", "{\"is_readonly\":false}",
                                              "{\"is_readonly\":\"true\"}", "<title>x</title>" };

        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_(answer_done) HttpAnswer a = answer_of(503, bodies[i]);
                _cleanup_(words_done) Words w = {};

                assert_int_equal(words_read(&a, NULL, 0, &w), 0);
                assert_false(w.read_only);
        }
}

/* Whether words survive beside these secrets. */
static bool survives(const char *text, const Secret *const *secrets, size_t n) {
        _cleanup_(answer_done) HttpAnswer a = {};
        _cleanup_(words_done) Words w = {};
        char body[1024];

        assert_true(snprintf(body, sizeof(body), "{\"message\":\"%s\"}", text) < (int) sizeof(body));
        a = answer_of(400, body);
        assert_int_equal(words_read(&a, secrets, n, &w), 0);
        assert_int_equal(w.shape == WORDS_MESSAGE, !!w.text);
        return w.text != NULL;
}

static void words_that_repeat_a_piece_of_a_secret_are_dropped(void **state) {
        Draw d = { 9 };

        for (unsigned i = 0; i < 200; i++) {
                _cleanup_secret_ Secret *secret = NULL, *other = NULL;
                char token[200] = {}, text[300];
                size_t at = draw_below(&d, 150);

                for (size_t k = 0; k < sizeof(token) - 1; k++)
                        token[k] = (char) ('a' + draw_below(&d, 26));
                assert_int_equal(secret_new_string(token, &secret), 0);
                assert_int_equal(secret_new_string("", &other), 0);
                const Secret *const secrets[] = { other, secret };

                snprintf(text, sizeof(text), "you sent %.*s there", 12 + (int) draw_below(&d, 30),
                         token + at);
                assert_false(survives(text, secrets, 2));
                snprintf(text, sizeof(text), "%.12s", token + at);
                assert_false(survives(text, secrets, 2));
                snprintf(text, sizeof(text), "you sent %.12s", token + at);
                assert_false(survives(text, secrets, 2));
                snprintf(text, sizeof(text), "you sent %.11s there", token + at);
                assert_true(survives(text, secrets, 2));
        }
}

static void so_are_words_that_repeat_it_in_base64(void **state) {
        _cleanup_secret_ Secret *secret = NULL;
        Draw d = { 10 };
        char token[100] = {};

        for (size_t k = 0; k < sizeof(token) - 1; k++)
                token[k] = (char) ('a' + draw_below(&d, 26));
        assert_int_equal(secret_new_string(token, &secret), 0);
        for (unsigned user = 1; user < 10; user++) {
                _cleanup_secret_ Secret *basic = NULL;
                char plain[200], text[300];

                snprintf(plain, sizeof(plain), "%0*d:%s", (int) user, 0, token);
                assert_int_equal(base64_encode(plain, strlen(plain), &basic), 0);
                snprintf(text, sizeof(text), "Authorization: Basic %s", text_of(basic));
                assert_false(survives(text, (const Secret *const[]){ secret }, 1));
                snprintf(text, sizeof(text), "header was %.20s", text_of(basic) + 24);
                assert_false(survives(text, (const Secret *const[]){ secret }, 1));
        }
}

static void a_title_is_no_way_around_that(void **state) {
        _cleanup_secret_ Secret *secret = NULL;
        _cleanup_(answer_done) HttpAnswer a = answer_of(500, "<title>secretsecretsecret</title>");
        _cleanup_(words_done) Words w = {};

        assert_int_equal(secret_new_string("secretsecretsecret", &secret), 0);
        assert_int_equal(words_read(&a, (const Secret *const[]){ secret }, 1, &w), 0);
        assert_null(w.text);
}

static void a_short_secret_is_looked_for_as_a_whole(void **state) {
        _cleanup_secret_ Secret *secret = NULL;

        assert_int_equal(secret_new_string("hunter2", &secret), 0);
        assert_false(survives("you sent hunter2", (const Secret *const[]){ secret }, 1));
        /* "me:hunter2" in base64 */
        assert_false(survives("you sent bWU6aHVudGVyMg==", (const Secret *const[]){ secret }, 1));
        assert_true(survives("the hunter", (const Secret *const[]){ secret }, 1));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_shapes_of_quay),
                cmocka_unit_test(what_has_no_words),
                cmocka_unit_test(a_message_goes_before_an_error),
                cmocka_unit_test(words_are_cleaned_and_cut),
                cmocka_unit_test(read_only_is_noticed),
                cmocka_unit_test(what_is_not_read_only_is_not),
                cmocka_unit_test(words_that_repeat_a_piece_of_a_secret_are_dropped),
                cmocka_unit_test(a_short_secret_is_looked_for_as_a_whole),
                cmocka_unit_test(so_are_words_that_repeat_it_in_base64),
                cmocka_unit_test(a_title_is_no_way_around_that),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
