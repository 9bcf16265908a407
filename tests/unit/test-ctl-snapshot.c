/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bus messages into snapshots: cleaned, sorted, and unmoved by what they do not know. */

#include "base/text.h"
#include "client/snapshot.h"
#include "unit.h"

#include "bus-message.h"

static JobSnapshot *read_job(sd_bus_message *m) {
        JobSnapshot *j = NULL;

        seal_message(m);
        assert_int_equal(job_snapshot_new("/p", &j), 0);
        assert_ok(job_snapshot_read(j, m));
        sd_bus_message_unref(m);
        return j;
}

static void values_arrive_in_their_places(void **state) {
        sd_bus_message *m = new_message(state);
        JobSnapshot *j;

        assert_ok(sd_bus_message_append(m, "a{sv}", 7, "Name", "s", "edge", "Scopes", "as", 2, "a", "b",
                                        "HTTPStatus", "u", 400, "Expires", "t", UINT64_C(5), "ClockSkew",
                                        "x", INT64_C(-3), "ConfigurationMessages", "a(suss)", 1, "error", 7,
                                        "/f", "bad", "TargetStates", "a(ssss)", 1, "system", "/etc",
                                        "failed", "why"));
        j = read_job(m);
        assert_string_equal(j->path, "/p");
        assert_string_equal(j->name, "edge");
        assert_int_equal(strv_length(j->scopes), 2);
        assert_int_equal(j->http_status, 400);
        assert_int_equal(j->expires, 5);
        assert_int_equal(j->clock_skew, -3);
        assert_int_equal(j->configuration_messages.n_items, 1);
        assert_int_equal(j->configuration_messages.items[0].line, 7);
        assert_string_equal(j->configuration_messages.items[0].text, "bad");
        assert_true(shown_messages_have_error(&j->configuration_messages));
        assert_int_equal(j->target_states.n_items, 1);
        assert_string_equal(j->target_states.items[0].message, "why");
        /* not told: empty, never NULL; enabled unless it is told otherwise */
        assert_true(j->enabled);
        assert_string_equal(j->hint, "");
        job_snapshot_free(j);
}

static void what_comes_twice_counts_last(void **state) {
        sd_bus_message *m = new_message(state);
        JobSnapshot *j;

        assert_ok(sd_bus_message_append(m, "a{sv}", 6, "Name", "s", "a", "Name", "s", "b", "Scopes", "as", 2,
                                        "a", "b", "Scopes", "as", 1, "c", "TargetStates", "a(ssss)", 1, "a",
                                        "b", "c", "d", "TargetStates", "a(ssss)", 0));
        j = read_job(m);
        assert_string_equal(j->name, "b");
        assert_int_equal(strv_length(j->scopes), 1);
        assert_int_equal(j->target_states.n_items, 0);
        job_snapshot_free(j);
}

static void unknown_and_mistyped_properties_are_left_out(void **state) {
        sd_bus_message *m = new_message(state);
        JobSnapshot *j;

        assert_ok(sd_bus_message_append(m, "a{sv}", 4, "Later", "(sa{sv})", "x", 0, "Name", "u", 3, "Scopes",
                                        "s", "x", "State", "s", "fresh"));
        j = read_job(m);
        assert_string_equal(j->name, "");
        assert_int_equal(strv_length(j->scopes), 0);
        assert_string_equal(j->state, "fresh");
        job_snapshot_free(j);
}

static void texts_are_cleaned_on_the_way_in(void **state) {
        sd_bus_message *m = new_message(state);
        char huge[100000];
        JobSnapshot *j;

        for (size_t i = 0; i < sizeof(huge) - 1; i++)
                huge[i] = 'x';
        huge[sizeof(huge) - 1] = '\0';
        assert_ok(sd_bus_message_append(m, "a{sv}", 4, "Name", "s", "a\033]0;evil\007b", "Notices", "as", 1,
                                        "\xe2\x80\xae\x7fx", "Hint", "s", huge, "TargetStates", "a(ssss)", 1,
                                        "\033c", "", "", ""));
        j = read_job(m);
        assert_string_equal(j->name, "a ]0;evil b");
        assert_string_equal(j->notices[0], "x");
        assert_in_range(strlen(j->hint), 1000, 10000);
        assert_string_equal(j->target_states.items[0].target, "c");
        job_snapshot_free(j);
}

static void all_jobs_are_found_and_sorted(void **state) {
        sd_bus_message *m = new_message(state);
        Snapshot *s = NULL;

        assert_ok(sd_bus_message_append(m, "a{oa{sa{sv}}}", 4, "/b", 1, "org.pullauth1.Job", 1, "Name", "s",
                                        "b", "/x", 1, "org.freedesktop.DBus.Peer", 0, "/a", 2,
                                        "org.freedesktop.DBus.Peer", 0, "org.pullauth1.Job", 1, "Name", "s",
                                        "a", "/y", 0));
        seal_message(m);
        assert_int_equal(snapshot_new(&s), 0);
        assert_ok(snapshot_read_jobs(s, m));
        assert_int_equal(s->n_jobs, 2);
        assert_string_equal(s->jobs[0]->name, "a");
        assert_string_equal(s->jobs[1]->path, "/b");
        assert_ptr_equal(snapshot_find(s, "b"), s->jobs[1]);
        assert_null(snapshot_find(s, "c"));
        sd_bus_message_unref(m);
        snapshot_free(s);
}

static void another_type_is_an_error(void **state) {
        sd_bus_message *m = new_message(state);
        Snapshot *s = NULL;

        assert_ok(sd_bus_message_append(m, "s", "x"));
        seal_message(m);
        assert_int_equal(snapshot_new(&s), 0);
        assert_true(snapshot_read_jobs(s, m) < 0);
        assert_true(snapshot_read_manager(s, m) < 0);
        assert_true(rows_read((Rows *) &s->configuration_messages, &shown_message_type, m) < 0);
        sd_bus_message_unref(m);
        snapshot_free(s);
}

static void each_property_has_its_own_names(void **state) {
        const Property *p;
        size_t n;

        p = job_snapshot_properties(&n);
        assert_true(n > 20);
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < i; k++) {
                        assert_string_not_equal(p[i].name, p[k].name);
                        assert_string_not_equal(p[i].json, p[k].json);
                        assert_int_not_equal(p[i].offset, p[k].offset);
                }
}

static void a_job_that_is_held_stays(void **state) {
        JobSnapshot *j = NULL, *held;

        assert_int_equal(job_snapshot_new("/path", &j), 0);
        held = job_snapshot_ref(j);
        assert_null(job_snapshot_free(j));
        assert_string_equal(held->path, "/path");
        assert_null(job_snapshot_free(held));
        assert_null(job_snapshot_free(NULL));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_job_that_is_held_stays),
                bus_test(values_arrive_in_their_places),
                bus_test(what_comes_twice_counts_last),
                bus_test(unknown_and_mistyped_properties_are_left_out),
                bus_test(texts_are_cleaned_on_the_way_in),
                bus_test(all_jobs_are_found_and_sorted),
                bus_test(another_type_is_an_error),
                cmocka_unit_test(each_property_has_its_own_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
