/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bus messages into structs, by table.
 *
 * This is the door through which foreign text enters the tools: every string is cleaned here, once, so that
 * no escape sequence reaches a terminal and nobody behind it has to think of it. A member that is missing or
 * of another type leaves its empty value: the tools must work with an older or newer daemon. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "client/table.h"

/* Longer than any text pullauthd makes; the rest is cut. */
#define SHOWN_TEXT_MAX 4096
/* The largest struct of a list. */
#define ROW_MAX 128
/* A target, or the metrics of very many jobs. */
#define SHOWN_LINES_MAX ((size_t) 16 * 1024 * 1024)

static const char *const kind_signature[_PROPERTY_KIND_MAX] = {
        [PROPERTY_STRING] = "s", [PROPERTY_LINES] = "s", [PROPERTY_STRINGS] = "as",
        [PROPERTY_BOOL] = "b",   [PROPERTY_U32] = "u",   [PROPERTY_U64] = "t",
        [PROPERTY_I64] = "x",    [PROPERTY_TIME] = "t",  [PROPERTY_SPAN] = "t",
};

const char *property_signature(const Property *p, char buf[static SIGNATURE_MAX]) {
        if (p->kind == PROPERTY_ROWS)
                (void) snprintf(buf, SIGNATURE_MAX, "a(%s)", p->rows->signature);
        else
                (void) snprintf(buf, SIGNATURE_MAX, "%s", strempty(kind_signature[p->kind]));
        return buf;
}

int table_init(void *object, const Property *table, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                if (table[i].kind == PROPERTY_STRING || table[i].kind == PROPERTY_LINES)
                        r = free_and_strdup(property_of(object, table + i), "");
        return r < 0 ? r : 0;
}

void table_done(void *object, const Property *table, size_t n) {
        for (size_t i = 0; i < n; i++) {
                void *p = property_of(object, table + i);

                switch (table[i].kind) {
                case PROPERTY_STRING:
                case PROPERTY_LINES:
                        free(*(char **) p);
                        break;
                case PROPERTY_STRINGS:
                        strv_free(*(char ***) p);
                        break;
                case PROPERTY_ROWS:
                        rows_done(p, table[i].rows);
                        break;
                case PROPERTY_BOOL:
                case PROPERTY_U32:
                case PROPERTY_U64:
                case PROPERTY_I64:
                case PROPERTY_TIME:
                case PROPERTY_SPAN:
                case _PROPERTY_KIND_MAX:
                case _PROPERTY_KIND_INVALID:
                        break;
                }
        }
}

static void *row(const Rows *rows, const RowType *type, size_t i) {
        return (char *) rows->items + i * type->size;
}

void rows_done(Rows *rows, const RowType *type) {
        for (size_t i = 0; i < rows->n_items; i++)
                table_done(row(rows, type, i), type->members, type->n_members);
        free(rows->items);
        *rows = (Rows){};
}

int string_read(char **p, sd_bus_message *m) {
        _cleanup_free_ char *clean = NULL;
        const char *s;
        int r;

        r = sd_bus_message_read_basic(m, 's', &s);
        if (r < 0)
                return r;
        r = text_clean(s, strlen(s), SHOWN_TEXT_MAX, &clean);
        if (r < 0)
                return r;
        free(*p);
        *p = TAKE_PTR(clean);
        return 0;
}

int lines_read(char **p, sd_bus_message *m) {
        char *clean = NULL;
        const char *s;
        int r;

        r = sd_bus_message_read_basic(m, 's', &s);
        if (r < 0)
                return r;
        if (strlen(s) > SHOWN_LINES_MAX)
                return -EBADMSG;
        r = text_clean_lines(s, strlen(s), &clean);
        if (r < 0)
                return r;
        free(*p);
        *p = clean;
        return 0;
}

static int read_strings(char ***p, sd_bus_message *m) {
        _cleanup_strv_ char **l = NULL;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_at_end(m, /* complete= */ false)) == 0) {
                _cleanup_free_ char *s = NULL;

                r = string_read(&s, m);
                if (r >= 0)
                        r = strv_consume(&l, TAKE_PTR(s));
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        strv_free(*p);
        *p = TAKE_PTR(l);
        return 0;
}

/* Within an array: a row is a struct of single values, which keeps this from calling itself. */
static int read_row(void *object, const RowType *type, sd_bus_message *m) {
        int r;

        r = sd_bus_message_enter_container(m, 'r', type->signature);
        for (size_t i = 0; i < type->n_members && r >= 0; i++) {
                const Property *p = type->members + i;

                r = p->kind == PROPERTY_STRING ? string_read(property_of(object, p), m)
                                               : sd_bus_message_read_basic(m, kind_signature[p->kind][0],
                                                                           property_of(object, p));
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* One more, zeroed but for its strings; in steps that double. */
static int add_row(Rows *rows, const RowType *type) {
        static const char nothing[ROW_MAX];
        size_t n = rows->n_items;
        void *grown = rows->items;

        if (type->size > sizeof(nothing))
                return -EINVAL;
        if ((n & (n - 1)) == 0)
                grown = reallocarray(grown, n > 0 ? 2 * n : 1, type->size);
        if (!grown)
                return -ENOMEM;
        rows->items = grown;
        (void) memcpy(row(rows, type, n), nothing, type->size);
        rows->n_items++; /* it is freed with the others from here on */
        return table_init(row(rows, type, n), type->members, type->n_members);
}

int rows_read(Rows *rows, const RowType *type, sd_bus_message *m) {
        char signature[SIGNATURE_MAX];
        int r;

        rows_done(rows, type);
        (void) snprintf(signature, sizeof(signature), "(%s)", type->signature);
        r = sd_bus_message_enter_container(m, 'a', signature);
        if (r < 0)
                return r;
        while ((r = sd_bus_message_at_end(m, /* complete= */ false)) == 0) {
                r = add_row(rows, type);
                if (r >= 0)
                        r = read_row(row(rows, type, rows->n_items - 1), type, m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int value_read(void *object, const Property *p, sd_bus_message *m) {
        void *place = property_of(object, p);

        switch (p->kind) {
        case PROPERTY_STRING:
                return string_read(place, m);
        case PROPERTY_LINES:
                return lines_read(place, m);
        case PROPERTY_STRINGS:
                return read_strings(place, m);
        case PROPERTY_ROWS:
                return rows_read(place, p->rows, m);
        case PROPERTY_BOOL:
        case PROPERTY_U32:
        case PROPERTY_U64:
        case PROPERTY_I64:
        case PROPERTY_TIME:
        case PROPERTY_SPAN:
                return sd_bus_message_read_basic(m, kind_signature[p->kind][0], place);
        case _PROPERTY_KIND_MAX:
        case _PROPERTY_KIND_INVALID:
                break;
        }
        return -EINVAL;
}

/* At the name of one member. */
static int read_member(void *object, const Property *table, size_t n, sd_bus_message *m) {
        const char *name, *contents;
        char signature[SIGNATURE_MAX];
        int r;

        r = sd_bus_message_read_basic(m, 's', &name);
        if (r < 0)
                return r;
        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                if (!streq_ptr(table[i].name, name) ||
                    !streq_ptr(property_signature(table + i, signature), contents))
                        continue;
                r = sd_bus_message_enter_container(m, 'v', contents);
                if (r >= 0)
                        r = value_read(object, table + i, m);
                return r < 0 ? r : sd_bus_message_exit_container(m);
        }
        return sd_bus_message_skip(m, "v");
}

int table_read(void *object, const Property *table, size_t n, sd_bus_message *m) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_member(object, table, n, m);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}
