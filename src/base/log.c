/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The logger of both processes and the tools. Owns the only mutable state of this layer: the level, and
 * where stderr goes. One entry is one message to the journal or one line on stderr, whatever the texts
 * hold: control characters become blanks, so that nobody outside can forge an entry, and bytes that are no
 * text (in names of files, for example) question marks, for of an entry with such journalctl shows nothing.
 * It refuses to know domain objects, and it never blocks on anything but stderr itself. */

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Ours would all name this file. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/log.h"
#include "base/scalar.h"
#include "base/text.h"

#define MESSAGE_MAX 4096

typedef enum Destination {
        TO_LINES,
        TO_PREFIXED_LINES, /* "<6>text", as systemd reads from the stderr of services (sd-daemon(3)) */
        TO_JOURNAL,
} Destination;

static int max_level = LOG_INFO;
static bool level_is_of_environment;
static Destination destination = TO_LINES;

int log_level_from_string(const char *s) {
        static const char *const names[] = { "emerg",   "alert",  "crit", "err",
                                             "warning", "notice", "info", "debug" };
        uint64_t number;

        for (int i = 0; i < (int) ELEMENTSOF(names); i++)
                if (strcasecmp(names[i], s) == 0)
                        return i;
        return parse_u64(s, LOG_EMERG, LOG_DEBUG, &number) < 0 ? -EINVAL : (int) number;
}

/* $JOURNAL_STREAM may have been inherited by a process whose stderr was redirected since. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        char ours[64];
        struct stat st;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;
        (void) snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
        return streq(stream, ours);
}

void log_setup(void) {
        const char *text = getenv("PULLAUTH_LOG_LEVEL");
        int level = text ? log_level_from_string(text) : LOG_INFO;

        max_level = level < 0 ? LOG_INFO : level;
        level_is_of_environment = text && level >= 0;
        if (stderr_is_journal())
                destination = TO_JOURNAL;
        else if (getenv("INVOCATION_ID") && !isatty(STDERR_FILENO))
                destination = TO_PREFIXED_LINES;
        else
                destination = TO_LINES;
        if (level < 0)
                log_warning("PULLAUTH_LOG_LEVEL='%s' is no log level, using 'info'", text);
}

void log_configure_level(int level) {
        if (!level_is_of_environment)
                max_level = level;
}

int log_max_level(void) {
        return max_level;
}

/* In one system call, so that lines of several processes do not mix. */
static void write_line(int level, const char *message) {
        char prefix[16] = "";

        if (destination != TO_LINES)
                (void) snprintf(prefix, sizeof(prefix), "<%d>", level);

        const struct iovec line[] = {
                { prefix, strlen(prefix) },
                { (void *) message, strlen(message) },
                { (void *) "\n", 1 },
        };

        while (writev(STDERR_FILENO, line, ELEMENTSOF(line)) < 0 && errno == EINTR)
                ;
}

static int add_field(char **fields, size_t *n, const char *key, const char *value) {
        int r;

        if (!value)
                return 0;
        r = text_format(&fields[*n], "%s=%s", key, value);
        if (r < 0)
                return r;
        (*n)++;
        return 0;
}

static int send_to_journal(int level, int error, const char *message_id, const LogField *fields,
                           size_t n_fields, const char *message) {
        _cleanup_strv_ char **texts = calloc(n_fields + 5, sizeof(char *));
        _cleanup_free_ struct iovec *entry = calloc(n_fields + 5, sizeof(struct iovec));
        char number[16];
        size_t n = 0;
        int r;

        if (!texts || !entry)
                return -ENOMEM;
        (void) snprintf(number, sizeof(number), "%d", level);
        r = add_field(texts, &n, "MESSAGE", message);
        if (r >= 0)
                r = add_field(texts, &n, "PRIORITY", number);
        if (r >= 0)
                r = add_field(texts, &n, "MESSAGE_ID", message_id);
        (void) snprintf(number, sizeof(number), "%d", error);
        if (r >= 0)
                r = add_field(texts, &n, "ERRNO", error > 0 ? number : NULL);
        for (size_t i = 0; r >= 0 && i < n_fields; i++)
                r = add_field(texts, &n, fields[i].key, fields[i].value);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                entry[i] = (struct iovec){ texts[i], strlen(texts[i]) };
        return sd_journal_sendv(entry, (int) n);
}

int log_full(int level, int error, const char *message_id, const LogField *fields, size_t n_fields,
             const char *format, ...) {
        char message[MESSAGE_MAX];
        va_list arguments;
        int saved = errno, r;

        error = abs(error);
        if (level > max_level)
                return -error;
        errno = error;
        va_start(arguments, format);
        r = vsnprintf(message, sizeof(message), format, arguments);
        va_end(arguments);
        if (r < 0)
                (void) snprintf(message, sizeof(message), "%s", format);
        text_clean_in_place(message);
        if (destination != TO_JOURNAL ||
            send_to_journal(level, error, message_id, fields, n_fields, message) < 0)
                write_line(level, message);
        errno = saved;
        return -error;
}
