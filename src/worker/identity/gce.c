/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The identity token of a service account that is attached to this instance of Google Compute Engine.
 *
 * Owns the question and the words for its refusals. Google signs with RSA and names its issuer by itself, so
 * there is nothing to set up but the account. */

#include "base/text.h"
#include "codec/form.h"
#include "worker/identity/gce.h"
#include "worker/metadata.h"

#define PATH "/computeMetadata/v1/instance/service-accounts/"
/* What names of accounts are made of; it may stand in a path as it is. */
#define NAME "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._@"

static int target(const Request *q, char **ret) {
        const FormField fields[] = {
                { "audience", form_text(q->audience) },
                { "format", form_text("full") },
        };
        const char *account = request_setting(q, "ServiceAccount") ?: "default";
        _cleanup_secret_ Secret *query = NULL, *escaped = NULL;
        int r;

        r = form_encode(fields, ELEMENTSOF(fields), &query);
        if (r >= 0)
                r = form_escape(form_text(account), &escaped);
        if (r < 0)
                return r;
        if (account[strspn(account, NAME)])
                account = secret_peek(escaped).iov_base;
        return text_format(ret, PATH "%s/identity?%s", account, (const char *) secret_peek(query).iov_base);
}

static int explain(const Request *q, const HttpAnswer *a, Failure *f) {
        if (a->status != 404)
                return 0;
        if (request_setting(q, "ServiceAccount"))
                return failure_set_hint(f, "Attach the service account in ServiceAccount= to this instance");
        return failure_set_hint(f, "Attach a service account to this instance");
}

static const MetadataSource source = {
        .header = "Metadata-Flavor: Google",
        .target = target,
        .explain = explain,
};

static int gce_start(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run) {
        return metadata_source_start(&source, q, handler, userdata, ret_run);
}

/* Google signs by RS256 and names everything that Quay asks for. */
static const char not_google[] =
        "Check MetadataServer= of the identity, if it is there, and what answers in its place: the tokens "
        "of Google have all that Quay asks for, and the audience in Audience=";

const IdentitySourceType identity_gce = {
        .name = "gce",
        .start = gce_start,
        .free = metadata_source_free,
        .remedies = {
                [LINT_EMPTY] = not_google,
                [LINT_MALFORMED] = not_google,
                [LINT_TOO_LONG] = not_google,
                [LINT_ALGORITHM] = not_google,
                [LINT_NO_KEY_ID] = not_google,
                [LINT_NO_ISSUER] = not_google,
                [LINT_ISSUER] = not_google,
                [LINT_NO_SUBJECT] = not_google,
                [LINT_NO_DATES] = not_google,
                [LINT_AUDIENCE] = not_google,
                [LINT_EXPIRED] = "Check the clock of this host ('timedatectl'): the metadata service gives "
                                 "tokens that are still valid",
        },
};
