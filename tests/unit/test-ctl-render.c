/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What pullauthctl prints, to the byte. */

#include <locale.h>

#include "ctl/render.h"
#include "unit.h"

#include "ctl-example.h"

static const Style plain = { .utf8 = true, .legend = true };
static const Style ascii = { .utf8 = false, .legend = true };

/* UTF-8 needs a locale that knows it, for the widths of characters. */
static int setup(void **state) {
        Snapshot *s;

        assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
        assert_int_equal(snapshot_new(&s), 0);
        example_set(&s->version, "0.1.0");
        s->ready = 1;
        *state = s;
        return 0;
}

static int teardown(void **state) {
        *state = snapshot_free(*state);
        return 0;
}

static void check_text(char *text, const char *expected) {
        assert_string_equal(text, expected);
        free(text);
}

static void check_list(const Snapshot *s, const Style *style, const char *expected) {
        char *text = NULL;

        assert_int_equal(render_list(s, style, EXAMPLE_NOW, &text), 0);
        check_text(text, expected);
}

static void check_summary(const Snapshot *s, const Style *style, const char *expected) {
        char *text = NULL;

        assert_int_equal(render_summary(s, style, EXAMPLE_NOW, &text), 0);
        check_text(text, expected);
}

static void check_status(const Snapshot *s, const Style *style, const char *expected) {
        char *text = NULL;

        assert_int_equal(render_status((const JobSnapshot *const *) s->jobs, s->n_jobs,
                                       &s->configuration_messages, style, EXAMPLE_NOW, &text),
                         0);
        check_text(text, expected);
}

static void a_list_is_a_table_and_what_to_do(void **state) {
        Snapshot *s = *state;

        example_fresh(s);
        example_retrying(s);
        example_add_job(s, "stage", "failed");
        example_add_message(&s->configuration_messages, "error", "/etc/pullauth/jobs/-x.job", 0, "Bad name");
        check_list(
                s, &plain,
                "JOB   REGISTRY         ROBOT     STATE    REASON                     LEFT  NEXT\n"
                "edge  quay.example.com acme+edge fresh    -                         42min 17min\n"
                "lab   quay.example.com acme+lab  retrying federation-not-configured 12min   40s\n"
                "stage -                -         failed   -                             -     -\n"
                "\n"
                "3 jobs: 1 fresh, 1 retrying, 1 failed\n"
                "What is wrong and what to do: pullauthctl status lab stage\n"
                "error: /etc/pullauth/jobs/-x.job: Bad name\n"
                "warning: /etc/pullauth/jobs/lab.job:4: Unknown key 'Robots' in section [Job], ignoring\n");
}

static void a_message_of_many_jobs_is_listed_once(void **state) {
        Snapshot *s = *state;
        JobSnapshot *a = example_add_job(s, "a", "fresh"), *b = example_add_job(s, "b", "fresh");

        example_add_message(&a->configuration_messages, "warning", "/i", 1, "Same");
        example_add_message(&b->configuration_messages, "warning", "/i", 1, "Same");
        example_add_message(&b->configuration_messages, "warning", "/i", 2, "Same");
        check_list(s, &plain,
                   "JOB REGISTRY ROBOT STATE REASON LEFT NEXT\n"
                   "a   -        -     fresh -         -    -\n"
                   "b   -        -     fresh -         -    -\n"
                   "\n"
                   "2 jobs: 2 fresh\n"
                   "warning: /i:1: Same\n"
                   "warning: /i:2: Same\n");
}

static void without_legend_a_list_is_lines_of_jobs(void **state) {
        const Style style = { .utf8 = true };
        Snapshot *s = *state;

        check_list(s, &style, "");
        example_fresh(s);
        example_add_message(&s->configuration_messages, "error", "/x", 0, "Bad");
        check_list(s, &style, "edge quay.example.com acme+edge fresh -      42min 17min\n");
}

static void an_empty_list_says_so(void **state) {
        check_list(*state, &plain, "0 jobs\n");
}

static void a_narrow_list_stays_within_its_columns(void **state) {
        const Style style = { .utf8 = true, .legend = false, .columns = 60 };
        Snapshot *s = *state;
        char *text = NULL;

        example_fresh(s);
        example_retrying(s);
        assert_int_equal(render_list(s, &style, EXAMPLE_NOW, &text), 0);
        for (char *line = text; *line; line += strcspn(line, "\n") + 1)
                assert_in_range(strcspn(line, "\n"), 1, 60);
        assert_non_null(strstr(text, "retrying"));
        free(text);
}

