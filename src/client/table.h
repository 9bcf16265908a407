/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers of pullauthd as structs that a const table describes: how each member is read from a message,
 * freed, and named in JSON. A value more is one line of a table more. */

#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/macro.h"

typedef enum PropertyKind {
        PROPERTY_STRING,  /* char*, never NULL */
        PROPERTY_LINES,   /* the same, a text of lines that may be long */
        PROPERTY_STRINGS, /* char** */
        PROPERTY_BOOL,    /* int */
        PROPERTY_U32,     /* uint32_t */
        PROPERTY_U64,     /* uint64_t */
        PROPERTY_I64,     /* int64_t */
        PROPERTY_TIME,    /* usec_t of the real clock; 0: none */
        PROPERTY_SPAN,    /* usec_t */
        PROPERTY_ROWS,    /* Rows, or a struct like it */
        _PROPERTY_KIND_MAX,
        _PROPERTY_KIND_INVALID = -EINVAL,
} PropertyKind;

typedef struct RowType RowType;

typedef struct Property {
        const char *name; /* on the bus; NULL: not there, or in a row, where the place counts */
        const char *json;
        PropertyKind kind;
        size_t offset;
        const RowType *rows; /* PROPERTY_ROWS */
} Property;

/* Structs in an array: what each member is, in its order. */
struct RowType {
        const char *signature; /* "suss" */
        size_t size;           /* of the struct that it is read to */
        const Property *members;
        size_t n_members;
};

/* Each list has items of its own type; what stands here is all that the tables need of it. */
typedef struct Rows {
        void *items;
        size_t n_items;
} Rows;

/* "s", "a(suss)" … in `buf`. */
#define SIGNATURE_MAX 32
const char *property_signature(const Property *p, char buf[static SIGNATURE_MAX]);
static inline void *property_of(void *object, const Property *p) {
        return (char *) object + p->offset;
}
static inline const void *property_of_const(const void *object, const Property *p) {
        return (const char *) object + p->offset;
}

/* Empty strings in every place of a zeroed struct. Returns 0 or -ENOMEM. */
int table_init(void *object, const Property *table, size_t n);
void table_done(void *object, const Property *table, size_t n);
void rows_done(Rows *rows, const RowType *type);

/* Each reads from the current place of a message. Texts are cleaned with text_clean(); of a dictionary
 * a{sv}, members that are not known, or not of the type they should have, are left out. Return 0, -EBADMSG
 * and other errors of sd-bus, -ENOMEM. */
int table_read(void *object, const Property *table, size_t n, sd_bus_message *m);
int rows_read(Rows *rows, const RowType *type, sd_bus_message *m); /* in place of what was there */
int value_read(void *object, const Property *p, sd_bus_message *m);
int string_read(char **p, sd_bus_message *m);
/* The same with text_clean_lines(), for a text that may be long. */
int lines_read(char **p, sd_bus_message *m);
