/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A libcurl multi handle driven by sd-event. For io/http alone; handles are `void *` because headers do not
 * name libcurl (CURL is void). */

#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct HttpMulti HttpMulti;

/* Called from the event loop for each handle that is done, which has been taken out of the multi handle by
 * then; `code` is its CURLcode. Must not free the HttpMulti. */
typedef void (*HttpMultiHandler)(void *easy, int code, void *userdata);

int http_multi_new(sd_event *event, HttpMultiHandler handler, void *userdata, HttpMulti **ret);
/* All handles must have been removed. */
HttpMulti *http_multi_free(HttpMulti *m);
DEFINE_CLEANUP(HttpMulti *, http_multi_free)

/* Returns 0, -ENOMEM or -EIO. Nothing is sent before the event loop turns. */
int http_multi_add(HttpMulti *m, void *easy);
void http_multi_remove(HttpMulti *m, void *easy);
