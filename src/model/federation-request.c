/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Request and answer of pullauth-federate as bytes.
 *
 * A request is lines: token, proxy, a JSON object with what is no secret, the two federations, and the CA
 * file to the end. So neither secret goes through the JSON library, which would leave copies. An answer is
 * one JSON text: an array is the federation, an object the failure. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "model/federation-request.h"
#include "model/name.h"

void federation_request_done(FederationRequest *q) {
        free(q->registry);
        free(q->robot);
        secret_free(q->token);
        free(q->ca);
        secret_free(q->proxy);
        federation_done(&q->seen);
        federation_done(&q->wanted);
        *q = (FederationRequest){};
}

static int print_head(const FederationRequest *q, char **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        r = o ? json_put(o, "registry", json_object_new_string(q->registry)) : -ENOMEM;
        if (r >= 0)
                r = json_put(o, "robot", json_object_new_string(q->robot));
        if (r >= 0)
                r = json_put(o, "timeout_usec", json_object_new_uint64(q->timeout));
        if (r >= 0)
                r = json_put(o, "set", json_object_new_boolean(q->set));
        return r < 0 ? r : json_print(o, /* pretty= */ false, ret);
}

int federation_request_write(const FederationRequest *q, Secret **ret) {
        _cleanup_free_ char *head = NULL, *seen = NULL, *wanted = NULL, *rest = NULL;
        _cleanup_secret_ Secret *newline = NULL, *tail = NULL;
        int r;

        r = print_head(q, &head);
        if (r >= 0)
                r = federation_print(&q->seen, &seen);
        if (r >= 0)
                r = federation_print(&q->wanted, &wanted);
        if (r >= 0)
                r = text_format(&rest, "\n%s\n%s\n%s\n%s", head, seen, wanted, strempty(q->ca));
        if (r >= 0)
                r = secret_new_string("\n", &newline);
        if (r >= 0)
                r = secret_new_string(rest, &tail);
        if (r >= 0)
                r = q->proxy ? secret_join((const Secret *const[]){ q->token, newline, q->proxy, tail }, 4,
                                           ret)
                             : secret_join((const Secret *const[]){ q->token, newline, tail }, 3, ret);
        return r;
}

/* The next line, without its end. Returns false if there is none. */
static bool next_line(struct iovec *rest, struct iovec *ret) {
        char *end = memchr(rest->iov_base, '\n', rest->iov_len);

        if (!end)
                return false;
        *ret = (struct iovec){ rest->iov_base, (size_t) (end - (char *) rest->iov_base) };
        *rest = (struct iovec){ end + 1, rest->iov_len - ret->iov_len - 1 };
        return true;
}

static int take_text(json_object *o, const char *key, bool (*is_valid)(const char *), char **p) {
        const char *text;

        if (json_get_string(o, key, &text) <= 0 || !is_valid(text))
                return -EBADMSG;
        return free_and_strdup(p, text);
}

static int read_head(struct iovec line, FederationRequest *q) {
        _cleanup_json_ json_object *o = NULL;
        int r;

        r = json_parse(line.iov_base, line.iov_len, &o, NULL);
        if (r >= 0)
                r = take_text(o, "registry", registry_is_valid, &q->registry);
        if (r >= 0)
                r = take_text(o, "robot", robot_is_valid, &q->robot);
        if (r >= 0)
                r = json_get_u64(o, "timeout_usec", &q->timeout);
        if (r >= 0)
                r = json_get_bool(o, "set", &q->set);
        return r < 0 ? r : 0;
}

/* What goes into a header line, or is a URL. */
static int read_secret(struct iovec line, Secret **ret) {
        _cleanup_secret_ Secret *s = NULL;
        int r;

        r = secret_new(line.iov_base, line.iov_len, &s);
        if (r < 0)
                return r;
        if (!secret_is_string(s) || !text_is_token(secret_peek(s).iov_base))
                return -EBADMSG;
        *ret = TAKE_PTR(s);
        return 0;
}

