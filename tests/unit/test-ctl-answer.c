/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What methods answer, signals of jobs, and the messages that ask. */

#include "base/memory-file.h"
#include "base/text.h"
#include "client/event.h"
#include "client/method.h"
#include "unit.h"

#include "bus-message.h"

static void read_as(ClientMethod method, sd_bus_message *m, int expected, Answer *a) {
        seal_message(m);
        if (expected >= 0)
                assert_ok(client_method_read(method, a, m));
        else
                assert_true(client_method_read(method, a, m) < 0);
        sd_bus_message_unref(m);
}

static void a_bare_number_is_an_attempt_of_the_job_that_was_named(void **state) {
        sd_bus_message *m = new_message(state);
        Answer a;

        assert_ok(answer_init(&a));
        assert_ok(free_and_strdup(&a.name, "edge"));
        assert_ok(sd_bus_message_append(m, "t", UINT64_C(7)));
        read_as(METHOD_REFRESH_JOB, m, 0, &a);
        assert_int_equal(a.attempts.n_items, 1);
        assert_string_equal(a.attempts.items[0].name, "edge");
        assert_int_equal(a.attempts.items[0].number, 7);
        answer_done(&a);
}

static void rows_are_read_in_their_order_and_cleaned(void **state) {
        sd_bus_message *m = new_message(state);
        Answer a;

        assert_ok(answer_init(&a));
        assert_ok(sd_bus_message_append(m, "a(ssts)a{sv}", 3, "token", "ok", UINT64_C(5), "a\033b", "tls",
                                        "failed", UINT64_C(6), "", "exchange", "skipped", UINT64_C(0), "", 3,
                                        "Reason", "s", "timeout", "HTTPStatus", "u", 504, "Later", "x",
                                        INT64_C(1)));
        read_as(METHOD_TEST_JOB, m, 0, &a);
        assert_int_equal(a.steps.n_items, 3);
        assert_string_equal(a.steps.items[0].detail, "a b");
        assert_int_equal(a.steps.items[1].span, 6);
        assert_string_equal(a.failure.reason, "timeout");
        assert_string_equal(a.failure.hint, "");
        assert_int_equal(a.failure.http_status, 504);
        answer_done(&a);
}

static void what_is_half_read_is_freed(void **state) {
        sd_bus_message *m = new_message(state);
        Answer a;

        assert_ok(answer_init(&a));
        assert_ok(sd_bus_message_append(m, "a(sst)", 1, "token", "ok", UINT64_C(5)));
        read_as(METHOD_TEST_JOB, m, -1, &a);
        m = new_message(state);
        assert_ok(sd_bus_message_append(m, "a(ssts)", 1, "token", "ok", UINT64_C(5), "x"));
        read_as(METHOD_TEST_JOB, m, -1, &a); /* the failure is missing */
        answer_done(&a);
}

static void claims_have_no_place_for_a_name_of_the_bus(void **state) {
        sd_bus_message *m = new_message(state);
        Answer a;

        assert_ok(answer_init(&a));
        assert_ok(sd_bus_message_append(m, "a{sv}", 3, "", "s", "evil", "Subject", "s", "edge", "Expires",
                                        "t", UINT64_C(9)));
        read_as(METHOD_EXPLAIN_IDENTITY, m, 0, &a);
        assert_string_equal(a.claims.name, "");
        assert_string_equal(a.claims.subject, "edge");
        assert_int_equal(a.claims.expires, 9);
        answer_done(&a);
}

