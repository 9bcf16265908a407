/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The account of messages that wait.
 *
 * Owns each message with its timer and what its kind needs, and frees all of it together. Knows neither what
 * is waited for nor what is answered. Refuses more than a bounded number of one user and of all together;
 * who needs no answer is not kept waiting for one. */

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "io/waiting.h"

#define TIMER_ACCURACY (50 * USEC_PER_MSEC)

struct WaitingCall {
        Waiting *waiting;
        WaitingCall *next;
        sd_bus_message *message;
        Caller *caller;
        bool begun;
        usec_t timeout;
        sd_event_source *timer;
        const WaitingKind *kind;
        void *userdata;
};

struct Waiting {
        sd_event *event;
        Callers *callers;
        WaitingCall *first;
};

static WaitingCall *call_free(WaitingCall *c) {
        if (!c)
                return NULL;
        for (WaitingCall **p = &c->waiting->first; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        break;
                }
        sd_event_source_disable_unref(c->timer);
        caller_free(c->caller);
        c->kind->free(c->userdata);
        sd_bus_message_unref(c->message);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(WaitingCall *, call_free)

int waiting_new(sd_event *event, Callers *callers, Waiting **ret) {
        Waiting *w;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->event = sd_event_ref(event);
        w->callers = callers;
        *ret = w;
        return 0;
}

Waiting *waiting_free(Waiting *w) {
        if (!w)
                return NULL;
        while (w->first)
                call_free(w->first);
        sd_event_unref(w->event);
        free(w);
        return NULL;
}

static void conclude(WaitingCall *c, int r, sd_bus_error *error) {
        if (r == 0)
                return;
        if (r < 0)
                (void) sd_bus_reply_method_errno(c->message, r, error);
        call_free(c);
}

void waiting_call_step(WaitingCall *c, WaitingStep step) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        conclude(c, step(c, c->userdata, &error), &error);
}

static int refuse_crowd(sd_bus_error *reterror) {
        return sd_bus_error_set(reterror, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "Too many calls wait for their answers, try again when some have ended");
}

static bool is_crowded(const WaitingCall *self) {
        uid_t uid = caller_uid(self->caller);
        size_t all = 0, same = 0;

        for (const WaitingCall *c = self->waiting->first; c; c = c->next) {
                if (!c->begun)
                        continue;
                all++;
                if (caller_uid(c->caller) == uid)
                        same++;
        }
        return all >= WAITING_MAX || (same >= WAITING_PER_UID_MAX && uid != 0 && uid != geteuid());
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        WaitingCall *c = userdata;

        waiting_call_step(c, c->kind->late);
        return 0;
}

static int begin(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        int r;

        if (is_crowded(c))
                return refuse_crowd(reterror);
        c->begun = true;
        r = sd_event_add_time_relative(c->waiting->event, &c->timer, CLOCK_BOOTTIME, c->timeout,
                                       TIMER_ACCURACY, on_late, c);
        return r < 0 ? r : c->kind->begin(c, userdata, reterror);
}

static int refuse_unknown(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        return sd_bus_error_set(reterror, SD_BUS_ERROR_ACCESS_DENIED,
                                "The bus does not tell who the caller is");
}

static int refuse_flood(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        return refuse_crowd(reterror);
}

static void on_settled(int r, void *userdata) {
        waiting_call_step(userdata, r >= 0 ? begin : r == -EBUSY ? refuse_flood : refuse_unknown);
}

static void on_gone(void *userdata) {
        call_free(userdata);
}

static const CallerHandlers caller_handlers = { .settled = on_settled, .gone = on_gone };

int waiting_add(Waiting *w, sd_bus_message *m, usec_t timeout, const WaitingKind *kind, void *userdata,
                sd_bus_error *reterror) {
        _cleanup_(call_freep) WaitingCall *c = NULL;
        WaitingCall *added;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c) {
                kind->free(userdata);
                return -ENOMEM;
        }
        *c = (WaitingCall){
                .waiting = w,
                .next = w->first,
                .message = sd_bus_message_ref(m),
                .timeout = timeout,
                .kind = kind,
                .userdata = userdata,
        };
        w->first = c;
        if (!sd_bus_message_get_expect_reply(m))
                return 1;
        r = caller_new(w->callers, m, &caller_handlers, c, &c->caller);
        if (r == -EBUSY)
                return refuse_crowd(reterror);
        if (r < 0)
                return r;
        added = TAKE_PTR(c);
        if (r > 0)
                on_settled(0, added);
        return 1;
}

sd_bus_message *waiting_call_message(const WaitingCall *c) {
        return c->message;
}

void waiting_look(Waiting *w) {
        WaitingCall *next;

        for (WaitingCall *c = w->first; c; c = next) {
                next = c->next;
                if (c->begun && c->kind->look)
                        waiting_call_step(c, c->kind->look);
        }
}
