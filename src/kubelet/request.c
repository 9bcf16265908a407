/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON from kubelet's side of a pipe.
 *
 * Owns the names of the annotations that a service account is asked for. Refuses other versions of the
 * API: an answer to a question that was half understood might hand out the wrong credential. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "kubelet/request.h"

/* The first one that a service account has; the second is what an earlier plugin for Quay reads. */
static const char *const annotations[] = { "pullauth.org/robot", "quay.io/federated-robot-account" };

void kubelet_request_done(KubeletRequest *q) {
        free(q->image);
        secret_free(q->token);
        free(q->robot);
        *q = (KubeletRequest){};
}

static int complain(const char **reterr, const char *what) {
        *reterr = what;
        return -EBADMSG;
}

static int check_kind(json_object *o, const char **reterr) {
        const char *version, *kind;

        if (json_get_string(o, "apiVersion", &version) <= 0 || json_get_string(o, "kind", &kind) <= 0)
                return complain(reterr, "The request has no apiVersion or no kind");
        if (!streq(version, KUBELET_API_VERSION))
                return complain(
                        reterr,
                        "The request is of another version of the API: set apiVersion: " KUBELET_API_VERSION
                        " in kubelet's CredentialProviderConfig");
        if (!streq(kind, "CredentialProviderRequest"))
                return complain(reterr, "The request is of another kind than CredentialProviderRequest");
        return 0;
}

static int read_token(json_object *o, KubeletRequest *q, const char **reterr) {
        const char *token;
        int r;

        r = json_get_string(o, "serviceAccountToken", &token);
        if (r < 0)
                return complain(reterr, "serviceAccountToken is no string");
        return r == 0 || isempty(token) ? 0 : secret_new_string(token, &q->token);
}

static int read_robot(json_object *o, KubeletRequest *q, const char **reterr) {
        json_object *found;
        const char *robot;
        int r;

        r = json_get_object(o, "serviceAccountAnnotations", &found);
        if (r < 0)
                return complain(reterr, "serviceAccountAnnotations is no object");
        for (size_t i = 0; r > 0 && i < ELEMENTSOF(annotations); i++) {
                int got = json_get_string(found, annotations[i], &robot);

                if (got < 0)
                        return complain(reterr, "An annotation of the service account is no string");
                if (got > 0 && !isempty(robot))
                        return free_and_strdup(&q->robot, robot);
        }
        return 0;
}

int kubelet_request_read(const Secret *bytes, KubeletRequest *ret, const char **reterr) {
        _cleanup_(kubelet_request_done) KubeletRequest q = {};
        _cleanup_json_erase_ json_object *o = NULL;
        struct iovec v = secret_peek(bytes);
        const char *image;
        int r;

        r = json_parse(v.iov_base, v.iov_len, &o, NULL);
        if (r == -EBADMSG || (r >= 0 && !json_object_is_type(o, json_type_object)))
                return complain(reterr, "What stands on standard input is no JSON object: kubelet runs this "
                                        "program, see pullauth-credential-provider(1)");
        if (r >= 0)
                r = check_kind(o, reterr);
        if (r < 0)
                return r;
        if (json_get_string(o, "image", &image) <= 0 || isempty(image))
                return complain(reterr, "The request names no image");
        r = free_and_strdup(&q.image, image);
        if (r >= 0)
                r = read_token(o, &q, reterr);
        if (r >= 0)
                r = read_robot(o, &q, reterr);
        if (r < 0)
                return r;
        *ret = q;
        q = (KubeletRequest){};
        return 0;
}
