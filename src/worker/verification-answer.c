/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Judges a new credential by what the registry's token endpoint says to it: the exchange also succeeds for
 * robots that may not do anything.
 *
 * Refuses to let a missing permission stop a credential: a repository may be made tomorrow. A credential
 * that is not accepted at all is worth nothing. */

#include <string.h>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "model/name.h"
#include "worker/http-failure.h"
#include "worker/notice.h"
#include "worker/verification-answer.h"

/* Asked for where a job names no repository; Quay answers alike whether it exists or not. */
#define PROBE "pullauth-probe"

void verification_scope_done(VerificationScope *s) {
        free(s->text);
        free(s->repository);
        *s = (VerificationScope){};
}

/* "ns/repo" of "host/ns/repo", or NULL. Deeper paths are not names that every Quay takes. */
static const char *repository_of(const char *scope) {
        const char *path = strchr(scope, '/'), *slash = path ? strchr(path + 1, '/') : NULL;

        return slash && !strchr(slash + 1, '/') ? path + 1 : NULL;
}

static int namespace_of(char *const *scopes, const char *robot, char **ret) {
        const char *path = scopes && scopes[0] ? strchr(scopes[0], '/') : NULL;

        if (!path)
                return robot_namespace(robot, ret);
        path++;
        return text_format(ret, "%.*s", (int) strcspn(path, "/"), path);
}

int verification_scope_choose(char *const *scopes, const char *robot, VerificationScope *ret) {
        _cleanup_(verification_scope_done) VerificationScope s = {};
        _cleanup_free_ char *namespace = NULL;
        const char *repository = NULL;
        int r;

        STRV_FOREACH(scope, scopes) {
                repository = repository_of(*scope);
                if (repository)
                        break;
        }
        if (repository) {
                r = free_and_strdup(&s.repository, repository);
                if (r >= 0)
                        r = text_format(&s.text, "repository:%s:pull", repository);
        } else {
                r = namespace_of(scopes, robot, &namespace);
                if (r >= 0)
                        r = text_format(&s.text, "repository:%s/" PROBE ":pull", namespace);
        }
        if (r < 0)
                return r;
        *ret = s;
        s = (VerificationScope){};
        return 0;
}

static int fail_by_status(const char *registry, const HttpAnswer *a, const Words *w, Failure **reterr) {
        int r = http_failure_of_status(a, STEP_VERIFICATION, registry, w, reterr);

        return r < 0 ? r : 1;
}

static int no_challenge(char ***notices, const char *registry, const char *why) {
        int r = notice_add(notices, "The credential could not be tried: %s %s", registry, why);

        return r < 0 ? r : CHALLENGE_NONE;
}

int verification_read_challenge(const char *registry, const HttpAnswer *a, Challenge *ret, Failure **reterr,
                                char ***notices) {
        _cleanup_(challenge_done) Challenge c = {};
        _cleanup_(words_done) Words w = {};
        int r;

        if (a->status == 200)
                return no_challenge(notices, registry, "lets everyone in");
        if (a->status != 401) {
                r = words_read(a, NULL, 0, &w);
                return r < 0 ? r : fail_by_status(registry, a, &w, reterr);
        }
        r = challenge_parse(strempty(a->www_authenticate), &c);
        if (r == -ENOMEM)
                return r;
        if (r == 1)
                return CHALLENGE_BASIC;
        if (r < 0)
                return no_challenge(notices, registry, "names no token endpoint");
        if (!challenge_is_at(&c, registry))
                return no_challenge(notices, registry,
                                    "names a token endpoint at another host, where it was not sent");
        *ret = c;
        c = (Challenge){};
        return CHALLENGE_FOUND;
}

typedef struct Complaint {
        Reason reason;
        bool endpoint; /* of the token endpoint, not of the registry itself */
        const char *what;
} Complaint;

