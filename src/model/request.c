/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ends of life of what crosses the private door.
 *
 * The structures are plain values; who fills them and what they may hold is for model/door and for the two
 * processes. */

#include "base/text.h"
#include "model/request.h"

Request *request_free(Request *r) {
        if (!r)
                return NULL;
        free(r->job);
        free(r->source);
        free(r->audience);
        secret_free(r->token);
        free(r->exchange);
        free(r->registry);
        free(r->robot);
        strv_free(r->scopes);
        free(r->ca);
        free(r->proxy);
        free(r);
        return NULL;
}

IdentityClaims *identity_claims_free(IdentityClaims *c) {
        if (!c)
                return NULL;
        free(c->issuer);
        free(c->subject);
        free(c->algorithm);
        free(c->key_id);
        strv_free(c->audience);
        free(c);
        return NULL;
}

Answer *answer_free(Answer *a) {
        if (!a)
                return NULL;
        credential_free(a->credential);
        failure_free(a->failure);
        identity_claims_free(a->claims);
        strv_free(a->notices);
        free(a);
        return NULL;
}
