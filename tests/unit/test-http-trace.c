/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How far a transfer came. */

#include "unit.h"

#include "worker/http-trace.h"

static void assert_steps(HttpAnswer a, size_t n, TraceResult last, usec_t usec) {
        _cleanup_(trace_done) Trace t = {};

        assert_int_equal(trace_add(&t, TRACE_CLAIMS, TRACE_OK, 0, "x"), 0);
        assert_int_equal(http_trace(&t, &a, "quay.example.com"), 0);
        assert_int_equal(t.n_entries, 2 + n);
        assert_int_equal(t.entries[1 + n].result, last);
        assert_int_equal(t.entries[1 + n].usec, usec);
        assert_non_null(strstr(t.entries[1 + n].detail, "quay.example.com: "));
}

static void each_stage_ends_in_its_step(void **state) {
        HttpAnswer a = { .problem = HTTP_RESOLVE,
                         .problem_text = (char *) "no such name",
                         .timings.total = 9 };

        assert_steps(a, 1, TRACE_FAILED, 9);
        /* As libcurl has it for what never connected. */
        a.reused = true;
        assert_steps(a, 1, TRACE_FAILED, 9);
        a.reused = false;
        a.timings.resolved = 2;
        a.problem = HTTP_CONNECT;
        assert_steps(a, 2, TRACE_FAILED, 7);
        a.timings.connected = 5;
        a.problem = HTTP_TLS_UNTRUSTED;
        assert_steps(a, 3, TRACE_FAILED, 4);
        a.timings.connected = 0;
        assert_steps(a, 3, TRACE_FAILED, 9);
        /* Likewise of a handshake that does not end, and of a connection that is not taken. */
        a.problem = HTTP_TIMEOUT;
        a.reached = true;
        assert_steps(a, 3, TRACE_FAILED, 9);
        a.reached = false;
        a.reused = true;
        assert_steps(a, 2, TRACE_FAILED, 7);
        a.reached = true;
        a.reused = false;
        a.timings.connected = 5;
        a.timings.secured = 8;
        assert_steps(a, 3, TRACE_OK, 3);
}

static void a_connection_that_was_there_has_no_stages(void **state) {
        assert_steps((HttpAnswer){ .reused = true, .reached = true, .timings.total = 9 }, 3, TRACE_SKIPPED,
                     0);
        assert_steps((HttpAnswer){ .problem = HTTP_TIMEOUT, .reused = true, .reached = true }, 3,
                     TRACE_SKIPPED, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_stage_ends_in_its_step),
                cmocka_unit_test(a_connection_that_was_there_has_no_stages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
