/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What somebody sees who types "pullauthctl" and nothing else: where everything stands, and the next thing
 * to do.
 *
 * One line for each job, two more for each that is in trouble; how to begin where there is no job. */

#include <string.h>

#include "base/text.h"
#include "ctl/life.h"
#include "ctl/render-parts.h"
#include "ctl/render.h"

#define SHORT_BAR_WIDTH 12

static size_t widest(const Snapshot *s, const Style *style, bool states) {
        size_t width = 0;

        for (size_t i = 0; i < s->n_jobs; i++) {
                const char *text = states ? job_state_word(s->jobs[i]) : s->jobs[i]->name;
                size_t n = style_width(style, text, strlen(text));

                width = n > width ? n : width;
        }
        return width;
}

static void write_trouble(Page *p, const JobSnapshot *j, size_t indent) {
        const ShownFailure failure = job_failure(j);
        _cleanup_free_ char *text = NULL;

        if (!failure_is_there(&failure))
                return;
        if (failure_text(&failure, " failed", &text) < 0) {
                p->failed = true;
                return;
        }
        fprintf(p->stream, "%*s", (int) indent, "");
        page_wrapped(p, indent, TONE_PLAIN, text);
        if (isempty(j->hint))
                return;
        fprintf(p->stream, "%*s", (int) indent, "");
        page_write(p, TONE_STRONG, "→ ");
        page_wrapped(p, indent + (p->style->utf8 ? 2 : 3), TONE_STRONG, j->hint);
}

static void write_job(Page *p, const JobSnapshot *j, size_t name_width, size_t state_width, usec_t now) {
        _cleanup_free_ char *bar = NULL, *life = NULL, *next = NULL, *text = NULL;
        size_t indent = 2 + name_width + 2 + state_width + 2;
        Tone tone = state_tone(j->state);

        if (life_bar(life_left(j, now), life_whole(j), SHORT_BAR_WIDTH, &bar) < 0 ||
            life_text(j, now, &life) < 0 || life_next_text(j, now, &next) < 0 ||
            text_format(&text, "%s, %s", life, next) < 0) {
                p->failed = true;
                return;
        }
        page_write(p, tone, "●");
        page_write(p, TONE_PLAIN, " ");
        page_column(p, TONE_STRONG, name_width + 2, j->name);
        page_column(p, tone, state_width + 2, job_state_word(j));
        page_write(p, tone, "%s", bar);
        page_write(p, TONE_PLAIN, " ");
        page_wrapped(p, indent + SHORT_BAR_WIDTH + 1, TONE_PLAIN, text);
        if (!job_is_well(j, now))
                write_trouble(p, j, 2 + name_width + 2);
        page_messages(p, 2 + name_width + 2, &j->configuration_messages);
}

static void write_beginning(Page *p) {
        page_write(p, TONE_PLAIN,
                   "\n"
                   "To have one, write to /etc/pullauth/identities/default.identity how this host proves "
                   "who it is:\n"
                   "    [Identity]\n"
                   "    Source=file\n"
                   "    TokenFile=/path/of/a/JWT\n"
                   "    Audience=quay\n"
                   "and which robot account to keep fresh to /etc/pullauth/jobs/NAME.job:\n"
                   "    [Job]\n"
                   "    Registry=quay.example.com\n"
                   "    Robot=organization+robot\n"
                   "then run 'pullauthctl reload'. More in pullauth.identity(5) and pullauth.job(5).\n");
}

int render_summary_job(const Snapshot *s, const JobSnapshot *j, const Style *style, usec_t now, char **ret) {
        _cleanup_(page_done) Page p = {};
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        write_job(&p, j, widest(s, style, false), widest(s, style, true), now);
        return page_take(&p, ret);
}

int render_summary(const Snapshot *s, const Style *style, usec_t now, char **ret) {
        _cleanup_(page_done) Page p = {};
        size_t name_width = widest(s, style, false), state_width = widest(s, style, true);
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        page_write(&p, TONE_PLAIN, "pullauthd %s, ", s->version);
        page_counts(&p, s);
        page_write(&p, TONE_PLAIN, s->ready ? "\n" : " (just started, first attempts are under way)\n");
        for (size_t i = 0; i < s->n_jobs; i++)
                write_job(&p, s->jobs[i], name_width, state_width, now);
        if (s->configuration_messages.n_items > 0) {
                page_write(&p, TONE_PLAIN, "\n");
                page_messages(&p, 0, &s->configuration_messages);
        }
        if (s->n_jobs == 0)
                write_beginning(&p);
        return page_take(&p, ret);
}
