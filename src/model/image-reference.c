/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* References of images, read as container tools read them: what stands before the first slash is a host if
 * it looks like one, the tag stands behind the last slash, the digest behind everything.
 *
 * Owns nothing. Refuses what those tools refuse, capital letters in host and path among it: an auth.json
 * is searched letter by letter. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "model/image-reference.h"
#include "model/name.h"

#define DEFAULT_REGISTRY "docker.io"
#define DEFAULT_NAMESPACE "library/"
#define TAG_MAX 128
#define DIGEST_HEX_MIN 32

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool tag_is_valid(const char *s) {
        size_t n = strspn(s, LETTERS DIGITS "_.-");

        return n > 0 && n <= TAG_MAX && s[n] == '\0' && s[0] != '.' && s[0] != '-';
}

/* "sha256:0123…": an algorithm of words with single separators, and what it yields. */
static bool digest_is_valid(const char *s) {
        size_t n;

        for (;;) {
                n = strspn(s, LETTERS DIGITS);
                if (n == 0 || strchr(DIGITS, s[0]))
                        return false;
                s += n;
                if (*s == ':')
                        break;
                if (*s == '\0' || !strchr("-_+.", *s))
                        return false;
                s++;
        }
        n = strspn(++s, DIGITS "abcdefABCDEF");
        return n >= DIGEST_HEX_MIN && s[n] == '\0';
}

/* Cuts the text at `at`, and says whether what follows is valid. True if there is nothing to cut. */
static bool cut(char *at, bool (*is_valid)(const char *)) {
        if (!at)
                return true;
        *at = '\0';
        return is_valid(at + 1);
}

/* Asked only where a slash follows: "host:5000" alone is a path with a tag. */
static bool is_host(const char *s, size_t size) {
        return memchr(s, '.', size) || memchr(s, ':', size) ||
               (size == 9 && memcmp(s, "localhost", size) == 0);
}

static int complete(const char *name, char **ret) {
        const char *slash = strchr(name, '/'), *registry = DEFAULT_REGISTRY;
        _cleanup_free_ char *host = NULL, *path = NULL;
        bool is_default;
        int r;

        if (slash && is_host(name, (size_t) (slash - name))) {
                host = strndup(name, (size_t) (slash - name));
                if (!host)
                        return -ENOMEM;
                if (!streq(host, "index." DEFAULT_REGISTRY))
                        registry = host;
                name = slash + 1;
        }
        is_default = streq(registry, DEFAULT_REGISTRY);
        r = text_format(&path, "%s%s", is_default && !strchr(name, '/') ? DEFAULT_NAMESPACE : "", name);
        if (r < 0)
                return r;
        if (!registry_is_valid(registry) || !scope_path_is_valid(path))
                return -EINVAL;
        return text_format(ret, "%s/%s", registry, path);
}

int image_repository(const char *image, char **ret) {
        _cleanup_free_ char *name = NULL;
        char *slash;

        if (strlen(image) > IMAGE_REFERENCE_MAX)
                return -EINVAL;
        name = strdup(startswith(image, "docker://") ?: image);
        if (!name)
                return -ENOMEM;
        if (!cut(strchr(name, '@'), digest_is_valid))
                return -EINVAL;
        slash = strrchr(name, '/');
        if (!cut(strchr(slash ?: name, ':'), tag_is_valid))
                return -EINVAL;
        return complete(name, ret);
}

bool scope_covers(const char *scope, const char *repository) {
        const char *rest = startswith(repository, scope);

        return rest && !isempty(scope) && (rest[0] == '\0' || rest[0] == '/');
}
