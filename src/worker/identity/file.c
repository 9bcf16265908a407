/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The simplest of all sources: the identity came with the request, for the worker may read no file of the
 * host.
 *
 * Owns a copy until its handler was called, from the event loop like that of every other source. Does not
 * judge what it passes on; an empty file is an empty token. */

#include "worker/identity/file.h"

typedef struct FileRun {
        sd_event_source *source;
        Secret *token;
        SourceHandler handler;
        void *userdata;
} FileRun;

static void file_free(void *run) {
        FileRun *f = run;

        if (!f)
                return;
        sd_event_source_disable_unref(f->source);
        secret_free(f->token);
        free(f);
}

static int on_turn(sd_event_source *source, void *userdata) {
        FileRun *f = userdata;

        f->handler(0, TAKE_PTR(f->token), NULL, f->userdata);
        return 0;
}

static int file_start(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run) {
        FileRun *f;
        int r;

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->handler = handler;
        f->userdata = userdata;
        r = q->request->token ? secret_dup(q->request->token, &f->token) : secret_new("", 0, &f->token);
        if (r >= 0)
                r = sd_event_add_defer(q->context->event, &f->source, on_turn, f);
        if (r < 0) {
                file_free(f);
                return r;
        }
        *ret_run = f;
        return 0;
}

const IdentitySourceType identity_file = {
        .name = "file",
        .start = file_start,
        .free = file_free,
};

const IdentitySourceType identity_credential = {
        .name = "credential",
        .start = file_start,
        .free = file_free,
};
