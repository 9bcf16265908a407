/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a registry says about its refusal comes as JSON in one of three forms, or as a page for people of
 * which the title alone is worth showing. Content types are not believed, the bytes are looked at.
 *
 * Refuses to pass on any piece of a secret: servers in between may quote the request in their answer. */

#include <string.h>
#include <strings.h>

#include "base/failure.h"
#include "base/text.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "worker/http-words.h"

/* So many equal characters in a row are no accident. Shorter than the signature of any JWT. */
#define PIECE 12

void words_done(Words *w) {
        free(w->text);
        *w = (Words){};
}

static bool repeats(const char *text, struct iovec secret) {
        size_t size = strlen(text), piece = secret.iov_len < PIECE ? secret.iov_len : PIECE;

        for (size_t i = 0; i + piece <= size; i++)
                if (memmem(secret.iov_base, secret.iov_len, text + i, piece))
                        return true;
        return false;
}

/* Basic authentication sends the secret in base64, behind a user name and a colon of any length: the
 * encoding of its tail from each of the three possible phases covers them all. */
static int repeats_encoded(const char *text, struct iovec secret) {
        for (size_t skip = 0; skip < 3 && skip < secret.iov_len; skip++) {
                _cleanup_secret_ Secret *encoded = NULL;
                int r;

                r = base64_encode((const char *) secret.iov_base + skip, secret.iov_len - skip, &encoded);
                if (r < 0)
                        return r;
                if (repeats(text, secret_peek(encoded)))
                        return 1;
        }
        return 0;
}

int words_repeat(const char *text, const Secret *const *secrets, size_t n_secrets) {
        for (size_t i = 0; i < n_secrets; i++) {
                struct iovec secret = secret_peek(secrets[i]);
                int r;

                if (secret.iov_len == 0)
                        continue;
                if (repeats(text, secret))
                        return 1;
                r = repeats_encoded(text, secret);
                if (r != 0)
                        return r;
        }
        return 0;
}

static const char *first_error(json_object *o) {
        json_object *errors, *first;
        const char *s;

        if (json_get_array(o, "errors", &errors) <= 0 || json_object_array_length(errors) == 0)
                return NULL;
        first = json_object_array_get_idx(errors, 0);
        return json_object_is_type(first, json_type_object) && json_get_string(first, "message", &s) > 0
                       ? s
                       : NULL;
}

static WordsShape read_object(json_object *o, const char **ret) {
        const char *s;

        /* "error_message" is of Quay's REST API. */
        if (json_get_string(o, "message", &s) > 0 || json_get_string(o, "error_message", &s) > 0) {
                *ret = s;
                return WORDS_MESSAGE;
        }
        if (json_get_string(o, "error", &s) > 0 || (s = first_error(o))) {
                *ret = s;
                return WORDS_ERROR;
        }
        return WORDS_NONE;
}

/* OAuth has a code, which is a word, and sometimes a sentence beside it (RFC 6749 section 5.2). */
static int join(json_object *o, const char *said, char **ret) {
        _cleanup_free_ char *joined = NULL;
        const char *more;
        int r;

        if (json_get_string(o, "error_description", &more) <= 0)
                return text_clean(said, strlen(said), FAILURE_TEXT_MAX, ret);
        r = text_format(&joined, "%s: %s", said, more);
        return r < 0 ? r : text_clean(joined, strlen(joined), FAILURE_TEXT_MAX, ret);
}

static int read_json(struct iovec body, char **ret_text, Words *w) {
        _cleanup_json_erase_ json_object *o = NULL;
        const char *said = NULL;
        bool read_only;
        int r;

        r = json_parse(body.iov_base, body.iov_len, &o, NULL);
        if (r < 0)
                return r;
        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;
        w->read_only = json_get_bool(o, "is_readonly", &read_only) > 0 && read_only;
        w->shape = read_object(o, &said);
        if (w->shape == WORDS_NONE)
                return 0;
        if (w->shape == WORDS_ERROR)
                return join(o, said, ret_text);
        return text_clean(said, strlen(said), FAILURE_TEXT_MAX, ret_text);
}

static const char *find(const char *data, size_t size, const char *what) {
        size_t n = strlen(what);

        for (size_t i = 0; i + n <= size; i++)
                if (strncasecmp(data + i, what, n) == 0)
                        return data + i;
        return NULL;
}

static int read_title(struct iovec body, char **ret_text, Words *w) {
        const char *data = body.iov_base, *end = data + body.iov_len;
        const char *start = find(data, body.iov_len, "<title>"), *stop;

        if (!start)
                return 0;
        start += strlen("<title>");
        stop = find(start, (size_t) (end - start), "</title>");
        if (!stop)
                return 0;
        w->shape = WORDS_TITLE;
        return text_clean(start, (size_t) (stop - start), FAILURE_TEXT_MAX, ret_text);
}

int words_read(const HttpAnswer *a, const Secret *const *secrets, size_t n_secrets, Words *ret) {
        _cleanup_(words_done) Words w = {};
        struct iovec body = secret_peek(a->body);
        int r;

        r = read_json(body, &w.text, &w);
        if (r == -EBADMSG)
                r = read_title(body, &w.text, &w);
        if (r < 0)
                return r;
        if (w.text) {
                r = isempty(w.text) ? 1 : words_repeat(w.text, secrets, n_secrets);
                if (r < 0)
                        return r;
                if (r > 0) {
                        free(w.text);
                        w.text = NULL;
                        w.shape = WORDS_NONE;
                }
        }
        *ret = w;
        w = (Words){};
        return 0;
}
