/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The picture that "monitor" draws, and the lines that it writes where there is no screen.
 *
 * Pure like its neighbours. What does not fit is left out from the end: jobs in trouble come first, then the
 * news, so that what matters is what stays. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "ctl/life.h"
#include "ctl/render-parts.h"
#include "ctl/render.h"

/* News that are kept on the screen beside the jobs. */
#define NEWS_ROWS 8
#define CLOCK_MAX 16

static void format_clock(char buf[static CLOCK_MAX], usec_t t) {
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&seconds, &tm) || strftime(buf, CLOCK_MAX, "%H:%M:%S", &tm) == 0)
                (void) snprintf(buf, CLOCK_MAX, "?");
}

/* "failed: exchange: The registry … (robot-unknown)" */
static int event_text(const JobEvent *e, char **ret) {
        _cleanup_free_ char *targets = NULL;
        char at[TIMESTAMP_MAX];
        int r;

        if (streq(e->name, "refreshed"))
                return text_format(ret, "refreshed, ends %s", format_timestamp(at, e->expires));
        if (streq(e->name, "failed"))
                return text_format(ret, "%s failed: %s (%s)", isempty(e->step) ? "attempt" : e->step,
                                   e->message, e->reason);
        if (streq(e->name, "withdrawn")) {
                r = strv_join(e->targets, ", ", &targets);
                return r < 0 ? r : text_format(ret, "withdrawn from %s", strempty(targets));
        }
        return text_format(ret, "%s", e->name);
}

static int make_line(const Style *style, usec_t now, const char *name, const char *text, char **ret) {
        _cleanup_free_ char *line = NULL;
        char clock[CLOCK_MAX];
        int r;

        format_clock(clock, now);
        r = text_format(&line, "%s %s: %s", clock, name, text);
        return r < 0 ? r : style_text(style, line, ret);
}

int render_event_line(const JobEvent *e, const char *job, const Style *style, usec_t now, char **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = event_text(e, &text);
        return r < 0 ? r : make_line(style, now, job, text, ret);
}

int render_job_line(const JobSnapshot *j, const Style *style, usec_t now, char **ret) {
        _cleanup_free_ char *life = NULL, *next = NULL, *text = NULL;
        int r;

        r = life_text(j, now, &life);
        if (r >= 0)
                r = life_next_text(j, now, &next);
        if (r >= 0)
                r = text_format(&text, "%s, %s, %s", job_state_word(j), life, next);
        return r < 0 ? r : make_line(style, now, j->name, text, ret);
}

int render_note_line(const char *name, const char *text, const Style *style, usec_t now, char **ret) {
        return make_line(style, now, name, text, ret);
}

static size_t count_lines(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

typedef struct MonitoredJob {
        const JobSnapshot *job;
        bool well;
} MonitoredJob;

static int compare_urgency(const void *a, const void *b) {
        const MonitoredJob *x = a, *y = b;

        if (x->well != y->well)
                return x->well ? 1 : -1;
        return strcmp(x->job->name, y->job->name);
}

/* The jobs in the order of their urgency, as many as there is room for. */
static int write_jobs(Page *p, const Snapshot *s, usec_t now, size_t rows) {
        _cleanup_free_ MonitoredJob *jobs = calloc(s->n_jobs + 1, sizeof(*jobs));
        size_t used = 0, i;

        if (!jobs)
                return -ENOMEM;
        for (i = 0; i < s->n_jobs; i++)
                jobs[i] = (MonitoredJob){ s->jobs[i], job_is_well(s->jobs[i], now) };
        qsort(jobs, s->n_jobs, sizeof(*jobs), compare_urgency);
        for (i = 0; i < s->n_jobs; i++) {
                _cleanup_free_ char *text = NULL;
                int r;

                r = render_summary_job(s, jobs[i].job, p->style, now, &text);
                if (r < 0)
                        return r;
                /* The last row may have to say that there are more. */
                if (used + count_lines(text) + (i + 1 < s->n_jobs) > rows && i > 0)
                        break;
                fputs(text, p->stream);
                used += count_lines(text);
        }
        if (i < s->n_jobs)
                page_write(p, TONE_FAINT, "… and %zu more\n", s->n_jobs - i);
        return 0;
}

static void write_heading(Page *p, const Snapshot *s, usec_t now) {
        char clock[CLOCK_MAX];

        format_clock(clock, now);
        page_write(p, TONE_STRONG, "%s", clock);
        page_write(p, TONE_PLAIN, "  ");
        page_counts(p, s);
        page_write(p, TONE_FAINT, "  (q quits)");
        page_write(p, TONE_PLAIN, "\n\n");
}

int render_monitor(const Monitor *m, const Style *style, usec_t now, char **ret) {
        size_t n_news = strv_length(m->news), shown = n_news > NEWS_ROWS ? NEWS_ROWS : n_news, room;
        _cleanup_(page_done) Page p = {};
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        write_heading(&p, m->snapshot, now);
        if (m->note)
                page_write(&p, TONE_BAD, "%s\n", m->note);
        room = m->rows > 4 + shown + (m->note != NULL) ? m->rows - 4 - shown - (m->note != NULL) : 1;
        r = write_jobs(&p, m->snapshot, now, room);
        if (r < 0)
                return r;
        if (shown > 0)
                page_write(&p, TONE_PLAIN, "\n");
        for (size_t i = n_news - shown; i < n_news; i++)
                page_cut(&p, TONE_FAINT, m->news[i]);
        return page_take(&p, ret);
}
