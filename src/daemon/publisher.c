/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When to write which target.
 *
 * Owns the targets and a timer for each: at once when a target was quiet, in batches when changes come fast,
 * and at the pace of publish failures when it cannot be written. A failed write never causes an exchange. */

#include <errno.h>
#include <stdlib.h>
#include <sys/param.h>
#include <time.h>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "daemon/publisher.h"
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
/* Whoever rewrites the file more often than this is another program of our kind, or a configuration
 * management that knows better: then we are slower and slower about it, and never give up. */
#define MENDS_FREE 5
#define MENDS_PERIOD (2 * USEC_PER_MINUTE)

typedef struct Slot {
        Publisher *publisher;
        Target *target;
        sd_event_source *timer;
        Watch *watch;
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
} Slot;

struct Publisher {
        PublisherClient client;
        Slot *slots;
        size_t n_slots;
};

static void arm(Slot *s, usec_t boot) {
        int r;

        r = sd_event_source_set_time(s->timer, boot);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error_errno(r, "Cannot schedule the writing of %s: %m", target_path(s->target));
}

static void wanted_free(Wanted *wanted, size_t n) {
        for (size_t i = 0; i < n; i++)
                failure_free(wanted[i].failure);
        free(wanted);
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
static void note_mend(Slot *s, usec_t now) {
        if (usec_sub(now, s->last_mend) > MENDS_PERIOD) {
                s->n_mends = 0;
                s->mend_pace = (Pace){};
        }
        s->last_mend = now;
        s->n_mends++;
        if (s->n_mends == 1)
                log_notice("%s was changed by another program, putting our entries back",
                           target_path(s->target));
        if (s->n_mends == MENDS_FREE)
                log_warning("%s is changed by another program again and again, mending it more slowly",
                            target_path(s->target));
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

static int on_write(sd_event_source *source, uint64_t usec, void *userdata) {
        Slot *s = userdata;
        const PublisherClient *c = &s->publisher->client;
        const char *name = target_config(s->target)->name;
        _cleanup_failure_ Failure *failure = NULL;
        Wanted *wanted = NULL;
        usec_t start = now_boot(), taken = processor_time(), end;
        bool disturbed = s->disturbed;
        size_t n = 0;
        int r;

        s->marked = s->disturbed = false;
        r = c->collect(name, &wanted, &n, c->userdata);
        if (r >= 0)
                r = target_sync(s->target, wanted, n, &failure);
        if (r < 0)
                log_warning_errno(r, "Cannot bring %s in line, trying again: %m", target_path(s->target));
        end = now_boot();
        s->not_before = end + spacing(end - start, processor_time() - taken);
        if (r == TARGET_WRITTEN && disturbed)
                note_mend(s, end);
        if (is_done(wanted, n, r))
                s->pace = (Pace){};
        else if (!s->marked)
                arm(s, usec_add(end, pace_next(&s->pace, FAILURE_PUBLISH, 0, 0, random_draw())));
        if (r >= 0)
                c->done(name, wanted, n, failure, c->userdata);
        wanted_free(wanted, n);
        return 0;
}

static void mark(Slot *s, usec_t boot) {
        if (s->marked && s->due <= boot)
                return;
        s->marked = true;
        s->due = boot;
        arm(s, boot);
}

/* There is something to write that is no mending, whatever else the file was marked for. */
static void mark_for_news(Slot *s) {
        s->disturbed = false;
        mark(s, s->not_before);
}

/* Our own writes come by here as well: the look that follows finds nothing to do. */
static void on_change(void *userdata) {
        Slot *s = userdata;

        if (!s->marked)
                s->disturbed = true;
        mark(s, s->mend_not_before > s->not_before ? s->mend_not_before : s->not_before);
}

int publisher_new(sd_event *event, const char *root, StateStore *store, const PublisherClient *client,
                  Publisher **ret) {
        _cleanup_(publisher_freep) Publisher *p = NULL;
        const TargetConfig *configs;
        size_t n;
        int r;

        configs = target_config_all(&n);
        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->client = *client;
        p->slots = calloc(n, sizeof(*p->slots));
        if (!p->slots)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                Slot *s = p->slots + p->n_slots++;

                s->publisher = p;
                r = target_new(root, configs + i, store, &s->target);
                if (r >= 0)
                        r = sd_event_add_time(event, &s->timer, CLOCK_BOOTTIME, 0, 1, on_write, s);
                if (r >= 0)
                        r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
                if (r >= 0)
                        r = watch_new(event, target_path(s->target), on_change, s, &s->watch);
                if (r < 0)
                        return r;
                /* After everything else that is due: what it changes goes into the same write. */
                (void) sd_event_source_set_priority(s->timer, SD_EVENT_PRIORITY_IDLE);
                target_sweep(s->target);
        }
        *ret = TAKE_PTR(p);
        return 0;
}

Publisher *publisher_free(Publisher *p) {
        if (!p)
                return NULL;
        for (size_t i = 0; i < p->n_slots; i++) {
                watch_free(p->slots[i].watch);
                sd_event_source_disable_unref(p->slots[i].timer);
                target_free(p->slots[i].target);
        }
        free(p->slots);
        free(p);
        return NULL;
}

static Slot *find_slot(const Publisher *p, const char *target) {
        for (size_t i = 0; i < p->n_slots; i++)
                if (streq(target_config(p->slots[i].target)->name, target))
                        return p->slots + i;
        return NULL;
}

void publisher_mark(Publisher *p, const char *target) {
        Slot *s = find_slot(p, target);

        if (s)
                mark_for_news(s);
}

void publisher_mark_all(Publisher *p) {
        for (size_t i = 0; i < p->n_slots; i++)
                mark_for_news(p->slots + i);
}

void publisher_hurry(Publisher *p) {
        for (size_t i = 0; i < p->n_slots; i++)
                if (p->slots[i].marked && !p->slots[i].disturbed)
                        mark(p->slots + i, now_boot());
}

void publisher_reset_failed(Publisher *p, const char *target) {
        Slot *s = find_slot(p, target);

        if (!s)
                return;
        s->pace = (Pace){};
        mark_for_news(s);
}

void publisher_write_marked(Publisher *p) {
        for (size_t i = 0; i < p->n_slots; i++) {
                Slot *s = p->slots + i;

                if (!s->marked)
                        continue;
                (void) sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
                (void) on_write(s->timer, 0, s);
        }
}

const char *publisher_target_path(const Publisher *p, const char *target) {
        const Slot *s = find_slot(p, target);

        return s ? target_path(s->target) : NULL;
}

int publisher_preview(const Publisher *p, const char *target, Wanted *wanted, size_t n, Secret **ret,
                      Failure **reterr_failure) {
        const Slot *s = find_slot(p, target);

        return s ? target_preview(s->target, wanted, n, ret, reterr_failure) : -ENOENT;
}
