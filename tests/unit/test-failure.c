/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The closed lists are complete and in order, and a failure holds nothing but clean text. */

#include <ctype.h>
#include <string.h>

#include "base/failure.h"
#include "base/text.h"
#include "unit.h"

static void assert_dashed(const char *name) {
        assert_non_null(name);
        assert_true(islower(name[0]));
        for (const char *c = name; *c; c++)
                assert_true(islower(*c) || (*c == '-' && c[1] != '-' && c[1]));
}

static void classes_and_steps_have_names_that_read_back(void **state) {
        for (FailureClass c = 0; c < _FAILURE_CLASS_MAX; c++) {
                assert_dashed(failure_class_to_string(c));
                assert_int_equal(failure_class_from_string(failure_class_to_string(c)), c);
        }
        for (FailureStep s = 0; s < _STEP_MAX; s++) {
                assert_dashed(failure_step_to_string(s));
                assert_int_equal(failure_step_from_string(failure_step_to_string(s)), s);
        }
}

static void reasons_have_names_that_read_back(void **state) {
        assert_string_equal(reason_to_string(REASON_NONE), "");
        for (Reason r = 0; r < _REASON_MAX; r++) {
                if (r != REASON_NONE)
                        assert_dashed(reason_to_string(r));
                assert_int_equal(reason_from_string(reason_to_string(r)), r);
        }
}

static void what_is_in_no_list_is_invalid(void **state) {
        assert_null(failure_class_to_string(_FAILURE_CLASS_INVALID));
        assert_null(failure_class_to_string(_FAILURE_CLASS_MAX));
        assert_null(failure_step_to_string(_STEP_INVALID));
        assert_null(failure_step_to_string(_STEP_MAX));
        assert_null(reason_to_string(_REASON_INVALID));
        assert_null(reason_to_string(_REASON_MAX));
        assert_int_equal(failure_class_from_string("Transport"), _FAILURE_CLASS_INVALID);
        assert_int_equal(failure_class_from_string(NULL), _FAILURE_CLASS_INVALID);
        assert_int_equal(failure_step_from_string(""), _STEP_INVALID);
        assert_int_equal(failure_step_from_string(NULL), _STEP_INVALID);
        assert_int_equal(reason_from_string("nonsense"), _REASON_INVALID);
        assert_int_equal(reason_from_string(NULL), _REASON_INVALID);
        assert_int_equal(reason_class(_REASON_INVALID), _FAILURE_CLASS_INVALID);
        assert_int_equal(reason_class(_REASON_MAX), _FAILURE_CLASS_INVALID);
        assert_string_equal(reason_hint(_REASON_INVALID), "");
}

static void each_reason_has_a_class_and_they_are_sorted_by_it(void **state) {
        FailureClass last = 0;
        bool used[_FAILURE_CLASS_MAX] = {};

        assert_int_equal(reason_class(REASON_NONE), _FAILURE_CLASS_INVALID);
        for (Reason r = REASON_NONE + 1; r < _REASON_MAX; r++) {
                FailureClass c = reason_class(r);

                assert_true(c >= 0 && c < _FAILURE_CLASS_MAX);
                if (r == REASON_EXPIRED || r == REASON_INTERNAL) {
                        assert_int_equal(c, FAILURE_TRANSPORT);
                        continue;
                }
                assert_true(c >= last);
                last = c;
                used[c] = true;
        }
        for (FailureClass c = 0; c < _FAILURE_CLASS_MAX; c++)
                assert_true(used[c]);
}

