/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests to the worker: queue, connection, one quick second try when a worker dies, cancelling.
 *
 * Owns the peer-to-peer connection and the lists of calls. A request is made when its turn comes. Believes
 * nothing: answers go through the checks of model/door, and every call has a timeout of ours that is longer
 * than the worker's own.
 *
 * All that ends a call is told from the event loop, through one deferred source, never from inside a call of
 * ours into sd-bus; so callers need not fear being re-entered. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/worker-link.h"
#include "model/door.h"

/* Enough to keep one libcurl multi handle busy, few enough that no request waits there for its turn. */
#define IN_FLIGHT_MAX 64
/* What the worker may take longer than it was allowed to, before we stop waiting for it. */
#define GRACE (10 * USEC_PER_SEC)
#define LINGER (1 * USEC_PER_SEC)
/* The worker works while we do other things, if it is told what to work on before that. */
#define PRIORITY SD_EVENT_PRIORITY_IMPORTANT

typedef enum CallState {
        CALL_QUEUED,
        CALL_SENT,
        CALL_ENDED,     /* has an answer that the handler has not seen yet */
        CALL_DELIVERED, /* its owner's to free */
        _CALL_STATE_MAX,
} CallState;

typedef struct CallList {
        WorkerCall *first, *last;
} CallList;

struct WorkerCall {
        WorkerLink *link;
        WorkerCall *next, *previous;
        CallState state;
        bool tried_again;
        Request *request; /* NULL before its turn */
        Answer *answer;
        sd_bus_slot *slot;
        WorkerClient client;
};

struct WorkerLink {
        sd_event *event;
        char *address;
        sd_bus *bus; /* NULL while there is nothing to ask */
        sd_event_source *pump;
        sd_event_source *linger;
        CallList lists[_CALL_STATE_MAX]; /* each in order of their coming */
        unsigned n_sent;
        uint64_t last_id;
        IdentityClaims *claims; /* of the last answer */
        WorkerIdleHandler idle;
        void *userdata;
};

static void unlink_call(WorkerCall *c) {
        CallList *list = c->link->lists + c->state;

        if (c->previous)
                c->previous->next = c->next;
        else
                list->first = c->next;
        if (c->next)
                c->next->previous = c->previous;
        else
                list->last = c->previous;
        c->next = c->previous = NULL;
        if (c->state == CALL_SENT)
                c->link->n_sent--;
}

static void link_call(WorkerCall *c, CallState state) {
        CallList *list = c->link->lists + state;

        c->state = state;
        c->previous = list->last;
        if (list->last)
                list->last->next = c;
        else
                list->first = c;
        list->last = c;
        if (state == CALL_SENT)
                c->link->n_sent++;
}

static void move_call(WorkerCall *c, CallState state) {
        unlink_call(c);
        link_call(c, state);
}

static void disconnect(WorkerLink *l) {
        /* Closes at once: what is still queued was given up by its callers. */
        l->bus = sd_bus_close_unref(l->bus);
}

static void schedule_pump(WorkerLink *l) {
        (void) sd_event_source_set_enabled(l->pump, SD_EVENT_ONESHOT);
}

static int fail(WorkerCall *c, Reason reason, const char *text) {
        _cleanup_answer_ Answer *a = NULL;
        int r;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        r = failure_new(&a->failure, STEP_EXCHANGE, reason, "%s", text);
        if (r < 0)
                return r;
        c->answer = TAKE_PTR(a);
        return 0;
}

/* Without memory even for a failure the answer stays NULL; deliver() has a word for that. */
static void end(WorkerCall *c) {
        move_call(c, CALL_ENDED);
        c->slot = sd_bus_slot_unref(c->slot);
        schedule_pump(c->link);
}

/* The connection broke, or was never there. Once that is an accident (a worker that exits idle just when we
 * connect); twice it is a failure. */
static void try_again_or_fail(WorkerCall *c, const char *text) {
        if (c->tried_again) {
                (void) fail(c, REASON_WORKER_UNAVAILABLE, text);
                end(c);
                return;
        }
        c->tried_again = true;
        move_call(c, CALL_QUEUED);
        c->slot = sd_bus_slot_unref(c->slot);
        schedule_pump(c->link);
}