static void colour_marks_the_state_alone(void **state) {
        const Style style = { .utf8 = true, .legend = false, .color = true };
        Snapshot *s = *state;

        example_fresh(s);
        check_list(s, &style, "edge quay.example.com acme+edge \033[32mfresh\033[0m -      42min 17min\n");
}

static void a_status_shows_the_life_that_is_left(void **state) {
        Snapshot *s = *state;

        example_fresh(s);
        check_status(
                s, &plain,
                "● edge – acme+edge on quay.example.com\n"
                "    State: fresh, the credential stands in every target\n"
                "     Life: ████████████████░░░░░░░░ 42min left of 1h, refresh in 17min\n"
                "  Expires: Mon 2026-11-23 21:42:00 UTC, issued Mon 2026-11-23 20:42:00 UTC\n"
                " Attempts: 12, 11 of them brought a credential; most recent Mon 2026-11-23 20:42:00 UTC, "
                "18min ago\n"
                " Identity: default\n"
                "           subject spiffe://example.com/host/edge-1\n"
                "           issuer https://oidc.example.com\n"
                "           audience quay\n"
                "           ends Mon 2026-11-23 21:05:00 UTC, in 5min\n"
                "   Scopes: quay.example.com/acme\n"
                "  Targets: system  /etc/containers/auth.json    published\n"
                "           podman  /run/containers/0/auth.json  published\n"
                "    Files: /etc/pullauth/jobs/edge.job\n");
}

static void a_status_in_ascii_says_the_same(void **state) {
        Snapshot *s = *state;

        example_retrying(s);
        example_set(&s->jobs[0]->registry_words, "Robót has no “federation”…");
        check_status(
                s, &ascii,
                "* lab - acme+lab on quay.example.com\n"
                "    State: retrying, the last attempt failed, the credential still stands\n"
                "     Life: ####-------------------- 12min left of 1h, next attempt in 40s\n"
                "   Failed: exchange: The registry trusts no issuer for robot acme+lab "
                "(federation-not-configured, "
                "HTTP 400)\n"
                " Registry: \"Rob?t has no \"federation\"...\"\n"
                "    To do: Add this host's issuer and subject to the robot account's federation in the "
                "registry\n"
                "  Expires: Mon 2026-11-23 21:12:00 UTC, issued Mon 2026-11-23 20:12:00 UTC\n"
                " Attempts: 4, 1 of them brought a credential, the last 3 failed\n"
                "    Clock: the registry's is 4s behind this host's\n"
                "    Notes: The token names another host\n"
                "           warning: /etc/pullauth/jobs/lab.job:4: Unknown key 'Robots' in section [Job], "
                "ignoring\n");
}

static void a_failed_target_shows_its_message(void **state) {
        Snapshot *s = *state;
        JobSnapshot *j = example_add_job(s, "edge", "retrying");

        example_set(&j->step, "publication");
        example_set(&j->reason, "target-malformed");
        example_add_target(&j->target_states, "system", "/etc/containers/auth.json", "failed", "Not JSON");
        example_add_target(&j->target_states, "podman", "/run/containers/0/auth.json", "pending", "");
        check_status(s, &ascii,
                     "* edge\n"
                     "    State: retrying, the last attempt failed, the credential still stands\n"
                     "     Life: ------------------------ no credential, no attempt planned\n"
                     "   Failed: publication (target-malformed)\n"
                     "  Targets: system  /etc/containers/auth.json    failed\n"
                     "           Not JSON\n"
                     "           podman  /run/containers/0/auth.json  pending\n");
}

static void a_status_wraps_at_words(void **state) {
        const Style style = { .utf8 = true, .legend = true, .columns = 40 };
        Snapshot *s = *state;
        JobSnapshot *j = example_add_job(s, "edge", "expired");

        example_set(&j->hint, "This is a text with some words and aVeryLongWordThatFitsNowhereAtAll in it");
        example_set(&j->message, "It failed");
        check_status(s, &style,
                     "● edge\n"
                     "    State: expired, there is no valid\n"
                     "           credential, attempts go on\n"
                     "     Life: ░░░░░░░░░░░░░░░░░░░░░░░░ no credential, no\n"
                     "                                    attempt planned\n"
                     "   Failed: It failed\n"
                     "    To do: This is a text with some\n"
                     "           words and\n"
                     "           aVeryLongWordThatFitsNowhereAtAll\n"
                     "           in it\n");
}

