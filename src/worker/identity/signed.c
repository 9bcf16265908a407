/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signs a token with a key of this host, which the daemon handed over (PEM) or which is behind PKCS#11.
 *
 * Owns what the token says: issuer, subject and audience as configured, a life of minutes from now, a
 * random id. The key is opened, used and closed in a thread, since a device may take its time; keys in
 * devices one after the other. Who has the identity explained gets the documents as well that the
 * administrator publishes for the registry. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scalar.h"
#include "base/text.h"
#include "io/background.h"
#include "worker/identity/signed.h"
#include "worker/issuer-documents.h"
#include "worker/jwt-writer.h"
#include "worker/signing-key.h"

#define LIFETIME_DEFAULT (5 * USEC_PER_MINUTE)
#define LIFETIME_MAX USEC_PER_DAY

/* What the thread needs, and what it found. */
typedef struct Work {
        char *issuer, *subject, *audience, *algorithm, *key_id, *uri;
        Secret *pem, *pin;
        int64_t issued, expires;
        Secret *other;  /* a public key that is published as well, or NULL */
        bool documents; /* wanted */
        /* out: */
        Secret *token;
        char *discovery, *key_set;
        char *complaint;
} Work;

typedef struct SignedRun {
        Background *background;
        Answer *answer;
        SourceHandler handler;
        void *userdata;
} SignedRun;

static void work_release(void *data) {
        Work *w = data;

        if (!w)
                return;
        free(w->issuer);
        free(w->subject);
        free(w->audience);
        free(w->algorithm);
        free(w->key_id);
        free(w->uri);
        secret_free(w->pem);
        secret_free(w->pin);
        secret_free(w->other);
        secret_free(w->token);
        free(w->discovery);
        free(w->key_set);
        free(w->complaint);
        free(w);
}

static void signed_free(void *run) {
        SignedRun *s = run;

        if (!s)
                return;
        background_free(s->background);
        free(s);
}

/* Returns 0, 1 with a complaint, or a negative errno. */
static int sign(Work *w, SigningKey *key, const char *key_id) {
        _cleanup_free_ char *input = NULL;
        _cleanup_free_ void *signature = NULL;
        char id[TOKEN_ID_MAX];
        size_t size;
        int r;

        r = token_id_make(id);
        if (r >= 0)
                r = jwt_signing_input(
                        &(JwtDraft){
                                .algorithm = w->algorithm,
                                .key_id = key_id,
                                .issuer = w->issuer,
                                .subject = w->subject,
                                .audience = w->audience,
                                .id = id,
                                .issued = w->issued,
                                .expires = w->expires,
                        },
                        &input);
        if (r < 0)
                return r;
        r = signing_key_sign(key, w->algorithm, input, strlen(input), &signature, &size, &w->complaint);
        return r != 0 ? r : jwt_assemble(input, signature, size, &w->token);
}

/* Both keys of a change stand in the set, so that tokens of either are taken while caches still have the old
 * document. */
static int write_documents(Work *w, const PublicKey *public) {
        _cleanup_(public_key_done) PublicKey other = {};
        const PublishedKey keys[] = { { public, w->key_id, w->algorithm }, { &other, NULL, w->algorithm } };
        bool both = false;
        int r = 0;

        if (w->other) {
                r = public_key_read(w->other, &other, &w->complaint);
                if (r != 0)
                        return r;
                both = !streq(other.thumbprint, public->thumbprint);
        }
        r = issuer_jwks(keys, both ? 2 : 1, &w->key_set);
        return r < 0 ? r : issuer_discovery(w->issuer, w->algorithm, &w->discovery);
}

static int work(void *data) {
        _cleanup_(signing_key_freep) SigningKey *key = NULL;
        _cleanup_(public_key_done) PublicKey public = {};
        Work *w = data;
        const SigningKeyPlace place = { .pem = w->pem, .uri = w->uri, .pin = w->pin };
        int r;

        r = signing_key_open(&place, &key, &w->complaint);
        if (r == 0 && (!w->key_id || w->documents))
                r = signing_key_public(key, &public, &w->complaint);
        if (r == 0 && w->documents)
                r = write_documents(w, &public);
        return r != 0 ? r : sign(w, key, w->key_id ?: public.thumbprint);
}

static int complain(const Work *w, Failure **reterr) {
        int r;

        r = failure_new(reterr, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED, "%s", strempty(w->complaint));
        if (r >= 0)
                r = failure_set_hint(
                        *reterr, w->uri ? "Check KeyURI= and PINFile= of the identity, and that the worker "
                                          "gets at the device (pullauth.identity(5))"
                                        : "Check KeyFile= of the identity, PINFile= if the key wants one, "
                                          "and PublishedKeyFile=");
        return r < 0 ? r : 1;
}