static void end_with_error(WorkerCall *c, const sd_bus_error *error) {
        _cleanup_free_ char *text = NULL;

        /* sd-bus calls it NoReply, too, when the connection broke. */
        if (sd_bus_is_open(c->link->bus) > 0 && (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
                                                 sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT))) {
                (void) fail(c, REASON_TIMEOUT, "The worker did not answer in time");
                end(c);
                return;
        }
        if (text_format(&text, "The worker could not be asked: %s", error->message ?: error->name) < 0)
                text = NULL;
        try_again_or_fail(c, text ?: "The worker could not be asked");
}

/* Many jobs show the same token, one after the other: what it says is kept once. */
static void share_claims(WorkerLink *l, Answer *a) {
        if (!a->claims)
                return;
        if (l->claims && identity_claims_equal(l->claims, a->claims)) {
                identity_claims_free(a->claims);
                a->claims = identity_claims_share(l->claims);
                return;
        }
        identity_claims_free(l->claims);
        l->claims = identity_claims_share(a->claims);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *reterror) {
        WorkerCall *c = userdata;

        if (sd_bus_message_is_method_error(reply, NULL)) {
                /* The connection may be gone for the others, too: they have errors of their own coming. */
                if (!sd_bus_is_open(c->link->bus))
                        schedule_pump(c->link);
                end_with_error(c, sd_bus_message_get_error(reply));
                return 0;
        }
        if (door_read_answer(reply, &c->answer) < 0)
                (void) fail(c, REASON_WORKER_UNAVAILABLE, "The worker's answer makes no sense");
        else
                share_claims(c->link, c->answer);
        end(c);
        return 0;
}

static int connect_worker(WorkerLink *l) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_description(bus, "worker");
        if (r >= 0)
                r = sd_bus_set_address(bus, l->address);
        if (r >= 0)
                r = sd_bus_negotiate_fds(bus, 0);
        /* At the end of the event loop libsystemd would wait for a worker that does not even greet. */
        if (r >= 0)
                r = sd_bus_set_close_on_exit(bus, 0);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                r = sd_bus_attach_event(bus, l->event, PRIORITY);
        if (r < 0)
                return r;
        l->bus = TAKE_PTR(bus);
        return 0;
}

/* Returns 0; 1 if the call has ended. */
static int make_request(WorkerLink *l, WorkerCall *c) {
        _cleanup_failure_ Failure *f = NULL;
        int r = 0;

        if (c->request)
                return 0;
        r = c->client.request(c->client.userdata, &c->request, &f);
        if (r == 0) {
                c->request->id = ++l->last_id;
                return 0;
        }
        c->answer = r > 0 ? calloc(1, sizeof(*c->answer)) : NULL;
        if (c->answer)
                c->answer->failure = TAKE_PTR(f);
        end(c);
        return 1;
}

static int send_call(WorkerLink *l, WorkerCall *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(l->bus, &m, NULL, DOOR_PATH, DOOR_INTERFACE, DOOR_OBTAIN);
        if (r >= 0)
                r = door_append_request(m, c->request);
        if (r >= 0)
                r = sd_bus_call_async(l->bus, &c->slot, m, on_reply, c,
                                      usec_add(c->request->timeout, GRACE));
        if (r < 0)
                return r;
        move_call(c, CALL_SENT);
        return 0;
}

/* Until enough are under way, or one cannot be sent: then there is another round at once. */
static void send_queued(WorkerLink *l) {
        int r = 0;

        while (l->lists[CALL_QUEUED].first && l->n_sent < IN_FLIGHT_MAX && r >= 0) {
                WorkerCall *c = l->lists[CALL_QUEUED].first;

                if (make_request(l, c) > 0)
                        continue;
                if (!l->bus)
                        r = connect_worker(l);
                if (r >= 0)
                        r = send_call(l, c);
                if (r >= 0)
                        continue;
                log_debug("Cannot reach the worker: %s", strerrordesc_np(-r));
                try_again_or_fail(c, "The worker cannot be reached at its socket");
        }
}

/* The first ended call is delivered; its handler may do anything to the lists, so look anew each time. */
static bool deliver_one(WorkerLink *l) {
        WorkerCall *c = l->lists[CALL_ENDED].first;
        Answer empty = {};

        if (!c)
                return false;
        move_call(c, CALL_DELIVERED);
        c->client.answer(c, c->answer ?: &empty, c->client.userdata);
        return true;
}

