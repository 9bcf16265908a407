/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An event loop around one call.
 *
 * Owns both while they last. Refuses to have polkit ask somebody: whoever runs such a program has no
 * terminal, and a pull that hangs at a question nobody sees is worse than one that says what is missing. */

#include <errno.h>

#include "base/text.h"
#include "client/once.h"

typedef struct Once {
        sd_event *event;
        Client *client;
        client_handler_t handler;
        void *userdata;
} Once;

static void once_done(Once *o) {
        client_free(o->client);
        sd_event_unref(o->event);
}

static void on_reply(ClientReply *reply, void *userdata) {
        Once *o = userdata;

        o->handler(reply, o->userdata);
        (void) sd_event_exit(o->event, 0);
}

static int ask(Once *o, ClientMethod method, const ClientArguments *arguments) {
        int r;

        r = sd_event_new(&o->event);
        if (r >= 0)
                r = client_new(o->event, /* flags= */ 0, &o->client);
        if (r >= 0)
                r = client_call(o->client, method, arguments, on_reply, o);
        return r;
}

int client_once(ClientMethod method, const ClientArguments *arguments, client_handler_t handler,
                void *userdata) {
        _cleanup_(once_done) Once o = { .handler = handler, .userdata = userdata };
        _cleanup_(bus_problem_freep) BusProblem *problem = NULL;
        int r;

        r = ask(&o, method, arguments);
        if (r >= 0)
                r = sd_event_loop(o.event);
        if (r >= 0)
                return 0;
        if (r != -ENOMEM)
                r = bus_problem_new_local(r, &problem);
        if (r < 0)
                return r;
        handler(&(ClientReply){ .problem = problem }, userdata);
        return 0;
}

int client_once_explain(const BusProblem *problem, char **ret) {
        const char *advice = problem->advice;

        if (problem->kind == PROBLEM_UNASKED)
                advice = "Run the tool as root, or let a polkit rule grant it to this user (polkit(8))";
        return text_format(ret, "%s%s%s", problem->what, advice ? ". " : "", strempty(advice));
}
