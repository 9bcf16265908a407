/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One Secret of a cluster: read, applied, patched, removed.
 *
 * Owns the form of these calls. An apply names all of what we want of the object, and takes fields from
 * other managers only where the object was ours before; a patch is a merge patch of the one key; both and
 * the removal hold only for the version that was read, so that nobody's change is lost in between. Of an
 * object that was read it takes no more than was asked for. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/form.h"
#include "codec/json.h"
#include "model/setting.h"
#include "worker/cluster-call.h"
#include "worker/cluster-failure.h"

#define QUERY "?fieldManager=" CLUSTER_MANAGER
/* Longer ones are none of ours. */
#define PAIR_MAX 4096

const char *cluster_call_method(const ClusterCall *c) {
        static const char *const methods[_CLUSTER_ACTION_MAX] = {
                [CLUSTER_READ] = "GET",
                [CLUSTER_APPLY] = "PATCH",
                [CLUSTER_PATCH] = "PATCH",
                [CLUSTER_REMOVE] = "DELETE",
        };

        return methods[c->action];
}

const char *cluster_call_content_type(const ClusterCall *c) {
        return c->action == CLUSTER_APPLY   ? "application/apply-patch+yaml"
               : c->action == CLUSTER_PATCH ? "application/merge-patch+json"
                                            : "application/json";
}

static const char *query(const ClusterCall *c) {
        if (c->action == CLUSTER_APPLY)
                return c->secret->uid ? QUERY "&force=true" : QUERY "&force=false";
        return c->action == CLUSTER_PATCH ? QUERY : "";
}

int cluster_call_url(const ClusterCall *c, char **ret) {
        _cleanup_secret_ Secret *namespace = NULL, *name = NULL;
        size_t n = strlen(c->server);
        int r;

        while (n > 0 && c->server[n - 1] == '/')
                n--;
        r = form_escape(form_text(c->namespace), &namespace);
        if (r >= 0)
                r = form_escape(form_text(c->secret->name), &name);
        if (r < 0)
                return r;
        return text_format(ret, "%.*s/api/v1/namespaces/%s/secrets/%s%s", (int) n, c->server,
                           (const char *) secret_peek(namespace).iov_base,
                           (const char *) secret_peek(name).iov_base, query(c));
}

static int put_string(json_object *o, const char *key, const char *value) {
        return json_put(o, key, json_object_new_string(value));
}

/* A new object in `o`, which has it. */
static int put_object(json_object *o, const char *key, json_object **ret) {
        *ret = json_object_new_object();
        return json_put(o, key, *ret);
}

static int put_pairs(json_object *o, const char *key, char *const *pairs) {
        json_object *object;
        int r;

        if (!pairs)
                return 0;
        r = put_object(o, key, &object);
        for (char *const *p = pairs; r >= 0 && p[0]; p += 2)
                r = put_string(object, p[0], p[1]);
        return r;
}

static int put_data(json_object *o, const Secret *text) {
        struct iovec bytes = secret_peek(text);
        _cleanup_secret_ Secret *encoded = NULL;
        json_object *data;
        int r;

        r = put_object(o, "data", &data);
        if (r >= 0)
                r = base64_encode(bytes.iov_base, bytes.iov_len, &encoded);
        return r < 0 ? r : put_string(data, CLUSTER_SECRET_KEY, secret_peek(encoded).iov_base);
}

/* What must still hold, nothing if the object is to be made. */
static int put_version(json_object *o, const ClusterSecret *s) {
        int r;

        if (!s->uid)
                return 0;
        r = put_string(o, "uid", s->uid);
        return r < 0 ? r : put_string(o, "resourceVersion", s->version);
}

static int fill_apply(const ClusterCall *c, json_object *o) {
        json_object *metadata;
        int r;

        r = put_string(o, "apiVersion", "v1");
        if (r >= 0)
                r = put_string(o, "kind", "Secret");
        if (r >= 0)
                r = put_object(o, "metadata", &metadata);
        if (r >= 0)
                r = put_string(metadata, "name", c->secret->name);
        if (r >= 0)
                r = put_string(metadata, "namespace", c->namespace);
        if (r >= 0)
                r = put_version(metadata, c->secret);
        if (r >= 0)
                r = put_pairs(metadata, "labels", c->secret->labels);
        if (r >= 0)
                r = put_pairs(metadata, "annotations", c->secret->annotations);
        if (r >= 0)
                r = put_string(o, "type", CLUSTER_SECRET_TYPE);
        return r < 0 ? r : put_data(o, c->secret->data);
}

static int fill_patch(const ClusterCall *c, json_object *o) {
        json_object *metadata;
        int r;

        r = put_object(o, "metadata", &metadata);
        if (r >= 0)
                r = put_version(metadata, c->secret);
        return r < 0 ? r : put_data(o, c->secret->data);
}

static int fill_remove(const ClusterCall *c, json_object *o) {
        json_object *preconditions;
        int r;

        r = put_string(o, "apiVersion", "v1");
        if (r >= 0)
                r = put_string(o, "kind", "DeleteOptions");
        if (r >= 0)
                r = put_object(o, "preconditions", &preconditions);
        return r < 0 ? r : put_version(preconditions, c->secret);
}

