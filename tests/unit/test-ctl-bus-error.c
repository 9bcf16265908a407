/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every error of the bus ends in a sentence that helps. */

#include "base/api-error.h"
#include "base/text.h"
#include "client/bus-error.h"
#include "unit.h"

static BusProblem *problem(const char *name, const char *text, const char *sender, const char *action) {
        const sd_bus_error e = SD_BUS_ERROR_MAKE_CONST(name, text);
        BusProblem *p = NULL;

        assert_int_equal(bus_problem_new(&e, sender, action, &p), 0);
        assert_false(isempty(p->what));
        return p;
}

static void check(const char *name, const char *text, BusProblemKind kind, const char *what,
                  const char *advice) {
        BusProblem *p = problem(name, text, ":1.7", "org.pullauth1.refresh");

        assert_int_equal(p->kind, kind);
        assert_string_equal(p->what, what);
        if (advice) {
                assert_non_null(p->advice);
                assert_non_null(strstr(p->advice, advice));
        } else
                assert_null(p->advice);
        bus_problem_free(p);
}

static void a_missing_daemon_says_how_to_start_it(void **state) {
        check("org.freedesktop.DBus.Error.ServiceUnknown", "The name was not provided", PROBLEM_NOT_RUNNING,
              "pullauthd is not running", "systemctl enable --now pullauthd.service");
        check("org.freedesktop.DBus.Error.NameHasNoOwner", "", PROBLEM_NOT_RUNNING,
              "pullauthd is not running", "systemctl status pullauthd.service");
        check("org.freedesktop.DBus.Error.Spawn.ChildExited", "Status 1", PROBLEM_NOT_RUNNING,
              "pullauthd could not be started (Status 1)", "systemctl status pullauthd.service");
        check("org.freedesktop.systemd1.UnitMasked", "Unit is masked", PROBLEM_NOT_RUNNING,
              "pullauthd could not be started (Unit is masked)", "systemctl status pullauthd.service");
}

static void a_silent_daemon_is_told_from_a_missing_one(void **state) {
        check("org.freedesktop.DBus.Error.NoReply", "Method call timed out", PROBLEM_NO_ANSWER,
              "pullauthd did not answer (Method call timed out)", "systemctl status pullauthd.service");
        check("org.freedesktop.DBus.Error.Timeout", "x", PROBLEM_NO_ANSWER,
              "pullauthd did not answer in time", "systemctl status pullauthd.service");
}

static void a_refusal_names_the_action(void **state) {
        check("org.freedesktop.DBus.Error.AccessDenied", "Not authorized", PROBLEM_DENIED,
              "Not allowed: polkit did not grant org.pullauth1.refresh",
              "polkit rule grant org.pullauth1.refresh");
        check("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", "", PROBLEM_UNASKED,
              "org.pullauth1.refresh needs an administrator's password, and there is nobody to ask",
              "--no-ask-password");
}

static void a_refusal_of_the_bus_names_its_policy(void **state) {
        BusProblem *p = problem("org.freedesktop.DBus.Error.AccessDenied", "Rejected send message",
                                "org.freedesktop.DBus", NULL);

        assert_int_equal(p->kind, PROBLEM_DENIED);
        assert_string_equal(p->what, "The system bus does not allow this call (Rejected send message)");
        assert_non_null(strstr(p->advice, "system.d/org.pullauth1.conf"));
        bus_problem_free(p);
}

static void errors_of_pullauthd_speak_for_themselves(void **state) {
        check("org.pullauth1.Error.NoSuchJob", "There is no job 'x'", PROBLEM_NO_SUCH_JOB,
              "There is no job 'x'", "pullauthctl list");
        check("org.pullauth1.Error.ConfigurationInvalid", "Job 'x' cannot be refreshed: why",
              PROBLEM_ATTENTION, "Job 'x' cannot be refreshed: why", "pullauthctl reload");
        check("org.pullauth1.Error.ConfigurationInvalid", NULL, PROBLEM_ATTENTION,
              "pullauthd refused without saying why", "pullauthctl reload");
        check("org.freedesktop.DBus.Error.LimitsExceeded", "x", PROBLEM_BUSY,
              "Too many requests at once (x)", "again");
}

static void each_error_of_pullauthd_is_known(void **state) {
        for (ApiError e = 0; e < _API_ERROR_MAX; e++) {
                BusProblem *p = problem(api_error_to_string(e), "why", ":1.7", NULL);

                assert_true(p->kind == PROBLEM_NO_SUCH_JOB || p->kind == PROBLEM_ATTENTION ||
                            p->kind == PROBLEM_REFUSED);
                bus_problem_free(p);
        }
}

static void a_change_that_cannot_work_leaves_no_files_to_correct(void **state) {
        BusProblem *p = problem("org.pullauth1.Error.ConfigurationInvalid", "Robot= is missing", ":1.7",
                                "org.pullauth1.manage-jobs");

        assert_int_equal(p->kind, PROBLEM_ATTENTION);
        assert_string_equal(p->what, "Robot= is missing");
        assert_string_equal(p->advice, "Nothing was changed");
        bus_problem_free(p);
}

static void another_version_is_called_that(void **state) {
        check("org.freedesktop.DBus.Error.UnknownMethod", "Unknown method RefreshJob", PROBLEM_OTHER_VERSION,
              "pullauthd does not know this request (Unknown method RefreshJob)", "systemctl restart");
        check("org.freedesktop.DBus.Error.UnknownObject", "x", PROBLEM_NO_SUCH_JOB, "The job is gone",
              "pullauthctl list");
}

static void an_unknown_error_is_shown_whole(void **state) {
        check("com.example.Odd", "Very odd", PROBLEM_OTHER,
              "The request failed with com.example.Odd (Very odd)", "journalctl");
        check("com.example.Odd", NULL, PROBLEM_OTHER, "The request failed with com.example.Odd",
              "journalctl");
}

static void texts_of_others_are_cleaned(void **state) {
        check("org.pullauth1.Error.NoSuchJob", "a\033[31mb\nc", PROBLEM_NO_SUCH_JOB, "a [31mb c", "list");
}

static void a_bus_that_is_not_there_is_told_by_its_errno(void **state) {
        BusProblem *p = NULL;

        assert_int_equal(bus_problem_new_local(-ENOENT, &p), 0);
        assert_int_equal(p->kind, PROBLEM_NO_BUS);
        assert_string_equal(p->what, "Cannot talk to the system bus: No such file or directory");
        bus_problem_free(p);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_missing_daemon_says_how_to_start_it),
                cmocka_unit_test(a_silent_daemon_is_told_from_a_missing_one),
                cmocka_unit_test(a_refusal_names_the_action),
                cmocka_unit_test(a_refusal_of_the_bus_names_its_policy),
                cmocka_unit_test(errors_of_pullauthd_speak_for_themselves),
                cmocka_unit_test(each_error_of_pullauthd_is_known),
                cmocka_unit_test(a_change_that_cannot_work_leaves_no_files_to_correct),
                cmocka_unit_test(another_version_is_called_that),
                cmocka_unit_test(an_unknown_error_is_shown_whole),
                cmocka_unit_test(texts_of_others_are_cleaned),
                cmocka_unit_test(a_bus_that_is_not_there_is_told_by_its_errno),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
