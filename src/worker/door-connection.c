/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A peer-to-peer bus with one object: Obtain and Cancel. What is obtained is a credential, knowledge, or a
 * change of a Secret in a cluster.
 *
 * Owns the requests of its peer: when the peer goes, so do they. Refuses more than a bounded number at a
 * time, passed descriptors, and a second request under an id that is still in use. Messages that carry
 * secrets are marked, which makes sd-bus erase them. */

#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include "base/log.h"
#include "model/door.h"
#include "worker/cluster.h"
#include "worker/door-connection.h"
#include "worker/obtain.h"

#define REQUESTS_MAX 256

typedef struct Pending Pending;
struct Pending {
        DoorConnection *connection;
        Pending *next, *previous;
        uint64_t id;
        sd_bus_message *call;
        Obtain *obtain; /* this, or: */
        Cluster *cluster;
};

struct DoorConnection {
        const WorkerContext *context;
        sd_bus *bus;
        sd_event_source *kick;
        Pending *first;
        size_t n_pending;
        bool closed;
        DoorClosedHandler handler;
        void *userdata;
};

static Pending *pending_free(Pending *p) {
        DoorConnection *c;

        if (!p)
                return NULL;
        c = p->connection;
        if (p->previous)
                p->previous->next = p->next;
        else
                c->first = p->next;
        if (p->next)
                p->next->previous = p->previous;
        c->n_pending--;
        obtain_free(p->obtain);
        cluster_free(p->cluster);
        sd_bus_message_unref(p->call);
        free(p);
        return NULL;
}
DEFINE_CLEANUP(Pending *, pending_free)

static int reply(sd_bus_message *call, const Answer *a) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!a->credential && !a->failure && !a->well)
                return sd_bus_reply_method_errno(call, ENOMEM, NULL);
        r = sd_bus_message_new_method_return(call, &m);
        if (r >= 0)
                r = door_append_answer(m, a);
        return r < 0 ? r : sd_bus_message_send(m);
}

static void end(Pending *p, const Answer *answer) {
        int r;

        r = reply(p->call, answer);
        if (r < 0)
                log_warning_errno(r, "Cannot send an answer: %m, ignoring");
        pending_free(p);
}

static void on_obtained(Obtain *o, Answer *answer, void *userdata) {
        end(userdata, answer);
}

static void on_cluster(Cluster *c, Answer *answer, void *userdata) {
        end(userdata, answer);
}

static Pending *find(const DoorConnection *c, uint64_t id) {
        Pending *p = c->first;

        while (p && p->id != id)
                p = p->next;
        return p;
}

static int pending_new(DoorConnection *c, sd_bus_message *call, Request *request) {
        _cleanup_(pending_freep) Pending *p = NULL;
        int r;

        p = calloc(1, sizeof(*p));
        if (!p) {
                request_free(request);
                return -ENOMEM;
        }
        *p = (Pending){
                .connection = c, .id = request->id, .call = sd_bus_message_ref(call), .next = c->first
        };
        if (p->next)
                p->next->previous = p;
        c->first = p;
        c->n_pending++;
        r = request->kind == REQUEST_CLUSTER ? cluster_new(c->context, request, on_cluster, p, &p->cluster)
                                             : obtain_new(c->context, request, on_obtained, p, &p->obtain);
        if (r < 0)
                return r;
        (void) TAKE_PTR(p);
        return 0;
}

