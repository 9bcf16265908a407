/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Everything about a job, as labelled fields in the order in which somebody in trouble asks: how does it
 * stand, what failed, what do I do, and only then what it is made of. Fields that have nothing to say are
 * left out. */

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "ctl/life.h"
#include "ctl/render-parts.h"
#include "ctl/render.h"
#include "model/job-state.h"

#define CLOCK_SKEW_SHOWN USEC_PER_SEC

static const char *state_explanation(const char *state) {
        switch (job_state_from_string(state)) {
        case JOB_INACTIVE:
                return "nothing was tried since it was set up";
        case JOB_REFRESHING:
                return "an attempt is under way";
        case JOB_FRESH:
                return "the credential stands in every target";
        case JOB_RETRYING:
                return "the last attempt failed, the credential still stands";
        case JOB_EXPIRED:
                return "there is no valid credential, attempts go on";
        case JOB_FAILED:
                return "cannot work as it is configured, here or at the registry";
        case _JOB_STATE_MAX:
        case _JOB_STATE_INVALID:
                break;
        }
        return "this tool does not know this state";
}

static void write_state(Page *p, const JobSnapshot *j) {
        const char *word = job_state_word(j);
        char *text = NULL;
        int r;

        r = streq(word, j->state)
                    ? text_format(&text, "%s, %s", j->state, state_explanation(j->state))
                    : text_format(&text, "%s, 'pullauthctl enable %s' lets it work", word, j->name);
        page_take_field(p, "State", state_tone(j->state), r, text);
}

static void write_life(Page *p, const JobSnapshot *j, usec_t now) {
        _cleanup_free_ char *bar = NULL, *life = NULL, *next = NULL, *text = NULL;
        Tone tone = job_is_well(j, now) ? TONE_GOOD : life_left(j, now) > 0 ? TONE_WARNING : TONE_BAD;

        if (life_bar(life_left(j, now), life_whole(j), BAR_WIDTH, &bar) < 0 ||
            life_text(j, now, &life) < 0 || life_next_text(j, now, &next) < 0 ||
            text_format(&text, "%s, %s", life, next) < 0) {
                p->failed = true;
                return;
        }
        fprintf(p->stream, "%*s: ", PAGE_LABEL, "Life");
        page_write(p, tone, "%s", bar);
        page_write(p, TONE_PLAIN, " ");
        page_wrapped(p, PAGE_LABEL + 2 + BAR_WIDTH + 1, TONE_PLAIN, text);
}

static int attempts_text(const JobSnapshot *j, usec_t now, char **ret) {
        char at[TIMESTAMP_MAX], ago[SPAN_MAX];
        _cleanup_free_ char *failures = NULL, *last = NULL;
        int r = 0;

        if (j->failures > 0 && j->failures_in_a_row == 0)
                r = text_format(&failures, ", %" PRIu64 " failed", j->failures);
        else if (j->failures_in_a_row == 1)
                r = text_format(&failures, ", the last one failed");
        else if (j->failures_in_a_row > 1)
                r = text_format(&failures, ", the last %u failed", j->failures_in_a_row);
        if (r >= 0 && j->last_attempt > 0)
                r = text_format(&last, "; most recent %s, %s ago", format_timestamp(at, j->last_attempt),
                                format_rough_span(ago, usec_sub(now, j->last_attempt)));
        if (r < 0)
                return r;
        return text_format(ret, "%" PRIu64 ", %" PRIu64 " of them brought a credential%s%s",
                           j->attempts_started, j->refreshes, strempty(failures), strempty(last));
}

static void write_times(Page *p, const JobSnapshot *j, usec_t now) {
        char a[TIMESTAMP_MAX], b[TIMESTAMP_MAX];
        char *text = NULL;
        int r;

        if (j->expires > 0) {
                r = j->issued > 0 ? text_format(&text, "%s, issued %s", format_timestamp(a, j->expires),
                                                format_timestamp(b, j->issued))
                                  : text_format(&text, "%s", format_timestamp(a, j->expires));
                page_take_field(p, "Expires", TONE_PLAIN, r, text);
        }
        if (j->attempts_started == 0)
                return;
        text = NULL;
        r = attempts_text(j, now, &text);
        page_take_field(p, "Attempts", TONE_PLAIN, r, text);
}