static int new_failure(const char *registry, const HttpAnswer *a, const Words *w, const Complaint *c,
                       Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = failure_new(&f, STEP_VERIFICATION, c->reason, "There is a credential, but %s%s %s",
                        c->endpoint ? "the token endpoint of " : "", registry, c->what);
        if (r >= 0)
                r = http_failure_complete(f, a, w);
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

static int refuse(const char *registry, const Credential *c, bool endpoint, const HttpAnswer *a,
                  Failure **reterr) {
        const Complaint refuses = { REASON_CREDENTIAL_REFUSED, endpoint, "refuses it" };
        _cleanup_(words_done) Words w = {};
        int r;

        r = words_read(a, (const Secret *const[]){ c->secret }, 1, &w);
        if (r < 0)
                return r;
        /* 405 with a message is Quay's word for a namespace that was disabled. */
        if (a->status == 401 || (a->status == 403 && !a->retry_after) ||
            (a->status == 405 && w.shape == WORDS_ERROR))
                return new_failure(registry, a, &w, &refuses, reterr);
        r = fail_by_status(registry, a, &w, reterr);
        if (r < 0 || a->status != 500)
                return r;
        r = failure_set_hint(
                *reterr,
                "The registry fails on a token that it has just made; its own log says why, ask its "
                "administrator if it lasts");
        return r < 0 ? r : 1;
}

/* The payload of the registry's token. It is for whoever serves the images; only the list of what it
 * allows is read. Returns 0 with *ret NULL if there is none to be read. */
static int read_access(const char *token, json_object **ret) {
        const char *start = strchr(token, '.'), *end = start ? strchr(start + 1, '.') : NULL;
        _cleanup_secret_ Secret *payload = NULL;
        int r;

        *ret = NULL;
        if (!end)
                return 0;
        r = base64url_decode(start + 1, (size_t) (end - start - 1), &payload);
        if (r >= 0)
                r = json_parse(secret_peek(payload).iov_base, secret_size(payload), ret, NULL);
        return r == -EBADMSG ? 0 : r;
}

static bool entry_allows_pull(json_object *entry, const char *repository) {
        json_object *actions;
        const char *name;

        if (!json_object_is_type(entry, json_type_object) || json_get_string(entry, "name", &name) <= 0 ||
            !streq(name, repository) || json_get_array(entry, "actions", &actions) <= 0)
                return false;
        for (size_t i = 0; i < json_object_array_length(actions); i++) {
                json_object *action = json_object_array_get_idx(actions, i);

                if (json_object_is_type(action, json_type_string) &&
                    (streq(json_object_get_string(action), "pull") ||
                     streq(json_object_get_string(action), "*")))
                        return true;
        }
        return false;
}

static int check_permission(const char *token, const char *registry, const char *robot,
                            const char *repository, char ***notices) {
        _cleanup_json_erase_ json_object *payload = NULL;
        json_object *access;
        int r;

        r = read_access(token, &payload);
        if (r < 0 || !payload)
                return r;
        if (!json_object_is_type(payload, json_type_object) ||
            json_get_array(payload, "access", &access) <= 0)
                return 0;
        for (size_t i = 0; i < json_object_array_length(access); i++)
                if (entry_allows_pull(json_object_array_get_idx(access, i), repository))
                        return 0;
        return notice_add(notices, "Robot account %s may not pull %s/%s, or there is no such repository",
                          robot, registry, repository);
}

int verification_read_entry(const char *registry, const Credential *c, const HttpAnswer *a,
                            Failure **reterr) {
        return a->status == 200 ? 0 : refuse(registry, c, /* endpoint= */ false, a, reterr);
}

int verification_read_answer(const char *registry, const Credential *c, const VerificationScope *scope,
                             const HttpAnswer *a, Failure **reterr, char ***notices) {
        const Complaint no_token = { REASON_ANSWER_MALFORMED, true, "answers with no token" };
        _cleanup_json_erase_ json_object *o = NULL;
        struct iovec body = secret_peek(a->body);
        const char *token;
        int r;

        if (a->status != 200)
                return refuse(registry, c, /* endpoint= */ true, a, reterr);
        r = json_parse(body.iov_base, body.iov_len, &o, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !json_object_is_type(o, json_type_object) ||
            (json_get_string(o, "token", &token) <= 0 && json_get_string(o, "access_token", &token) <= 0))
                return new_failure(registry, a, NULL, &no_token, reterr);
        return scope->repository ? check_permission(token, registry, c->user, scope->repository, notices)
                                 : 0;
}
