/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Log entries: structured to the journal when it listens on stderr ($JOURNAL_STREAM, sd-daemon(3)), else
 * lines on stderr, with "<N>" priority prefixes only when stderr is no terminal and $INVOCATION_ID is set.
 *
 * The logger knows key/value pairs, not domain objects. Layers 0–3 log nothing above LOG_DEBUG. */

#include <syslog.h>

#include "base/macro.h"

typedef struct LogField {
        const char *key;   /* "PULLAUTH_JOB": upper case, digits, underscore */
        const char *value; /* NULL: the field is left out */
} LogField;

/* Reads $PULLAUTH_LOG_LEVEL (0–7 or emerg … debug; default info) and looks where stderr goes. */
void log_setup(void);
int log_max_level(void);
/* "info" or "6"; -EINVAL. */
int log_level_from_string(const char *s);
/* What the configuration says; $PULLAUTH_LOG_LEVEL of log_setup() stands above it. */
void log_configure_level(int level);

/* Logs one entry. `error` is 0 or an errno of either sign: it becomes the ERRNO= field and, through "%m"
 * in `format`, its text. `message_id` may be NULL. Returns -abs(error), so that
 * `return log_…(r, …)` reads well. */
int log_full(int level, int error, const char *message_id, const LogField *fields, size_t n_fields,
             const char *format, ...) _printf_(6, 7);

#define log_debug(...) log_full(LOG_DEBUG, 0, NULL, NULL, 0, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, 0, NULL, NULL, 0, __VA_ARGS__)
#define log_notice(...) log_full(LOG_NOTICE, 0, NULL, NULL, 0, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, 0, NULL, NULL, 0, __VA_ARGS__)
#define log_error(...) log_full(LOG_ERR, 0, NULL, NULL, 0, __VA_ARGS__)
#define log_error_errno(e, ...) log_full(LOG_ERR, (e), NULL, NULL, 0, __VA_ARGS__)
#define log_warning_errno(e, ...) log_full(LOG_WARNING, (e), NULL, NULL, 0, __VA_ARGS__)
#define log_oom() log_full(LOG_ERR, ENOMEM, NULL, NULL, 0, "Out of memory")
