/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What list, status and summary say in the same way.
 *
 * Owns the wording of failures, messages and counts. Prints nothing: everything ends on a page of the
 * caller. */

#include <string.h>

#include "base/text.h"
#include "ctl/life.h"
#include "ctl/render-parts.h"
#include "model/job-state.h"

ShownFailure job_failure(const JobSnapshot *j) {
        return (ShownFailure){
                .reason = j->reason,
                .step = j->step,
                .message = j->message,
                .registry_words = j->registry_words,
                .hint = j->hint,
                .http_status = j->http_status,
        };
}

bool failure_is_there(const ShownFailure *f) {
        return !isempty(f->reason) || !isempty(f->message);
}

int failure_text(const ShownFailure *f, const char *verb, char **ret) {
        _cleanup_free_ char *what = NULL, *answer = NULL;
        int r;

        r = isempty(f->step) ? text_format(&what, "%s", isempty(f->message) ? "failed" : f->message)
                             : text_format(&what, "%s%s%s%s", f->step, verb, isempty(f->message) ? "" : ": ",
                                           f->message);
        if (r >= 0 && f->http_status > 0)
                r = text_format(&answer, "HTTP %u", f->http_status);
        if (r < 0)
                return r;
        if (isempty(f->reason) && !answer)
                return text_format(ret, "%s", what);
        return text_format(ret, "%s (%s%s%s)", what, f->reason, isempty(f->reason) || !answer ? "" : ", ",
                           strempty(answer));
}

static int quoted(const char *words, char **ret) {
        return text_format(ret, "“%s”", words);
}

void page_failure(Page *p, const ShownFailure *f) {
        char *text = NULL;
        int r;

        if (!failure_is_there(f))
                return;
        r = failure_text(f, "", &text);
        page_take_field(p, "Failed", TONE_BAD, r, text);
        if (!isempty(f->registry_words)) {
                text = NULL;
                r = quoted(f->registry_words, &text);
                /* Without an answer of the registry, they are those of a library. */
                page_take_field(p, f->http_status > 0 ? "Registry" : "Details", TONE_PLAIN, r, text);
        }
        if (!isempty(f->hint))
                page_field(p, "To do", TONE_STRONG, f->hint);
}

static int message_text(const ShownMessage *m, char **ret) {
        if (isempty(m->file))
                return text_format(ret, "%s", m->text);
        return m->line > 0 ? text_format(ret, "%s:%u: %s", m->file, m->line, m->text)
                           : text_format(ret, "%s: %s", m->file, m->text);
}

static bool stands_before(const ShownMessages *l, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (l->items[k].line == l->items[i].line && streq(l->items[k].text, l->items[i].text) &&
                    streq(l->items[k].file, l->items[i].file))
                        return true;
        return false;
}

void page_messages(Page *p, size_t indent, const ShownMessages *l) {
        for (size_t i = 0; i < l->n_items; i++) {
                const ShownMessage *m = l->items + i;
                _cleanup_free_ char *text = NULL;

                if (stands_before(l, i))
                        continue;
                if (message_text(m, &text) < 0) {
                        p->failed = true;
                        return;
                }
                fprintf(p->stream, "%*s", (int) indent, "");
                page_write(p, streq(m->severity, "error") ? TONE_BAD : TONE_WARNING, "%s: ", m->severity);
                page_wrapped(p, indent + strlen(m->severity) + 2, TONE_PLAIN, text);
        }
}

void page_counts(Page *p, const Snapshot *s) {
        size_t n[_JOB_STATE_MAX] = {}, n_disabled = 0;
        const char *separator = ": ";

        for (size_t i = 0; i < s->n_jobs; i++) {
                JobState state = job_state_from_string(s->jobs[i]->state);

                if (!streq(job_state_word(s->jobs[i]), s->jobs[i]->state))
                        n_disabled++;
                else if (state >= 0)
                        n[state]++;
        }
        page_write(p, TONE_PLAIN, "%zu %s", s->n_jobs, s->n_jobs == 1 ? "job" : "jobs");
        for (JobState i = 0; i < _JOB_STATE_MAX; i++)
                if (n[i] > 0) {
                        page_write(p, TONE_PLAIN, "%s", separator);
                        page_write(p, state_tone(job_state_to_string(i)), "%zu %s", n[i],
                                   job_state_to_string(i));
                        separator = ", ";
                }
        if (n_disabled > 0)
                page_write(p, TONE_FAINT, "%s%zu disabled", separator, n_disabled);
}
