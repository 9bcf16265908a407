/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Structures as a{sv}: writing and reading follow the same table, so that the two cannot drift apart.
 *
 * Refuses what is malformed, too long or given twice. Does not refuse keys it does not know: during an
 * upgrade the other side may be of another version. */

#include <string.h>

#include "base/text.h"
#include "model/door-field.h"

static const char *const signature_table[_FIELD_TYPE_MAX] = {
        [FIELD_STRING] = "s",    [FIELD_STRINGS] = "as",     [FIELD_SECRET] = "ay",     [FIELD_PEM] = "ay",
        [FIELD_PAIRS] = "a{ss}", [FIELD_SECRETS] = "a{say}", [FIELD_TRACE] = "a(ssts)", [FIELD_U64] = "t",
        [FIELD_I64] = "x",       [FIELD_INT] = "i",          [FIELD_BOOL] = "b",
};

static int append_pairs(sd_bus_message *m, char *const *l) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{ss}");
        for (; r >= 0 && l[0] && l[1]; l += 2)
                r = sd_bus_message_append(m, "{ss}", l[0], l[1]);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_secrets(sd_bus_message *m, const NamedSecrets *l) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{say}");
        for (size_t i = 0; r >= 0 && i < l->n_items; i++) {
                struct iovec bytes = secret_peek(l->items[i].value);

                r = sd_bus_message_open_container(m, 'e', "say");
                if (r >= 0)
                        r = sd_bus_message_append_basic(m, 's', l->items[i].name);
                if (r >= 0)
                        r = sd_bus_message_append_array(m, 'y', bytes.iov_base, bytes.iov_len);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_trace(sd_bus_message *m, const Trace *t) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "(ssts)");
        for (size_t i = 0; r >= 0 && i < t->n_entries; i++) {
                const TraceEntry *e = t->entries + i;

                r = sd_bus_message_append(m, "(ssts)", trace_step_to_string(e->step),
                                          trace_result_to_string(e->result), e->usec, e->detail);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_value(sd_bus_message *m, const DoorField *f, const void *p) {
        const char *text;
        struct iovec bytes;

        switch (f->type) {
        case FIELD_STRING:
                return sd_bus_message_append_basic(m, 's', *(char *const *) p);
        case FIELD_STRINGS:
                return sd_bus_message_append_strv(m, *(char **const *) p);
        case FIELD_PAIRS:
                return append_pairs(m, *(char *const *const *) p);
        case FIELD_SECRETS:
                return append_secrets(m, p);
        case FIELD_TRACE:
                return append_trace(m, p);
        case FIELD_SECRET:
                bytes = secret_peek(*(Secret *const *) p);
                return sd_bus_message_append_array(m, 'y', bytes.iov_base, bytes.iov_len);
        case FIELD_PEM:
                text = *(const char *const *) p;
                return sd_bus_message_append_array(m, 'y', text, strlen(text));
        case FIELD_U64:
                return sd_bus_message_append_basic(m, 't', p);
        case FIELD_I64:
                return sd_bus_message_append_basic(m, 'x', p);
        case FIELD_INT:
                return sd_bus_message_append_basic(m, 'i', p);
        case FIELD_BOOL:
                return sd_bus_message_append_basic(m, 'b', &(int){ *(const bool *) p });
        case _FIELD_TYPE_MAX:
                break;
        }
        return -EINVAL;
}

/* Pointers that are NULL are left out, a list's among them; numbers always go. */
static bool is_absent(const DoorField *f, const void *p) {
        return f->type <= FIELD_SECRETS && !*(void *const *) p;
}

int door_append_fields(sd_bus_message *m, const DoorField *fields, size_t n_fields,
                       const void *const parts[static DOOR_PARTS_MAX]) {
        int r;

        r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (const DoorField *f = fields; r >= 0 && f < fields + n_fields; f++) {
                const void *p = parts[f->part] ? (const char *) parts[f->part] + f->offset : NULL;

                if (!p || is_absent(f, p))
                        continue;
                r = sd_bus_message_open_container(m, 'e', "sv");
                if (r >= 0)
                        r = sd_bus_message_append_basic(m, 's', f->key);
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'v', signature_table[f->type]);
                if (r >= 0)
                        r = append_value(m, f, p);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int read_string(sd_bus_message *m, size_t max, char **ret) {
        const char *s;
        char *copy;
        int r;

        r = sd_bus_message_read_basic(m, 's', &s);
        if (r < 0)
                return r;
        if (strlen(s) > max)
                return -EBADMSG;
        copy = strdup(s);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

static int read_strings(sd_bus_message *m, size_t max, char ***ret) {
        _cleanup_strv_ char **l = NULL;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        for (size_t n = 0; r >= 0; n++) {
                _cleanup_free_ char *s = NULL;

                r = sd_bus_message_at_end(m, /* complete= */ 0);
                if (r != 0)
                        break;
                if (n >= max)
                        return -EBADMSG;
                r = read_string(m, DOOR_TEXT_MAX, &s);
                if (r >= 0)
                        r = strv_consume(&l, TAKE_PTR(s));
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return sd_bus_message_exit_container(m);
}

static int read_secret(sd_bus_message *m, size_t max, Secret **ret) {
        const void *data;
        size_t size;
        int r;

        r = sd_bus_message_read_array(m, 'y', &data, &size);
        if (r < 0)
                return r;
        if (size > max)
                return -EBADMSG;
        return secret_new(size > 0 ? data : "", size, ret);
}

/* Names twice are of nobody honest: which of the two would count? */
static int read_pairs(sd_bus_message *m, size_t max, char ***ret) {
        _cleanup_strv_ char **l = NULL;
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{ss}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "ss")) > 0) {
                for (unsigned i = 0; i < 2 && r >= 0; i++) {
                        char *s;

                        r = read_string(m, DOOR_TEXT_MAX, &s);
                        if (r >= 0)
                                r = strv_consume(&l, s);
                }
                if (r < 0)
                        return r;
                for (size_t i = 0; i < n; i++)
                        if (streq(l[2 * i], l[2 * n]))
                                return -EBADMSG;
                if (++n > max)
                        return -EBADMSG;
                r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return sd_bus_message_exit_container(m);
}

static int read_named_secret(sd_bus_message *m, NamedSecrets *l) {
        Secret *value;
        const char *name;
        int r;

        r = sd_bus_message_read_basic(m, 's', &name);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l->n_items; i++)
                if (streq(l->items[i].name, name))
                        return -EBADMSG;
        r = read_secret(m, DOOR_SECRET_MAX, &value);
        return r < 0 ? r : named_secrets_add(l, name, value);
}

/* What was read stays with the structure also on failure, and is freed with it. */
static int read_secrets(sd_bus_message *m, size_t max, NamedSecrets *ret) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{say}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "say")) > 0) {
                r = ret->n_items < max ? read_named_secret(m, ret) : -EBADMSG;
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Steps in their order, each once; anything else is of nobody who knows what he says. */
static int read_trace(sd_bus_message *m, Trace *ret) {
        const char *step, *result, *detail;
        uint64_t usec;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(ssts)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(ssts)", &step, &result, &usec, &detail)) > 0) {
                TraceStep s = trace_step_from_string(step);
                TraceResult how = trace_result_from_string(result);

                if (s < 0 || how < 0 || s != (TraceStep) ret->n_entries || strlen(detail) > DOOR_TEXT_MAX)
                        return -EBADMSG;
                r = trace_add(ret, s, how, usec, "%s", detail);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_pem(sd_bus_message *m, size_t max, char **ret) {
        const void *data;
        size_t size;
        char *copy;
        int r;

        r = sd_bus_message_read_array(m, 'y', &data, &size);
        if (r < 0)
                return r;
        if (size == 0 || size > max || memchr(data, '\0', size))
                return -EBADMSG;
        copy = malloc(size + 1);
        if (!copy)
                return -ENOMEM;
        (void) memcpy(copy, data, size);
        copy[size] = '\0';
        *ret = copy;
        return 0;
}

static int read_value(sd_bus_message *m, const DoorField *f, void *p) {
        int b, r;

        switch (f->type) {
        case FIELD_STRING:
                return read_string(m, f->max, p);
        case FIELD_STRINGS:
                return read_strings(m, f->max, p);
        case FIELD_PAIRS:
                return read_pairs(m, f->max, p);
        case FIELD_SECRETS:
                return read_secrets(m, f->max, p);
        case FIELD_TRACE:
                return read_trace(m, p);
        case FIELD_SECRET:
                return read_secret(m, f->max, p);
        case FIELD_PEM:
                return read_pem(m, f->max, p);
        case FIELD_U64:
                return sd_bus_message_read_basic(m, 't', p);
        case FIELD_I64:
                return sd_bus_message_read_basic(m, 'x', p);
        case FIELD_INT:
                return sd_bus_message_read_basic(m, 'i', p);
        case FIELD_BOOL:
                r = sd_bus_message_read_basic(m, 'b', &b);
                if (r >= 0)
                        *(bool *) p = b != 0;
                return r;
        case _FIELD_TYPE_MAX:
                break;
        }
        return -EINVAL;
}

/* `seen` has one bit per field and refuses the second of a kind: its value would leak, and nobody honest
 * sends two. */
static int read_entry(sd_bus_message *m, const DoorField *fields, size_t n_fields,
                      void *const parts[static DOOR_PARTS_MAX], uint64_t *seen, unsigned *parts_seen) {
        const char *key;
        int r;

        r = sd_bus_message_read_basic(m, 's', &key);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_fields; i++) {
                const DoorField *f = fields + i;

                if (!streq(f->key, key))
                        continue;
                if (*seen & UINT64_C(1) << i)
                        return -EBADMSG;
                *seen |= UINT64_C(1) << i;
                *parts_seen |= 1U << f->part;
                r = sd_bus_message_enter_container(m, 'v', signature_table[f->type]);
                if (r >= 0)
                        r = read_value(m, f, (char *) parts[f->part] + f->offset);
                return r < 0 ? r : sd_bus_message_exit_container(m);
        }
        return sd_bus_message_skip(m, "v");
}

int door_read_fields(sd_bus_message *m, const DoorField *fields, size_t n_fields,
                     void *const parts[static DOOR_PARTS_MAX], unsigned *ret_parts) {
        uint64_t seen = 0;
        unsigned parts_seen = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0) {
                r = sd_bus_message_enter_container(m, 'e', "sv");
                if (r <= 0)
                        break;
                r = read_entry(m, fields, n_fields, parts, &seen, &parts_seen);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        *ret_parts = parts_seen;
        /* Whatever sd-bus calls it, it is the message that is wrong. */
        return r >= 0 ? 0 : r == -ENOMEM ? -ENOMEM : -EBADMSG;
}
