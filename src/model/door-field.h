/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Structures as a{sv}, driven by a table. For model/door alone; knows no request and no answer, but
 * their parts. */

#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "base/secret.h"
#include "model/request.h"

/* The longest entry of a list. */
#define DOOR_TEXT_MAX 4096
/* The longest of many secrets, a bundle of certificates for example. */
#define DOOR_SECRET_MAX (1024 * 1024)
#define DOOR_PARTS_MAX 6

typedef enum FieldType {
        FIELD_STRING,  /* char *, "s" */
        FIELD_STRINGS, /* char **, "as" */
        FIELD_PAIRS,   /* char **: name, value, name, value …; "a{ss}" */
        FIELD_SECRET,  /* Secret *, "ay": any bytes */
        FIELD_PEM,     /* char *, "ay": comments in it need not be UTF-8 */
        FIELD_SECRETS, /* NamedSecrets, "a{say}" */
        FIELD_TRACE,   /* Trace, "a(ssts)" */
        FIELD_U64,     /* uint64_t, "t" */
        FIELD_I64,     /* int64_t, "x" */
        FIELD_INT,     /* int, "i" */
        FIELD_BOOL,    /* bool, "b" */
        _FIELD_TYPE_MAX,
} FieldType;

typedef struct DoorField {
        const char *key;
        FieldType type;
        unsigned part; /* which of the structures it belongs to */
        size_t offset; /* where in that structure */
        size_t max;    /* bytes of a text or secret, entries of a list, pairs */
} DoorField;

/* Appends one a{sv} and marks the message sensitive. Parts that are NULL and pointers that are NULL are left
 * out, numbers always go. Returns 0 or a negative errno. */
int door_append_fields(sd_bus_message *m, const DoorField *fields, size_t n_fields,
                       const void *const parts[static DOOR_PARTS_MAX]);

/* Reads one a{sv} into zeroed structures; `ret_parts` receives one bit per part of which there was a key.
 * Keys that no row knows are skipped. Returns 0, -EBADMSG for what is malformed, too long or given twice,
 * -ENOMEM; the structures may be half filled then. */
int door_read_fields(sd_bus_message *m, const DoorField *fields, size_t n_fields,
                     void *const parts[static DOOR_PARTS_MAX], unsigned *ret_parts);
