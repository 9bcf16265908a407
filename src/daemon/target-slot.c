/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When the files of one target are written: at once when the target was quiet, in batches when changes
 * come fast, at the pace of publish failures when it cannot be written, and slower and slower when another
 * program keeps rewriting them.
 *
 * Owns the files, the watches on them, and one timer. A failed write never causes an exchange. */

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <time.h>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "daemon/target-slot.h"
#include "daemon/target.h"
#include "io/watch.h"
#include "model/schedule.h"

/* Changes that come faster than this share writes. A large target costs a twentieth of a processor at most,
 * so that ten thousand jobs that come in together take little more than ten times a thousand; a slow disk
 * keeps us a fifth of the time. But one that hung once does not put off for long what has to be
 * withdrawn. */
#define SPACING_MIN (200 * USEC_PER_MSEC)
#define SPACING_PROCESSOR 19
#define SPACING_CLOCK 4
#define SPACING_MAX (5 * USEC_PER_SEC)
/* Entries of a target whose writing takes so much, many times of what is held, that it goes back at once. */
#define TRIM_FROM 500
/* Whoever rewrites the file more often than this is another program of our kind, or a configuration
 * management that knows better: then we are slower and slower about it, and never give up. */
#define MENDS_FREE 5
#define MENDS_PERIOD (2 * USEC_PER_MINUTE)

/* One file of a target. */
typedef struct Place {
        Target *target;
        Watch *watch;
} Place;

struct TargetSlot {
        const TargetSlotContext *context;
        TargetConfig *config;
        Place *places;
        size_t n_places;
        Watch **base_watches; /* as many as the configuration has bases */
        sd_event_source *timer;
        bool complained;
        bool marked;
        bool disturbed; /* marked because somebody else changed the file, and for nothing else */
        usec_t due;     /* if marked */
        usec_t not_before;
        Pace pace;
        /* Rewrites of what others rewrote: they must not become a fight. What is new to publish or to
         * withdraw does not wait for them. */
        unsigned n_mends;
        Pace mend_pace;
        usec_t last_mend, mend_not_before;
};

const TargetConfig *target_slot_config(const TargetSlot *s) {
        return s->config;
}

const char *target_slot_path(const TargetSlot *s) {
        return target_path(s->places[0].target);
}

const char *target_slot_note(const TargetSlot *s) {
        const char *note = NULL;

        for (size_t i = 0; i < s->n_places && !note; i++)
                note = target_note(s->places[i].target);
        return note;
}

static void arm(TargetSlot *s, usec_t boot) {
        int r;

        r = sd_event_source_set_time(s->timer, boot);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error_errno(r, "Cannot schedule the writing of %s: %m", target_slot_path(s));
}

/* Everything but success is tried again: at the file's trouble and at a single key's alike, for both end
 * when somebody changes the file. */
static bool is_done(const Wanted *wanted, size_t n, int r) {
        if (r < 0 || r == TARGET_REFUSED)
                return false;
        for (size_t i = 0; i < n; i++)
                if (wanted[i].failure)
                        return false;
        return true;
}

/* The file was as we wanted it until somebody else changed it, and had to be written again. */
static void note_mend(TargetSlot *s, usec_t now) {
        if (usec_sub(now, s->last_mend) > MENDS_PERIOD) {
                s->n_mends = 0;
                s->mend_pace = (Pace){};
        }
        s->last_mend = now;
        s->n_mends++;
        if (s->n_mends == 1)
                log_notice("%s was changed by another program, putting our entries back",
                           target_slot_path(s));
        if (s->n_mends == MENDS_FREE)
                log_warning("%s is changed by another program again and again, mending it more slowly",
                            target_slot_path(s));
        if (s->n_mends >= MENDS_FREE)
                s->mend_not_before =
                        usec_add(now, pace_next(&s->mend_pace, FAILURE_PUBLISH, 0, 0, random_draw()));
}

static usec_t processor_time(void) {
        struct timespec t;

        if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) < 0)
                return 0;
        return (usec_t) t.tv_sec * USEC_PER_SEC + (usec_t) t.tv_nsec / 1000;
}

