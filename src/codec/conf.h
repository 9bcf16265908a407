/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* INI files as systemd writes them (systemd.syntax(7)): [Section], Key=Value, comments with '#' or ';' at
 * the start of a line, a backslash at the end of a line continues it, repeated keys, an empty value resets.
 * Pure: bytes in, assignments and messages out. Where files lie and which of them win is io/conf-tree. */

#include "base/macro.h"

#define CONF_FILE_MAX (256 * 1024)
#define CONF_LINE_MAX (16 * 1024)

typedef struct ConfAssignment {
        char *section;
        char *key;
        char *value; /* blanks at both ends cut off; "" resets */
        char *file;  /* shared by no one: each assignment has its own copy */
        unsigned line;
} ConfAssignment;

/* Files that define things of one kind: DIRECTORY/NAMESUFFIX, or the one file SUFFIX. */
typedef struct ConfKind {
        const char *directory; /* "jobs"; NULL: there is one file, which may be missing */
        const char *suffix;    /* ".job"; "pullauthd.conf" */
        bool tell_masked;      /* there may be something under the name that is no file */
} ConfKind;

typedef enum ConfSeverity {
        CONF_WARNING, /* ignored, everything else works */
        CONF_ERROR,   /* what this file defines cannot work */
} ConfSeverity;

typedef struct ConfMessage {
        ConfSeverity severity;
        char *file;
        unsigned line; /* 0: the file as a whole */
        char *text;
} ConfMessage;

typedef struct Conf {
        ConfAssignment *assignments; /* in the order in which they take effect */
        size_t n_assignments;
        ConfMessage *messages;
        size_t n_messages;
        char **files; /* that were read, in order */
} Conf;

Conf *conf_free(Conf *c);
DEFINE_CLEANUP(Conf *, conf_free)
#define _cleanup_conf_ _cleanup_(conf_freep)
int conf_new(Conf **ret);

/* Appends what `data` says. A line that cannot be read (no '=', key outside a section, not UTF-8, NUL,
 * control characters, too long) becomes a CONF_ERROR message with file and line; parsing goes on behind it.
 * Names of sections and keys are case-sensitive. Returns 0 or -ENOMEM. */
int conf_parse(Conf *c, const char *file, const char *data, size_t size);

int conf_add_message(Conf *c, ConfSeverity severity, const char *file, unsigned line, const char *format,
                     ...) _printf_(5, 6);
/* Frees what was read and leaves the messages, for configuration that is kept for their sake alone. */
void conf_forget_assignments(Conf *c);
/* Takes out what was said of one file. */
void conf_drop_messages(Conf *c, const char *file);
bool conf_has_error(const Conf *c);
/* The assignment that has the last word about a key, or NULL. */
const ConfAssignment *conf_find_assignment(const Conf *c, const char *section, const char *key);
/* Moves what was read from `file`, with its messages, behind what `to` has. Returns 0 or -ENOMEM, and then
 * what was not moved is still where it was. */
int conf_move_file(Conf *from, const char *file, Conf *to);

/* "file:line: text" or "file: text". */
int conf_message_format(const ConfMessage *m, char **ret);

/* One row per key that a kind of file knows. */
typedef struct ConfKey {
        const char *section;
        const char *key;
        /* Takes one assignment. Returns 0; 1 with *reterr set to a malloc'ed sentence that says what would
         * be right (a CONF_ERROR then); -ENOMEM. */
        int (*set)(const ConfAssignment *a, void *userdata, char **reterr);
} ConfKey;

/* Feeds every assignment to its row. Keys without a row become CONF_WARNING "Unknown key 'X' in section
 * [Y], ignoring" (with the near name if one is near: "did you mean 'Z'?"); keys and sections that start
 * with "X-" are ignored silently. Returns 0 or -ENOMEM; whether it worked is conf_has_error(). */
int conf_apply(Conf *c, const ConfKey *keys, size_t n_keys, void *userdata);
