/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callers by their connections.
 *
 * Owns one record for each connection that anybody waits for, with the question to the bus whose it is, and
 * one subscription to departures while there is any such connection. Keeps nothing of a connection beyond
 * that: the next message begins anew.
 *
 * A flood fills the bounded room with its own messages; each other sender that comes then takes the place
 * of one of the flood's. So what it costs others is time, never their turn. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "io/caller.h"

#define BUS "org.freedesktop.DBus"

typedef struct Sender Sender;
struct Sender {
        Callers *callers;
        Sender *next;
        char *name;
        uid_t uid; /* (uid_t) -1: the bus has not told */
        bool answered;
        unsigned pins; /* it must not go while its callers are gone through */
        sd_bus_slot *question;
        Caller *first; /* the latest one */
        size_t n_unsettled;
};

struct Caller {
        Sender *sender;
        Caller *next;
        bool settled, told_gone;
        const CallerHandlers *handlers;
        void *userdata;
};

struct Callers {
        sd_bus *bus;
        sd_bus_slot *departures;
        Sender *senders;
        size_t n_unsettled;
};

int callers_new(sd_bus *bus, Callers **ret) {
        Callers *c;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->bus = sd_bus_ref(bus);
        *ret = c;
        return 0;
}

Callers *callers_free(Callers *c) {
        if (!c)
                return NULL;
        sd_bus_slot_unref(c->departures);
        sd_bus_unref(c->bus);
        free(c);
        return NULL;
}

static Sender *sender_free(Sender *s) {
        Callers *c;

        if (!s)
                return NULL;
        c = s->callers;
        for (Sender **p = &c->senders; *p; p = &(*p)->next)
                if (*p == s) {
                        *p = s->next;
                        break;
                }
        if (!c->senders)
                c->departures = sd_bus_slot_unref(c->departures);
        sd_bus_slot_unref(s->question);
        free(s->name);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(Sender *, sender_free)

static Sender *find(const Callers *c, const char *name) {
        Sender *s = c->senders;

        while (s && !streq(s->name, name))
                s = s->next;
        return s;
}

static void mark_settled(Caller *c) {
        if (c->settled)
                return;
        c->settled = true;
        c->sender->n_unsettled--;
        c->sender->callers->n_unsettled--;
}

static void settle(Caller *c, int r) {
        mark_settled(c);
        c->handlers->settled(r, c->userdata);
}

static void release(Sender *s) {
        if (s->pins == 0 && !s->first)
                sender_free(s);
}

static Caller *first_unsettled(const Sender *s) {
        Caller *c = s->first;

        while (c && c->settled)
                c = c->next;
        return c;
}

static int on_uid(sd_bus_message *reply, void *userdata, sd_bus_error *reterror) {
        Sender *s = userdata;
        uint32_t uid;
        Caller *c;

        if (!sd_bus_message_is_method_error(reply, NULL) && sd_bus_message_read(reply, "u", &uid) >= 0)
                s->uid = uid;
        s->answered = true;
        s->pins++;
        /* Handlers may free callers: look anew after each. */
        while ((c = first_unsettled(s)))
                settle(c, s->uid == (uid_t) -1 ? -ESRCH : 0);
        s->pins--;
        release(s);
        return 0;
}

static Caller *first_untold(const Sender *s) {
        Caller *c = s->first;

        while (c && c->told_gone)
                c = c->next;
        return c;
}

static int on_departure(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        Callers *callers = userdata;
        const char *name, *old_owner, *new_owner;
        Caller *c;
        Sender *s;

        /* Anyone may send us something that looks like it; what the bus itself tells has no destination. */
        if (!streq_ptr(sd_bus_message_get_sender(m), BUS) || sd_bus_message_get_destination(m) ||
            sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) < 0 || !isempty(new_owner))
                return 0;
        s = find(callers, name);
        if (!s)
                return 0;
        s->pins++;
        while ((c = first_untold(s))) {
                mark_settled(c);
                c->told_gone = true;
                c->handlers->gone(c->userdata);
        }
        s->pins--;
        release(s);
        return 0;
}

static int watch_departures(Callers *c) {
        if (c->departures)
                return 0;
        return sd_bus_add_match_async(c->bus, &c->departures,
                                      "type='signal',sender='" BUS "',path='/org/freedesktop/DBus',"
                                      "interface='" BUS "',member='NameOwnerChanged',arg2=''",
                                      on_departure, NULL, c);
}

static int sender_new(Callers *c, const char *name, Sender **ret) {
        _cleanup_(sender_freep) Sender *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->callers = c;
        s->uid = (uid_t) -1;
        s->next = c->senders;
        c->senders = s;
        s->name = strdup(name);
        if (!s->name)
                return -ENOMEM;
        /* First the subscription, then the question: who leaves in between is unknown to the bus. */
        r = watch_departures(c);
        if (r >= 0)
                r = sd_bus_call_method_async(c->bus, &s->question, BUS, "/org/freedesktop/DBus", BUS,
                                             "GetConnectionUnixUser", on_uid, s, "s", name);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

/* The last one that came of whoever has most makes room, if that is more than `name` has. Returns 0, or
 * -EBUSY. */
static int make_room(Callers *c, const char *name) {
        const Sender *self = find(c, name);
        Sender *most = NULL;

        if (c->n_unsettled < CALLERS_UNKNOWN_MAX)
                return 0;
        for (Sender *s = c->senders; s; s = s->next)
                if (!most || s->n_unsettled > most->n_unsettled)
                        most = s;
        if (!most || most->n_unsettled <= (self ? self->n_unsettled : 0) + 1)
                return -EBUSY;
        settle(first_unsettled(most), -EBUSY);
        return 0;
}

int caller_new(Callers *callers, sd_bus_message *m, const CallerHandlers *handlers, void *userdata,
               Caller **ret) {
        const char *name = sd_bus_message_get_sender(m);
        Sender *s = find(callers, name);
        Caller *c;
        int r;

        if (s && s->answered && s->uid == (uid_t) -1)
                return -ESRCH;
        if (!s || !s->answered) {
                r = make_room(callers, name);
                if (r < 0)
                        return r;
                /* Room may have been made by a handler that frees. */
                s = find(callers, name);
        }
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        if (!s) {
                r = sender_new(callers, name, &s);
                if (r < 0) {
                        free(c);
                        return r;
                }
        }
        *c = (Caller){ .sender = s,
                       .next = s->first,
                       .settled = s->answered,
                       .handlers = handlers,
                       .userdata = userdata };
        s->first = c;
        if (!c->settled) {
                s->n_unsettled++;
                callers->n_unsettled++;
        }
        *ret = c;
        return s->answered;
}

Caller *caller_free(Caller *c) {
        Sender *s;

        if (!c)
                return NULL;
        s = c->sender;
        mark_settled(c);
        for (Caller **p = &s->first; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        break;
                }
        free(c);
        release(s);
        return NULL;
}

uid_t caller_uid(const Caller *c) {
        return c->sender->uid;
}