static int on_pump(sd_event_source *source, void *userdata) {
        WorkerLink *l = userdata;

        if (l->bus && sd_bus_is_open(l->bus) <= 0) {
                disconnect(l);
                /* Calls that were sent over it fail on their own; none may be left waiting for nothing. */
                while (l->lists[CALL_SENT].first)
                        try_again_or_fail(l->lists[CALL_SENT].first,
                                          "The worker went away before it answered");
        }
        while (deliver_one(l))
                ;
        send_queued(l);
        if (l->n_sent == 0 && !l->lists[CALL_QUEUED].first && !l->lists[CALL_ENDED].first)
                l->idle(l->userdata);
        if (l->n_sent == 0 && l->bus) {
                (void) sd_event_source_set_time_relative(l->linger, LINGER);
                (void) sd_event_source_set_enabled(l->linger, SD_EVENT_ONESHOT);
        }
        return 0;
}

static int on_linger(sd_event_source *source, uint64_t usec, void *userdata) {
        WorkerLink *l = userdata;

        if (l->n_sent == 0)
                disconnect(l);
        return 0;
}

/* The D-Bus specification, "Server Addresses": all but a few bytes go as %XX. */
static int format_address(const char *path, char **ret) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/.*";
        static const char prefix[] = "unix:path=";
        char *address, *end;

        address = malloc(sizeof(prefix) + 3 * strlen(path));
        if (!address)
                return -ENOMEM;
        memcpy(address, prefix, sizeof(prefix));
        end = address + sizeof(prefix) - 1;
        for (const char *c = path; *c; c++)
                if (strchr(plain, *c))
                        *end++ = *c;
                else
                        end += snprintf(end, 4, "%%%02x", (unsigned char) *c);
        *end = '\0';
        *ret = address;
        return 0;
}

int worker_link_new(sd_event *event, const char *socket_path, WorkerIdleHandler idle, void *userdata,
                    WorkerLink **ret) {
        _cleanup_(worker_link_freep) WorkerLink *l = NULL;
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->event = sd_event_ref(event);
        l->idle = idle;
        l->userdata = userdata;
        r = format_address(socket_path, &l->address);
        if (r >= 0)
                r = sd_event_add_defer(event, &l->pump, on_pump, l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->pump, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_priority(l->pump, PRIORITY);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &l->linger, CLOCK_MONOTONIC, LINGER, LINGER, on_linger,
                                               l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->linger, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

WorkerLink *worker_link_free(WorkerLink *l) {
        if (!l)
                return NULL;
        disconnect(l);
        identity_claims_free(l->claims);
        sd_event_source_disable_unref(l->pump);
        sd_event_source_disable_unref(l->linger);
        sd_event_unref(l->event);
        free(l->address);
        free(l);
        return NULL;
}

int worker_call_new(WorkerLink *l, const WorkerClient *client, WorkerCall **ret) {
        WorkerCall *c;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        *c = (WorkerCall){ .link = l, .client = *client };
        link_call(c, CALL_QUEUED);
        schedule_pump(l);
        *ret = c;
        return 0;
}

/* The worker need not be told twice, nor answer: if this is lost, its own timeout ends the request. */
static void cancel(WorkerLink *l, uint64_t id) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        if (!l->bus || sd_bus_is_open(l->bus) <= 0 ||
            sd_bus_message_new_method_call(l->bus, &m, NULL, DOOR_PATH, DOOR_INTERFACE, DOOR_CANCEL) < 0 ||
            sd_bus_message_append(m, "t", id) < 0 || sd_bus_message_set_expect_reply(m, 0) < 0)
                return;
        (void) sd_bus_send(l->bus, m, NULL);
}

WorkerCall *worker_call_free(WorkerCall *c) {
        WorkerLink *l;

        if (!c)
                return NULL;
        l = c->link;
        if (c->state == CALL_SENT) {
                cancel(l, c->request->id);
                schedule_pump(l);
        }
        unlink_call(c);
        sd_bus_slot_unref(c->slot);
        request_free(c->request);
        answer_free(c->answer);
        free(c);
        return NULL;
}
