/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The simplest of all sources: the identity came with the request, for the worker may read no file of the
 * host.
 *
 * Owns a copy until its handler was called, from the event loop like that of every other source. Does not
 * judge what it passes on; an empty file is an empty token. */

#include "worker/identity/file.h"

typedef struct FileRun {
        sd_event_source *source;
        Secret *token;
        SourceHandler handler;
        void *userdata;
} FileRun;

static void file_free(void *run) {
        FileRun *f = run;

        if (!f)
                return;
        sd_event_source_disable_unref(f->source);
        secret_free(f->token);
        free(f);
}

static int on_turn(sd_event_source *source, void *userdata) {
        FileRun *f = userdata;

        f->handler(0, TAKE_PTR(f->token), NULL, f->userdata);
        return 0;
}

static int file_start(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run) {
        FileRun *f;
        int r;

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->handler = handler;
        f->userdata = userdata;
        r = q->request->token ? secret_dup(q->request->token, &f->token) : secret_new("", 0, &f->token);
        if (r >= 0)
                r = sd_event_add_defer(q->context->event, &f->source, on_turn, f);
        if (r < 0) {
                file_free(f);
                return r;
        }
        *ret_run = f;
        return 0;
}

/* Who writes such files: spiffe-helper, kubelet, agents of vaults. What is not here is said of token files
 * by the reasons themselves. */
const IdentitySourceType identity_file = {
        .name = "file",
        .start = file_start,
        .free = file_free,
        .remedies = {
                [LINT_ALGORITHM] = "Let the issuer of the tokens in TokenFile= sign them with an RSA key, "
                                   "by RS256 or RS384 (SPIRE: jwt_key_type = \"rsa-2048\" in the server's "
                                   "configuration; Kubernetes: --service-account-signing-key-file of the "
                                   "API server)",
                [LINT_NO_ISSUER] = "Let the issuer of the tokens in TokenFile= put its own https:// address "
                                   "into them, 'iss' (SPIRE: jwt_issuer in the server's configuration)",
                [LINT_ISSUER] = "Give the issuer of the tokens in TokenFile= an https:// address that the "
                                "registry reaches (SPIRE: jwt_issuer; Kubernetes: "
                                "--service-account-issuer of the API server)",
                [LINT_AUDIENCE] = "Let the program that writes TokenFile= ask for the audience in Audience= "
                                  "(spiffe-helper: jwt_audience; projected volume: audience), or correct "
                                  "Audience=",
        },
};

static const char not_one_jwt[] =
        "Put exactly one JWT into the credential that Credential= of the identity names ('systemd-creds "
        "encrypt'), and restart pullauthd.service";

/* Credentials stay as they were when the service started. */
const IdentitySourceType identity_credential = {
        .name = "credential",
        .start = file_start,
        .free = file_free,
        .remedies = {
                [LINT_EMPTY] = not_one_jwt,
                [LINT_MALFORMED] = not_one_jwt,
                [LINT_ALGORITHM] = "Put a token into the credential that was signed with an RSA key, by "
                                   "RS256 or RS384, and restart pullauthd.service",
                [LINT_ISSUER] = "Put a token of an issuer with an https:// address into the credential, and "
                                "restart pullauthd.service; Quay asks no other",
                [LINT_AUDIENCE] = "Get a token for the audience in Audience= and put it into the "
                                  "credential, or correct Audience=",
                [LINT_EXPIRED] = "Put a new token into the credential and restart pullauthd.service, which "
                                 "gets it at its start alone; a token that somebody renews wants "
                                 "Source=file",
        },
};