static int read_ca(struct iovec rest, char **ret) {
        if (rest.iov_len == 0)
                return 0;
        if (memchr(rest.iov_base, '\0', rest.iov_len))
                return -EBADMSG;
        *ret = strndup(rest.iov_base, rest.iov_len);
        return *ret ? 0 : -ENOMEM;
}

int federation_request_read(const Secret *bytes, FederationRequest *ret) {
        _cleanup_(federation_request_done) FederationRequest q = {};
        struct iovec rest = secret_peek(bytes), token, proxy, head, seen, wanted;
        const char *why;
        int r;

        if (!next_line(&rest, &token) || !next_line(&rest, &proxy) || !next_line(&rest, &head) ||
            !next_line(&rest, &seen) || !next_line(&rest, &wanted) || token.iov_len == 0 ||
            token.iov_len > FEDERATION_TOKEN_MAX)
                return -EBADMSG;
        r = read_secret(token, &q.token);
        if (r >= 0 && proxy.iov_len > 0)
                r = read_secret(proxy, &q.proxy);
        if (r >= 0)
                r = read_head(head, &q);
        if (r >= 0)
                r = federation_parse(seen.iov_base, seen.iov_len, &q.seen, &why);
        if (r >= 0)
                r = federation_parse(wanted.iov_base, wanted.iov_len, &q.wanted, &why);
        if (r >= 0)
                r = read_ca(rest, &q.ca);
        if (r < 0)
                return r;
        *ret = q;
        q = (FederationRequest){};
        return 0;
}

static int print_failure(const Failure *f, char **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        r = o ? json_put(o, "reason", json_object_new_string(reason_to_string(f->reason))) : -ENOMEM;
        if (r >= 0)
                r = json_put(o, "http_status", json_object_new_int(f->http_status));
        if (r >= 0)
                r = json_put(o, "message", json_object_new_string(f->message));
        if (r >= 0)
                r = json_put(o, "words", json_object_new_string(strempty(f->words)));
        if (r >= 0)
                r = json_put(o, "hint", json_object_new_string(failure_hint(f)));
        return r < 0 ? r : json_print(o, /* pretty= */ false, ret);
}

int federation_answer_write(const Federation *f, const Failure *failure, char **ret) {
        return failure ? print_failure(failure, ret) : federation_print(f, ret);
}

/* Returns 1, -EBADMSG, -ENOMEM. */
static int read_failure(json_object *o, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        const char *message, *words, *hint, *reason;
        uint64_t status = 0;
        int r;

        if (json_get_string(o, "message", &message) <= 0 || json_get_string(o, "words", &words) <= 0 ||
            json_get_string(o, "hint", &hint) <= 0 || json_get_string(o, "reason", &reason) <= 0 ||
            json_get_u64(o, "http_status", &status) < 0 || status > 999 || reason_from_string(reason) < 0)
                return -EBADMSG;
        r = failure_new(&f, STEP_CONFIGURATION, reason_from_string(reason), "%s", message);
        if (r >= 0 && !isempty(words))
                r = failure_set_words(f, words, strlen(words));
        if (r >= 0)
                r = failure_set_hint(f, "%s", hint);
        if (r < 0)
                return r;
        f->http_status = (int) status;
        *ret = TAKE_PTR(f);
        return 1;
}

int federation_answer_read(const Secret *bytes, Federation *ret, Failure **reterr) {
        _cleanup_json_ json_object *o = NULL;
        struct iovec text = secret_peek(bytes);
        const char *why;
        int r;

        r = json_parse(text.iov_base, text.iov_len, &o, NULL);
        if (r < 0)
                return r;
        return json_object_is_type(o, json_type_object)
                       ? read_failure(o, reterr)
                       : federation_parse(text.iov_base, text.iov_len, ret, &why);
}
