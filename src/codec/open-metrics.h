/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writing OpenMetrics text (version 1.0 of the format): families of samples, in the order of the calls. */

#include "base/clock.h"
#include "base/macro.h"

typedef struct OpenMetrics OpenMetrics;

typedef enum MetricType {
        METRIC_GAUGE,
        METRIC_COUNTER,  /* samples are called NAME_total */
        METRIC_INFO,     /* samples are called NAME_info, their value is 1 */
        METRIC_STATESET, /* one label of a sample has the name of the family */
        _METRIC_TYPE_MAX,
        _METRIC_TYPE_INVALID = -EINVAL,
} MetricType;

int open_metrics_new(OpenMetrics **ret);
OpenMetrics *open_metrics_free(OpenMetrics *m);
DEFINE_CLEANUP(OpenMetrics *, open_metrics_free)

/* Begins a family; the samples that follow are its own. `unit` may be NULL; else `name` ends in "_UNIT". */
void open_metrics_family(OpenMetrics *m, MetricType type, const char *name, const char *unit,
                         const char *help);
/* `labels` is NULL or a vector name, value, name, value …, NULL. Values may hold anything that is UTF-8. */
void open_metrics_number(OpenMetrics *m, const char *const *labels, uint64_t value);
/* The same in seconds. */
void open_metrics_span(OpenMetrics *m, const char *const *labels, int64_t usec);

/* The text, with its end mark. Returns 0, or -ENOMEM if anything before did not find memory. */
int open_metrics_finish(OpenMetrics *m, char **ret);