static void lines_stay_and_what_moves_the_cursor_does_not(void **state) {
        static const struct {
                const char *in, *out;
        } rows[] = {
                { "", "" },
                { "{\n\t\"a\": 1\n}\n", "{\n\t\"a\": 1\n}\n" },
                { "ü – “x” €", "ü – “x” €" },
                { "a\rb\033[2Jc\177d", "a?b?[2Jc?d" },
                { "\xc2\x9b"
                  "31m\xc2\xa0",
                  "?31m\xc2\xa0" },
                { "\xe2\x80\xae\xe2\x80\xa8\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "????\xe2\x81\xaa" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                sd_bus_message *m = new_message(state);
                Answer a;

                assert_ok(answer_init(&a));
                assert_ok(sd_bus_message_append(m, "s", rows[i].in));
                read_as(METHOD_RENDER_TARGET, m, 0, &a);
                assert_string_equal(a.text, rows[i].out);
                answer_done(&a);
        }
}

static sd_bus_message *credential(void **state, int fd) {
        sd_bus_message *m = new_message(state);

        assert_ok(sd_bus_message_append(m, "ht", fd, UINT64_C(11)));
        return m;
}

static void a_credential_is_read_from_a_sealed_file_only(void **state) {
        _cleanup_close_ int sealed = -EBADF, open_file = -EBADF;
        Answer a;

        assert_ok(memory_file_new("test", "{\"auths\":{}}", 12, &sealed));
        assert_ok(answer_init(&a));
        read_as(METHOD_GET_CREDENTIAL, credential(state, sealed), 0, &a);
        assert_int_equal(secret_size(a.credential), 12);
        assert_memory_equal(secret_peek(a.credential).iov_base, "{\"auths\":{}}", 12);
        assert_int_equal(a.expires, 11);
        answer_done(&a);
        open_file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_ok(answer_init(&a));
        read_as(METHOD_GET_CREDENTIAL, credential(state, open_file), -1, &a);
        assert_null(a.credential);
        answer_done(&a);
}

static void events_carry_what_they_say(void **state) {
        sd_bus_message *m = new_signal(state, "Failed");
        JobEvent e;

        assert_ok(sd_bus_message_append(m, "sss", "timeout", "exchange", "why\nso"));
        seal_message(m);
        assert_int_equal(job_event_read(&e, m), 0);
        assert_string_equal(e.name, "failed");
        assert_string_equal(e.path, "/x");
        assert_string_equal(e.step, "exchange");
        assert_string_equal(e.message, "why so");
        job_event_done(&e);
        sd_bus_message_unref(m);

        m = new_signal(state, "Withdrawn");
        assert_ok(sd_bus_message_append(m, "as", 2, "system", "podman"));
        seal_message(m);
        assert_int_equal(job_event_read(&e, m), 0);
        assert_int_equal(strv_length(e.targets), 2);
        assert_string_equal(e.reason, "");
        job_event_done(&e);
        sd_bus_message_unref(m);
}

static void events_that_are_none_or_lie_are_refused(void **state) {
        sd_bus_message *m = new_signal(state, "Later");
        JobEvent e;

        seal_message(m);
        assert_int_equal(job_event_read(&e, m), -ENOENT);
        job_event_done(&e);
        sd_bus_message_unref(m);
        m = new_signal(state, "Refreshed");
        assert_ok(sd_bus_message_append(m, "s", "soon"));
        seal_message(m);
        assert_true(job_event_read(&e, m) < 0);
        job_event_done(&e);
        sd_bus_message_unref(m);
}

/* A method of its signature, whatever it is. */
static void every_method_can_be_asked_for(void **state) {
        char *names[] = { (char *) "edge", NULL };
        JobSetting items[] = {
                { .key = "Robot", .kind = PROPERTY_STRING, .string = (char *) "a+b" },
                { .key = "Scopes", .kind = PROPERTY_STRINGS, .strings = names },
                { .key = "Targets", .kind = PROPERTY_STRINGS },
                { .key = "TakeOver", .kind = PROPERTY_BOOL, .number = 1 },
                { .key = "MinimumRemaining", .kind = PROPERTY_SPAN, .number = 7 },
        };
        const JobSettings settings = { items, ELEMENTSOF(items) };
        const ClientArguments all = {
                .name = "edge", .names = names, .settings = &settings, .number = JOB_RUNTIME
        };

        for (ClientMethod i = 0; i < _CLIENT_METHOD_MAX; i++) {
                sd_bus_message *m = NULL;

                assert_ok(client_method_message(i, *state, &all, &m));
                assert_string_equal(sd_bus_message_get_interface(m), "org.pullauth1.Manager");
                assert_true(client_method_patience(i, NULL) > 0);
                sd_bus_message_unref(m);
                assert_ok(client_method_message(i, *state, NULL, &m));
                sd_bus_message_unref(m);
        }
}

static void settings_have_their_types(void **state) {
        char *names[] = { (char *) "a", (char *) "b", NULL };
        JobSetting items[] = {
                { .key = "Robot", .kind = PROPERTY_STRING, .string = (char *) "a+b" },
                { .key = "Scopes", .kind = PROPERTY_STRINGS, .strings = names },
                { .key = "TakeOver", .kind = PROPERTY_BOOL, .number = 1 },
                { .key = "MinimumRemaining", .kind = PROPERTY_SPAN, .number = 7 },
        };
        const JobSettings settings = { items, ELEMENTSOF(items) };
        const ClientArguments arguments = { .name = "edge", .settings = &settings, .number = 1 };
        const char *name, *robot, *a, *b;
        sd_bus_message *m = NULL;
        uint64_t span, flags;
        int take_over;

        assert_ok(client_method_message(METHOD_CREATE_JOB, *state, &arguments, &m));
        assert_string_equal(sd_bus_message_get_signature(m, true), "sa{sv}t");
        seal_message(m);
        assert_ok(sd_bus_message_read(m, "sa{sv}t", &name, 4, &robot, "s", &robot, &a, "as", 2, &a, &b, &a,
                                      "b", &take_over, &b, "t", &span, &flags));
        assert_string_equal(name, "edge");
        assert_string_equal(robot, "a+b");
        assert_true(take_over);
        assert_int_equal(span, 7);
        assert_int_equal(flags, 1);
        sd_bus_message_unref(m);
}

static void a_wait_is_given_the_time_that_it_takes(void **state) {
        const ClientArguments arguments = { .number = 600 * USEC_PER_SEC };

        assert_true(client_method_patience(METHOD_WAIT_JOBS, &arguments) > 600 * USEC_PER_SEC);
        assert_true(client_method_patience(METHOD_ENABLE_JOB, &arguments) < 60 * USEC_PER_SEC);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                bus_test(a_bare_number_is_an_attempt_of_the_job_that_was_named),
                bus_test(rows_are_read_in_their_order_and_cleaned),
                bus_test(what_is_half_read_is_freed),
                bus_test(claims_have_no_place_for_a_name_of_the_bus),
                bus_test(lines_stay_and_what_moves_the_cursor_does_not),
                bus_test(a_credential_is_read_from_a_sealed_file_only),
                bus_test(events_carry_what_they_say),
                bus_test(events_that_are_none_or_lie_are_refused),
                bus_test(every_method_can_be_asked_for),
                bus_test(settings_have_their_types),
                cmocka_unit_test(a_wait_is_given_the_time_that_it_takes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
