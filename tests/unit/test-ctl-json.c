/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON for scripts: the members are a contract. */

#include "codec/json.h"
#include "ctl/render.h"
#include "unit.h"

#include "ctl-example.h"

static int setup(void **state) {
        return snapshot_new((Snapshot **) state);
}

static int teardown(void **state) {
        *state = snapshot_free(*state);
        return 0;
}

static void a_list_has_nine_members_for_each_job(void **state) {
        Snapshot *s = *state;
        char *text = NULL;

        assert_int_equal(render_json_list(s, JSON_SHORT, EXAMPLE_NOW, &text), 0);
        assert_string_equal(text, "[]\n");
        free(text);
        example_fresh(s);
        assert_int_equal(render_json_list(s, JSON_SHORT, EXAMPLE_NOW, &text), 0);
        assert_string_equal(text,
                            "[{\"name\":\"edge\",\"registry\":\"quay.example.com\",\"robot\":\"acme+edge\","
                            "\"state\":\"fresh\",\"reason\":\"\",\"expires\":\"2026-11-23T21:42:00Z\","
                            "\"next_attempt\":\"2026-11-23T21:17:00Z\",\"path\":\"/org/pullauth1/job/edge\","
                            "\"left\":2520}]\n");
        free(text);
}

static void a_status_has_every_property(void **state) {
        static const char expected[] =
                "[{\"name\":\"lab\",\"registry\":\"quay.example.com\",\"robot\":\"acme+lab\","
                "\"state\":\"retrying\","
                "\"reason\":\"federation-not-configured\",\"expires\":\"2026-11-23T21:12:00Z\","
                "\"next_attempt\":\"2026-11-23T21:00:40Z\",\"enabled\":true,\"runtime\":false,"
                "\"exchange\":\"\",\"identity\":\"\",\"scopes\":[],\"targets\":[],"
                "\"units\":[],\"pod_robots\":[],"
                "\"on_expiry\":\"\",\"on_remove\":\"\","
                "\"minimum_remaining\":0,\"take_over\":false,\"wake_system\":false,"
                "\"configuration_files\":[],\"configuration_messages\":[{\"severity\":\"warning\","
                "\"line\":4,\"file\":\"/etc/pullauth/jobs/lab.job\","
                "\"text\":\"Unknown key 'Robots' in section [Job], ignoring\"}],\"step\":\"exchange\","
                "\"message\":\"The registry trusts no issuer for robot acme+lab\","
                "\"registry_words\":\"Robot does not have federated login configured\","
                "\"hint\":\"Add this host's issuer and subject to the robot account's federation in the "
                "registry\","
                "\"http_status\":400,\"notices\":[\"The token names another host\"],\"attempts_started\":4,"
                "\"attempts_ended\":0,\"refreshes\":1,\"failures\":0,\"failures_in_a_row\":3,"
                "\"last_attempt\":null,"
                "\"last_success\":null,\"issued\":\"2026-11-23T20:12:00Z\",\"identity_issuer\":\"\","
                "\"identity_subject\":\"\",\"identity_audience\":[],"
                "\"identity_algorithm\":\"\",\"identity_key_id\":\"\",\"identity_issued\":null,"
                "\"identity_expires\":null,"
                "\"target_states\":[{\"target\":\"system\",\"path\":\"/x\",\"state\":\"failed\","
                "\"message\":\"No\"}],"
                "\"clock_skew\":-4000000,\"path\":\"/org/pullauth1/job/lab\",\"left\":720}]\n";
        Snapshot *s = *state;
        JobSnapshot *j = example_retrying(s);
        char *text = NULL;

        example_add_target(&j->target_states, "system", "/x", "failed", "No");
        assert_int_equal(
                render_json_status((const JobSnapshot *const *) s->jobs, 1, JSON_SHORT, EXAMPLE_NOW, &text),
                0);
        assert_string_equal(text, expected);
        free(text);
}

static void a_summary_is_one_object(void **state) {
        _cleanup_json_ json_object *o = NULL;
        json_object *jobs = NULL, *messages = NULL;
        const char *version = NULL;
        Snapshot *s = *state;
        bool ready = false;
        char *text = NULL;

        example_set(&s->version, "0.1.0 \"\\ü");
        s->ready = 1;
        example_fresh(s);
        example_add_message(&s->configuration_messages, "error", "", 0, "Bad");
        assert_int_equal(render_json_summary(s, JSON_PRETTY, EXAMPLE_NOW, &text), 0);
        assert_int_equal(json_parse(text, strlen(text), &o, NULL), 0);
        assert_int_equal(json_get_string(o, "version", &version), 1);
        assert_string_equal(version, s->version);
        assert_int_equal(json_get_bool(o, "ready", &ready), 1);
        assert_true(ready);
        assert_int_equal(json_get_array(o, "jobs", &jobs), 1);
        assert_int_equal(json_object_array_length(jobs), 1);
        assert_int_equal(json_get_array(o, "configuration_messages", &messages), 1);
        assert_int_equal(json_object_array_length(messages), 1);
        free(text);
}

static void times_that_no_calendar_has_are_null(void **state) {
        Snapshot *s = *state;
        JobSnapshot *j = example_fresh(s);
        char *text = NULL;

        j->expires = UINT64_MAX;
        j->next_attempt = 0;
        assert_int_equal(render_json_list(s, JSON_SHORT, EXAMPLE_NOW, &text), 0);
        assert_non_null(strstr(text, "\"expires\":null,\"next_attempt\":null"));
        free(text);
        j->expires = UINT64_MAX - 1; /* in the year 586524 */
        assert_int_equal(render_json_list(s, JSON_SHORT, EXAMPLE_NOW, &text), 0);
        assert_null(strstr(text, "\"expires\":null"));
        free(text);
}

static void attempts_have_a_name_and_a_number(void **state) {
        Attempt items[] = { { (char *) "edge", 7 }, { (char *) "lab", UINT64_MAX } };
        const Attempts l = { items, ELEMENTSOF(items) };
        char *text = NULL;

        assert_int_equal(render_json_rows(&l, &attempt_type, JSON_SHORT, &text), 0);
        assert_string_equal(text, "[{\"name\":\"edge\",\"attempt\":7},"
                                  "{\"name\":\"lab\",\"attempt\":18446744073709551615}]\n");
        free(text);
}

static void modes_have_three_names(void **state) {
        assert_int_equal(json_mode_from_string("off"), JSON_OFF);
        assert_int_equal(json_mode_from_string("short"), JSON_SHORT);
        assert_int_equal(json_mode_from_string("pretty"), JSON_PRETTY);
        assert_true(json_mode_from_string("") < 0);
        assert_true(json_mode_from_string("Pretty") < 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_list_has_nine_members_for_each_job, setup, teardown),
                cmocka_unit_test_setup_teardown(a_status_has_every_property, setup, teardown),
                cmocka_unit_test_setup_teardown(a_summary_is_one_object, setup, teardown),
                cmocka_unit_test_setup_teardown(times_that_no_calendar_has_are_null, setup, teardown),
                cmocka_unit_test(attempts_have_a_name_and_a_number),
                cmocka_unit_test(modes_have_three_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
