/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From entries to the values of a template.
 *
 * Owns what the letters mean, and the values while a text is made, for templates borrow them. Refuses to
 * choose among several values where a text has room for one. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "codec/base64.h"
#include "model/target-template.h"
#include "model/user-pass.h"

/* What value_of() knows. */
#define ENTRY_LETTERS "krhnusaeEiIj"

typedef struct Values {
        const TargetEntry *entry;
        Secret *auth;              /* as in auth.json */
        struct iovec user, secret; /* of the entry */
        size_t registry_size;
        size_t host_size;
        char issued[24], expires[24];
        char issued_text[32], expires_text[32];
} Values;

typedef struct Context {
        Values *values; /* sorted */
        size_t n_values;
        size_t *registries; /* the first value of each */
        size_t n_registries;
        Secret *file, *encoded_file;
        char *const *variables;
        char index[24];
} Context;

static void context_done(Context *c) {
        for (size_t i = 0; i < c->n_values; i++)
                secret_free(c->values[i].auth);
        free(c->values);
        free(c->registries);
        secret_free(c->file);
        secret_free(c->encoded_file);
}

static int format_time(int64_t seconds, char number[static 24], char text[static 32]) {
        time_t t = (time_t) seconds;
        struct tm tm;

        (void) snprintf(number, 24, "%lld", (long long) seconds);
        if (!gmtime_r(&t, &tm) || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                return -ERANGE;
        return 0;
}

/* Without the port: what is behind the last colon, but for those within the brackets of an address. */
static size_t host_size(const char *registry, size_t size) {
        const char *colon = memrchr(registry, ':', size);

        return colon && !memchr(colon, ']', (size_t) (registry + size - colon)) ? (size_t) (colon - registry)
                                                                                : size;
}

static int fill(Values *v) {
        struct iovec plain = secret_peek(v->entry->user_pass);
        int r;

        if (!user_pass_split(v->entry->user_pass, &v->user, &v->secret))
                return -EBADMSG;
        r = base64_encode(plain.iov_base, plain.iov_len, &v->auth);
        if (r < 0)
                return r;
        v->registry_size = strcspn(v->entry->key, "/");
        v->host_size = host_size(v->entry->key, v->registry_size);
        r = format_time(v->entry->issued, v->issued, v->issued_text);
        return r < 0 ? r : format_time(v->entry->expires, v->expires, v->expires_text);
}

static bool same_registry(const Values *a, const Values *b) {
        return a->registry_size == b->registry_size &&
               memcmp(a->entry->key, b->entry->key, a->registry_size) == 0;
}

/* By registry first: by bytes alone "a-b/c" would stand between "a" and "a/b". */
static int compare_values(const void *x, const void *y) {
        const Values *a = x, *b = y;
        size_t size = a->registry_size < b->registry_size ? a->registry_size : b->registry_size;
        int r = memcmp(a->entry->key, b->entry->key, size);

        if (r != 0)
                return r;
        if (a->registry_size != b->registry_size)
                return a->registry_size < b->registry_size ? -1 : 1;
        return strcmp(a->entry->key, b->entry->key);
}

static int context_fill(Context *c, const TargetEntry *entries, size_t n_entries) {
        int r;

        c->values = calloc(n_entries + 1, sizeof(*c->values));
        c->registries = calloc(n_entries + 1, sizeof(*c->registries));
        if (!c->values || !c->registries)
                return -ENOMEM;
        for (size_t i = 0; i < n_entries; i++) {
                c->values[c->n_values++].entry = entries + i;
                r = fill(c->values + i);
                if (r < 0)
                        return r;
        }
        qsort(c->values, c->n_values, sizeof(*c->values), compare_values);
        for (size_t i = 0; i < c->n_values; i++)
                if (i == 0 || !same_registry(c->values + i - 1, c->values + i))
                        c->registries[c->n_registries++] = i;
        return 0;
}

static size_t count(char loop, void *userdata) {
        const Context *c = userdata;

        return loop == '[' ? c->n_values : c->n_registries;
}

static void set(struct iovec *ret, const void *data, size_t size) {
        *ret = (struct iovec){ .iov_base = (void *) data, .iov_len = size };
}

static void set_text(struct iovec *ret, const char *text) {
        set(ret, text, strlen(text));
}

static int value_of(const Values *v, char letter, struct iovec *ret) {
        const char *path = v->entry->key + v->registry_size;

        switch (letter) {
        case 'k':
                set_text(ret, v->entry->key);
                return 0;
        case 'r':
                set(ret, v->entry->key, v->registry_size);
                return 0;
        case 'h':
                set(ret, v->entry->key, v->host_size);
                return 0;
        case 'n':
                set_text(ret, path[0] == '/' ? path + 1 : path);
                return 0;
        case 'u':
                *ret = v->user;
                return 0;
        case 's':
                *ret = v->secret;
                return 0;
        case 'a':
                *ret = secret_peek(v->auth);
                return 0;
        case 'j':
                set_text(ret, v->entry->job);
                return 0;
        case 'e':
                set_text(ret, v->expires);
                return 0;
        case 'E':
                set_text(ret, v->expires_text);
                return 0;
        case 'i':
                set_text(ret, v->issued);
                return 0;
        case 'I':
                set_text(ret, v->issued_text);
                return 0;
        default:
                return -ENOENT;
        }
}

/* The one that all from `from` up to `to` have. */
static int common_value(const Context *c, size_t from, size_t to, char letter, struct iovec *ret) {
        int r;

        if (!strchr(ENTRY_LETTERS, letter))
                return -ENOENT;
        if (from == to)
                return -ENODATA;
        r = value_of(c->values + from, letter, ret);
        if (r < 0)
                return r;
        for (size_t i = from + 1; i < to; i++) {
                struct iovec other;

                (void) value_of(c->values + i, letter, &other);
                if (other.iov_len != ret->iov_len ||
                    (other.iov_len > 0 && memcmp(other.iov_base, ret->iov_base, other.iov_len) != 0))
                        return -ENOTUNIQ;
        }
        return 0;
}

static size_t registry_end(const Context *c, size_t index) {
        return index + 1 < c->n_registries ? c->registries[index + 1] : c->n_values;
}

static int value(char letter, char loop, size_t index, struct iovec *ret, void *userdata) {
        Context *c = userdata;

        if (letter == 'A' || letter == 'B') {
                *ret = secret_peek(letter == 'A' ? c->file : c->encoded_file);
                return 0;
        }
        if (loop == '\0')
                return common_value(c, 0, c->n_values, letter, ret);
        if (letter == '#') {
                (void) snprintf(c->index, sizeof(c->index), "%zu", index);
                set_text(ret, c->index);
                return 0;
        }
        if (loop == '[')
                return value_of(c->values + index, letter, ret);
        return common_value(c, c->registries[index], registry_end(c, index), letter, ret);
}

static const char *variable(const char *name, void *userdata) {
        const Context *c = userdata;

        STRV_FOREACH(v, c->variables) {
                const char *rest = startswith(*v, name);

                if (rest && rest[0] == '=')
                        return rest + 1;
        }
        return NULL;
}

/* On one line, so that it fits into any place. */
static int make_files(Context *c) {
        static const char form[] = "{\"auths\":{%[%k:{\"auth\":%a}%|,%]}}";
        const TemplateSource source = { count, value, variable, c, NULL };
        _cleanup_(template_freep) Template *t = NULL;
        TemplateError error;
        struct iovec text;
        int r;

        r = template_parse(form, sizeof(form) - 1, QUOTING_JSON, &t, &error);
        if (r >= 0)
                r = template_render(t, &source, &c->file, &error);
        if (r < 0)
                return r;
        text = secret_peek(c->file);
        return base64_encode(text.iov_base, text.iov_len, &c->encoded_file);
}

int target_template_render(const Template *t, const TargetEntry *entries, size_t n_entries,
                           char *const *variables, Secret **ret, TemplateError *reterr) {
        _cleanup_(context_done) Context c = { .variables = variables };
        const TemplateSource source = { count, value, variable, &c, "eEiI#" };
        int r;

        *reterr = (TemplateError){};
        r = context_fill(&c, entries, n_entries);
        if (r >= 0)
                r = make_files(&c);
        return r < 0 ? r : template_render(t, &source, ret, reterr);
}
