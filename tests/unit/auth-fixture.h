/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Merging in one line. */

#include "unit.h"

#include "base/text.h"
#include "codec/base64.h"
#include "model/auth-file.h"

#define MERGE_MAX 8

/* From what stands in a file; the caller frees it. */
static inline Secret *user_pass_of(const char *auth) {
        Secret *user_pass;

        assert_ok(base64_decode(auth, strlen(auth), &user_pass));
        return user_pass;
}

/* "key=auth" wants an entry, "key" alone wants it gone; a NULL ends the list. The result is NUL-
 * terminated, NULL if there was nothing to change. A second merge must change nothing. */
static inline char *merge_text(const char *old, size_t size, const char *const *wishes) {
        _cleanup_secret_ Secret *text = NULL, *again = NULL;
        AuthEntry entries[MERGE_MAX] = {};
        char *keys[MERGE_MAX] = {};
        struct iovec bytes;
        JsonError error = {};
        size_t n = 0;
        int r;

        for (; wishes[n]; n++) {
                const char *equals = strchr(wishes[n], '=');
                assert_true(n < MERGE_MAX);
                keys[n] = strndup(wishes[n], strcspn(wishes[n], "="));
                entries[n] = (AuthEntry){ keys[n], equals ? user_pass_of(equals + 1) : NULL };
        }
        r = auth_file_merge(old, size, entries, n, &text, &error);
        if (r < 0)
                fail_msg("%zu:%zu: %s (%d)", error.line, error.column, strempty(error.what), r);
        assert_int_equal(r == AUTH_FILE_CHANGED, text != NULL);
        bytes = secret_peek(text);
        if (text) {
                assert_int_equal(json_text_check(bytes.iov_base, bytes.iov_len, &error), 0);
                assert_int_equal(auth_file_merge(bytes.iov_base, bytes.iov_len, entries, n, &again, &error),
                                 AUTH_FILE_UNCHANGED);
                assert_null(again);
        }
        for (size_t i = 0; i < n; i++) {
                free(keys[i]);
                (void) secret_free((Secret *) entries[i].user_pass);
        }
        return text ? strndup(bytes.iov_base, bytes.iov_len) : NULL;
}

static inline void assert_merged(const char *old, const char *const *wishes, const char *expected) {
        _cleanup_free_ char *text = merge_text(old, strlen(old), wishes);

        if (!streq_ptr(text, expected))
                fail_msg("from\n%s\ncame\n%s\nand not\n%s", old, text ?: "(no change)",
                         expected ?: "(no change)");
}

#define WISHES(...) ((const char *const[]){ __VA_ARGS__, NULL })
