/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the three forms in which AWS answers: a word, a JSON document, an XML document.
 *
 * Owns the words for STS's refusals. Of XML it knows no more than to find the text of an element that can be
 * there once: the service writes flat documents, and a token has no character in it that XML would write in
 * another way. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "worker/aws-answer.h"
#include "worker/http-words.h"

#define TEXT_MAX 256
#define KEY_MAX 4096
#define REGION_MAX 63

int aws_read_word(const Secret *body, size_t max, Secret **ret) {
        struct iovec bytes = secret_peek(body);
        const char *data = bytes.iov_base;
        size_t size = bytes.iov_len;

        while (size > 0 && strchr(WHITESPACE, data[size - 1]))
                size--;
        if (size == 0 || size > max)
                return -EBADMSG;
        for (size_t i = 0; i < size; i++)
                if (data[i] <= ' ' || data[i] > '~')
                        return -EBADMSG;
        return secret_new(data, size, ret);
}

int aws_read_region(const Secret *body, Secret **ret) {
        _cleanup_secret_ Secret *word = NULL;
        struct iovec bytes;
        int r;

        r = aws_read_word(body, REGION_MAX, &word);
        if (r < 0)
                return r;
        bytes = secret_peek(word);
        if (strspn(bytes.iov_base, "abcdefghijklmnopqrstuvwxyz0123456789-") != bytes.iov_len)
                return -EBADMSG;
        *ret = TAKE_PTR(word);
        return 0;
}

void aws_keys_done(AwsKeys *k) {
        secret_free(k->id);
        secret_free(k->key);
        secret_free(k->session);
        *k = (AwsKeys){};
}

/* A member that goes into a header line, or is signed with. */
static int take(json_object *o, const char *name, Secret **ret) {
        const char *s;

        if (json_get_string(o, name, &s) <= 0 || isempty(s) || !text_is_token(s) || strlen(s) > KEY_MAX)
                return -EBADMSG;
        return secret_new_string(s, ret);
}

int aws_read_keys(const Secret *body, AwsKeys *ret) {
        struct iovec bytes = secret_peek(body);
        _cleanup_json_erase_ json_object *o = NULL;
        _cleanup_(aws_keys_done) AwsKeys k = {};
        int r;

        r = json_parse(bytes.iov_base, bytes.iov_len, &o, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        r = take(o, "AccessKeyId", &k.id);
        if (r >= 0)
                r = take(o, "SecretAccessKey", &k.key);
        if (r >= 0)
                r = take(o, "Token", &k.session);
        if (r < 0)
                return r;
        *ret = k;
        k = (AwsKeys){};
        return 0;
}

/* The text between <NAME> and the next tag. An empty one if there is none. */
static struct iovec find(const Secret *body, const char *name) {
        struct iovec bytes = secret_peek(body);
        const char *data = bytes.iov_base, *end = data + bytes.iov_len, *text, *stop;
        char tag[64];
        size_t size;

        size = (size_t) snprintf(tag, sizeof(tag), "<%s>", name);
        text = bytes.iov_len > 0 ? memmem(data, bytes.iov_len, tag, size) : NULL;
        if (!text)
                return (struct iovec){};
        text += size;
        stop = memchr(text, '<', (size_t) (end - text));
        if (!stop)
                return (struct iovec){};
        return (struct iovec){ .iov_base = (char *) text, .iov_len = (size_t) (stop - text) };
}

int aws_read_token(const Secret *body, Secret **ret) {
        struct iovec token = find(body, "WebIdentityToken");

        return token.iov_len == 0 ? -EBADMSG : secret_new(token.iov_base, token.iov_len, ret);
}

static const struct {
        const char *code, *hint;
} hints[] = {
        { "AccessDenied", "Allow sts:GetWebIdentityToken to the role of this instance, for this audience" },
        { "OutboundWebIdentityFederationDisabled",
          "Enable outbound identity federation for the account (IAM, account settings)" },
        { "RequestExpired", "Check the clock of this host: STS takes what was signed in the last 5 min" },
        { "SignatureDoesNotMatch",
          "Check the clock of this host, Region= and STSEndpoint= of the identity, and that nothing on the "
          "way changes requests" },
        { "ExpiredToken", "Nothing: the keys of the role were just being renewed" },
        { "InvalidClientTokenId", "Check Region= of the identity: this region may have to be enabled" },
        { "JWTPayloadSizeExceeded", "Take tags off the role: they are in the token" },
        { "InvalidAction", "Check STSEndpoint= of the identity: it has to be a regional one" },
};

static int set_hint(struct iovec code, Failure *f) {
        for (size_t i = 0; i < ELEMENTSOF(hints); i++)
                if (code.iov_len == strlen(hints[i].code) &&
                    memcmp(code.iov_base, hints[i].code, code.iov_len) == 0)
                        return failure_set_hint(f, "%s", hints[i].hint);
        return 0;
}

static int shown(struct iovec text) {
        return (int) (text.iov_len < TEXT_MAX ? text.iov_len : TEXT_MAX);
}

/* Of a signature that does not fit the service repeats all that was to be signed, the session token
 * included; what to do is known by the code alone. */
int aws_explain_refusal(const Secret *body, const AwsKeys *keys, Failure *f) {
        const Secret *const secrets[] = { keys->id, keys->key, keys->session };
        struct iovec code = find(body, "Code"), text = find(body, "Message");
        _cleanup_free_ char *words = NULL;
        int r;

        if (code.iov_len == 0)
                return 0;
        r = text_format(&words, "%.*s: %.*s", shown(code), (const char *) code.iov_base, shown(text),
                        (const char *) text.iov_base);
        if (r >= 0)
                r = words_repeat(words, secrets, ELEMENTSOF(secrets));
        if (r == 0)
                r = failure_set_words(f, words, strlen(words));
        return r < 0 ? r : set_hint(code, f);
}
