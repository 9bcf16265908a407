/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tokens of any content; the signature is one in form only. */

#include "unit.h"

#include "base/text.h"
#include "codec/base64.h"

#define HEADER "{\"alg\":\"RS256\",\"kid\":\"k1\",\"typ\":\"JWT\"}"
#define SIGNATURE "c2lnbmF0dXJl"

static inline char *encode_segment(const char *text) {
        _cleanup_secret_ Secret *encoded = NULL;
        struct iovec bytes;

        assert_ok(base64url_encode(text, strlen(text), &encoded));
        bytes = secret_peek(encoded);
        return strndup(bytes.iov_base ?: "", bytes.iov_len);
}

static inline char *make_token(const char *header, const char *payload) {
        _cleanup_free_ char *h = encode_segment(header), *p = encode_segment(payload);
        char *token = NULL;

        assert_ok(text_format(&token, "%s.%s." SIGNATURE, h, p));
        return token;
}
