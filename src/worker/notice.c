/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Collects notices. Cleans them here, once, since most quote something that came from outside.
 *
 * Refuses doubles, for one finding may be met at each of several requests. */

#include <stdarg.h>

#include "base/failure.h"
#include "base/text.h"
#include "worker/notice.h"

int notice_add(char ***notices, const char *format, ...) {
        _cleanup_free_ char *cleaned = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = text_format_clean(&cleaned, FAILURE_TEXT_MAX, format, ap);
        va_end(ap);
        if (r < 0)
                return r;
        if (strv_contains(*notices, cleaned) || strv_length(*notices) >= NOTICES_MAX)
                return 0;
        return strv_consume(notices, TAKE_PTR(cleaned));
}