static void write_identity(Page *p, const JobSnapshot *j, usec_t now) {
        char span[SPAN_MAX], at[TIMESTAMP_MAX];
        char *text = NULL, *audience = NULL;
        int r;

        if (!isempty(j->identity))
                page_field(p, "Identity", TONE_PLAIN, j->identity);
        if (!isempty(j->identity_subject)) {
                r = text_format(&text, "subject %s", j->identity_subject);
                page_take_field(p, NULL, TONE_PLAIN, r, text);
        }
        if (!isempty(j->identity_issuer)) {
                text = NULL;
                r = text_format(&text, "issuer %s", j->identity_issuer);
                page_take_field(p, NULL, TONE_PLAIN, r, text);
        }
        if (strv_length(j->identity_audience) > 0) {
                text = NULL;
                r = strv_join(j->identity_audience, ", ", &audience);
                if (r >= 0)
                        r = text_format(&text, "audience %s", audience);
                free(audience);
                page_take_field(p, NULL, TONE_PLAIN, r, text);
        }
        if (!isempty(j->identity_algorithm)) {
                text = NULL;
                r = text_format(&text, "signed with %s%s%s", j->identity_algorithm,
                                isempty(j->identity_key_id) ? "" : ", key ", j->identity_key_id);
                page_take_field(p, NULL, TONE_PLAIN, r, text);
        }
        if (j->identity_expires > 0) {
                text = NULL;
                r = j->identity_expires > now
                            ? text_format(&text, "ends %s, in %s", format_timestamp(at, j->identity_expires),
                                          format_rough_span(span, j->identity_expires - now))
                            : text_format(&text, "ended %s", format_timestamp(at, j->identity_expires));
                page_take_field(p, NULL, j->identity_expires > now ? TONE_PLAIN : TONE_WARNING, r, text);
        }
}

static void write_list(Page *p, const char *label, char *const *l) {
        STRV_FOREACH(i, l) {
                page_field(p, label, TONE_PLAIN, *i);
                label = NULL;
        }
}

static Tone target_tone(const char *state) {
        if (streq(state, "published"))
                return TONE_GOOD;
        return streq(state, "failed") ? TONE_BAD : TONE_WARNING;
}

static void write_targets(Page *p, const JobSnapshot *j) {
        const ShownTargets *l = &j->target_states;
        size_t name_width = 0, path_width = 0;
        const char *label = "Targets";

        for (size_t i = 0; i < l->n_items; i++) {
                size_t n = style_width(p->style, l->items[i].target, strlen(l->items[i].target));
                size_t m = style_width(p->style, l->items[i].path, strlen(l->items[i].path));

                name_width = n > name_width ? n : name_width;
                path_width = m > path_width ? m : path_width;
        }
        for (size_t i = 0; i < l->n_items; i++) {
                const ShownTarget *t = l->items + i;

                fprintf(p->stream, label ? "%*s: " : "%*s  ", PAGE_LABEL, strempty(label));
                page_column(p, TONE_PLAIN, name_width + 2, t->target);
                page_column(p, TONE_PLAIN, path_width + 2, t->path);
                page_write(p, target_tone(t->state), "%s", t->state);
                page_write(p, TONE_PLAIN, "\n");
                if (!isempty(t->message))
                        page_field(p, NULL, TONE_BAD, t->message);
                label = NULL;
        }
}

static void write_clock(Page *p, const JobSnapshot *j) {
        uint64_t skew = j->clock_skew < 0 ? -(uint64_t) j->clock_skew : (uint64_t) j->clock_skew;
        char span[SPAN_MAX];
        char *text = NULL;
        int r;

        if (skew < CLOCK_SKEW_SHOWN)
                return;
        r = text_format(&text, "the registry's is %s %s this host's", format_span(span, skew),
                        j->clock_skew > 0 ? "ahead of" : "behind");
        page_take_field(p, "Clock", TONE_WARNING, r, text);
}

