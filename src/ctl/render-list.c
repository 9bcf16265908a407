/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of jobs, and below it what an administrator has to know that no column holds.
 *
 * libsmartcols aligns; it is given text that the locale can show and told the width, and looks at no
 * terminal of its own accord. */

#include <errno.h>
#include <libsmartcols/libsmartcols.h>

#include "base/text.h"
#include "ctl/life.h"
#include "ctl/render-parts.h"
#include "ctl/render.h"

typedef enum Column {
        COLUMN_JOB,
        COLUMN_REGISTRY,
        COLUMN_ROBOT,
        COLUMN_STATE,
        COLUMN_REASON,
        COLUMN_LEFT,
        COLUMN_NEXT,
        _COLUMN_MAX,
} Column;

static const struct {
        const char *heading;
        double hint; /* share of a width that is too small, or least columns */
        int flags;
        unsigned from; /* left out of a terminal that is narrower; 0: never */
} columns[_COLUMN_MAX] = {
        [COLUMN_JOB] = { "JOB", 4, 0, 0 },
        [COLUMN_REGISTRY] = { "REGISTRY", 8, SCOLS_FL_TRUNC, 64 },
        [COLUMN_ROBOT] = { "ROBOT", 8, SCOLS_FL_TRUNC, 64 },
        [COLUMN_STATE] = { "STATE", 5, 0, 0 },
        [COLUMN_REASON] = { "REASON", 6, SCOLS_FL_TRUNC, 56 },
        [COLUMN_LEFT] = { "LEFT", 4, SCOLS_FL_RIGHT, 0 },
        [COLUMN_NEXT] = { "NEXT", 4, SCOLS_FL_RIGHT, 0 },
};

static struct libscols_table *table_free(struct libscols_table *t) {
        scols_unref_table(t);
        return NULL;
}
DEFINE_CLEANUP(struct libscols_table *, table_free)

static int table_new(const Style *style, struct libscols_table **ret) {
        _cleanup_(table_freep) struct libscols_table *t = scols_new_table();

        if (!t)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(columns); i++) {
                bool hidden = style->columns > 0 && style->columns < columns[i].from;

                if (!scols_table_new_column(t, columns[i].heading, columns[i].hint,
                                            columns[i].flags | (hidden ? SCOLS_FL_HIDDEN : 0)))
                        return -ENOMEM;
        }
        scols_table_enable_colors(t, style->color);
        scols_table_enable_noheadings(t, !style->legend);
        scols_table_enable_ascii(t, !style->utf8);
        scols_table_set_termforce(t, style->columns > 0 ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
        if (style->columns > 0)
                scols_table_set_termwidth(t, style->columns);
        *ret = TAKE_PTR(t);
        return 0;
}

static int set_cell(struct libscols_line *line, const Style *style, Column column, const char *text) {
        _cleanup_free_ char *s = NULL;
        int r;

        r = style_text(style, text, &s);
        return r < 0 ? r : scols_line_refer_data(line, column, TAKE_PTR(s));
}

static int add_job(struct libscols_table *t, const JobSnapshot *j, const Style *style, usec_t now) {
        char left[SPAN_MAX] = "-", next[SPAN_MAX] = "-";
        const Tone tone = state_tone(j->state);
        const char *texts[_COLUMN_MAX] = {
                [COLUMN_JOB] = j->name,
                [COLUMN_REGISTRY] = isempty(j->registry) ? "-" : j->registry,
                [COLUMN_ROBOT] = isempty(j->robot) ? "-" : j->robot,
                [COLUMN_STATE] = job_state_word(j),
                [COLUMN_REASON] = isempty(j->reason) ? "-" : j->reason,
                [COLUMN_LEFT] = left,
                [COLUMN_NEXT] = next,
        };
        struct libscols_line *line;
        int r;

        if (life_left(j, now) > 0)
                format_rough_span(left, life_left(j, now));
        if (j->next_attempt > 0)
                format_rough_span(next, usec_sub(j->next_attempt, now));
        line = scols_table_new_line(t, NULL);
        if (!line)
                return -ENOMEM;
        for (Column i = 0; i < _COLUMN_MAX; i++) {
                r = set_cell(line, style, i, texts[i]);
                if (r < 0)
                        return r;
        }
        if (tone != TONE_PLAIN && style->color)
                return scols_cell_set_color(scols_line_get_cell(line, COLUMN_STATE), style_on(style, tone));
        return 0;
}

static int render_table(const Snapshot *s, const Style *style, usec_t now, char **ret) {
        _cleanup_(table_freep) struct libscols_table *t = NULL;
        int r;

        r = table_new(style, &t);
        for (size_t i = 0; i < s->n_jobs && r >= 0; i++)
                r = add_job(t, s->jobs[i], style, now);
        return r < 0 ? r : scols_print_table_to_string(t, ret);
}

/* The jobs that need attention, as arguments for "pullauthctl status". */
static void write_what_next(Page *p, const Snapshot *s, usec_t now) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_jobs; i++)
                if (!job_is_well(s->jobs[i], now))
                        n++;
        if (n == 0)
                return;
        page_write(p, TONE_PLAIN, "What is wrong and what to do: pullauthctl status");
        for (size_t i = 0; i < s->n_jobs && n < s->n_jobs && n <= 5; i++)
                if (!job_is_well(s->jobs[i], now))
                        page_write(p, TONE_PLAIN, " %s", s->jobs[i]->name);
        page_write(p, TONE_PLAIN, "\n");
}

/* Of all jobs and of none, as one list; the texts stay their owners'. */
static int write_all_messages(Page *p, const Snapshot *s) {
        _cleanup_free_ ShownMessage *items = NULL;
        ShownMessages all = {};
        size_t n = s->configuration_messages.n_items;

        for (size_t i = 0; i < s->n_jobs; i++)
                n += s->jobs[i]->configuration_messages.n_items;
        if (n == 0)
                return 0;
        items = calloc(n, sizeof(*items));
        if (!items)
                return -ENOMEM;
        all.items = items;
        for (size_t i = 0; i < s->configuration_messages.n_items; i++)
                items[all.n_items++] = s->configuration_messages.items[i];
        for (size_t i = 0; i < s->n_jobs; i++)
                for (size_t k = 0; k < s->jobs[i]->configuration_messages.n_items; k++)
                        items[all.n_items++] = s->jobs[i]->configuration_messages.items[k];
        page_messages(p, 0, &all);
        return 0;
}

int render_list(const Snapshot *s, const Style *style, usec_t now, char **ret) {
        _cleanup_(page_done) Page p = {};
        _cleanup_free_ char *table = NULL;
        int r;

        r = page_open(&p, style);
        if (r >= 0 && s->n_jobs > 0)
                r = render_table(s, style, now, &table);
        if (r < 0)
                return r;
        fputs(strempty(table), p.stream);
        if (table && !endswith(table, "\n"))
                fputc('\n', p.stream);
        if (style->legend) {
                page_write(&p, TONE_PLAIN, s->n_jobs > 0 ? "\n" : "");
                page_counts(&p, s);
                page_write(&p, TONE_PLAIN, "\n");
                write_what_next(&p, s, now);
                r = write_all_messages(&p, s);
                if (r < 0)
                        return r;
        }
        return page_take(&p, ret);
}
