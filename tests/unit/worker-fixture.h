/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers as they come from a registry, and tokens with chosen claims. */

#include "base/text.h"
#include "codec/base64.h"
#include "codec/jwt.h"
#include "io/http-receive.h"
#include "unit.h"

#define NOW 1795478400 /* 2026-11-24 00:00:00 UTC */
#define NOW_DATE "Tue, 24 Nov 2026 00:00:00 GMT"

/* Literals in tests stand in for strings on the heap. */
static inline HttpAnswer answer_of(int status, const char *body) {
        HttpAnswer a = { .status = status, .started_boot = 100, .ended_boot = 300 };

        assert_int_equal(secret_new_string(body, &a.body), 0);
        return a;
}

static inline void set_text(char **p, const char *text) {
        assert_ok(free_and_strdup(p, text));
}

static inline void answer_done(HttpAnswer *a) {
        http_answer_clear(a);
}

/* "HEADER.PAYLOAD.c2ln" */
static inline Secret *token_of(const char *payload) {
        _cleanup_secret_ Secret *header = NULL, *body = NULL, *dot = NULL, *end = NULL;
        const char *h = "{\"alg\":\"RS256\",\"kid\":\"k1\",\"typ\":\"JWT\"}";
        Secret *token = NULL;

        assert_int_equal(base64url_encode(h, strlen(h), &header), 0);
        assert_int_equal(base64url_encode(payload, strlen(payload), &body), 0);
        assert_int_equal(secret_new_string(".", &dot), 0);
        assert_int_equal(secret_new_string(".c2lnbmF0dXJl", &end), 0);
        assert_int_equal(secret_join((const Secret *const[]){ header, dot, body, end }, 4, &token), 0);
        return token;
}

static inline const char *text_of(const Secret *s) {
        return secret_peek(s).iov_base;
}
