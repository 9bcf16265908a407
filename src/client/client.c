/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls of org.pullauth1, each with a timeout, a parsed answer and a problem that can be printed.
 *
 * Owns the connection and the calls under way. Decides nothing about what is shown, prints nothing, waits
 * for nothing: who needs the answer runs the event loop. */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "client/client.h"
#include "client/name.h"

#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"

#define READ_TIMEOUT (25 * USEC_PER_SEC)
/* Somebody has to find and type a password meanwhile. */
#define INTERACTIVE_TIMEOUT (5 * USEC_PER_MINUTE)

typedef struct Call Call;

struct Call {
        Client *client;
        Call *next;
        sd_bus_slot *slots[2];
        unsigned n_slots, waiting;
        const char *action; /* polkit action it needs, or NULL */
        ClientMethod method;
        usec_t patience;
        char *path; /* of a job's object */
        /* Reads an answer that is no error into the reply. */
        int (*read)(Call *call, sd_bus_message *m);
        client_handler_t handler;
        void *userdata;
        BusProblem *problem;
        ClientReply reply;
};

struct Client {
        sd_bus *bus;
        ClientFlags flags;
        Call *calls;
        ClientWatch watch;
        sd_bus_slot *watch_slots[5];
};

static Call *call_free(Call *call) {
        if (!call)
                return NULL;
        for (Call **i = &call->client->calls; *i; i = &(*i)->next)
                if (*i == call) {
                        *i = call->next;
                        break;
                }
        for (unsigned i = 0; i < call->n_slots; i++)
                sd_bus_slot_unref(call->slots[i]);
        free(call->path);
        bus_problem_free(call->problem);
        snapshot_free(call->reply.snapshot);
        job_snapshot_free(call->reply.job);
        answer_done(&call->reply.answer);
        free(call);
        return NULL;
}
DEFINE_CLEANUP(Call *, call_free)

int client_new(sd_event *event, ClientFlags flags, Client **ret) {
        _cleanup_(client_freep) Client *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->flags = flags;
        r = sd_bus_open_system(&c->bus);
        if (r >= 0)
                r = sd_bus_attach_event(c->bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

Client *client_free(Client *c) {
        if (!c)
                return NULL;
        while (c->calls)
                call_free(c->calls);
        for (size_t i = 0; i < ELEMENTSOF(c->watch_slots); i++)
                sd_bus_slot_unref(c->watch_slots[i]);
        sd_bus_flush_close_unref(c->bus);
        free(c);
        return NULL;
}

static int call_new(Client *c, int (*read)(Call *call, sd_bus_message *m), client_handler_t handler,
                    void *userdata, Call **ret) {
        Call *call = calloc(1, sizeof(*call));

        if (!call)
                return -ENOMEM;
        call->client = c;
        call->read = read;
        call->patience = READ_TIMEOUT;
        call->handler = handler;
        call->userdata = userdata;
        call->next = c->calls;
        c->calls = call;
        *ret = call;
        return 0;
}

/* The first problem counts. Only a lack of memory leaves none. */
static int note_answer(Call *call, sd_bus_message *m) {
        sd_bus_error bad = SD_BUS_ERROR_NULL;
        const sd_bus_error *e = sd_bus_message_get_error(m);
        int r;

        if (call->problem)
                return 0;
        /* sd-bus answers in the place of a bus that hung up. */
        if (e && sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY) && sd_bus_is_open(call->client->bus) <= 0)
                return bus_problem_new_local(-ECONNRESET, &call->problem);
        if (e)
                return bus_problem_new(e, sd_bus_message_get_sender(m), call->action, &call->problem);
        r = call->read(call, m);
        if (r >= 0 || r == -ENOMEM)
                return r;
        bad = SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_INVALID_ARGS, "the answer is not of the expected type");
        return bus_problem_new(&bad, NULL, NULL, &call->problem);
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        static const BusProblem no_memory = { .kind = PROBLEM_OTHER, .what = (char *) "Out of memory" };
        Call *call = userdata;
        _cleanup_(call_freep) Call *ended = NULL;
        bool worked = note_answer(call, m) >= 0;

        call->waiting--;
        if (worked && call->waiting > 0)
                return 0;
        ended = call;
        call->reply.problem = worked ? call->problem : &no_memory;
        call->handler(&call->reply, call->userdata);
        return 0;
}

/* Consumes the message. */
static int call_send(Call *call, sd_bus_message *m) {
        Client *c = call->client;
        bool interactive = call->action && (c->flags & CLIENT_INTERACTIVE);
        int r;

        r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0 && interactive)
                r = sd_bus_message_set_allow_interactive_authorization(m, true);
        if (r >= 0)
                r = sd_bus_call_async(c->bus, &call->slots[call->n_slots], m, on_answer, call,
                                      usec_add(call->patience, interactive ? INTERACTIVE_TIMEOUT : 0));
        if (r >= 0) {
                call->n_slots++;
                call->waiting++;
        }
        sd_bus_message_unref(m);
        return r;
}

static int call_method(Call *call, const char *path, const char *interface, const char *member,
                       const char *argument) {
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(call->client->bus, &m, CLIENT_DESTINATION, path, interface,
                                           member);
        if (r >= 0 && argument)
                r = sd_bus_message_append_basic(m, 's', argument);
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        return call_send(call, m);
}

/* Two answers; which one this is shows in its type. */
static int read_all(Call *call, sd_bus_message *m) {
        Snapshot **s = &call->reply.snapshot;
        int r;

        if (!*s) {
                r = snapshot_new(s);
                if (r < 0)
                        return r;
        }
        return streq(sd_bus_message_get_signature(m, /* complete= */ true), "a{sv}")
                       ? snapshot_read_manager(*s, m)
                       : snapshot_read_jobs(*s, m);
}

