/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads what a JWT says of itself (RFC 7519 in the compact form of RFC 7515).
 *
 * Owns the claims it returns. It verifies nothing: neither is there a key to verify with, nor would anything
 * here trust the result. It refuses what could not be shown or compared safely (control characters,
 * duplicate keys), and leaves claims that nobody here asks for alone, whatever their type. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/jwt.h"

#define JWT_SIZE_MAX ((size_t) 64 * 1024)
#define SECONDS_MAX (INT64_C(1) << 53)
#define AUDIENCES_MAX 64

JwtClaims *jwt_claims_free(JwtClaims *c) {
        if (!c)
                return NULL;
        free(c->alg);
        free(c->kid);
        free(c->typ);
        free(c->iss);
        free(c->sub);
        free(c->jti);
        strv_free(c->aud);
        free(c);
        return NULL;
}

static int refuse(const char **reterr, const char *what) {
        *reterr = what;
        return -EBADMSG;
}

/* C0, DEL and, in the UTF-8 form that the JSON scanner ensured, C1. */
static bool has_control_characters(const char *s) {
        for (; *s; s++) {
                uint8_t c = (uint8_t) s[0], next = (uint8_t) s[1];

                if (c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0))
                        return true;
        }
        return false;
}

static int copy_string(const char *value, char **ret, const char **reterr) {
        if (has_control_characters(value))
                return refuse(reterr, "a claim holds control characters");
        *ret = strdup(value);
        return *ret ? 0 : -ENOMEM;
}

/* What is no string is as if it were not there. */
static int take_string(json_object *o, const char *key, char **ret, const char **reterr) {
        const char *value;

        return json_get_string(o, key, &value) > 0 ? copy_string(value, ret, reterr) : 0;
}

static int64_t clamp(int64_t seconds) {
        if (seconds > SECONDS_MAX)
                return SECONDS_MAX;
        return seconds < -SECONDS_MAX ? -SECONDS_MAX : seconds;
}

static int64_t clamp_double(double seconds) {
        if (seconds > (double) SECONDS_MAX)
                return SECONDS_MAX;
        return seconds < -(double) SECONDS_MAX ? -SECONDS_MAX : (int64_t) seconds;
}

static void take_seconds(json_object *o, const char *key, bool *ret_has, int64_t *ret, bool *ret_malformed) {
        json_object *value = NULL;

        if (!json_object_object_get_ex(o, key, &value) || !value)
                return;
        *ret_has = json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
        *ret_malformed = !*ret_has;
        if (json_object_is_type(value, json_type_int))
                *ret = clamp(json_object_get_int64(value));
        else if (*ret_has)
                *ret = clamp_double(json_object_get_double(value));
}

static int take_audience(json_object *o, JwtClaims *c, const char **reterr) {
        json_object *value = NULL;
        size_t n = 1;

        if (!json_object_object_get_ex(o, "aud", &value))
                return 0;
        if (json_object_is_type(value, json_type_array))
                n = json_object_array_length(value);
        if (n > AUDIENCES_MAX)
                return refuse(reterr, "more than 64 audiences");
        for (size_t i = 0; i < n; i++) {
                json_object *one = value;
                char *copy = NULL;
                int r;

                if (json_object_is_type(value, json_type_array))
                        one = json_object_array_get_idx(value, i);
                if (!json_object_is_type(one, json_type_string))
                        continue;
                r = copy_string(json_object_get_string(one), &copy, reterr);
                if (r >= 0)
                        r = strv_consume(&c->aud, copy);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_header(json_object *o, JwtClaims *c, const char **reterr) {
        int r;

        r = take_string(o, "alg", &c->alg, reterr);
        if (r >= 0)
                r = take_string(o, "kid", &c->kid, reterr);
        if (r >= 0)
                r = take_string(o, "typ", &c->typ, reterr);
        return r;
}

static int take_payload(json_object *o, JwtClaims *c, const char **reterr) {
        bool ignored = false;
        int r;

        /* A null is there, and is no string. */
        c->sub_present = json_object_object_get_ex(o, "sub", NULL);
        r = take_string(o, "iss", &c->iss, reterr);
        if (r >= 0)
                r = take_string(o, "sub", &c->sub, reterr);
        if (r >= 0)
                r = take_string(o, "jti", &c->jti, reterr);
        if (r >= 0)
                r = take_audience(o, c, reterr);
        if (r < 0)
                return r;
        take_seconds(o, "iat", &c->has_iat, &c->iat, &c->iat_malformed);
        take_seconds(o, "exp", &c->has_exp, &c->exp, &c->exp_malformed);
        take_seconds(o, "nbf", &c->has_nbf, &c->nbf, &ignored);
        return 0;
}

typedef struct Segment {
        const char *text;
        size_t size;
        const char *not_base64, *not_json;
        int (*take)(json_object *o, JwtClaims *c, const char **reterr);
} Segment;

static int read_segment(const Segment *s, JwtClaims *c, const char **reterr) {
        _cleanup_json_erase_ json_object *o = NULL;
        _cleanup_secret_ Secret *decoded = NULL;
        struct iovec bytes;
        int r;

        r = base64url_decode(s->text, s->size, &decoded);
        if (r == -EBADMSG)
                return refuse(reterr, s->not_base64);
        if (r < 0 || !s->take)
                return r;
        bytes = secret_peek(decoded);
        r = json_parse(bytes.iov_base, bytes.iov_len, &o, NULL);
        if (r == -EBADMSG || (r >= 0 && !json_object_is_type(o, json_type_object)))
                return refuse(reterr, s->not_json);
        return r < 0 ? r : s->take(o, c, reterr);
}

int jwt_parse(const char *text, size_t size, JwtClaims **ret, const char **reterr) {
        _cleanup_jwt_ JwtClaims *c = NULL;
        const char *first, *second;
        Segment segments[3];

        if (size > JWT_SIZE_MAX) {
                *reterr = "longer than 64 KiB";
                return -EFBIG;
        }
        first = size > 0 ? memchr(text, '.', size) : NULL;
        second = first ? memchr(first + 1, '.', (size_t) (text + size - first) - 1) : NULL;
        if (!second || memchr(second + 1, '.', (size_t) (text + size - second) - 1))
                return refuse(reterr, "not three segments");
        segments[0] = (Segment){ text, (size_t) (first - text), "header is not base64url",
                                 "header is not a JSON object", take_header };
        segments[1] = (Segment){ first + 1, (size_t) (second - first) - 1, "payload is not base64url",
                                 "payload is not a JSON object", take_payload };
        segments[2] = (Segment){ second + 1, (size_t) (text + size - second) - 1,
                                 "signature is not base64url", NULL, NULL };
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(segments); i++) {
                int r = read_segment(segments + i, c, reterr);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(c);
        return 0;
}

bool jwt_has_audience(const JwtClaims *c, const char *audience) {
        return strv_contains(c->aud, audience);
}
