/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks the metadata service of the cloud that this host runs in.
 *
 * Owns the way there: no TLS, no proxy, no redirects, little time, and the one header that shows that the
 * question was meant. What is asked and what a refusal means is for the source. */

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "worker/metadata.h"
#include "worker/source-failure.h"
#include "worker/token-document.h"

/* The same in all of these clouds; a number, so that no name server comes between. */
#define SERVER_DEFAULT "http://169.254.169.254"
#define CONNECT_TIMEOUT (3 * USEC_PER_SEC)
#define TIMEOUT (10 * USEC_PER_SEC)

typedef struct MetadataRun {
        const MetadataSource *source;
        const Request *request;
        SourceCall *call;
        SourceHandler handler;
        void *userdata;
} MetadataRun;

int metadata_call_start(const SourceQuestion *q, const char *method, const char *target,
                        char *const *headers, SourceCallHandler handler, void *userdata, SourceCall **ret) {
        const char *server = request_setting(q->request, "MetadataServer") ?: SERVER_DEFAULT;
        bool secure = startswith(server, "https://") != NULL;
        _cleanup_free_ char *url = NULL;
        size_t size = strlen(server);
        int r;

        while (size > 0 && server[size - 1] == '/')
                size--;
        r = text_format(&url, "%.*s%s", (int) size, server, target);
        if (r < 0)
                return r;
        return source_call_start(q, &(HttpTrust){ .way = secure ? HTTP_WAY_TLS : HTTP_WAY_PLAIN },
                                 &(HttpRequest){
                                         .method = method,
                                         .url = url,
                                         .headers = headers,
                                         .connect_timeout = CONNECT_TIMEOUT,
                                         .timeout = q->timeout < TIMEOUT ? q->timeout : TIMEOUT,
                                 },
                                 handler, userdata, ret);
}

int metadata_explain_problem(Failure *f) {
        if (f->reason == REASON_INTERNAL)
                return 0;
        return failure_set_hint(f, "Check that this host runs in the cloud that Source= of the identity "
                                   "names, and that no firewall keeps pullauth-worker.service from its "
                                   "metadata service");
}

void metadata_source_free(void *run) {
        MetadataRun *m = run;

        if (!m)
                return;
        source_call_free(m->call);
        free(m);
}

/* Returns 0, 1 with *reterr, or a negative errno. */
static int read_answer(const MetadataRun *m, const HttpAnswer *a, Secret **ret, Failure **reterr) {
        const char *server = source_call_server(m->call);
        Secret *text;
        int r;

        if (a->status != 200) {
                r = source_failure_of_status(a, server, NULL, 0, reterr);
                if (r >= 0)
                        r = m->source->explain(m->request, a, *reterr);
                return r < 0 ? r : 1;
        }
        r = secret_dup(a->body, &text);
        if (r >= 0)
                r = token_document_read(text, ret);
        if (r != -ENOENT && r != -EBADMSG)
                return r;
        r = source_failure_of_body(a, server, "there is no token in its answer", reterr);
        return r < 0 ? r : 1;
}

static void on_answer(int r, const HttpAnswer *a, Failure *failure, void *userdata) {
        MetadataRun *m = userdata;
        Secret *token = NULL;

        if (r == 0)
                r = read_answer(m, a, &token, &failure);
        else if (r > 0 && metadata_explain_problem(failure) < 0)
                r = -ENOMEM;
        if (r < 0)
                failure = failure_free(failure);
        m->handler(r, token, failure, m->userdata);
}

int metadata_source_start(const MetadataSource *source, const SourceQuestion *q, SourceHandler handler,
                          void *userdata, void **ret_run) {
        const char *const headers[] = { source->header, NULL };
        _cleanup_free_ char *target = NULL;
        MetadataRun *m;
        int r;

        r = source->target(q->request, &target);
        if (r < 0)
                return r;
        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->source = source;
        m->request = q->request;
        m->handler = handler;
        m->userdata = userdata;
        r = metadata_call_start(q, "GET", target, (char *const *) headers, on_answer, m, &m->call);
        if (r < 0) {
                metadata_source_free(m);
                return r;
        }
        *ret_run = m;
        return 0;
}
