/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the two answers of an OIDC issuer that this program asks for.
 *
 * Owns the rule that a document speaks for its issuer only if it names it, to the last character: otherwise
 * whoever can answer for one path of a site could send a secret to an endpoint of his own. Whether an
 * endpoint is an https address is for who asks it. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "worker/oidc-answer.h"
#include "worker/source-failure.h"
#include "worker/token-document.h"

/* Of what a document says of itself, in a sentence. */
#define SHOWN_MAX 160

void oidc_issuer_done(OidcIssuer *i) {
        free(i->token_endpoint);
        free(i->mutual_tls_endpoint);
        free(i->authentication);
        *i = (OidcIssuer){};
}

int oidc_discovery_url(const char *issuer, char **ret) {
        size_t n = strlen(issuer);

        while (n > 0 && issuer[n - 1] == '/')
                n--;
        return text_format(ret, "%.*s/.well-known/openid-configuration", (int) n, issuer);
}

static int wrong_body(const HttpAnswer *a, const char *server, const char *what, Failure **reterr) {
        int r = source_failure_of_body(a, server, what, reterr);

        return r < 0 ? r : 1;
}

static int read_object(const HttpAnswer *a, const char *server, json_object **ret, Failure **reterr) {
        _cleanup_json_erase_ json_object *o = NULL;
        struct iovec body = secret_peek(a->body);
        int r;

        r = json_parse(body.iov_base, body.iov_len, &o, NULL);
        if (r == -EBADMSG || (r >= 0 && !json_object_is_type(o, json_type_object)))
                return wrong_body(a, server, "not in JSON", reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

static int other_issuer(const char *issuer, const char *named, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_free_ char *shown = NULL;
        int r;

        r = text_clean(named, strlen(named), SHOWN_MAX, &shown);
        if (r >= 0)
                r = failure_new(&f, STEP_IDENTITY, REASON_IDENTITY_SOURCE_REFUSED,
                                "The discovery document of the issuer '%s' is that of another one, '%s'",
                                issuer, shown);
        if (r >= 0)
                r = failure_set_hint(f,
                                     "Write into Issuer= of the identity what the document calls itself, to "
                                     "the last character (a trailing '/' counts), if that is the issuer "
                                     "you mean");
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

static int copy_address(json_object *o, const char *key, char **ret) {
        const char *s;

        return json_get_string(o, key, &s) > 0 && text_is_token(s) && s[0] ? free_and_strdup(ret, s) : 0;
}

static int read_methods(json_object *o, char **ret) {
        _cleanup_strv_ char **methods = NULL;
        json_object *list;
        int r = 0;

        if (json_get_array(o, "token_endpoint_auth_methods_supported", &list) <= 0)
                return 0;
        for (size_t i = 0; i < json_object_array_length(list) && r >= 0; i++) {
                json_object *item = json_object_array_get_idx(list, i);
                const char *s =
                        json_object_is_type(item, json_type_string) ? json_object_get_string(item) : "";

                if (s[0] && text_is_token(s))
                        r = strv_append(&methods, s);
        }
        return r < 0 || !methods ? r : strv_join(methods, ", ", ret);
}

static int read_endpoints(json_object *o, OidcIssuer *ret) {
        _cleanup_(oidc_issuer_done) OidcIssuer i = {};
        json_object *aliases;
        int r;

        r = copy_address(o, "token_endpoint", &i.token_endpoint);
        if (r >= 0 && json_get_object(o, "mtls_endpoint_aliases", &aliases) > 0)
                r = copy_address(aliases, "token_endpoint", &i.mutual_tls_endpoint);
        if (r >= 0)
                r = read_methods(o, &i.authentication);
        if (r < 0)
                return r;
        *ret = i;
        i = (OidcIssuer){};
        return 0;
}

int oidc_read_discovery(const char *issuer, const char *server, const HttpAnswer *a, OidcIssuer *ret,
                        Failure **reterr) {
        _cleanup_(oidc_issuer_done) OidcIssuer i = {};
        _cleanup_json_erase_ json_object *o = NULL;
        const char *named;
        int r;

        r = read_object(a, server, &o, reterr);
        if (r != 0)
                return r;
        if (json_get_string(o, "issuer", &named) <= 0)
                return wrong_body(a, server, "its discovery document names no issuer", reterr);
        if (!streq(named, issuer))
                return other_issuer(issuer, named, reterr);
        r = read_endpoints(o, &i);
        if (r < 0)
                return r;
        if (!i.token_endpoint)
                return wrong_body(a, server, "its discovery document names no token endpoint", reterr);
        *ret = i;
        i = (OidcIssuer){};
        return 0;
}

/* ID tokens are given to those who ask for one, and by many issuers to people only. */
static int no_token(const HttpAnswer *a, const char *server, const char *member, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        bool id_token = streq(member, "id_token");
        int r;

        r = source_failure_of_body(a, server, id_token ? "without an ID token" : "without an access token",
                                   &f);
        if (r >= 0 && id_token)
                r = failure_set_hint(f,
                                     "Let the issuer give ID tokens to this client (Scope= with 'openid' in "
                                     "it), or take the access token: IdToken=no");
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

int oidc_read_token(const char *server, const char *member, const HttpAnswer *a, Secret **ret,
                    Failure **reterr) {
        const char *what;
        int r;

        r = token_member_read(a->body, NULL, member, ret, NULL, &what);
        if (r == -ENOENT)
                return no_token(a, server, member, reterr);
        return r == -EBADMSG ? wrong_body(a, server, what, reterr) : r;
}
