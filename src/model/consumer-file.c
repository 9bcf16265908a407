/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keys of one file by the rules of three families of tools.
 *
 * Owns a sorted list of spans over a text that stays its owner's. What is decoded on the way is erased;
 * names of users leave, and nothing else of an entry. It is as strict as our own merging, stricter than
 * tools that take the last one of two equal keys: such a file is said to be broken. */

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "model/consumer-file.h"

#define SHOWN_MAX 256
#define DOCKER_HUB "docker.io"
#define DOCKER_HUB_KEY "https://index.docker.io/v1/"

struct ConsumerFile {
        const char *text;
        bool legacy;
        JsonMembers entries; /* sorted by name */
        JsonMembers helpers;
        char *store; /* Docker's credsStore */
};

ConsumerFile *consumer_file_free(ConsumerFile *f) {
        if (!f)
                return NULL;
        json_members_done(&f->entries);
        json_members_done(&f->helpers);
        free(f->store);
        free(f);
        return NULL;
}

static int compare_members(const void *a, const void *b) {
        return strcmp(((const JsonMember *) a)->name, ((const JsonMember *) b)->name);
}

static bool is_null(const char *text, JsonSpan value) {
        return value.size == 4 && memcmp(text + value.offset, "null", 4) == 0;
}

/* An object, or null for an empty one. */
static int take_members(const char *text, JsonSpan value, const char *what, JsonMembers *ret,
                        JsonError *reterr) {
        int r;

        if (is_null(text, value))
                return 0;
        r = json_text_members(text, value, ret);
        if (r == -ENOTDIR) {
                *reterr = json_error_at(text, value.offset, what);
                return -EBADMSG;
        }
        return r;
}

/* A string, or null for none: of anything else the tools say that the whole file is broken. */
static int check_strings(const char *text, const JsonMembers *members, const char *const *names,
                         const char *what, JsonError *reterr) {
        for (size_t i = 0; i < members->n_items; i++) {
                JsonSpan value = members->items[i].value;
                bool is_meant = !names;

                for (const char *const *n = names; n && *n && !is_meant; n++)
                        is_meant = streq(*n, members->items[i].name);
                if (!is_meant || text[value.offset] == '"' || is_null(text, value))
                        continue;
                *reterr = json_error_at(text, value.offset, what);
                return -EBADMSG;
        }
        return 0;
}

static int check_entry(const char *text, JsonSpan value, JsonError *reterr) {
        static const char *const names[] = { "auth", "identitytoken", NULL };
        JsonMembers members = {};
        int r;

        r = take_members(text, value, "an entry is not an object", &members, reterr);
        if (r >= 0)
                r = check_strings(text, &members, names, "not a string", reterr);
        json_members_done(&members);
        return r;
}

static int take_entries(ConsumerFile *f, JsonSpan value, JsonError *reterr) {
        int r;

        r = take_members(f->text, value, "\"auths\" is not an object", &f->entries, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < f->entries.n_items; i++) {
                r = check_entry(f->text, f->entries.items[i].value, reterr);
                if (r < 0)
                        return r;
        }
        if (f->entries.n_items > 1)
                qsort(f->entries.items, f->entries.n_items, sizeof(*f->entries.items), compare_members);
        return 0;
}

