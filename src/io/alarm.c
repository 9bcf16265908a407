/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A heap of alarms by the last moment at which each may go off, and one timer for the first of them.
 *
 * Owns the heap and the timer; the alarms belong to whoever waits. What goes off goes one after the other
 * from a deferred source, so that thousands that are due at once do not keep the event loop from the
 * rest. */

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "io/alarm.h"

struct Alarms {
        sd_event *event;
        clockid_t clock;
        AlarmHandler handler;
        sd_event_source *timer; /* NULL before the first alarm */
        sd_event_source *due;
        Alarm **heap;
        size_t n, n_allocated;
};

static void put(Alarms *s, size_t place, Alarm *a) {
        s->heap[place] = a;
        a->place = place;
}

static void sift_up(Alarms *s, Alarm *a) {
        size_t place = a->place;

        for (; place > 0 && s->heap[(place - 1) / 2]->latest > a->latest; place = (place - 1) / 2)
                put(s, place, s->heap[(place - 1) / 2]);
        put(s, place, a);
}

static void sift_down(Alarms *s, Alarm *a) {
        size_t place = a->place;

        for (;;) {
                size_t child = 2 * place + 1;

                if (child + 1 < s->n && s->heap[child + 1]->latest < s->heap[child]->latest)
                        child++;
                if (child >= s->n || s->heap[child]->latest >= a->latest)
                        break;
                put(s, place, s->heap[child]);
                place = child;
        }
        put(s, place, a);
}

static void take_out(Alarm *a) {
        Alarms *s = a->set;
        Alarm *last = s->heap[--s->n];

        a->set = NULL;
        if (last == a)
                return;
        put(s, a->place, last);
        sift_up(s, last);
        sift_down(s, last);
}

/* For the one that has to go off first; what else is due by then goes along. */
static void arm(Alarms *s) {
        const Alarm *first = s->n > 0 ? s->heap[0] : NULL;

        if (!s->timer)
                return;
        if (first) {
                (void) sd_event_source_set_time(s->timer, first->at);
                (void) sd_event_source_set_time_accuracy(s->timer, first->latest - first->at);
        }
        (void) sd_event_source_set_enabled(s->timer, first ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Alarms *s = userdata;

        return sd_event_source_set_enabled(s->due, SD_EVENT_ON);
}

static int on_due(sd_event_source *source, void *userdata) {
        Alarms *s = userdata;
        Alarm *a = s->n > 0 ? s->heap[0] : NULL;

        if (!a || a->at > now_boot()) {
                arm(s);
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        }
        take_out(a);
        s->handler(a->userdata);
        return 0;
}

int alarms_new(sd_event *event, clockid_t clock, AlarmHandler handler, Alarms **ret) {
        _cleanup_(alarms_freep) Alarms *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->event = sd_event_ref(event);
        s->clock = clock;
        s->handler = handler;
        r = sd_event_add_defer(event, &s->due, on_due, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->due, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

Alarms *alarms_free(Alarms *s) {
        if (!s)
                return NULL;
        sd_event_source_disable_unref(s->timer);
        sd_event_source_disable_unref(s->due);
        sd_event_unref(s->event);
        free(s->heap);
        free(s);
        return NULL;
}

/* A timer, and room for one more. */
static int make_ready(Alarms *s) {
        int r;

        if (!s->timer) {
                r = sd_event_add_time(s->event, &s->timer, s->clock, USEC_INFINITY, 1, on_timer, s);
                if (r < 0)
                        return r;
        }
        if (s->n == s->n_allocated) {
                size_t n = s->n_allocated == 0 ? 8 : 2 * s->n_allocated;
                Alarm **grown = reallocarray(s->heap, n, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                s->heap = grown;
                s->n_allocated = n;
        }
        return 0;
}

int alarm_set(Alarms *s, Alarm *a, usec_t at, usec_t accuracy, void *userdata) {
        int r;

        r = make_ready(s);
        if (r < 0)
                return r;
        alarm_stop(a);
        *a = (Alarm){ .set = s, .at = at, .latest = usec_add(at, accuracy ?: 1), .userdata = userdata };
        put(s, s->n++, a);
        sift_up(s, a);
        if (a->place == 0)
                arm(s);
        return 0;
}

void alarm_stop(Alarm *a) {
        Alarms *s = a->set;
        bool first;

        if (!s)
                return;
        first = a->place == 0;
        take_out(a);
        if (first)
                arm(s);
}