/* What is not as it is by itself. */
static void write_settings(Page *p, const JobSnapshot *j) {
        char span[SPAN_MAX], minimum[SPAN_MAX + 32] = "", exchange[64] = "";
        const struct {
                bool shown;
                const char *text;
        } settings[] = {
                { !job_snapshot_is_of_quay(j), exchange },
                { streq(j->on_expiry, "retain"), "OnExpiry=retain" },
                { streq(j->on_remove, "retain"), "OnRemove=retain" },
                { j->minimum_remaining > 0, minimum },
                { j->take_over, "TakeOver=yes" },
                { j->wake_system, "WakeSystem=yes" },
                { j->runtime, "until the next boot only" },
        };
        _cleanup_strv_ char **shown = NULL;
        char *text = NULL;
        int r = 0;

        (void) snprintf(minimum, sizeof(minimum), "MinimumRemaining=%s",
                        format_span(span, j->minimum_remaining));
        (void) snprintf(exchange, sizeof(exchange), "Exchange=%s", j->exchange);
        for (size_t i = 0; i < ELEMENTSOF(settings) && r >= 0; i++)
                if (settings[i].shown)
                        r = strv_append(&shown, settings[i].text);
        if (r >= 0 && !shown)
                return;
        if (r >= 0)
                r = strv_join(shown, ", ", &text);
        page_take_field(p, "Settings", TONE_PLAIN, r, text);
}

static void write_job(Page *p, const JobSnapshot *j, usec_t now) {
        const ShownFailure failure = job_failure(j);

        page_write(p, state_tone(j->state), "●");
        page_write(p, TONE_STRONG, " %s", j->name);
        if (!isempty(j->robot) && !isempty(j->registry))
                page_write(p, TONE_PLAIN, " – %s on %s", j->robot, j->registry);
        page_write(p, TONE_PLAIN, "\n");
        write_state(p, j);
        write_life(p, j, now);
        page_failure(p, &failure);
        write_times(p, j, now);
        write_identity(p, j, now);
        write_list(p, "Scopes", j->scopes);
        write_targets(p, j);
        write_list(p, "Units", j->units);
        write_list(p, "Pods as", j->pod_robots);
        write_settings(p, j);
        write_clock(p, j);
        write_list(p, "Notes", j->notices);
        write_list(p, "Files", j->configuration_files);
        page_messages(p, PAGE_LABEL + 2, &j->configuration_messages);
}

int render_status(const JobSnapshot *const *jobs, size_t n_jobs, const ShownMessages *rest,
                  const Style *style, usec_t now, char **ret) {
        _cleanup_(page_done) Page p = {};
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_jobs; i++) {
                if (i > 0)
                        page_write(&p, TONE_PLAIN, "\n");
                write_job(&p, jobs[i], now);
        }
        if (rest && rest->n_items > 0) {
                if (n_jobs > 0)
                        page_write(&p, TONE_PLAIN, "\n");
                page_write(&p, TONE_STRONG, "Configuration of no job\n");
                page_messages(&p, 2, rest);
        }
        return page_take(&p, ret);
}

int render_outcome(const JobSnapshot *j, const Style *style, usec_t now, char **ret) {
        const ShownFailure failure = job_failure(j);
        _cleanup_(page_done) Page p = {};
        _cleanup_free_ char *life = NULL, *next = NULL;
        int r;

        r = page_open(&p, style);
        if (r >= 0)
                r = life_text(j, now, &life);
        if (r >= 0)
                r = life_next_text(j, now, &next);
        if (r < 0)
                return r;
        page_write(&p, state_tone(j->state), "●");
        page_write(&p, TONE_STRONG, " %s", j->name);
        page_write(&p, TONE_PLAIN, ": %s, %s, %s\n", j->state, life, next);
        page_failure(&p, &failure);
        return page_take(&p, ret);
}

int render_messages(const ShownMessages *l, const Style *style, char **ret) {
        _cleanup_(page_done) Page p = {};
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        page_messages(&p, 0, l);
        if (l->n_items == 0 && style->legend)
                page_write(&p, TONE_PLAIN, "The configuration was read, nothing is wrong in it\n");
        return page_take(&p, ret);
}

int render_awaited(const AwaitedJobs *l, const Style *style, char **ret) {
        _cleanup_(page_done) Page p = {};
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l->n_items; i++) {
                const Awaited *a = l->items + i;
                bool ready = job_state_from_string(a->state) == JOB_FRESH;

                page_write(&p, state_tone(a->state), "●");
                page_write(&p, TONE_STRONG, " %s", a->name);
                page_write(&p, TONE_PLAIN, ": %s", a->state);
                if (!isempty(a->reason))
                        page_write(&p, TONE_PLAIN, " (%s)", a->reason);
                page_write(&p, TONE_PLAIN, ready ? "\n" : ", see 'pullauthctl status %s'\n", a->name);
        }
        return page_take(&p, ret);
}
