/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads WWW-Authenticate fields. The grammar is ambiguous at its commas: "Basic realm=x, Bearer realm=y" is
 * two challenges, "Bearer realm=y, service=z" is one; what follows a word decides, '=' or a blank.
 *
 * Owns nothing but what it returns. Judges the realm by its text alone, with a narrower idea of a URL
 * than the standards have: what is unusual is not at the registry. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "worker/challenge.h"

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define TOKEN ALNUM "!#$%&'*+-.^_`|~"
#define TOKEN68 ALNUM "-._~+/"
#define BLANKS " \t"

void challenge_done(Challenge *c) {
        free(c->realm);
        free(c->service);
        *c = (Challenge){};
}

static const char *skip_separators(const char *s) {
        return s + strspn(s, BLANKS ",");
}

/* A quoted string or a token. `*s` moves behind it. */
static int take_value(const char **s, char **ret) {
        const char *p = *s;
        char *value;
        size_t n = 0;

        value = malloc(strlen(p) + 1);
        if (!value)
                return -ENOMEM;
        if (*p == '"') {
                for (p++; *p && *p != '"'; p++) {
                        if (*p == '\\' && p[1])
                                p++;
                        value[n++] = *p;
                }
                if (*p != '"') {
                        free(value);
                        return -EBADMSG;
                }
                p++;
        } else
                while (*p && strchr(TOKEN "/:?=@", *p))
                        value[n++] = *p++;
        value[n] = '\0';
        *s = p;
        *ret = value;
        return 0;
}

/* A "name = value" at `*s`. Returns 1 and moves behind it, 0 if something else stands there. */
static int take_parameter(const char **s, char **ret_name, char **ret_value) {
        const char *name = *s, *p;
        size_t size = strspn(name, TOKEN);
        char *value;
        int r;

        p = name + size + strspn(name + size, BLANKS);
        /* A lone '=' at the end is the padding of a token68. */
        if (size == 0 || *p != '=' || p[1 + strspn(p + 1, "=" BLANKS)] == '\0' || p[1] == '=')
                return 0;
        p++;
        p += strspn(p, BLANKS);
        r = take_value(&p, &value);
        if (r < 0)
                return r;
        *ret_name = strndup(name, size);
        if (!*ret_name) {
                free(value);
                return -ENOMEM;
        }
        *ret_value = value;
        *s = p;
        return 1;
}

static void keep(Challenge *c, const char *name, char **value) {
        if (!c->realm && strcasecmp(name, "realm") == 0)
                c->realm = TAKE_PTR(*value);
        else if (!c->service && strcasecmp(name, "service") == 0)
                c->service = TAKE_PTR(*value);
}

/* All parameters of the challenge whose scheme ended at `*s`. */
static int take_parameters(const char **s, Challenge *c) {
        for (;;) {
                _cleanup_free_ char *name = NULL, *value = NULL;
                const char *p = skip_separators(*s);
                int r;

                r = take_parameter(&p, &name, &value);
                if (r <= 0)
                        return r;
                keep(c, name, &value);
                *s = p;
        }
}

int challenge_parse(const char *field, Challenge *ret) {
        const char *s = skip_separators(field);
        bool basic = false;

        while (*s) {
                _cleanup_(challenge_done) Challenge c = {};
                size_t size = strspn(s, TOKEN);
                bool bearer = size == strlen("Bearer") && strncasecmp(s, "Bearer", size) == 0;
                int r;

                basic = basic || (size == strlen("Basic") && strncasecmp(s, "Basic", size) == 0);
                if (size == 0 || (s[size] && !strchr(BLANKS ",", s[size])))
                        return -EBADMSG;
                s += size;
                r = take_parameters(&s, &c);
                if (r < 0)
                        return r;
                if (bearer && c.realm) {
                        *ret = c;
                        c = (Challenge){};
                        return 0;
                }
                /* "Negotiate abc==": a scheme with one bare word. */
                s += strspn(s, BLANKS);
                if (*s != ',')
                        s += strspn(s, TOKEN68 "=");
                s = skip_separators(s);
        }
        return basic ? 1 : -ENOENT;
}

/* RFC 3986 section 2.3: everything else goes as %XX. */
static char *append_encoded(char *end, const char *s) {
        for (; *s; s++)
                if (strchr(ALNUM "-._~", *s))
                        *end++ = *s;
                else
                        end += snprintf(end, 4, "%%%02X", (unsigned char) *s);
        *end = '\0';
        return end;
}

static char *append(char *end, const char *s) {
        size_t size = strlen(s);

        (void) memcpy(end, s, size + 1);
        return end + size;
}

int challenge_url(const Challenge *c, const char *scope, char **ret) {
        size_t realm_size = strcspn(c->realm, "#");
        bool asked = memchr(c->realm, '?', realm_size) != NULL;
        char *url, *end;

        url = malloc(realm_size + strlen("?service=&scope=") + 3 * strlen(strempty(c->service)) +
                     3 * strlen(strempty(scope)) + 1);
        if (!url)
                return -ENOMEM;
        (void) memcpy(url, c->realm, realm_size);
        end = url + realm_size;
        *end = '\0';
        if (c->service) {
                end = append(end, asked ? "&service=" : "?service=");
                end = append_encoded(end, c->service);
                asked = true;
        }
        if (scope) {
                end = append(end, asked ? "&scope=" : "?scope=");
                (void) append_encoded(end, scope);
        }
        *ret = url;
        return 0;
}

static size_t host_size(const char *s) {
        return s[0] == '[' ? strcspn(s, "]") + 1 : strcspn(s, ":/?#");
}

bool challenge_is_at(const Challenge *c, const char *registry) {
        const char *scheme = "https://", *host;
        size_t size;

        if (strncasecmp(c->realm, scheme, strlen(scheme)) != 0)
                return false;
        host = c->realm + strlen(scheme);
        size = host_size(host);
        if (size != host_size(registry) || strncasecmp(host, registry, size) != 0)
                return false;
        host += size;
        if (host[0] == ':') {
                size = strspn(host + 1, "0123456789");
                if (size == 0)
                        return false;
                host += 1 + size;
        }
        return host[0] == '\0' || strchr("/?#", host[0]);
}