static usec_t spacing(usec_t clock, usec_t processor) {
        return MIN(SPACING_MIN + MAX(SPACING_CLOCK * clock, SPACING_PROCESSOR * processor), SPACING_MAX);
}

/* What failed at an earlier file of the target stays said. */
static void keep_first(Failure **first, Wanted *wanted, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (!first[i])
                        first[i] = wanted[i].failure;
                else
                        failure_free(wanted[i].failure);
                wanted[i].failure = NULL;
        }
}

/* What an earlier run left may stand in one file and not in another: each is asked anew. */
typedef struct Left {
        bool wanted, kept;
} Left;

static void ask_left(const Left *left, Wanted *wanted, size_t n) {
        for (size_t i = 0; i < n; i++)
                wanted[i].left = left[i].wanted;
}

static void note_left(Left *left, const Wanted *wanted, size_t n) {
        for (size_t i = 0; i < n; i++)
                left[i].kept |= wanted[i].left;
}

/* All files of the target. The outcome is the worst one, the failure the first one. */
static int sync_places(TargetSlot *s, Wanted *wanted, size_t n, bool *ret_written, Failure **reterr) {
        _cleanup_free_ Failure **first = calloc(n + 1, sizeof(*first));
        _cleanup_free_ Left *left = calloc(n + 1, sizeof(*left));
        int result = TARGET_UNCHANGED;

        if (!first || !left)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                left[i].wanted = wanted[i].left;
        for (size_t i = 0; i < s->n_places; i++) {
                Failure *failure = NULL;
                int r;

                ask_left(left, wanted, n);
                r = target_sync(s->places[i].target, wanted, n, &failure);
                note_left(left, wanted, n);
                keep_first(first, wanted, n);
                if (r == TARGET_WRITTEN)
                        *ret_written = true;
                if (failure && *reterr)
                        failure_free(failure);
                else if (failure)
                        *reterr = failure;
                /* The first error, else what is worst. */
                if (result >= 0 && (r < 0 || r > result))
                        result = r;
        }
        for (size_t i = 0; i < n; i++) {
                wanted[i].failure = first[i];
                wanted[i].left = left[i].kept;
        }
        return result;
}

/* Of what happens to a file that is no target any more no job tells. */
static void note_orphan(TargetSlot *s, int r, const Failure *failure) {
        if (failure && !s->complained)
                log_warning(
                        "Cannot take our entries out of %s, which is no target any more, trying again: %s",
                        target_slot_path(s), failure->message);
        s->complained = failure;
        if (r < 0 || failure)
                return;
        if (!state_data_owns_any(state_store_data(s->context->store), s->config->paths[0]))
                s->context->over(s, s->context->userdata);
}

static int on_write(sd_event_source *source, uint64_t usec, void *userdata) {
        TargetSlot *s = userdata;
        const PublisherClient *c = &s->context->client;
        _cleanup_failure_ Failure *failure = NULL;
        Wanted *wanted = NULL;
        usec_t start = now_boot(), taken = processor_time(), end;
        bool disturbed = s->disturbed, noted = target_slot_note(s), written = false;
        size_t n = 0;
        int r;

        s->marked = s->disturbed = false;
        r = c->collect(s->config, &wanted, &n, c->userdata);
        if (r >= 0)
                r = sync_places(s, wanted, n, &written, &failure);
        if (r < 0)
                log_warning_errno(r, "Cannot bring %s in line, trying again: %m", target_slot_path(s));
        end = now_boot();
        s->not_before = end + spacing(end - start, processor_time() - taken);
        if (r == TARGET_WRITTEN && disturbed)
                note_mend(s, end);
        if (is_done(wanted, n, r))
                s->pace = (Pace){};
        else if (!s->marked)
                arm(s, usec_add(end, pace_next(&s->pace, FAILURE_PUBLISH, 0, 0, random_draw())));
        if (written)
                c->written(s->config, c->userdata);
        if (noted != !!target_slot_note(s))
                c->noted(s->config, c->userdata);
        if (r >= 0)
                c->done(s->config, wanted, n, failure, c->userdata);
        wanted_free(wanted, n);
        if (n >= TRIM_FROM)
                (void) malloc_trim(0);
        if (target_config_is_orphan(s->config))
                note_orphan(s, r, failure);
        return 0;
}