static int on_obtain(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        DoorConnection *c = userdata;
        _cleanup_request_ Request *q = NULL;
        int r;

        if (c->n_pending >= REQUESTS_MAX)
                return sd_bus_error_set(reterr, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many requests at a time");
        r = door_read_request(m, &q);
        if (r == -EBADMSG)
                return sd_bus_error_set(reterr, SD_BUS_ERROR_INVALID_ARGS, "The request makes no sense");
        if (r < 0)
                return r;
        if (find(c, q->id))
                return sd_bus_error_set(reterr, SD_BUS_ERROR_INVALID_ARGS,
                                        "A request of this id is under way");
        r = pending_new(c, m, TAKE_PTR(q));
        return r < 0 ? r : 1;
}

static int on_cancel(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        DoorConnection *c = userdata;
        Pending *p;
        uint64_t id;
        int r;

        r = sd_bus_message_read_basic(m, 't', &id);
        if (r < 0)
                return r;
        p = find(c, id);
        if (p) {
                (void) sd_bus_reply_method_errorf(p->call, DOOR_ERROR_CANCELLED, "Cancelled");
                pending_free(p);
        }
        return sd_bus_reply_method_return(m, NULL);
}

/* What a peer sent right behind its authentication was read together with it, and nothing would wake
 * sd-bus for the rest of what it has in hand (seen with systemd 252). */
static int on_kick(sd_event_source *source, void *userdata) {
        DoorConnection *c = userdata;

        while (sd_bus_process(c->bus, NULL) > 0)
                ;
        return 0;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        DoorConnection *c = userdata;

        if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", "Connected"))
                return sd_event_source_set_enabled(c->kick, SD_EVENT_ONESHOT);
        if (!sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", "Disconnected"))
                return 0;
        /* Nobody is left to answer to. */
        while (c->first)
                pending_free(c->first);
        c->closed = true;
        c->handler(c->userdata);
        return 0;
}

static const sd_bus_vtable door_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS(DOOR_OBTAIN, SD_BUS_ARGS("a{sv}", request), SD_BUS_RESULT("a{sv}", answer),
                                on_obtain, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS(DOOR_CANCEL, SD_BUS_ARGS("t", id), SD_BUS_NO_RESULT, on_cancel,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

/* Rows are open to every user, for the peer is another one than we are and was checked when it came in. */
static int start_bus(DoorConnection *c, int fd) {
        _cleanup_close_ int owned = fd;
        sd_id128_t id;
        int r;

        r = sd_bus_new(&c->bus);
        if (r >= 0)
                r = sd_bus_set_description(c->bus, "door");
        if (r >= 0)
                r = sd_bus_set_fd(c->bus, owned, owned);
        if (r < 0)
                return r;
        (void) TAKE_FD(owned);
        r = sd_id128_randomize(&id);
        if (r >= 0)
                r = sd_bus_set_server(c->bus, 1, id);
        if (r >= 0)
                r = sd_bus_negotiate_fds(c->bus, 0);
        /* Or the end of the event loop would wait for a peer that reads nothing. */
        if (r >= 0)
                r = sd_bus_set_close_on_exit(c->bus, 0);
        if (r >= 0)
                r = sd_bus_add_object_vtable(c->bus, NULL, DOOR_PATH, DOOR_INTERFACE, door_vtable, c);
        if (r >= 0)
                r = sd_bus_set_connected_signal(c->bus, 1);
        if (r >= 0)
                r = sd_bus_add_filter(c->bus, NULL, on_message, c);
        if (r >= 0)
                r = sd_bus_start(c->bus);
        if (r >= 0)
                r = sd_bus_attach_event(c->bus, c->context->event, SD_EVENT_PRIORITY_NORMAL);
        return r;
}

int door_connection_new(const WorkerContext *context, int fd, DoorClosedHandler closed, void *userdata,
                        DoorConnection **ret) {
        _cleanup_(door_connection_freep) DoorConnection *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c) {
                closep(&fd);
                return -ENOMEM;
        }
        c->context = context;
        c->handler = closed;
        c->userdata = userdata;
        r = start_bus(c, fd);
        if (r >= 0)
                r = sd_event_add_defer(context->event, &c->kick, on_kick, c);
        if (r >= 0)
                r = sd_event_source_set_enabled(c->kick, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

bool door_connection_is_closed(const DoorConnection *c) {
        return c->closed;
}

DoorConnection *door_connection_free(DoorConnection *c) {
        if (!c)
                return NULL;
        while (c->first)
                pending_free(c->first);
        sd_bus_close_unref(c->bus);
        sd_event_source_disable_unref(c->kick);
        free(c);
        return NULL;
}