/* What a string says; anything else is none. The document has other members than secrets here. */
static int take_string(const char *text, JsonSpan value, char **ret) {
        _cleanup_json_erase_ json_object *o = NULL;
        int r;

        r = json_parse(text + value.offset, value.size, &o, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (!json_object_is_type(o, json_type_string))
                return 0;
        return text_clean(json_object_get_string(o), strlen(json_object_get_string(o)), SHOWN_MAX, ret);
}

static int take_document(ConsumerFile *f, JsonSpan root, JsonError *reterr) {
        JsonMembers top = {};
        const JsonMember *m;
        int r;

        r = take_members(f->text, root, "not an object", &top, reterr);
        m = r >= 0 ? json_members_find(&top, "auths") : NULL;
        if (m)
                r = take_entries(f, m->value, reterr);
        m = r >= 0 ? json_members_find(&top, "credHelpers") : NULL;
        if (m)
                r = take_members(f->text, m->value, "\"credHelpers\" is not an object", &f->helpers, reterr);
        if (r >= 0)
                r = check_strings(f->text, &f->helpers, NULL, "the name of a program is not a string",
                                  reterr);
        m = r >= 0 ? json_members_find(&top, "credsStore") : NULL;
        if (m)
                r = take_string(f->text, m->value, &f->store);
        json_members_done(&top);
        return r;
}

int consumer_file_new(const char *text, size_t size, bool legacy, ConsumerFile **ret, JsonError *reterr) {
        _cleanup_(consumer_file_freep) ConsumerFile *f = NULL;
        JsonSpan root;
        int r;

        r = json_text_check(text, size, reterr);
        if (r < 0)
                return r;
        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->text = text;
        f->legacy = legacy;
        root = json_text_root(text, size);
        r = legacy ? take_entries(f, root, reterr) : take_document(f, root, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

size_t consumer_file_size(const ConsumerFile *f) {
        return f->entries.n_items;
}

void found_done(Found *f) {
        free(f->key);
        free(f->user);
        free(f->helper);
        *f = (Found){};
}

static const JsonMember *find(const ConsumerFile *f, const char *key) {
        const JsonMember probe = { .name = (char *) key };

        if (f->entries.n_items == 0)
                return NULL;
        return bsearch(&probe, f->entries.items, f->entries.n_items, sizeof(probe), compare_members);
}

static int clean(const char *text, size_t size, char **ret) {
        return text_clean(text, size, SHOWN_MAX, ret);
}

/* "user:password" in base64; a text without a colon is no credential. */
static int decode(const char *auth, Found *ret) {
        _cleanup_secret_ Secret *decoded = NULL;
        const char *data, *colon;
        struct iovec bytes;
        int r;

        r = base64_decode(auth, strlen(auth), &decoded);
        if (r == -EBADMSG) {
                ret->kind = FOUND_BROKEN;
                return 0;
        }
        if (r < 0)
                return r;
        bytes = secret_peek(decoded);
        data = bytes.iov_base;
        colon = bytes.iov_len > 0 ? memchr(data, ':', bytes.iov_len) : NULL;
        if (!colon || bytes.iov_len == 1) {
                ret->kind = FOUND_EMPTY;
                return 0;
        }
        ret->kind = FOUND_CREDENTIAL;
        return clean(data, (size_t) (colon - data), &ret->user);
}

/* What stands under a key. */
static int take_entry(const ConsumerFile *f, const JsonMember *m, ConsumerMatch match, Found *ret) {
        _cleanup_json_erase_ json_object *entry = NULL;
        const char *auth = NULL, *user = NULL;
        int r, k;

        ret->kind = FOUND_EMPTY;
        r = clean(m->name, strlen(m->name), &ret->key);
        if (r >= 0 && !is_null(f->text, m->value))
                r = json_parse(f->text + m->value.offset, m->value.size, &entry, NULL);
        if (r < 0 || !entry)
                return r;
        k = json_get_string(entry, "auth", &auth);
        if (k >= 0 && match != MATCH_PATH)
                k = json_get_string(entry, "username", &user);
        if (k < 0) {
                ret->kind = FOUND_BROKEN;
                return 0;
        }
        if (!isempty(auth))
                return decode(auth, ret);
        if (isempty(user))
                return 0;
        ret->kind = FOUND_CREDENTIAL;
        return clean(user, strlen(user), &ret->user);
}

int consumer_file_user(const ConsumerFile *f, const char *key, char **ret) {
        const JsonMember *m = find(f, key);
        Found found = {};
        int r;

        if (!m)
                return 0;
        r = take_entry(f, m, MATCH_PATH, &found);
        if (r >= 0 && found.kind == FOUND_CREDENTIAL) {
                *ret = TAKE_PTR(found.user);
                r = 1;
        }
        found_done(&found);
        return r;
}

/* True if a program is asked for this registry. Returns 1, 0, -ENOMEM. */
static int find_helper(const ConsumerFile *f, const char *registry, ConsumerMatch match, Found *ret) {
        const JsonMember *m = json_members_find(&f->helpers, registry);
        _cleanup_free_ char *name = NULL;
        int r = 0;

        if (m)
                r = take_string(f->text, m->value, &name);
        else if (match == MATCH_HOST && !isempty(f->store))
                r = free_and_strdup(&name, f->store);
        if (r < 0 || isempty(name))
                return r < 0 ? r : 0;
        r = text_format(&ret->helper, "docker-credential-%s", name);
        if (r < 0)
                return r;
        ret->kind = FOUND_HELPER;
        ret->rule = m ? "its credHelpers name a program for this registry, which comes before any key"
                      : "its credsStore names a program for all registries";
        return 1;
}

static const char *without_scheme(const char *key) {
        return startswith(key, "https://") ?: startswith(key, "http://") ?: key;
}

/* Registries that are the same one by another name. */
static const char *normal_registry(const char *host) {
        return streq(host, "index." DOCKER_HUB) || streq(host, "registry-1." DOCKER_HUB) ? DOCKER_HUB : host;
}

/* Does a key of Docker's, "https://host/v1/", mean this registry? */
static bool is_docker_key(const char *key, bool legacy, const char *registry) {
        _cleanup_free_ char *host = NULL;
        const char *rest = without_scheme(key);

        host = strndup(rest, rest != key || legacy ? strcspn(rest, "/") : strlen(rest));
        return host && streq(normal_registry(host), normal_registry(registry));
}

/* The repository, its parents, the registry; last what Docker would have written. */
static int find_path(const ConsumerFile *f, const char *repository, const char *registry, Found *ret) {
        _cleanup_free_ char *key = strdup(f->legacy ? registry : repository);

        if (!key)
                return -ENOMEM;
        for (;;) {
                const JsonMember *m = find(f, key);
                char *slash = strrchr(key, '/');

                if (m) {
                        ret->rule = streq(key, repository) ? "the image's own key"
                                    : slash                ? "the longest key that covers the image"
                                                           : "the key of the registry, for none is longer";
                        return take_entry(f, m, MATCH_PATH, ret);
                }
                if (!slash)
                        break;
                *slash = '\0';
        }
        for (size_t i = 0; i < f->entries.n_items; i++)
                if (is_docker_key(f->entries.items[i].name, f->legacy, registry)) {
                        ret->rule = "a key as Docker writes it, for no other covers the image";
                        return take_entry(f, f->entries.items + i, MATCH_PATH, ret);
                }
        return 0;
}

/* Host and port of a key of any form. */
static bool is_of_host(const char *key, const char *host) {
        const char *rest = without_scheme(key);
        size_t n = strcspn(rest, "/");

        return strlen(host) == n && strncmp(rest, host, n) == 0;
}

static int find_host(const ConsumerFile *f, const char *server, Found *ret) {
        const JsonMember *m = find(f, server), *other = NULL;

        ret->rule = "the key of the registry, the only one that this tool looks for";
        for (size_t i = 0; !m && i < f->entries.n_items; i++)
                if (is_of_host(f->entries.items[i].name, server)) {
                        ret->rule = "a key of this registry: this tool takes any, whatever path it has";
                        if (other)
                                ret->n_more++;
                        else
                                other = f->entries.items + i;
                }
        if (!m && !other)
                return 0;
        return take_entry(f, m ?: other, MATCH_HOST, ret);
}

/* A key as the kubelet compares it: no scheme, and "/v1/" or "/v2/" mean nothing. */
static int kubelet_key(const char *key, char **ret) {
        const char *rest = without_scheme(key), *path = rest + strcspn(rest, "/");
        int size = (int) (path - rest);

        if (startswith(path, "/v1/") || startswith(path, "/v2/"))
                path += 3;
        return text_format(ret, "%.*s%s", size, rest, streq(path, "/") ? "" : path);
}

/* One label of a host behind the other, each as a pattern. */
static bool hosts_match(char *pattern, char *host) {
        for (;;) {
                char *end_pattern = strchr(pattern, '.'), *end_host = strchr(host, '.');

                if (!end_pattern != !end_host)
                        return false;
                if (end_pattern)
                        *end_pattern = *end_host = '\0';
                if (fnmatch(pattern, host, 0) != 0)
                        return false;
                if (!end_pattern)
                        return true;
                pattern = end_pattern + 1;
                host = end_host + 1;
        }
}

static const char *port_of(char *host) {
        char *colon = strrchr(host, ':');

        if (!colon || strchr(colon, ']'))
                return "";
        *colon = '\0';
        return colon + 1;
}

/* Returns 1, 0, -ENOMEM. */
static int kubelet_match(const char *key, const char *repository) {
        const char *key_path = key + strcspn(key, "/"), *path = repository + strcspn(repository, "/");
        _cleanup_free_ char *pattern = strndup(key, (size_t) (key_path - key)),
                            *host = strndup(repository, (size_t) (path - repository));

        if (!pattern || !host)
                return -ENOMEM;
        return startswith(path, key_path) && streq(port_of(pattern), port_of(host)) &&
               hosts_match(pattern, host);
}

/* All that match are tried, the last one in the order of their bytes first. */
static int find_glob(const ConsumerFile *f, const char *repository, Found *ret) {
        _cleanup_free_ char *best = NULL;
        const JsonMember *m = NULL;

        for (size_t i = 0; i < f->entries.n_items; i++) {
                _cleanup_free_ char *key = NULL;
                int r;

                r = kubelet_key(f->entries.items[i].name, &key);
                if (r >= 0)
                        r = kubelet_match(key, repository);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                if (m)
                        ret->n_more++;
                if (best && strcmp(key, best) < 0)
                        continue;
                free(best);
                best = TAKE_PTR(key);
                m = f->entries.items + i;
        }
        if (!m)
                return 0;
        ret->rule = ret->n_more > 0 ? "the longest key that matches; the others are tried behind it"
                                    : "the only key that matches";
        return take_entry(f, m, MATCH_GLOB, ret);
}

static int find_by(const ConsumerFile *f, ConsumerMatch match, const char *repository, const char *registry,
                   Found *ret) {
        const char *server = match == MATCH_HOST && streq(registry, DOCKER_HUB) ? DOCKER_HUB_KEY : registry;
        int r;

        if (match == MATCH_GLOB)
                return find_glob(f, repository, ret);
        r = find_helper(f, server, match, ret);
        if (r != 0)
                return r;
        return match == MATCH_HOST ? find_host(f, server, ret) : find_path(f, repository, registry, ret);
}

int consumer_file_find(const ConsumerFile *f, ConsumerMatch match, const char *repository, Found *ret) {
        _cleanup_free_ char *registry = strndup(repository, strcspn(repository, "/"));
        Found found = {};
        int r;

        r = registry ? find_by(f, match, repository, registry, &found) : -ENOMEM;
        if (r < 0) {
                found_done(&found);
                return r;
        }
        if (found.kind == FOUND_NOTHING)
                found.rule = NULL;
        *ret = found;
        return 0;
}
