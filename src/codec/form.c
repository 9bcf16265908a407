/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever is not unreserved (RFC 3986) goes as %XX, blanks too: every reader of forms takes that, while "+"
 * for a blank is for forms alone.
 *
 * Owns no state. Counts before it writes, so that no half of a secret is left in a buffer that was too
 * small. */

#include <string.h>

#include "base/text.h"
#include "codec/form.h"

struct iovec form_text(const char *text) {
        return (struct iovec){ .iov_base = (char *) text, .iov_len = strlen(strempty(text)) };
}

static bool is_unreserved(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '.' || c == '_' || c == '~';
}

static size_t escaped_size(struct iovec value) {
        const char *data = value.iov_base;
        size_t size = 0;

        for (size_t i = 0; i < value.iov_len; i++)
                size += is_unreserved(data[i]) ? 1 : 3;
        return size;
}

static char *escape(char *to, struct iovec value) {
        static const char digits[] = "0123456789ABCDEF";
        const char *data = value.iov_base;

        for (size_t i = 0; i < value.iov_len; i++) {
                uint8_t c = (uint8_t) data[i];

                if (is_unreserved(data[i])) {
                        *to++ = data[i];
                        continue;
                }
                *to++ = '%';
                *to++ = digits[c >> 4];
                *to++ = digits[c & 15];
        }
        return to;
}

int form_encode(const FormField *fields, size_t n_fields, Secret **ret) {
        _cleanup_secret_ Secret *text = NULL;
        size_t size = 0;
        char *to;
        int r;

        for (size_t i = 0; i < n_fields; i++)
                if (fields[i].value.iov_len > 0)
                        size += (size > 0) + escaped_size(form_text(fields[i].name)) + 1 +
                                escaped_size(fields[i].value);
        r = secret_new_zero(size, &text);
        if (r < 0)
                return r;
        to = secret_writable(text).iov_base;
        for (size_t i = 0, n = 0; i < n_fields; i++) {
                if (fields[i].value.iov_len == 0)
                        continue;
                if (n++ > 0)
                        *to++ = '&';
                to = escape(to, form_text(fields[i].name));
                *to++ = '=';
                to = escape(to, fields[i].value);
        }
        *ret = TAKE_PTR(text);
        return 0;
}

int form_escape(struct iovec value, Secret **ret) {
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = secret_new_zero(escaped_size(value), &text);
        if (r < 0)
                return r;
        (void) escape(secret_writable(text).iov_base, value);
        *ret = TAKE_PTR(text);
        return 0;
}