int cluster_call_body(const ClusterCall *c, Secret **ret) {
        _cleanup_json_erase_ json_object *o = NULL;
        char *text = NULL;
        int r;

        *ret = NULL;
        if (c->action == CLUSTER_READ)
                return 0;
        o = json_object_new_object();
        if (!o)
                return -ENOMEM;
        r = c->action == CLUSTER_APPLY   ? fill_apply(c, o)
            : c->action == CLUSTER_PATCH ? fill_patch(c, o)
                                         : fill_remove(c, o);
        if (r >= 0)
                r = json_print(o, /* pretty= */ false, &text);
        return r < 0 ? r : secret_new_take(text, strlen(text), ret);
}

/* Those of the names that were asked for; who asks compares, so one that cannot be told is as good as
 * another one. */
static int take_pairs(json_object *metadata, const char *key, char *const *asked, char ***ret) {
        json_object *object;
        int r = 0;

        if (json_get_object(metadata, key, &object) <= 0)
                return 0;
        for (char *const *p = asked; r >= 0 && p && p[0]; p += 2) {
                const char *value;

                if (json_get_string(object, p[0], &value) <= 0 || strlen(value) > PAIR_MAX)
                        continue;
                r = strv_append(ret, p[0]);
                if (r >= 0)
                        r = strv_append(ret, value);
        }
        return r < 0 ? r : 0;
}

/* Returns 0, also if the key is not there; -EBADMSG; -ENOMEM. */
static int take_data(json_object *o, Secret **ret) {
        json_object *data;
        const char *text;
        int r;

        r = json_get_object(o, "data", &data);
        if (r > 0)
                r = json_get_string(data, CLUSTER_SECRET_KEY, &text);
        return r <= 0 ? r : base64_decode(text, strlen(text), ret);
}

static int take_string(json_object *o, const char *key, char **p) {
        const char *s;
        int r;

        r = json_get_string(o, key, &s);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        return strlen(s) > PAIR_MAX ? -EBADMSG : free_and_strdup(p, s);
}

static int take_secret(const ClusterCall *c, json_object *o, ClusterSecret *ret) {
        json_object *metadata;
        const char *kind;
        int r;

        if (json_get_string(o, "kind", &kind) <= 0 || !streq(kind, "Secret") ||
            json_get_object(o, "metadata", &metadata) <= 0)
                return -EBADMSG;
        r = take_string(metadata, "name", &ret->name);
        if (r >= 0)
                r = streq(ret->name, c->secret->name) ? 0 : -EBADMSG;
        if (r >= 0)
                r = take_string(metadata, "uid", &ret->uid);
        if (r >= 0)
                r = take_string(metadata, "resourceVersion", &ret->version);
        if (r >= 0)
                r = text_is_token(ret->uid) && text_is_token(ret->version) ? 0 : -EBADMSG;
        if (r >= 0)
                r = take_string(o, "type", &ret->type);
        if (r >= 0)
                r = take_pairs(metadata, "labels", c->secret->labels, &ret->labels);
        if (r >= 0)
                r = take_pairs(metadata, "annotations", c->secret->annotations, &ret->annotations);
        return r < 0 ? r : take_data(o, &ret->data);
}

/* Returns 1 if the answer says that there is no such Secret: a web server that is none has 404s, too. */
static int says_missing(const HttpAnswer *a) {
        struct iovec body = secret_peek(a->body);
        _cleanup_json_erase_ json_object *o = NULL;
        json_object *details;
        const char *kind, *what;
        int r;

        if (a->status != 404)
                return 0;
        r = json_parse(body.iov_base, body.iov_len, &o, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return json_object_is_type(o, json_type_object) && json_get_string(o, "kind", &kind) > 0 &&
               streq(kind, "Status") && json_get_object(o, "details", &details) > 0 &&
               json_get_string(details, "kind", &what) > 0 && streq(what, "secrets");
}

static int read_found(const ClusterCall *c, const HttpAnswer *a, ClusterSecret **ret) {
        _cleanup_(cluster_secret_freep) ClusterSecret *s = NULL;
        struct iovec body = secret_peek(a->body);
        _cleanup_json_erase_ json_object *o = NULL;
        int r;

        r = json_parse(body.iov_base, body.iov_len, &o, NULL);
        if (r < 0)
                return r;
        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;
        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        r = take_secret(c, o, s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

int cluster_call_read(const ClusterCall *c, const HttpAnswer *a, ClusterSecret **ret, Failure **reterr) {
        int r;

        *ret = NULL;
        if (a->problem != HTTP_OK)
                return cluster_failure_of_problem(c, a, reterr);
        if (a->status == 200 || a->status == 201 || (a->status == 202 && c->action == CLUSTER_REMOVE)) {
                r = c->action == CLUSTER_READ ? read_found(c, a, ret) : 0;
                return r == -EBADMSG ? cluster_failure_of_body(c, a, reterr) : r;
        }
        r = c->action == CLUSTER_READ || c->action == CLUSTER_REMOVE ? says_missing(a) : 0;
        return r == 0 ? cluster_failure_of_status(c, a, reterr) : r < 0 ? r : 0;
}
