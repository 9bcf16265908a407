/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one call of Kubernetes' API that is made: create a token for a service account, for one audience.
 *
 * Owns what each refusal of an API server means. Takes the token and nothing else of the answer: how long it
 * lives stands in the token itself. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/form.h"
#include "codec/json.h"
#include "model/identity-key.h"
#include "worker/source-failure.h"
#include "worker/token-document.h"
#include "worker/token-request.h"

int token_request_url(const TokenRequest *q, char **ret) {
        _cleanup_secret_ Secret *namespace = NULL, *account = NULL;
        size_t n = strlen(q->server);
        int r;

        while (n > 0 && q->server[n - 1] == '/')
                n--;
        r = form_escape(form_text(q->namespace), &namespace);
        if (r >= 0)
                r = form_escape(form_text(q->service_account), &account);
        if (r < 0)
                return r;
        return text_format(ret, "%.*s/api/v1/namespaces/%s/serviceaccounts/%s/token", (int) n, q->server,
                           (const char *) secret_peek(namespace).iov_base,
                           (const char *) secret_peek(account).iov_base);
}

static int add_string(json_object *o, const char *key, const char *value) {
        return json_put(o, key, json_object_new_string(value));
}

static int add_audience(json_object *spec, const char *audience) {
        json_object *list = json_object_new_array();
        int r;

        r = json_put(spec, "audiences", list);
        return r < 0 ? r : json_append(list, json_object_new_string(audience));
}

/* "Kind/name[/uid]", as model/identity-config let it through. */
static int add_bound_object(json_object *spec, const char *text) {
        _cleanup_free_ char *kind = NULL, *name = NULL;
        const char *slash = strchr(text, '/'), *end;
        json_object *o = json_object_new_object();
        int r;

        r = json_put(spec, "boundObjectRef", o);
        if (r < 0)
                return r;
        if (!slash)
                return -EINVAL;
        end = strchrnul(slash + 1, '/');
        kind = strndup(text, (size_t) (slash - text));
        name = strndup(slash + 1, (size_t) (end - slash - 1));
        if (!kind || !name)
                return -ENOMEM;
        r = add_string(o, "kind", kind);
        if (r >= 0)
                r = add_string(o, "apiVersion", "v1");
        if (r >= 0)
                r = add_string(o, "name", name);
        return r < 0 || !*end ? r : add_string(o, "uid", end + 1);
}

int token_request_body(const TokenRequest *q, char **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *spec = json_object_new_object();
        int r;

        if (!o) {
                json_object_put(spec);
                return -ENOMEM;
        }
        r = json_put(o, "spec", spec);
        if (r >= 0)
                r = add_string(o, "apiVersion", "authentication.k8s.io/v1");
        if (r >= 0)
                r = add_string(o, "kind", "TokenRequest");
        if (r >= 0)
                r = add_audience(spec, q->audience);
        if (r >= 0)
                r = json_put(spec, "expirationSeconds", json_object_new_int64((int64_t) q->seconds));
        if (r >= 0 && q->bound_object)
                r = add_bound_object(spec, q->bound_object);
        return r < 0 ? r : json_print(o, /* pretty= */ false, ret);
}

static int hint_of_status(const TokenRequest *q, int status, Failure *f) {
        switch (status) {
        case 400:
        case 409:
        case 422:
                return failure_set_hint(
                        f, "Check BoundObject= and Lifetime= of the identity (a cluster gives no "
                           "token for less than 10 min)");
        case 401:
                return failure_set_hint(
                        f, "Check TokenFile= or ClientCertificateFile= of the identity: the API "
                           "server does not take what this host shows, or not any more");
        case 403:
                return failure_set_hint(
                        f,
                        "Let whoever TokenFile= or ClientCertificateFile= stands for 'create' "
                        "'serviceaccounts/token' of '%s' in the namespace '%s', by a Role and a "
                        "RoleBinding",
                        q->service_account, q->namespace);
        case 404:
                return failure_set_hint(
                        f,
                        "Check ServiceAccount= ('%s') and Namespace= ('%s') of the identity, "
                        "and that Server= is the address of an API server",
                        q->service_account, q->namespace);
        }
        return 0;
}

/* Returns 1 with *reterr, or -ENOMEM. */
static int refused(const TokenRequest *q, const char *server, const HttpAnswer *a, const Secret *asker,
                   Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = source_failure_of_status(a, server, &asker, 1, &f);
        if (r >= 0)
                r = hint_of_status(q, a->status, f);
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

static int wrong_body(const HttpAnswer *a, const char *server, const char *what, Failure **reterr) {
        int r = source_failure_of_body(a, server, what, reterr);

        return r < 0 ? r : 1;
}

int token_request_read(const TokenRequest *q, const char *server, const HttpAnswer *a, const Secret *asker,
                       Secret **ret, Failure **reterr) {
        const char *what;
        int r;

        if (a->status != 200 && a->status != 201)
                return refused(q, server, a, asker, reterr);
        r = token_member_read(a->body, "status", "token", ret, NULL, &what);
        return r >= 0 || r == -ENOMEM ? r : wrong_body(a, server, what, reterr);
}
