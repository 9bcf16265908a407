/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A question to Quay, and what its answer was taken for. */

#include "worker-fixture.h"
#include "worker/exchange/quay-answer.h"

typedef struct Asked {
        QuayQuestion question;
        Secret *token;
        JwtClaims *claims;
} Asked;

/* About an identity with these claims. */
static inline Asked ask_with(const char *payload) {
        Asked a = { .token = token_of(payload) };
        struct iovec bytes = secret_peek(a.token);
        const char *why = NULL;

        assert_int_equal(jwt_parse(bytes.iov_base, bytes.iov_len, &a.claims, &why), 0);
        a.question = (QuayQuestion){
                .registry = "quay.example.com",
                .robot = "acme+edge",
                .token = a.token,
                .claims = a.claims,
                .now = (usec_t) NOW * USEC_PER_SEC,
        };
        return a;
}

static inline Asked ask(void) {
        return ask_with("{\"iss\":\"https://issuer.example.com\",\"sub\":\"host-1\",\"aud\":\"quay\","
                        "\"iat\":1795478390,\"exp\":1795481990}");
}

static inline void asked_done(Asked *a) {
        secret_free(a->token);
        jwt_claims_free(a->claims);
}
