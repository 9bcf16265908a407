/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What collectors parse, to the byte. */

#include "base/text.h"
#include "codec/open-metrics.h"
#include "unit.h"

static OpenMetrics *make(void) {
        OpenMetrics *m = NULL;

        assert_int_equal(open_metrics_new(&m), 0);
        return m;
}

static void check(OpenMetrics *m, const char *wanted) {
        _cleanup_(open_metrics_freep) OpenMetrics *owned = m;
        _cleanup_free_ char *text = NULL;

        assert_int_equal(open_metrics_finish(m, &text), 0);
        assert_string_equal(text, wanted);
}

static void nothing_but_an_end(void **state) {
        check(make(), "# EOF\n");
}

static void each_type_as_the_format_wants_it(void **state) {
        OpenMetrics *m = make();

        open_metrics_family(m, METRIC_INFO, "a_build", NULL, "Which program");
        open_metrics_number(m, (const char *const[]){ "version", "1", NULL }, 1);
        open_metrics_family(m, METRIC_COUNTER, "a_tries", NULL, "How often");
        open_metrics_number(m, NULL, UINT64_MAX);
        open_metrics_family(m, METRIC_STATESET, "a_state", NULL, "How it goes");
        open_metrics_number(m, (const char *const[]){ "job", "x", "a_state", "fresh", NULL }, 1);
        open_metrics_number(m, (const char *const[]){ "job", "x", "a_state", "failed", NULL }, 0);
        open_metrics_family(m, METRIC_GAUGE, "a_skew_seconds", "seconds", "How much");
        check(m,
              "# TYPE a_build info\n# HELP a_build Which program\na_build_info{version=\"1\"} 1\n"
              "# TYPE a_tries counter\n# HELP a_tries How often\na_tries_total 18446744073709551615\n"
              "# TYPE a_state stateset\n# HELP a_state How it goes\n"
              "a_state{job=\"x\",a_state=\"fresh\"} 1\na_state{job=\"x\",a_state=\"failed\"} 0\n"
              "# TYPE a_skew_seconds gauge\n# UNIT a_skew_seconds seconds\n# HELP a_skew_seconds How much\n"
              "# EOF\n");
}

static void spans_are_exact(void **state) {
        OpenMetrics *m = make();

        open_metrics_family(m, METRIC_GAUGE, "s", NULL, "");
        open_metrics_span(m, NULL, 0);
        open_metrics_span(m, NULL, 1);
        open_metrics_span(m, NULL, -1500000);
        open_metrics_span(m, NULL, INT64_C(1790000000123456));
        open_metrics_span(m, NULL, INT64_MIN);
        check(m, "# TYPE s gauge\n# HELP s \ns 0.000000\ns 0.000001\ns -1.500000\ns 1790000000.123456\n"
                 "s -9223372036854.775808\n# EOF\n");
}

static void what_would_end_a_label_is_escaped(void **state) {
        OpenMetrics *m = make();

        open_metrics_family(m, METRIC_GAUGE, "x", NULL, "a \"b\"\nc\\d");
        open_metrics_number(m, (const char *const[]){ "job", "\"} 1\n# EOF\n\\", "other", "", NULL }, 7);
        check(m, "# TYPE x gauge\n# HELP x a \\\"b\\\"\\nc\\\\d\n"
                 "x{job=\"\\\"} 1\\n# EOF\\n\\\\\",other=\"\"} 7\n# EOF\n");
}

static void an_unfinished_text_is_dropped(void **state) {
        _cleanup_(open_metrics_freep) OpenMetrics *m = make();

        open_metrics_family(m, METRIC_GAUGE, "x", NULL, "y");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_but_an_end),
                cmocka_unit_test(each_type_as_the_format_wants_it),
                cmocka_unit_test(spans_are_exact),
                cmocka_unit_test(what_would_end_a_label_is_escaped),
                cmocka_unit_test(an_unfinished_text_is_dropped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
