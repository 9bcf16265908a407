/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Strict readers and printers for single values: booleans, numbers, modes, time spans, points in time.
 * Owns nothing. It refuses everything that is not wholly a value: blanks around it, signs, fractions,
 * unknown units; and it knows no locale, so that a printed value is the same on each host. */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "base/scalar.h"
#include "base/text.h"

typedef struct Unit {
        const char *name;
        usec_t usec;
} Unit;

static const Unit units[] = {
        { "", USEC_PER_SEC },           { "us", 1 },
        { "ms", USEC_PER_MSEC },        { "s", USEC_PER_SEC },
        { "sec", USEC_PER_SEC },        { "second", USEC_PER_SEC },
        { "seconds", USEC_PER_SEC },    { "m", USEC_PER_MINUTE },
        { "min", USEC_PER_MINUTE },     { "minute", USEC_PER_MINUTE },
        { "minutes", USEC_PER_MINUTE }, { "h", USEC_PER_HOUR },
        { "hr", USEC_PER_HOUR },        { "hour", USEC_PER_HOUR },
        { "hours", USEC_PER_HOUR },     { "d", USEC_PER_DAY },
        { "day", USEC_PER_DAY },        { "days", USEC_PER_DAY },
        { "w", 7 * USEC_PER_DAY },      { "week", 7 * USEC_PER_DAY },
        { "weeks", 7 * USEC_PER_DAY },
};

int parse_bool(const char *s) {
        static const char *const words[] = { "0", "1", "no", "yes", "false", "true", "off", "on" };

        for (size_t i = 0; s && i < ELEMENTSOF(words); i++)
                if (strcasecmp(s, words[i]) == 0)
                        return i % 2;
        return -EINVAL;
}

/* Reads the digits that *s begins with and moves it behind them. */
static int take_digits(const char **s, unsigned base, uint64_t *ret) {
        const char *begin = *s;
        uint64_t value = 0;
        bool over = false;

        for (; **s >= '0' && (unsigned) (**s - '0') < base; (*s)++)
                over = over || __builtin_mul_overflow(value, base, &value) ||
                       __builtin_add_overflow(value, (uint64_t) (**s - '0'), &value);
        if (*s == begin)
                return -EINVAL;
        if (over)
                return -ERANGE;
        *ret = value;
        return 0;
}

/* A text that is malformed is -EINVAL, however large the number in it. */
static int parse_number(const char *s, unsigned base, uint64_t *ret) {
        uint64_t value = 0;
        int r;

        if (!s)
                return -EINVAL;
        r = take_digits(&s, base, &value);
        if (*s)
                return -EINVAL;
        if (r < 0)
                return r;
        *ret = value;
        return 0;
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret) {
        uint64_t value;
        int r;

        r = parse_number(s, 10, &value);
        if (r < 0)
                return r;
        if (value < min || value > max)
                return -ERANGE;
        *ret = value;
        return 0;
}

int parse_mode(const char *s, mode_t *ret) {
        uint64_t value;
        int r;

        r = parse_number(s, 8, &value);
        if (r < 0)
                return r;
        if (value > 07777)
                return -ERANGE;
        *ret = (mode_t) value;
        return 0;
}

static const Unit *find_unit(const char *name, size_t length) {
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (strlen(units[i].name) == length && strncmp(units[i].name, name, length) == 0)
                        return units + i;
        return NULL;
}

int parse_span(const char *s, usec_t *ret) {
        usec_t sum = 0;
        bool over = false;

        if (!s)
                return -EINVAL;
        if (streq(s, "infinity")) {
                *ret = USEC_INFINITY;
                return 0;
        }
        for (;;) {
                uint64_t number = 0;
                const Unit *unit;
                size_t length;
                int r;

                r = take_digits(&s, 10, &number);
                if (r == -EINVAL)
                        return r;
                over = over || r < 0;
                /* Blanks that no unit follows stand before the next number. */
                length = strspn(s, " \t");
                if (isalpha((unsigned char) s[length]))
                        s += length;
                for (length = 0; isalpha((unsigned char) s[length]);)
                        length++;
                unit = find_unit(s, length);
                if (!unit)
                        return -EINVAL;
                over = over || __builtin_mul_overflow(number, unit->usec, &number) ||
                       __builtin_add_overflow(sum, number, &sum);
                s += length;
                if (!*s)
                        break;
                s += strspn(s, " \t");
        }
        if (over || sum == USEC_INFINITY)
                return -ERANGE;
        *ret = sum;
        return 0;
}

char *format_span(char buf[static SPAN_MAX], usec_t span) {
        static const Unit shown[] = {
                { "d", USEC_PER_DAY },
                { "h", USEC_PER_HOUR },
                { "min", USEC_PER_MINUTE },
                { "s", USEC_PER_SEC },
        };
        size_t i = 0;
        int n;

        if (span == USEC_INFINITY) {
                (void) snprintf(buf, SPAN_MAX, "infinity");
                return buf;
        }
        while (i < ELEMENTSOF(shown) - 1 && span < shown[i].usec)
                i++;
        n = snprintf(buf, SPAN_MAX, "%" PRIu64 "%s", span / shown[i].usec, shown[i].name);
        span %= shown[i].usec;
        /* Only the next smaller unit says something beside the largest one: seconds do not matter in
         * days. */
        if (++i < ELEMENTSOF(shown) && span >= shown[i].usec)
                (void) snprintf(buf + n, SPAN_MAX - (size_t) n, " %" PRIu64 "%s", span / shown[i].usec,
                                shown[i].name);
        return buf;
}

char *format_timestamp(char buf[static TIMESTAMP_MAX], usec_t realtime) {
        /* Not strftime's %a: logs and tables are in English, whatever LC_TIME says. */
        static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
        time_t seconds = (time_t) (realtime / USEC_PER_SEC);
        struct tm t = {};

        if (realtime == 0 || realtime == USEC_INFINITY || !localtime_r(&seconds, &t)) {
                (void) snprintf(buf, TIMESTAMP_MAX, "n/a");
                return buf;
        }
        (void) snprintf(buf, TIMESTAMP_MAX, "%s %04ld-%02d-%02d %02d:%02d:%02d %s", days[t.tm_wday],
                        t.tm_year + 1900L, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                        strempty(t.tm_zone));
        return buf;
}
