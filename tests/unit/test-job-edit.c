/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Settings → the text of a file → the same settings, and no way to make it say anything else. */

#include "unit.h"

#include "base/text.h"
#include "model/job-config.h"
#include "model/job-edit.h"

static void fill(JobEdit *e) {
        assert_ok(job_edit_set_string(e, JOB_KEY_REGISTRY, "quay.example.com:8443"));
        assert_ok(job_edit_set_string(e, JOB_KEY_ROBOT, "acme+edge"));
        assert_ok(job_edit_set_string(e, JOB_KEY_IDENTITY, "node"));
        job_edit_set_list(e, JOB_KEY_SCOPES);
        assert_ok(job_edit_add_word(e, JOB_KEY_SCOPES, "acme/app"));
        assert_ok(job_edit_add_word(e, JOB_KEY_SCOPES, "*"));
        job_edit_set_list(e, JOB_KEY_TARGETS);
        assert_ok(job_edit_set_span(e, JOB_KEY_MINIMUM_REMAINING, 90 * USEC_PER_SEC));
        assert_ok(job_edit_set_string(e, JOB_KEY_ON_EXPIRY, "retain"));
        assert_ok(job_edit_set_string(e, JOB_KEY_ON_REMOVE, ""));
        assert_ok(job_edit_set_bool(e, JOB_KEY_TAKE_OVER, true));
        assert_ok(job_edit_set_bool(e, JOB_KEY_ENABLED, false));
}

static void keys_have_names_and_types(void **state) {
        for (JobKey k = 0; k < _JOB_KEY_MAX; k++)
                assert_int_equal(job_key_from_string(job_key_to_string(k)), k);
        assert_null(job_key_to_string(_JOB_KEY_MAX));
        assert_null(job_key_to_string(_JOB_KEY_INVALID));
        assert_true(job_key_from_string("CAFile") < 0);
        assert_true(job_key_from_string("Proxy") < 0);
        assert_true(job_key_from_string("registry") < 0);
        assert_true(job_key_from_string(NULL) < 0);
        assert_int_equal(job_key_type(JOB_KEY_SCOPES), JOB_KEY_LIST);
        assert_int_equal(job_key_type(JOB_KEY_WAKE_SYSTEM), JOB_KEY_BOOL);
}

static void a_main_file_is_one_that_people_could_have_written(void **state) {
        _cleanup_(job_edit_done) JobEdit e = {};
        _cleanup_free_ char *text = NULL;

        fill(&e);
        assert_ok(job_edit_print(&e, JOB_EDIT_MAIN, &text));
        assert_string_equal(text,
                            "# Made by pullauthd for a caller of its D-Bus interface, org.pullauth1(5).\n"
                            "[Job]\n"
                            "Registry=quay.example.com:8443\n"
                            "Robot=acme+edge\n"
                            "Identity=node\n"
                            "Scopes=acme/app\n"
                            "Scopes=*\n"
                            "Targets=\n"
                            "MinimumRemaining=90s\n"
                            "OnExpiry=retain\n"
                            "OnRemove=\n"
                            "TakeOver=yes\n"
                            "Enabled=no\n");
}

static void a_drop_in_replaces_lists_and_can_be_read_again(void **state) {
        _cleanup_(job_edit_done) JobEdit e = {}, again = {};
        _cleanup_free_ char *text = NULL, *second = NULL;

        fill(&e);
        assert_ok(job_edit_print(&e, JOB_EDIT_DROP_IN, &text));
        assert_non_null(strstr(text, "\nScopes=\nScopes=acme/app\nScopes=*\nTargets=\nMinimum"));
        assert_int_equal(job_edit_read(text, &again), 1);
        assert_ok(job_edit_print(&again, JOB_EDIT_DROP_IN, &second));
        assert_string_equal(text, second);
        assert_true(again.has[JOB_KEY_TARGETS]);
        assert_false(again.has[JOB_KEY_WAKE_SYSTEM]);
}

static void what_the_text_says_is_what_a_job_becomes(void **state) {
        _cleanup_(job_config_freep) JobConfig *c = NULL;
        _cleanup_(job_edit_done) JobEdit e = {};
        _cleanup_free_ char *text = NULL;
        _cleanup_conf_ Conf *conf = NULL;

        fill(&e);
        assert_ok(job_edit_print(&e, JOB_EDIT_MAIN, &text));
        assert_ok(conf_new(&conf));
        assert_ok(conf_parse(conf, "x", text, strlen(text)));
        assert_ok(job_config_new("edge", conf, NULL, &c));
        assert_int_equal(conf->n_messages, 0);
        assert_string_equal(c->registry, "quay.example.com:8443");
        assert_string_equal(c->scopes[0], "quay.example.com:8443/acme/app");
        assert_string_equal(c->scopes[1], "quay.example.com:8443");
        assert_string_equal(c->targets[0], "system");
        assert_int_equal(c->minimum_remaining, 90 * USEC_PER_SEC);
        assert_int_equal(c->on_expiry, ON_EXPIRY_RETAIN);
        assert_true(c->take_over);
        assert_false(c->enabled);
}

