/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The places in which programs and services put a token, in one list.
 *
 * Owns that list, and erases the rest of what they said. Judges no
 * token: that is done in one place for all sources. */

#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "worker/token-document.h"

/* The first that is there counts. */
#define TOKEN_MAX (64 * 1024)

static const struct {
        const char *object; /* NULL: the document itself */
        const char *member;
} places[] = {
        { NULL, "token" },        { "status", "token" },        { NULL, "id_token" },
        { NULL, "access_token" }, { NULL, "WebIdentityToken" }, { NULL, "accessToken" },
};

static int find(json_object *document, Secret **ret) {
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                json_object *o = document;
                const char *token;

                if (places[i].object && json_get_object(document, places[i].object, &o) <= 0)
                        continue;
                if (json_get_string(o, places[i].member, &token) > 0)
                        return secret_new_string(token, ret);
        }
        return -ENOENT;
}

int token_document_read(Secret *text, Secret **ret) {
        _cleanup_secret_ Secret *owned = text;
        _cleanup_json_erase_ json_object *o = NULL;
        struct iovec bytes = secret_peek(owned);
        const char *data = bytes.iov_base;
        size_t size = bytes.iov_len;
        int r;

        while (size > 0 && data[0] && strchr(WHITESPACE, data[0])) {
                data++;
                size--;
        }
        while (size > 0 && data[size - 1] && strchr(WHITESPACE, data[size - 1]))
                size--;
        if (size == 0 || data[0] != '{')
                return secret_new(size > 0 ? data : "", size, ret);
        r = json_parse(data, size, &o, NULL);
        if (r < 0)
                return r;
        return json_object_is_type(o, json_type_object) ? find(o, ret) : -EBADMSG;
}

int token_member_read(const Secret *body, const char *in, const char *member, Secret **ret,
                      json_object **ret_document, const char **reterr_what) {
        _cleanup_json_erase_ json_object *o = NULL;
        struct iovec bytes = secret_peek(body);
        json_object *inner;
        const char *token;
        int r;

        r = json_parse(bytes.iov_base, bytes.iov_len, &o, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !json_object_is_type(o, json_type_object)) {
                *reterr_what = "not in JSON";
                return -EBADMSG;
        }
        inner = o;
        if ((in && json_get_object(o, in, &inner) <= 0) || json_get_string(inner, member, &token) <= 0) {
                *reterr_what = "without a token";
                return -ENOENT;
        }
        if (!text_is_token(token) || token[0] == '\0' || strlen(token) > TOKEN_MAX) {
                *reterr_what = "its token cannot be one";
                return -EBADMSG;
        }
        r = secret_new_string(token, ret);
        if (r >= 0 && ret_document)
                *ret_document = TAKE_PTR(o);
        return r;
}