static void on_signed(int r, void *data, void *userdata) {
        SignedRun *s = userdata;
        Work *w = data;
        Failure *f = NULL;

        if (r > 0)
                r = complain(w, &f);
        if (r == 0 && w->documents) {
                s->answer->discovery = TAKE_PTR(w->discovery);
                s->answer->key_set = TAKE_PTR(w->key_set);
        }
        s->handler(r, r == 0 ? TAKE_PTR(w->token) : NULL, f, s->userdata);
}

static int copy_secret(const Secret *from, Secret **to) {
        return from ? secret_dup(from, to) : 0;
}

static int fill(Work *w, const Request *q) {
        const char *lifetime = request_setting(q, "Lifetime");
        uint64_t life = LIFETIME_DEFAULT;
        int r;

        if (lifetime && parse_u64(lifetime, USEC_PER_SEC, LIFETIME_MAX, &life) < 0)
                return -EINVAL;
        r = free_and_strdup(&w->issuer, request_setting(q, "Issuer"));
        if (r >= 0)
                r = free_and_strdup(&w->subject, request_setting(q, "Subject"));
        if (r >= 0)
                r = free_and_strdup(&w->audience, q->audience);
        if (r >= 0)
                r = free_and_strdup(&w->algorithm, request_setting(q, "Algorithm") ?: "RS256");
        if (r >= 0)
                r = free_and_strdup(&w->key_id, request_setting(q, "KeyID"));
        if (r >= 0)
                r = free_and_strdup(&w->uri, request_setting(q, "KeyURI"));
        if (r >= 0)
                r = copy_secret(request_secret(q, "KeyFile"), &w->pem);
        if (r >= 0)
                r = copy_secret(request_secret(q, "PINFile"), &w->pin);
        if (r >= 0)
                r = copy_secret(request_secret(q, "PublishedKeyFile"), &w->other);
        if (r < 0)
                return r;
        w->documents = q->kind == REQUEST_EXPLAIN;
        w->issued = (int64_t) (now_real() / USEC_PER_SEC);
        w->expires = w->issued + (int64_t) (life / USEC_PER_SEC);
        return w->issuer && w->subject && (!w->pem) != (!w->uri) ? 0 : -EINVAL;
}

static int start_work(SignedRun *s, sd_event *event, Work *w) {
        static BackgroundLane devices = BACKGROUND_LANE_INIT;
        BackgroundJob job = { .work = work, .release = work_release, .data = w };

        if (signing_key_in_device(&(SigningKeyPlace){ .pem = w->pem, .uri = w->uri }))
                job.lane = &devices;
        return background_start(event, &job, on_signed, s, &s->background);
}

static int signed_start(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run) {
        SignedRun *s;
        Work *w;
        int r;

        s = calloc(1, sizeof(*s));
        w = calloc(1, sizeof(*w));
        if (!s || !w) {
                free(s);
                free(w);
                return -ENOMEM;
        }
        s->handler = handler;
        s->userdata = userdata;
        s->answer = q->answer;
        r = fill(w, q->request);
        if (r < 0)
                work_release(w);
        else
                r = start_work(s, q->context->event, w);
        if (r < 0) {
                free(s);
                return r;
        }
        *ret_run = s;
        return 0;
}

/* What this program cannot have written. */
static const char our_fault[] = "Report this as a bug of pullauthd, which made the token itself";

const IdentitySourceType identity_signed = {
        .name = "signed",
        .start = signed_start,
        .free = signed_free,
        .remedies = {
                [LINT_EMPTY] = our_fault,
                [LINT_MALFORMED] = our_fault,
                [LINT_TOO_LONG] = "Shorten Issuer=, Subject= and Audience= of the identity: Quay takes no "
                                  "token of more than about 6 KB",
                [LINT_ALGORITHM] = our_fault,
                [LINT_NO_KEY_ID] = our_fault,
                [LINT_NO_ISSUER] = our_fault,
                [LINT_ISSUER] = "Write an https:// address into Issuer= of the identity; Quay asks no other",
                [LINT_NO_SUBJECT] = our_fault,
                [LINT_NO_DATES] = our_fault,
                [LINT_AUDIENCE] = our_fault,
                [LINT_EXPIRED] = "Make Lifetime= of the identity longer than the device with the key takes "
                                 "to sign",
        },
};