static void files_of_others_are_not_ours(void **state) {
        static const char *const changes[][2] = {
                { "", "# And one more comment.\n" },
                { "TakeOver=yes\n", "TakeOver=yes\nCAFile=/ca\n" },
                { "TakeOver=yes", "TakeOver= yes" },
                { "TakeOver=yes\n", "TakeOver=yes\n\n" },
                { "[Job]", "[X-Job]" },
                { "Scopes=\n", "" },
                { "TakeOver=yes", "TakeOver=true" },
                { "Enabled=no\n", "Enabled=no" },
                { "# Made", "#Made" },
        };
        _cleanup_(job_edit_done) JobEdit e = {}, again = {};
        _cleanup_free_ char *text = NULL;

        fill(&e);
        assert_ok(job_edit_print(&e, JOB_EDIT_DROP_IN, &text));
        for (size_t i = 0; i < ELEMENTSOF(changes); i++) {
                const char *at = strstr(text, changes[i][0]);
                _cleanup_free_ char *changed = NULL;
                int r;

                assert_non_null(at);
                assert_ok(text_format(&changed, "%.*s%s%s", (int) (at - text), text, changes[i][1],
                                      at + strlen(changes[i][0])));
                r = job_edit_read(changed, &again);
                /* "true" is a word like another: what it means is not known here. */
                if (streq(changes[i][1], "TakeOver=true")) {
                        assert_int_equal(r, 1);
                        job_edit_done(&again);
                } else if (r != 0)
                        fail_msg("with '%s' it is still ours", changes[i][1]);
        }
        assert_int_equal(job_edit_read("", &again), 0);
        assert_int_equal(job_edit_read("[Job]\nTakeOver=yes\n", &again), 0);
}

static void words_that_could_be_read_as_more_are_refused(void **state) {
        static const char *const bad[] = { "a\nCAFile=/etc/shadow",
                                           "a b",
                                           " a",
                                           "a ",
                                           "\t",
                                           "a\\",
                                           "a\\\n",
                                           "a\r",
                                           "\x01",
                                           "\x7f",
                                           "\xc3\xa9" };
        static const char *const odd[] = { "#a", ";a",    "[Job]", "=",     "a=b",
                                           "%h", "$HOME", "'a'",   "\"a\"", "${x}" };
        char longest[514] = {};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(job_edit_done) JobEdit e = {};

                if (job_edit_set_string(&e, JOB_KEY_REGISTRY, bad[i]) != -EINVAL ||
                    job_edit_add_word(&e, JOB_KEY_SCOPES, bad[i]) != -EINVAL)
                        fail_msg("'%s' should be refused", bad[i]);
        }
        /* What looks special in other syntaxes is plain here, and comes back as it is. */
        for (size_t i = 0; i < ELEMENTSOF(odd); i++) {
                _cleanup_(job_edit_done) JobEdit e = {}, again = {};
                _cleanup_free_ char *text = NULL, *sentence = NULL;

                assert_ok(job_edit_set_string(&e, JOB_KEY_IDENTITY, odd[i]));
                assert_ok(job_edit_print(&e, JOB_EDIT_DROP_IN, &text));
                assert_int_equal(job_edit_read(text, &again), 1);
                assert_string_equal(again.values[JOB_KEY_IDENTITY][0], odd[i]);
                assert_int_equal(job_edit_check(&e, &sentence), 1);
                assert_non_null(startswith(sentence, "Identity="));
        }
        memset(longest, 'a', 513);
        assert_int_equal(job_edit_set_string(&(JobEdit){}, JOB_KEY_ROBOT, longest), -E2BIG);
}

static void lists_end_somewhere(void **state) {
        _cleanup_(job_edit_done) JobEdit e = {};
        _cleanup_free_ char *text = NULL, *sentence = NULL;

        job_edit_set_list(&e, JOB_KEY_SCOPES);
        for (int i = 0; i < 128; i++) {
                char word[16];

                snprintf(word, sizeof(word), "a%d", i);
                assert_ok(job_edit_add_word(&e, JOB_KEY_SCOPES, word));
        }
        assert_int_equal(job_edit_add_word(&e, JOB_KEY_SCOPES, "b"), -E2BIG);
        assert_ok(job_edit_print(&e, JOB_EDIT_DROP_IN, &text));
        assert_int_equal(job_edit_check(&e, &sentence), 1);
        assert_string_equal(sentence, "Scopes= has more than 64 entries");
}