int client_get_all(Client *c, client_handler_t handler, void *userdata) {
        _cleanup_(call_freep) Call *call = NULL;
        int r;

        r = call_new(c, read_all, handler, userdata, &call);
        if (r >= 0)
                r = call_method(call, CLIENT_ROOT_PATH, PROPERTIES_INTERFACE, "GetAll",
                                CLIENT_MANAGER_INTERFACE);
        if (r >= 0)
                r = call_method(call, CLIENT_ROOT_PATH, "org.freedesktop.DBus.ObjectManager",
                                "GetManagedObjects", NULL);
        if (r < 0)
                return r;
        (void) TAKE_PTR(call);
        return 0;
}

static int read_job(Call *call, sd_bus_message *m) {
        int r;

        r = job_snapshot_new(call->path, &call->reply.job);
        return r < 0 ? r : job_snapshot_read(call->reply.job, m);
}

int client_get_job(Client *c, const char *path, client_handler_t handler, void *userdata) {
        _cleanup_(call_freep) Call *call = NULL;
        int r;

        r = call_new(c, read_job, handler, userdata, &call);
        if (r >= 0)
                r = free_and_strdup(&call->path, path);
        if (r >= 0)
                r = call_method(call, path, PROPERTIES_INTERFACE, "GetAll", CLIENT_JOB_INTERFACE);
        if (r < 0)
                return r;
        (void) TAKE_PTR(call);
        return 0;
}

static int read_answer(Call *call, sd_bus_message *m) {
        return client_method_read(call->method, &call->reply.answer, m);
}

int client_call(Client *c, ClientMethod method, const ClientArguments *arguments, client_handler_t handler,
                void *userdata) {
        _cleanup_(call_freep) Call *call = NULL;
        sd_bus_message *m;
        int r;

        r = call_new(c, read_answer, handler, userdata, &call);
        if (r < 0)
                return r;
        call->method = method;
        call->action = client_method_action(method);
        call->patience = client_method_patience(method, arguments);
        r = answer_init(&call->reply.answer);
        if (r >= 0 && arguments)
                r = free_and_strdup(&call->reply.answer.name, strempty(arguments->name));
        if (r >= 0)
                r = client_method_message(method, c->bus, arguments, &m);
        if (r >= 0)
                r = call_send(call, m);
        if (r < 0)
                return r;
        (void) TAKE_PTR(call);
        return 0;
}

static int on_job_changed(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        Client *c = userdata;

        if (c->watch.job_changed)
                c->watch.job_changed(sd_bus_message_get_path(m), c->watch.userdata);
        return 0;
}

static int on_job_event(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        _cleanup_(job_event_done) JobEvent e = {};
        Client *c = userdata;

        if (c->watch.job_event && job_event_read(&e, m) >= 0)
                c->watch.job_event(&e, c->watch.userdata);
        return 0;
}

/* JobAdded and JobRemoved. */
static int on_jobs(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        bool added = streq_ptr(sd_bus_message_get_member(m), "JobAdded");
        const char *name, *path;
        Client *c = userdata;

        if ((added ? c->watch.job_added : c->watch.job_removed) &&
            sd_bus_message_read(m, "so", &name, &path) >= 0)
                (added ? c->watch.job_added : c->watch.job_removed)(path, c->watch.userdata);
        return 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        const char *name, *before, *after;
        Client *c = userdata;

        if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0)
                return 0;
        if (!isempty(before) && c->watch.vanished)
                c->watch.vanished(c->watch.userdata);
        if (!isempty(after) && c->watch.appeared)
                c->watch.appeared(c->watch.userdata);
        return 0;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        Client *c = userdata;

        if (c->watch.disconnected)
                c->watch.disconnected(c->watch.userdata);
        else if (c->watch.vanished)
                c->watch.vanished(c->watch.userdata);
        return 0;
}

#define OF_DAEMON "type='signal',sender='" CLIENT_DESTINATION "',"

int client_watch(Client *c, const ClientWatch *watch) {
        const struct {
                const char *match;
                sd_bus_message_handler_t handler;
        } matches[ELEMENTSOF(c->watch_slots)] = {
                { OF_DAEMON "interface='" PROPERTIES_INTERFACE
                            "',member='PropertiesChanged',path_namespace='" CLIENT_ROOT_PATH
                            "/job',arg0='" CLIENT_JOB_INTERFACE "'",
                  on_job_changed },
                { OF_DAEMON "interface='" CLIENT_JOB_INTERFACE "',path_namespace='" CLIENT_ROOT_PATH "/job'",
                  on_job_event },
                { OF_DAEMON "interface='" CLIENT_MANAGER_INTERFACE "',path='" CLIENT_ROOT_PATH "'",
                  on_jobs },
                { "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                  "member='NameOwnerChanged',arg0='" CLIENT_DESTINATION "'",
                  on_owner_changed },
                { "type='signal',sender='org.freedesktop.DBus.Local',interface='org.freedesktop.DBus.Local',"
                  "member='Disconnected'",
                  on_disconnected },
        };
        int r;

        c->watch = *watch;
        /* The bus works off what one connection sends in order, so nobody has to wait for these. */
        for (size_t i = 0; i < ELEMENTSOF(matches); i++) {
                r = sd_bus_add_match_async(c->bus, &c->watch_slots[i], matches[i].match, matches[i].handler,
                                           /* install_callback= */ NULL, c);
                if (r < 0)
                        return r;
        }
        return 0;
}
