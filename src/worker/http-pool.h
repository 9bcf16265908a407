/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One Http per trust configuration, so that the requests of a batch share connections. */

#include "io/http.h"

typedef struct HttpPool HttpPool;

int http_pool_new(sd_event *event, HttpPool **ret);
/* Everything taken must have been given back. */
HttpPool *http_pool_free(HttpPool *p);
DEFINE_CLEANUP(HttpPool *, http_pool_free)

/* Returns 0, or what http_new() said. */
int http_pool_take(HttpPool *p, const HttpTrust *trust, Http **ret);
/* A second after the last user of a configuration its connections go. Accepts NULL, returns NULL. */
Http *http_pool_give_back(HttpPool *p, Http *h);
bool http_pool_is_empty(const HttpPool *p);