static void spans_are_written_as_people_do(void **state) {
        static const struct {
                usec_t value;
                const char *line;
        } rows[] = {
                { 0, "\nMinimumRemaining=\n" },
                { 1, "\nMinimumRemaining=1us\n" },
                { 1500 * USEC_PER_MSEC, "\nMinimumRemaining=1500000us\n" },
                { 59 * USEC_PER_SEC, "\nMinimumRemaining=59s\n" },
                { 20 * USEC_PER_MINUTE, "\nMinimumRemaining=20min\n" },
                { 2 * USEC_PER_HOUR, "\nMinimumRemaining=2h\n" },
                { 7 * USEC_PER_DAY, "\nMinimumRemaining=7d\n" },
                { USEC_INFINITY, "\nMinimumRemaining=18446744073709551615us\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(job_edit_done) JobEdit e = {};
                _cleanup_free_ char *text = NULL;

                assert_ok(job_edit_set_span(&e, JOB_KEY_MINIMUM_REMAINING, rows[i].value));
                assert_ok(job_edit_print(&e, JOB_EDIT_DROP_IN, &text));
                if (!strstr(text, rows[i].line))
                        fail_msg("'%s' is not in '%s'", rows[i].line, text);
        }
}

static void each_value_is_judged_for_itself(void **state) {
        static const struct {
                JobKey key;
                const char *value;
                const char *says; /* NULL: fine */
        } rows[] = {
                { JOB_KEY_REGISTRY, "quay.example.com", NULL },
                { JOB_KEY_REGISTRY, "https://quay.example.com", "URL" },
                { JOB_KEY_ROBOT, "acme+edge", NULL },
                { JOB_KEY_ROBOT, "acme", "organization+robot" },
                { JOB_KEY_IDENTITY, "../x", "Identity=" },
                { JOB_KEY_SCOPES, "/acme", "Scopes=" },
                { JOB_KEY_TARGETS, "/etc/x", "Targets=" },
                { JOB_KEY_ON_EXPIRY, "retain", NULL },
                { JOB_KEY_ON_EXPIRY, "keep", "neither withdraw nor retain" },
                { JOB_KEY_ON_REMOVE, "keep", "neither withdraw nor retain" },
                { JOB_KEY_MINIMUM_REMAINING, "1us", "between 1s and" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(job_edit_done) JobEdit e = {};
                _cleanup_free_ char *sentence = NULL;
                int r;

                assert_ok(job_edit_set_string(&e, rows[i].key, rows[i].value));
                r = job_edit_check(&e, &sentence);
                assert_int_equal(r, rows[i].says ? 1 : 0);
                if (rows[i].says && !strstr(sentence, rows[i].says))
                        fail_msg("'%s' does not say '%s'", sentence, rows[i].says);
        }
        assert_int_equal(job_edit_check(&(JobEdit){}, NULL), 0);
}

static void edits_add_up_and_can_be_taken_back(void **state) {
        _cleanup_(job_edit_done) JobEdit e = {}, more = {};

        assert_true(job_edit_is_empty(&e));
        assert_ok(job_edit_set_string(&e, JOB_KEY_ROBOT, "a+b"));
        assert_ok(job_edit_set_bool(&e, JOB_KEY_TAKE_OVER, true));
        assert_ok(job_edit_set_bool(&more, JOB_KEY_TAKE_OVER, false));
        job_edit_set_list(&more, JOB_KEY_SCOPES);
        assert_ok(job_edit_merge(&e, &more));
        assert_string_equal(e.values[JOB_KEY_ROBOT][0], "a+b");
        assert_string_equal(e.values[JOB_KEY_TAKE_OVER][0], "no");
        assert_true(e.has[JOB_KEY_SCOPES]);
        job_edit_subtract(&e, &more);
        assert_false(e.has[JOB_KEY_SCOPES] || e.has[JOB_KEY_TAKE_OVER]);
        assert_false(job_edit_is_empty(&e));
        job_edit_subtract(&e, &e);
        assert_true(job_edit_is_empty(&e));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(keys_have_names_and_types),
                cmocka_unit_test(a_main_file_is_one_that_people_could_have_written),
                cmocka_unit_test(a_drop_in_replaces_lists_and_can_be_read_again),
                cmocka_unit_test(what_the_text_says_is_what_a_job_becomes),
                cmocka_unit_test(files_of_others_are_not_ours),
                cmocka_unit_test(words_that_could_be_read_as_more_are_refused),
                cmocka_unit_test(lists_end_somewhere),
                cmocka_unit_test(spans_are_written_as_people_do),
                cmocka_unit_test(each_value_is_judged_for_itself),
                cmocka_unit_test(edits_add_up_and_can_be_taken_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