static void a_state_of_a_newer_daemon_is_shown_as_it_is(void **state) {
        Snapshot *s = *state;

        example_add_job(s, "edge", "paused");
        check_status(s, &ascii,
                     "* edge\n"
                     "    State: paused, this tool does not know this state\n"
                     "     Life: ------------------------ no credential, no attempt planned\n");
}

static void a_summary_tells_trouble_and_remedy(void **state) {
        Snapshot *s = *state;

        example_fresh(s);
        example_retrying(s);
        example_add_message(&s->configuration_messages, "error", "/etc/pullauth/jobs/-x.job", 0, "Bad name");
        check_summary(
                s, &plain,
                "pullauthd 0.1.0, 2 jobs: 1 fresh, 1 retrying\n"
                "● edge  fresh     ████████░░░░ 42min left of 1h, refresh in 17min\n"
                "● lab   retrying  ██░░░░░░░░░░ 12min left of 1h, next attempt in 40s\n"
                "        exchange failed: The registry trusts no issuer for robot acme+lab "
                "(federation-not-configured, HTTP 400)\n"
                "        → Add this host's issuer and subject to the robot account's federation in the "
                "registry\n"
                "        warning: /etc/pullauth/jobs/lab.job:4: Unknown key 'Robots' in section [Job], "
                "ignoring\n"
                "\n"
                "error: /etc/pullauth/jobs/-x.job: Bad name\n");
}

static void a_summary_without_jobs_says_how_to_begin(void **state) {
        Snapshot *s = *state;
        char *text = NULL;

        s->ready = 0;
        assert_int_equal(render_summary(s, &plain, EXAMPLE_NOW, &text), 0);
        assert_non_null(
                startswith(text, "pullauthd 0.1.0, 0 jobs (just started, first attempts are under way)\n"));
        assert_non_null(strstr(text, "/etc/pullauth/jobs/NAME.job"));
        assert_non_null(strstr(text, "pullauthctl reload"));
        free(text);
}

static void an_outcome_is_one_line_or_a_failure(void **state) {
        Snapshot *s = *state;
        char *text = NULL;

        assert_int_equal(render_outcome(example_fresh(s), &plain, EXAMPLE_NOW, &text), 0);
        check_text(text, "● edge: fresh, 42min left of 1h, refresh in 17min\n");
        assert_int_equal(render_outcome(example_retrying(s), &ascii, EXAMPLE_NOW, &text), 0);
        check_text(text,
                   "* lab: retrying, 12min left of 1h, next attempt in 40s\n"
                   "   Failed: exchange: The registry trusts no issuer for robot acme+lab "
                   "(federation-not-configured, "
                   "HTTP 400)\n"
                   " Registry: \"Robot does not have federated login configured\"\n"
                   "    To do: Add this host's issuer and subject to the robot account's federation in the "
                   "registry\n");
}

static void a_reload_without_messages_says_so(void **state) {
        const Style style = {};
        ShownMessages none = {};
        char *text = NULL;

        assert_int_equal(render_messages(&none, &plain, &text), 0);
        check_text(text, "The configuration was read, nothing is wrong in it\n");
        assert_int_equal(render_messages(&none, &style, &text), 0);
        check_text(text, "");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_list_is_a_table_and_what_to_do, setup, teardown),
                cmocka_unit_test_setup_teardown(a_message_of_many_jobs_is_listed_once, setup, teardown),
                cmocka_unit_test_setup_teardown(without_legend_a_list_is_lines_of_jobs, setup, teardown),
                cmocka_unit_test_setup_teardown(an_empty_list_says_so, setup, teardown),
                cmocka_unit_test_setup_teardown(a_narrow_list_stays_within_its_columns, setup, teardown),
                cmocka_unit_test_setup_teardown(colour_marks_the_state_alone, setup, teardown),
                cmocka_unit_test_setup_teardown(a_status_shows_the_life_that_is_left, setup, teardown),
                cmocka_unit_test_setup_teardown(a_status_in_ascii_says_the_same, setup, teardown),
                cmocka_unit_test_setup_teardown(a_failed_target_shows_its_message, setup, teardown),
                cmocka_unit_test_setup_teardown(a_status_wraps_at_words, setup, teardown),
                cmocka_unit_test_setup_teardown(a_state_of_a_newer_daemon_is_shown_as_it_is, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_summary_tells_trouble_and_remedy, setup, teardown),
                cmocka_unit_test_setup_teardown(a_summary_without_jobs_says_how_to_begin, setup, teardown),
                cmocka_unit_test_setup_teardown(an_outcome_is_one_line_or_a_failure, setup, teardown),
                cmocka_unit_test_setup_teardown(a_reload_without_messages_says_so, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
