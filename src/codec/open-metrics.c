/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* OpenMetrics 1.0 as text.
 *
 * Owns the text while it grows, and what the format demands of it: suffixes of samples, escapes in labels,
 * the end mark. Knows no metric of ours, and trusts its callers with names: they are constants. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "codec/open-metrics.h"

struct OpenMetrics {
        FILE *out;
        char *text;
        size_t size;
        MetricType type; /* of the family that was begun last */
        const char *name;
};

static const struct {
        const char *name, *suffix;
} types[_METRIC_TYPE_MAX] = {
        [METRIC_GAUGE] = { "gauge", "" },
        [METRIC_COUNTER] = { "counter", "_total" },
        [METRIC_INFO] = { "info", "_info" },
        [METRIC_STATESET] = { "stateset", "" },
};

int open_metrics_new(OpenMetrics **ret) {
        _cleanup_(open_metrics_freep) OpenMetrics *m = NULL;

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->out = open_memstream(&m->text, &m->size);
        if (!m->out)
                return -ENOMEM;
        *ret = TAKE_PTR(m);
        return 0;
}

OpenMetrics *open_metrics_free(OpenMetrics *m) {
        if (!m)
                return NULL;
        if (m->out)
                (void) fclose(m->out);
        free(m->text);
        free(m);
        return NULL;
}

static void print_escaped(OpenMetrics *m, const char *s) {
        for (; *s; s++) {
                if (*s == '\\' || *s == '"' || *s == '\n')
                        (void) fputc('\\', m->out);
                (void) fputc(*s == '\n' ? 'n' : *s, m->out);
        }
}

void open_metrics_family(OpenMetrics *m, MetricType type, const char *name, const char *unit,
                         const char *help) {
        m->type = type;
        m->name = name;
        (void) fprintf(m->out, "# TYPE %s %s\n", name, types[type].name);
        if (unit)
                (void) fprintf(m->out, "# UNIT %s %s\n", name, unit);
        (void) fprintf(m->out, "# HELP %s ", name);
        print_escaped(m, help);
        (void) fputc('\n', m->out);
}

static void begin_sample(OpenMetrics *m, const char *const *labels) {
        const char *separator = "{";

        (void) fprintf(m->out, "%s%s", m->name, types[m->type].suffix);
        for (; labels && labels[0] && labels[1]; labels += 2) {
                (void) fprintf(m->out, "%s%s=\"", separator, labels[0]);
                print_escaped(m, labels[1]);
                (void) fputc('"', m->out);
                separator = ",";
        }
        (void) fputs(streq(separator, ",") ? "} " : " ", m->out);
}

void open_metrics_number(OpenMetrics *m, const char *const *labels, uint64_t value) {
        begin_sample(m, labels);
        (void) fprintf(m->out, "%" PRIu64 "\n", value);
}

void open_metrics_span(OpenMetrics *m, const char *const *labels, int64_t usec) {
        uint64_t size = usec < 0 ? -(uint64_t) usec : (uint64_t) usec;

        begin_sample(m, labels);
        (void) fprintf(m->out, "%s%" PRIu64 ".%06" PRIu64 "\n", usec < 0 ? "-" : "", size / USEC_PER_SEC,
                       size % USEC_PER_SEC);
}

int open_metrics_finish(OpenMetrics *m, char **ret) {
        bool failed;

        (void) fputs("# EOF\n", m->out);
        failed = ferror(m->out) != 0;
        if (fclose(TAKE_PTR(m->out)) != 0 || failed)
                return -ENOMEM;
        *ret = TAKE_PTR(m->text);
        return 0;
}