static void mark(TargetSlot *s, usec_t boot) {
        if (s->marked && s->due <= boot)
                return;
        s->marked = true;
        s->due = boot;
        arm(s, boot);
}

void target_slot_mark(TargetSlot *s) {
        s->disturbed = false;
        mark(s, s->not_before);
}

static bool is_as_left(const TargetSlot *s) {
        for (size_t i = 0; i < s->n_places; i++)
                if (!target_is_as_left(s->places[i].target))
                        return false;
        return true;
}

/* Our own writes come by here as well. */
static void on_change(void *userdata) {
        TargetSlot *s = userdata;

        if (is_as_left(s))
                return;
        if (!s->marked)
                s->disturbed = true;
        mark(s, s->mend_not_before > s->not_before ? s->mend_not_before : s->not_before);
}

/* What we hide has to be taken along as it is now. */
static void on_base_change(void *userdata) {
        target_slot_mark(userdata);
}

static int watch_bases(TargetSlot *s) {
        const TargetSlotContext *c = s->context;
        size_t n = strv_length(s->config->bases);
        int r = 0;

        s->base_watches = calloc(n + 1, sizeof(*s->base_watches));
        if (!s->base_watches)
                return -ENOMEM;
        for (size_t i = 0; i < n && r >= 0; i++) {
                _cleanup_free_ char *path = NULL;

                r = text_format(&path, "%s%s", c->root, s->config->bases[i]);
                if (r >= 0)
                        r = watch_new(c->event, path, on_base_change, s, s->base_watches + i);
        }
        return r;
}

TargetSlot *target_slot_free(TargetSlot *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_places; i++) {
                watch_free(s->places[i].watch);
                target_free(s->places[i].target);
        }
        for (size_t i = 0; s->base_watches && s->base_watches[i]; i++)
                watch_free(s->base_watches[i]);
        free(s->base_watches);
        free(s->places);
        sd_event_source_disable_unref(s->timer);
        target_config_free(s->config);
        free(s);
        return NULL;
}

/* How much of the end of "~USER/…" is in the home. */
static size_t size_in_home(const char *path) {
        return path[0] == '~' ? strlen(path + strcspn(path, "/") + 1) : 0;
}

static int add_place(TargetSlot *s, const char *path) {
        const TargetSlotContext *c = s->context;
        Place *place = s->places + s->n_places++;
        int r;

        r = target_new(c->root, s->config, path, c->store, &place->target);
        if (r >= 0)
                r = watch_new_in_home(c->event, target_path(place->target), size_in_home(path), on_change, s,
                                      &place->watch);
        if (r >= 0)
                target_sweep(place->target);
        return r;
}

int target_slot_new(const TargetSlotContext *context, TargetConfig *config, TargetSlot **ret) {
        _cleanup_(target_slot_freep) TargetSlot *s = NULL;
        int r = 0;

        s = calloc(1, sizeof(*s));
        if (!s) {
                target_config_free(config);
                return -ENOMEM;
        }
        s->context = context;
        s->config = config;
        s->places = calloc(strv_length(config->paths), sizeof(*s->places));
        if (!s->places)
                return -ENOMEM;
        STRV_FOREACH(path, config->paths)
                if (r >= 0)
                        r = add_place(s, *path);
        if (r >= 0)
                r = watch_bases(s);
        if (r >= 0)
                r = sd_event_add_time(context->event, &s->timer, CLOCK_BOOTTIME, 0, 1, on_write, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        /* After everything else that is due: what it changes goes into the same write. */
        (void) sd_event_source_set_priority(s->timer, SD_EVENT_PRIORITY_IDLE);
        target_slot_mark(s);
        *ret = TAKE_PTR(s);
        return 0;
}

void target_slot_hurry(TargetSlot *s) {
        if (s->marked && !s->disturbed)
                mark(s, now_boot());
}

void target_slot_reset_failed(TargetSlot *s) {
        s->pace = (Pace){};
        target_slot_mark(s);
}

void target_slot_write_marked(TargetSlot *s) {
        if (!s->marked)
                return;
        (void) sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
        (void) on_write(s->timer, 0, s);
}
