/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Podman and its relatives ask for a bare host, Docker for a host or for the URL that a password was kept
 * under, down to "https://index.docker.io/v1/". All of these are one registry.
 *
 * Owns nothing. Refuses bytes that no name of a registry has, for the answer repeats the question. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "helper/server.h"

void server_done(Server *s) {
        free(s->given);
        free(s->registry);
        free(s->image);
        *s = (Server){};
}

/* The text without what blanks stand around it. */
static char *cut_blanks(const Secret *input) {
        struct iovec v = secret_peek(input);
        const char *text = v.iov_base;
        size_t size = v.iov_len;

        while (size > 0 && strchr(WHITESPACE, text[size - 1]))
                size--;
        while (size > 0 && strchr(WHITESPACE, *text)) {
                text++;
                size--;
        }
        return strndup(size > 0 ? text : "", size);
}

/* The API of a registry lives below these. */
static bool is_api(const char *path) {
        return streq(path, "v1") || streq(path, "v2");
}

static int split(const char *name, Server *s) {
        size_t host = strcspn(name, "/?#");
        _cleanup_free_ char *path = NULL;
        const char *p = name + host;

        s->registry = strndup(name, host);
        if (!s->registry)
                return -ENOMEM;
        p += strspn(p, "/");
        path = strndup(p, strcspn(p, "?#"));
        if (!path)
                return -ENOMEM;
        for (size_t n = strlen(path); n > 0 && path[n - 1] == '/'; n--)
                path[n - 1] = '\0';
        if (isempty(path) || is_api(path))
                return 0;
        return text_format(&s->image, "%s/%s", s->registry, path);
}

int server_read(const Secret *input, Server *ret) {
        _cleanup_(server_done) Server s = {};
        const char *name;
        int r;

        if (!secret_is_string(input))
                return -EINVAL;
        s.given = cut_blanks(input);
        if (!s.given)
                return -ENOMEM;
        if (isempty(s.given))
                return -ENODATA;
        if (!text_is_token(s.given))
                return -EINVAL;
        name = startswith(s.given, "https://") ?: startswith(s.given, "http://") ?: s.given;
        r = split(name, &s);
        if (r < 0)
                return r;
        if (isempty(s.registry))
                return -EINVAL;
        *ret = s;
        s = (Server){};
        return 0;
}
