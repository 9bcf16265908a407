/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The readable parts of a JWT, unverified: for scheduling, linting and display.
 *
 * Owns the limits of what is read at all. Refuses to judge (model/lint does) and never looks at the signature,
 * but for its being base64url. */

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/jwt.h"

#define JWT_MAX (64 * 1024)
#define DATE_MAX (INT64_C(1) << 53)
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

bool jwt_has_audience(const JwtClaims *c, const char *audience) {
        return strv_contains(c->aud, audience);
}

static bool is_clean(const char *s) {
        for (; *s; s++)
                if ((unsigned char) *s < 0x20 || *s == 0x7f)
                        return false;
        return true;
}

/* A member that is no string is as if it were not there. */
static int take_string(json_object *o, const char *key, char **ret) {
        const char *s;

        if (json_get_string(o, key, &s) <= 0)
                return 0;
        if (!is_clean(s))
                return -EBADMSG;
        *ret = strdup(s);
        return *ret ? 0 : -ENOMEM;
}

static int64_t clamp(double d) {
        if (d >= (double) DATE_MAX)
                return DATE_MAX;
        return d <= -(double) DATE_MAX ? -DATE_MAX : (int64_t) d;
}

/* NumericDate (RFC 7519 §2): seconds, perhaps with a fraction. */
static void take_date(json_object *o, const char *key, bool *ret_has, int64_t *ret, bool *ret_malformed) {
        json_object *value;

        if (!json_object_object_get_ex(o, key, &value))
                return;
        if (json_object_is_type(value, json_type_int)) {
                int64_t i = json_object_get_int64(value);

                *ret = i > DATE_MAX ? DATE_MAX : i < -DATE_MAX ? -DATE_MAX : i;
        } else if (json_object_is_type(value, json_type_double) && !isnan(json_object_get_double(value)))
                *ret = clamp(json_object_get_double(value));
        else {
                *ret_malformed = true;
                return;
        }
        *ret_has = true;
}

static int take_audience_array(json_object *list, JwtClaims *c) {
        size_t n = json_object_array_length(list);

        if (n > AUDIENCES_MAX)
                return -EBADMSG;
        for (size_t i = 0; i < n; i++) {
                json_object *one = json_object_array_get_idx(list, i);
                int r;

                if (!json_object_is_type(one, json_type_string))
                        continue;
                if (!is_clean(json_object_get_string(one)))
                        return -EBADMSG;
                r = strv_append(&c->aud, json_object_get_string(one));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_audience(json_object *o, JwtClaims *c) {
        _cleanup_free_ char *one = NULL;
        json_object *list;
        int r;

        if (json_get_array(o, "aud", &list) > 0)
                return take_audience_array(list, c);
        r = take_string(o, "aud", &one);
        return r < 0 || !one ? r : strv_append(&c->aud, one);
}

/* Static texts, for one may be shown long after the token is gone. */
typedef struct Segment {
        const char *no_base64, *no_json, *no_object;
} Segment;

static int parse_segment(const char *text, size_t size, const Segment *words, json_object **ret, const char **reterr) {
        _cleanup_json_ json_object *o = NULL;
        _cleanup_secret_ Secret *bytes = NULL;
        struct iovec plain;
        int r;

        *reterr = words->no_base64;
        r = base64url_decode(text, size, &bytes);
        if (r < 0)
                return r;
        plain = secret_peek(bytes);
        *reterr = words->no_json;
        r = json_parse(plain.iov_base, plain.iov_len, &o, NULL);
        if (r < 0)
                return r;
        *reterr = words->no_object;
        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;
        *ret = TAKE_PTR(o);
        return 0;
}

static int take_header(json_object *o, JwtClaims *c) {
        int r;

        r = take_string(o, "alg", &c->alg);
        if (r >= 0)
                r = take_string(o, "kid", &c->kid);
        return r < 0 ? r : take_string(o, "typ", &c->typ);
}

static int take_payload(json_object *o, JwtClaims *c) {
        bool ignored = false;
        int r;

        r = take_string(o, "iss", &c->iss);
        if (r >= 0)
                r = take_string(o, "sub", &c->sub);
        if (r >= 0)
                r = take_string(o, "jti", &c->jti);
        if (r >= 0)
                r = take_audience(o, c);
        c->sub_present = json_object_object_get_ex(o, "sub", NULL);
        take_date(o, "iat", &c->has_iat, &c->iat, &c->iat_malformed);
        take_date(o, "exp", &c->has_exp, &c->exp, &c->exp_malformed);
        take_date(o, "nbf", &c->has_nbf, &c->nbf, &ignored);
        return r;
}

static int parse_segments(const char *header, const char *payload, const char *signature, const char *end,
                          JwtClaims *c, const char **reterr) {
        static const Segment header_words = { "header is not base64url", "header is not JSON",
                                              "header is not a JSON object" };
        static const Segment payload_words = { "payload is not base64url", "payload is not JSON",
                                               "payload is not a JSON object" };
        _cleanup_json_ json_object *head = NULL, *body = NULL;
        _cleanup_secret_ Secret *bytes = NULL;
        int r;

        r = parse_segment(header, (size_t) (payload - 1 - header), &header_words, &head, reterr);
        if (r >= 0)
                r = parse_segment(payload, (size_t) (signature - 1 - payload), &payload_words, &body, reterr);
        if (r < 0)
                return r;
        *reterr = "signature is not base64url";
        r = base64url_decode(signature, (size_t) (end - signature), &bytes);
        if (r < 0)
                return r;
        *reterr = "control characters in a claim";
        r = take_header(head, c);
        return r < 0 ? r : take_payload(body, c);
}

int jwt_parse(const char *text, size_t size, JwtClaims **ret, const char **reterr) {
        _cleanup_jwt_ JwtClaims *c = NULL;
        const char *first, *second, *end = text + size;
        int r;

        *reterr = "too long";
        if (size > JWT_MAX)
                return -EFBIG;
        *reterr = "not three segments";
        first = memchr(text, '.', size);
        second = first ? memchr(first + 1, '.', (size_t) (end - first - 1)) : NULL;
        if (!second || memchr(second + 1, '.', (size_t) (end - second - 1)))
                return -EBADMSG;
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        r = parse_segments(text, first + 1, second + 1, end, c, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}
