/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The answer as kubelet's strict decoder takes it.
 *
 * Owns the margin. The credential is kept under the image, never under the registry: kubelet looks a
 * registry up before it asks, and would take the credential of whatever was pulled from there first. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "kubelet/request.h"
#include "kubelet/response.h"

/* The longest pull that is still served: layers are authorized anew with the same credential. */
#define MARGIN (5 * USEC_PER_MINUTE)

usec_t kubelet_cache_span(usec_t expires, usec_t now) {
        return usec_sub(usec_sub(expires, now), MARGIN);
}

static int put_auth(json_object *o, const char *scope, const Entry *entry) {
        json_object *auth = json_object_new_object(), *pair;
        int r;

        r = json_put(o, "auth", auth);
        if (r < 0)
                return r;
        pair = json_object_new_object();
        r = json_put(auth, scope, pair);
        if (r >= 0)
                r = json_put(pair, "username", json_object_new_string(entry->user));
        if (r >= 0)
                r = json_put(pair, "password", json_object_new_string(secret_peek(entry->secret).iov_base));
        return r;
}

/* A span of Go, whose numbers are without end for our purposes. */
static int put_span(json_object *o, usec_t cache) {
        char text[32];

        (void) snprintf(text, sizeof(text), "%" PRIu64 "s", cache / USEC_PER_SEC);
        return json_put(o, "cacheDuration", json_object_new_string(text));
}

static int print(json_object *o, Secret **ret) {
        _cleanup_erase_ char *text = NULL;
        const Secret *parts[2];
        _cleanup_secret_ Secret *line = NULL, *end = NULL;
        int r;

        r = json_print(o, /* pretty= */ false, &text);
        if (r >= 0)
                r = secret_new_string(text, &line);
        if (r >= 0)
                r = secret_new_string("\n", &end);
        if (r < 0)
                return r;
        parts[0] = line;
        parts[1] = end;
        return secret_join(parts, ELEMENTSOF(parts), ret);
}

int kubelet_response_write(const char *scope, const Entry *entry, usec_t cache, Secret **ret) {
        _cleanup_json_erase_ json_object *o = json_object_new_object();
        int r;

        r = o ? json_put(o, "apiVersion", json_object_new_string(KUBELET_API_VERSION)) : -ENOMEM;
        if (r >= 0)
                r = json_put(o, "kind", json_object_new_string("CredentialProviderResponse"));
        if (r >= 0)
                r = json_put(o, "cacheKeyType", json_object_new_string("Image"));
        if (r >= 0)
                r = put_span(o, entry ? cache : 0);
        if (r >= 0 && entry)
                r = put_auth(o, scope, entry);
        return r < 0 ? r : print(o, ret);
}
