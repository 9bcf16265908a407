/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A connection to pullauthd for tools. Everything is asynchronous: each call ends, within a bounded time, in
 * exactly one reply to its handler, unless the client is freed before. No call starts a daemon that is not
 * running. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/macro.h"
#include "client/bus-error.h"
#include "client/event.h"
#include "client/method.h"
#include "client/snapshot.h"

typedef struct Client Client;

/* What came of a call. What belongs to the reply is freed behind the handler, which may take things out. */
typedef struct ClientReply {
        const BusProblem *problem; /* NULL: it worked, and what was asked for is set */
        Snapshot *snapshot;        /* client_get_all() */
        JobSnapshot *job;          /* client_get_job() */
        Answer answer;             /* client_call() */
} ClientReply;

typedef void (*client_handler_t)(ClientReply *reply, void *userdata);

typedef enum ClientFlags {
        CLIENT_INTERACTIVE = 1 << 0, /* polkit may ask somebody for a password meanwhile */
} ClientFlags;

/* Connects to the system bus. Returns 0 or a negative errno (see bus_problem_new_local()). */
int client_new(sd_event *event, ClientFlags flags, Client **ret);
Client *client_free(Client *c);
DEFINE_CLEANUP(Client *, client_free)

/* All return 0 or a negative errno, and then never call the handler. */
int client_get_all(Client *c, client_handler_t handler, void *userdata);
int client_get_job(Client *c, const char *path, client_handler_t handler, void *userdata);
/* Any method of the manager; the arguments are not needed behind it. */
int client_call(Client *c, ClientMethod method, const ClientArguments *arguments, client_handler_t handler,
                void *userdata);

/* Whatever is NULL is not wanted. */
typedef struct ClientWatch {
        void (*job_added)(const char *path, void *userdata);
        void (*job_changed)(const char *path, void *userdata); /* get it again to see what changed */
        void (*job_removed)(const char *path, void *userdata);
        void (*job_event)(const JobEvent *event, void *userdata);
        void (*vanished)(void *userdata); /* the daemon ended, or another one took its place */
        void (*appeared)(void *userdata);
        void (*disconnected)(void *userdata); /* the bus went away; vanished() if this is not wanted */
        void *userdata;
} ClientWatch;

/* From now on, and before the answer to any call that follows. Once per client. Returns 0 or a negative
 * errno. */
int client_watch(Client *c, const ClientWatch *watch);