/* The names are API; a wrong class would change the pace of retries. */
static void reasons_have_the_names_and_classes_of_the_manual(void **state) {
        static const struct {
                Reason reason;
                const char *name;
                FailureClass class;
        } known[] = {
                { REASON_NAME_RESOLUTION, "name-resolution", FAILURE_TRANSPORT },
                { REASON_WORKER_UNAVAILABLE, "worker-unavailable", FAILURE_TRANSPORT },
                { REASON_TLS_UNTRUSTED, "tls-untrusted", FAILURE_TLS },
                { REASON_TLS_CERTIFICATE_DATES, "tls-certificate-dates", FAILURE_CLOCK },
                { REASON_RATE_LIMITED, "rate-limited", FAILURE_RATE_LIMIT },
                { REASON_REGISTRY_CLOSED, "registry-closed", FAILURE_REGISTRY },
                { REASON_TOKEN_NOT_USABLE, "token-not-usable", FAILURE_REGISTRY },
                { REASON_ROBOT_UNKNOWN, "robot-unknown", FAILURE_REJECTED },
                { REASON_CREDENTIAL_REFUSED, "credential-refused", FAILURE_REJECTED },
                { REASON_TOKEN_FILE_MISSING, "token-file-missing", FAILURE_IDENTITY_UNAVAILABLE },
                { REASON_TOKEN_FILE_UNSAFE, "token-file-unsafe", FAILURE_IDENTITY_UNUSABLE },
                { REASON_TARGET_FULL, "target-full", FAILURE_PUBLISH },
                { REASON_SCOPE_CONFLICT, "scope-conflict", FAILURE_CONFIGURATION },
                { REASON_EXPIRED, "expired", FAILURE_TRANSPORT },
                { REASON_INTERNAL, "internal", FAILURE_TRANSPORT },
        };

        for (size_t i = 0; i < ELEMENTSOF(known); i++) {
                assert_string_equal(reason_to_string(known[i].reason), known[i].name);
                assert_int_equal(reason_class(known[i].reason), known[i].class);
        }
}

static void each_hint_is_one_clean_sentence(void **state) {
        for (Reason r = 0; r < _REASON_MAX; r++) {
                const char *hint = reason_hint(r);
                _cleanup_free_ char *clean = NULL;

                assert_true(isupper(hint[0]));
                assert_true(strlen(hint) > 15);
                assert_null(endswith(hint, "."));
                assert_null(strstr(hint, ". "));
                assert_int_equal(text_clean(hint, strlen(hint), FAILURE_TEXT_MAX, &clean), 0);
                assert_string_equal(clean, hint);
        }
}

static void messages_are_cleaned_and_cut(void **state) {
        _cleanup_failure_ Failure *f = NULL, *g = NULL;
        char many[2 * FAILURE_TEXT_MAX];

        assert_int_equal(failure_new(&f, STEP_EXCHANGE, REASON_TIMEOUT, "No answer\nwithin %d s\t", 30), 0);
        assert_string_equal(f->message, "No answer within 30 s");
        assert_int_equal(f->step, STEP_EXCHANGE);
        assert_int_equal(f->reason, REASON_TIMEOUT);
        assert_int_equal(f->http_status, 0);
        assert_int_equal(f->retry_after, 0);
        assert_null(f->words);
        assert_null(f->hint);
        assert_int_equal(failure_class(f), FAILURE_TRANSPORT);

        for (size_t i = 0; i < sizeof(many); i++)
                many[i] = 'x';
        many[sizeof(many) - 1] = '\0';
        assert_int_equal(failure_new(&g, STEP_EXCHANGE, REASON_TIMEOUT, "%s", many), 0);
        assert_int_equal(strlen(g->message), FAILURE_TEXT_MAX);
        assert_non_null(endswith(g->message, "x…"));
}

static void words_from_outside_are_cleaned(void **state) {
        _cleanup_failure_ Failure *f = NULL;

        assert_int_equal(failure_new(&f, STEP_EXCHANGE, REASON_REJECTED, "x"), 0);
        assert_int_equal(failure_set_words(f, "\x1b]0;evil\a not\0this\xff", 19), 0);
        assert_string_equal(f->words, "]0;evil not this\xef\xbf\xbd");
        assert_int_equal(failure_set_words(f, "second", 6), 0);
        assert_string_equal(f->words, "second");
        assert_int_equal(failure_set_words(f, " \n", 2), 0);
        assert_null(f->words);
        assert_int_equal(failure_set_words(f, NULL, 0), 0);
        assert_null(f->words);
}

