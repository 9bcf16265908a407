/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From snapshots to text. Pure: what there is, how it looks and what time it is come as arguments; a string
 * that ends with a newline comes out. All return 0 or -ENOMEM. */

#include "base/clock.h"
#include "client/event.h"
#include "client/snapshot.h"
#include "ctl/style.h"
#include "ctl/use.h"
#include "model/federation-plan.h"

/* "pullauthctl list" */
int render_list(const Snapshot *s, const Style *style, usec_t now, char **ret);
/* "pullauthctl status": these jobs, and with `rest` what belongs to none of them */
int render_status(const JobSnapshot *const *jobs, size_t n_jobs, const ShownMessages *rest,
                  const Style *style, usec_t now, char **ret);
/* "pullauthctl" */
int render_summary(const Snapshot *s, const Style *style, usec_t now, char **ret);
/* One job of it, of as many lines as it takes */
int render_summary_job(const Snapshot *s, const JobSnapshot *j, const Style *style, usec_t now, char **ret);
/* How a refresh ended, for "pullauthctl refresh --wait" */
int render_outcome(const JobSnapshot *j, const Style *style, usec_t now, char **ret);
/* "pullauthctl wait" */
int render_awaited(const AwaitedJobs *l, const Style *style, char **ret);
/* "pullauthctl test" */
int render_test(const TestSteps *steps, const TestFailure *failure, const Style *style, char **ret);
/* "pullauthctl which" and "targets"; `asked`: pullauthd said which jobs there are */
int render_which(const ShownUses *l, const char *repository, bool asked, const Style *style, char **ret);
int render_targets(const ShownTools *l, bool asked, const Style *style, char **ret);
/* "pullauthctl identity" */
int render_identities(const ClaimsList *l, const Style *style, usec_t now, char **ret);
/* What "pullauthctl federate" is about to do, or did. */
typedef struct ShownFederation {
        const char *name, *registry, *robot;
        const FederationEntry *own; /* what this host's token says */
        const FederationPlan *plan;
        bool applied;
} ShownFederation;

int render_federation(const ShownFederation *f, const Style *style, char **ret);
/* What "pullauthctl monitor" draws. */
typedef struct Monitor {
        const Snapshot *snapshot;
        char *const *news; /* lines, the most recent last */
        const char *note;  /* what is wrong with all of it, or NULL */
        unsigned rows;     /* to fill */
} Monitor;

int render_monitor(const Monitor *m, const Style *style, usec_t now, char **ret);
/* Lines of news, each with the time and without a newline. */
int render_event_line(const JobEvent *e, const char *job, const Style *style, usec_t now, char **ret);
int render_job_line(const JobSnapshot *j, const Style *style, usec_t now, char **ret);
int render_note_line(const char *name, const char *text, const Style *style, usec_t now, char **ret);
/* "pullauthctl check" of so many files */
int render_findings(const ShownMessages *l, size_t n_files, const Style *style, char **ret);
/* "pullauthctl reload" */
int render_messages(const ShownMessages *l, const Style *style, char **ret);

/* The same as JSON, for programs; members as in pullauthctl(1). */
int render_json_list(const Snapshot *s, JsonMode mode, usec_t now, char **ret);
int render_json_status(const JobSnapshot *const *jobs, size_t n_jobs, JsonMode mode, usec_t now, char **ret);
int render_json_summary(const Snapshot *s, JsonMode mode, usec_t now, char **ret);
int render_json_federation(const ShownFederation *f, JsonMode mode, char **ret);
int render_json_test(const TestSteps *steps, const TestFailure *failure, JsonMode mode, char **ret);
/* One line about what happened: `event` and the time, and then the arguments of a signal (may be NULL), the
 * whole job (may be NULL) or its name alone. */
typedef struct JsonNews {
        const char *event;
        const JobEvent *signal;
        const JobSnapshot *job;
        bool whole;
} JsonNews;

int render_json_news(const JsonNews *news, usec_t now, char **ret);
/* `rows` is a list of the type: Attempts, ShownMessages … */
int render_json_rows(const void *rows, const RowType *type, JsonMode mode, char **ret);
