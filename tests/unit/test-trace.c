/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps stay in their order, each once, with what lies between them. */

#include "unit.h"

#include "base/text.h"
#include "model/trace.h"

static void assert_trace(const Trace *t, const char *wanted) {
        _cleanup_free_ char *text = strdup("");

        for (size_t i = 0; i < t->n_entries; i++) {
                const TraceEntry *e = t->entries + i;
                char *longer = NULL;

                assert_ok(text_format(&longer, "%s%s%s:%s:%u:%s", text, i > 0 ? " " : "",
                                      trace_step_to_string(e->step), trace_result_to_string(e->result),
                                      (unsigned) e->usec, e->detail));
                free(text);
                text = longer;
        }
        assert_string_equal(text, wanted);
}

static void what_lies_between_is_filled_in(void **state) {
        _cleanup_(trace_done) Trace t = {};

        assert_int_equal(trace_add(&t, TRACE_TOKEN, TRACE_OK, 5, "from %s", "file"), 0);
        assert_int_equal(trace_add(&t, TRACE_TCP, TRACE_FAILED, 7, "refused"), 0);
        assert_trace(&t, "token:ok:5:from file claims:skipped:0: dns:skipped:0: tcp:failed:7:refused");
        assert_int_equal(trace_fill(&t, TRACE_EXCHANGE), 0);
        assert_int_equal(t.n_entries, 6);
        assert_int_equal(trace_fill(&t, TRACE_TLS), 0);
        assert_int_equal(t.n_entries, 6);
}

static void nothing_comes_twice_or_too_late(void **state) {
        _cleanup_(trace_done) Trace t = {};

        assert_int_equal(trace_add(&t, TRACE_DNS, TRACE_OK, 1, "a"), 0);
        assert_int_equal(trace_add(&t, TRACE_DNS, TRACE_FAILED, 2, "b"), 0);
        assert_int_equal(trace_add(&t, TRACE_TOKEN, TRACE_FAILED, 3, "c"), 0);
        assert_trace(&t, "token:skipped:0: claims:skipped:0: dns:ok:1:a");
        assert_int_equal(trace_fill(&t, _TRACE_STEP_MAX), 0);
        assert_int_equal(t.n_entries, _TRACE_STEP_MAX);
        assert_int_equal(trace_add(&t, TRACE_PUBLICATION, TRACE_OK, 1, "d"), 0);
        assert_int_equal(t.n_entries, _TRACE_STEP_MAX);
}

static void details_are_clean(void **state) {
        _cleanup_(trace_done) Trace t = {};

        assert_int_equal(trace_add(&t, TRACE_TOKEN, TRACE_OK, 0, "a\nb\033[1m"), 0);
        assert_string_equal(t.entries[0].detail, "a b [1m");
}

static void names_read_back(void **state) {
        for (TraceStep s = 0; s < _TRACE_STEP_MAX; s++)
                assert_int_equal(trace_step_from_string(trace_step_to_string(s)), s);
        for (TraceResult r = 0; r < _TRACE_RESULT_MAX; r++)
                assert_int_equal(trace_result_from_string(trace_result_to_string(r)), r);
        assert_true(trace_step_from_string("") < 0 && trace_result_from_string("OK") < 0);
        assert_null(trace_step_to_string(_TRACE_STEP_MAX));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_lies_between_is_filled_in),
                cmocka_unit_test(nothing_comes_twice_or_too_late),
                cmocka_unit_test(details_are_clean),
                cmocka_unit_test(names_read_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