static void the_hint_is_that_of_the_reason_unless_one_is_set(void **state) {
        _cleanup_failure_ Failure *f = NULL;

        assert_int_equal(failure_new(&f, STEP_EXCHANGE, REASON_ROBOT_UNKNOWN, "x"), 0);
        assert_ptr_equal(failure_hint(f), reason_hint(REASON_ROBOT_UNKNOWN));
        assert_int_equal(failure_set_hint(f, "Check %s", "this\r\n"), 0);
        assert_string_equal(failure_hint(f), "Check this");
        assert_int_equal(failure_set_hint(f, "Check that"), 0);
        assert_string_equal(failure_hint(f), "Check that");
}

static Failure *full_failure(void) {
        Failure *f = NULL;

        assert_int_equal(failure_new(&f, STEP_VERIFICATION, REASON_CREDENTIAL_REFUSED, "Refused"), 0);
        assert_int_equal(failure_set_words(f, "no", 2), 0);
        assert_int_equal(failure_set_hint(f, "Ask"), 0);
        f->http_status = 401;
        f->retry_after = 7;
        return f;
}

static void copies_are_equal_and_share_nothing(void **state) {
        _cleanup_failure_ Failure *f = full_failure(), *copy = NULL, *bare = NULL, *bare_copy = NULL;

        assert_int_equal(failure_dup(f, &copy), 0);
        assert_true(failure_equal(f, copy));
        assert_ptr_not_equal(f->message, copy->message);
        assert_ptr_not_equal(f->words, copy->words);
        assert_ptr_not_equal(f->hint, copy->hint);
        assert_int_equal(failure_new(&bare, STEP_EXCHANGE, REASON_TIMEOUT, "x"), 0);
        assert_int_equal(failure_dup(bare, &bare_copy), 0);
        assert_true(failure_equal(bare, bare_copy));
}

static void any_different_field_makes_failures_differ(void **state) {
        for (unsigned i = 0; i < 7; i++) {
                _cleanup_failure_ Failure *a = full_failure(), *b = full_failure();

                assert_true(failure_equal(a, b));
                if (i == 0)
                        b->reason = REASON_REJECTED;
                if (i == 1)
                        b->step = STEP_EXCHANGE;
                if (i == 2)
                        b->http_status = 403;
                if (i == 3)
                        b->retry_after = 8;
                if (i == 4)
                        b->message[0] = 'X';
                if (i == 5)
                        assert_int_equal(failure_set_words(b, "", 0), 0);
                if (i == 6)
                        assert_int_equal(failure_set_hint(b, "Do"), 0);
                assert_false(failure_equal(a, b));
                assert_false(failure_equal(b, a));
        }
}

static void no_failure_equals_only_no_failure(void **state) {
        _cleanup_failure_ Failure *f = full_failure();

        assert_true(failure_equal(NULL, NULL));
        assert_false(failure_equal(f, NULL));
        assert_false(failure_equal(NULL, f));
        assert_null(failure_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(classes_and_steps_have_names_that_read_back),
                cmocka_unit_test(reasons_have_names_that_read_back),
                cmocka_unit_test(what_is_in_no_list_is_invalid),
                cmocka_unit_test(each_reason_has_a_class_and_they_are_sorted_by_it),
                cmocka_unit_test(reasons_have_the_names_and_classes_of_the_manual),
                cmocka_unit_test(each_hint_is_one_clean_sentence),
                cmocka_unit_test(messages_are_cleaned_and_cut),
                cmocka_unit_test(words_from_outside_are_cleaned),
                cmocka_unit_test(the_hint_is_that_of_the_reason_unless_one_is_set),
                cmocka_unit_test(copies_are_equal_and_share_nothing),
                cmocka_unit_test(any_different_field_makes_failures_differ),
                cmocka_unit_test(no_failure_equals_only_no_failure),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
