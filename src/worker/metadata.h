/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The metadata service of a cloud: http to an address of the link, which what this host runs on answers. */

#include "worker/source-call.h"

/* A source that asks there once: its run is a MetadataRun, made and freed by these two. */
typedef struct MetadataSource {
        const char *header; /* without which the service answers nobody, against forged requests */
        /* Path and query. Returns 0, -E2BIG or -ENOMEM. */
        int (*target)(const Request *q, char **ret);
        /* What a status other than 200 means here; `f` says what it means anywhere. Returns 0 or -ENOMEM. */
        int (*explain)(const Request *q, const HttpAnswer *a, Failure *f);
} MetadataSource;

int metadata_source_start(const MetadataSource *m, const SourceQuestion *q, SourceHandler handler,
                          void *userdata, void **ret_run);
void metadata_source_free(void *run);

/* One request, for sources that ask more than once. `headers` and `target` are copied. As
 * source_call_start(). */
int metadata_call_start(const SourceQuestion *q, const char *method, const char *target,
                        char *const *headers, SourceCallHandler handler, void *userdata, SourceCall **ret);

/* No answer came: what to do about it here. Returns 0 or -ENOMEM. */
int metadata_explain_problem(Failure *f);
