/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JWTs that this host signs itself: as its own issuer, or as a client of one (RFC 7523).
 *
 * Owns the form of header and payload. Knows no key and no clock. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "worker/jwt-writer.h"

static int add_string(json_object *o, const char *key, const char *value) {
        return value ? json_put(o, key, json_object_new_string(value)) : 0;
}

static int add_number(json_object *o, const char *key, int64_t value) {
        return json_put(o, key, json_object_new_int64(value));
}

static int print_segment(json_object *o, Secret **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = json_print(o, /* pretty= */ false, &text);
        return r < 0 ? r : base64url_encode(text, strlen(text), ret);
}

static int make_header(const JwtDraft *d, Secret **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        if (!o)
                return -ENOMEM;
        r = add_string(o, "alg", d->algorithm);
        if (r >= 0)
                r = add_string(o, "kid", d->key_id);
        if (r >= 0)
                r = add_string(o, "typ", "JWT");
        return r < 0 ? r : print_segment(o, ret);
}

static int make_payload(const JwtDraft *d, Secret **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        if (!o)
                return -ENOMEM;
        r = add_string(o, "iss", d->issuer);
        if (r >= 0)
                r = add_string(o, "sub", d->subject);
        if (r >= 0)
                r = add_string(o, "aud", d->audience);
        if (r >= 0)
                r = add_number(o, "iat", d->issued);
        if (r >= 0)
                r = add_number(o, "nbf", d->issued);
        if (r >= 0)
                r = add_number(o, "exp", d->expires);
        if (r >= 0)
                r = add_string(o, "jti", d->id);
        return r < 0 ? r : print_segment(o, ret);
}

int jwt_signing_input(const JwtDraft *d, char **ret) {
        _cleanup_secret_ Secret *header = NULL, *payload = NULL;
        int r;

        r = make_header(d, &header);
        if (r >= 0)
                r = make_payload(d, &payload);
        if (r < 0)
                return r;
        return text_format(ret, "%s.%s", (const char *) secret_peek(header).iov_base,
                           (const char *) secret_peek(payload).iov_base);
}

int jwt_assemble(const char *input, const void *signature, size_t size, Secret **ret) {
        _cleanup_secret_ Secret *head = NULL, *dot = NULL, *tail = NULL;
        int r;

        r = base64url_encode(signature, size, &tail);
        if (r >= 0)
                r = secret_new_string(input, &head);
        if (r >= 0)
                r = secret_new_string(".", &dot);
        return r < 0 ? r : secret_join((const Secret *const[]){ head, dot, tail }, 3, ret);
}
