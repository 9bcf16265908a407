/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Validity of names. Owns nothing, allocates nothing but the result of robot_namespace().
 *
 * Refuses to guess: a name that is not plainly valid is invalid. What is allowed here is what Quay and the
 * container tools accept, less everything that could mean something to a path, a URL or an auth header. */

#include <errno.h>
#include <string.h>

#include "base/scalar.h"
#include "base/text.h"
#include "model/name.h"

#define REGISTRY_MAX 255
#define ROBOT_MAX 255
#define USER_MAX 255
#define SCOPE_MAX 255

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool object_name_is_valid(const char *s) {
        size_t n;

        if (isempty(s) || s[0] == '.' || s[0] == '-')
                return false;
        n = strspn(s, LOWER UPPER DIGITS "_.-");
        return s[n] == '\0' && n <= JOB_NAME_MAX;
}

static bool port_is_valid(const char *s) {
        uint64_t port;

        return s[0] != '0' && parse_u64(s, 1, 65535, &port) >= 0;
}

const char *target_name_user(const char *s) {
        const char *user = startswith(s, "user:");

        return user && object_name_is_valid(user) ? user : NULL;
}

bool target_name_is_valid(const char *s) {
        return object_name_is_valid(s) || target_name_user(s);
}

/* "[…]", only its alphabet: whether it is a good IPv6 address is for the resolver to say. */
static size_t bracketed_length(const char *s) {
        size_t n = strspn(s + 1, DIGITS "abcdef:.");

        return n >= 2 && s[1 + n] == ']' ? n + 2 : 0;
}

/* Labels of 1–63 letters, digits and inner hyphens, separated by single dots (RFC 1123). */
static size_t host_length(const char *s) {
        size_t n = 0;

        for (;;) {
                size_t label = strspn(s + n, LOWER DIGITS "-");

                if (label == 0 || label > 63 || s[n] == '-' || s[n + label - 1] == '-')
                        return 0;
                n += label;
                if (s[n] != '.')
                        return n;
                n++;
        }
}

bool registry_is_valid(const char *s) {
        size_t n;

        if (isempty(s) || strlen(s) > REGISTRY_MAX)
                return false;
        n = s[0] == '[' ? bracketed_length(s) : host_length(s);
        if (n == 0)
                return false;
        return s[n] == '\0' || (s[n] == ':' && port_is_valid(s + n + 1));
}

bool robot_is_valid(const char *s) {
        static const char alphabet[] = LOWER UPPER DIGITS "_.-";
        size_t namespace_size, short_size;

        if (isempty(s) || strlen(s) > ROBOT_MAX)
                return false;
        namespace_size = strspn(s, alphabet);
        if (namespace_size == 0 || s[namespace_size] != '+')
                return false;
        short_size = strspn(s + namespace_size + 1, alphabet);
        return short_size > 0 && s[namespace_size + 1 + short_size] == '\0';
}

bool user_is_valid(const char *s) {
        return !isempty(s) && strlen(s) <= USER_MAX && text_is_token(s) && !strchr(s, ':');
}

bool scope_path_is_valid(const char *s) {
        if (isempty(s) || strlen(s) > SCOPE_MAX)
                return false;
        for (;;) {
                size_t n = strspn(s, LOWER DIGITS "._-");

                if (n == 0 || strspn(s, ".") == n)
                        return false;
                if (s[n] == '\0')
                        return true;
                if (s[n] != '/')
                        return false;
                s += n + 1;
        }
}

int robot_namespace(const char *robot, char **ret) {
        const char *plus = strchr(robot, '+');
        char *s;

        if (!plus)
                return -EINVAL;
        s = strndup(robot, (size_t) (plus - robot));
        if (!s)
                return -ENOMEM;
        *ret = s;
        return 0;
}

/* How much of the pattern is there to the letter; all of it if it has no star. */
static size_t fixed_part(const char *pattern) {
        size_t n = strlen(pattern);

        return endswith(pattern, "+*") ? n - 1 : n;
}

bool robot_pattern_is_valid(const char *s) {
        _cleanup_free_ char *robot = NULL;

        if (!endswith(s, "+*"))
                return robot_is_valid(s);
        return text_format(&robot, "%.*sx", (int) fixed_part(s), s) >= 0 && robot_is_valid(robot);
}

bool robot_pattern_matches(const char *pattern, const char *robot) {
        size_t n = fixed_part(pattern);

        return strncmp(pattern, robot, n) == 0 && (pattern[n] == '*' ? robot[n] != '\0' : robot[n] == '\0');
}
