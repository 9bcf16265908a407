/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads names of units, and the address by which the service manager says whom it asks for.
 *
 * Owns the grammar of both. Refuses everything that the service manager could not have sent, but does not
 * know whether it did: who may connect, and whose word counts, is for the holder of the socket. */

#include <errno.h>
#include <fnmatch.h>

#include "base/text.h"
#include "model/unit-peer.h"

#define UNIT_NAME_MAX 255
#define HEX "0123456789abcdef"
#define HEX_MAX 16
#define PLAIN "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@"
#define WILD "*?"

static const char *const kinds[] = { ".service", ".socket", ".mount", ".swap" };

/* Returns where the kind begins, or NULL. */
static const char *find_kind(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                const char *end = endswith(s, kinds[i]);

                if (end)
                        return end;
        }
        return NULL;
}

static bool is_made_of(const char *s, const char *alphabet) {
        const char *kind = find_kind(s), *at = strchr(s, '@');

        if (!kind || kind == s || at == s || s[0] == '.' || strlen(s) > UNIT_NAME_MAX)
                return false;
        return (!at || at + 1 < kind) && s[strspn(s, alphabet)] == '\0';
}

bool unit_name_is_valid(const char *s) {
        return is_made_of(s, PLAIN);
}

bool unit_pattern_is_valid(const char *s) {
        return streq(s, "*") || is_made_of(s, PLAIN WILD);
}

bool unit_pattern_matches(const char *pattern, const char *unit) {
        return fnmatch(pattern, unit, FNM_NOESCAPE) == 0;
}

void unit_peer_done(UnitPeer *p) {
        free(p->unit);
        free(p->credential);
        *p = (UnitPeer){};
}

static bool credential_name_is_valid(const char *s) {
        return !isempty(s) && text_is_token(s) && !strpbrk(s, ":/") && !streq(s, ".") && !streq(s, "..");
}

/* In an abstract address each byte counts, and nothing ends it but its size. */
static int take_text(const char *name, size_t size, char **ret) {
        char *text;

        if (size < 2 || name[0] != '\0' || memchr(name + 1, '\0', size - 1))
                return -EINVAL;
        text = strndup(name + 1, size - 1);
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

int unit_peer_parse(const void *name, size_t size, UnitPeer *ret) {
        _cleanup_(unit_peer_done) UnitPeer p = {};
        _cleanup_free_ char *text = NULL;
        const char *unit, *slash;
        size_t hex;
        int r;

        r = take_text(name, size, &text);
        if (r < 0)
                return r;
        hex = strspn(text, HEX);
        unit = startswith(text + hex, "/unit/");
        slash = unit ? strchr(unit, '/') : NULL;
        if (hex == 0 || hex > HEX_MAX || !slash)
                return -EINVAL;
        p.unit = strndup(unit, (size_t) (slash - unit));
        p.credential = strdup(slash + 1);
        if (!p.unit || !p.credential)
                return -ENOMEM;
        if (!unit_name_is_valid(p.unit) || !credential_name_is_valid(p.credential))
                return -EINVAL;
        *ret = p;
        p = (UnitPeer){};
        return 0;
}
