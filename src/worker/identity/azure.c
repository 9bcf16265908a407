/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A token that Azure issues to a managed identity of this machine, for an application of the tenant.
 *
 * Owns the question and the words for its refusals: the service is asked again where its documentation says
 * that it may be well soon. The token is kept by Azure for hours, which is nothing to us: it is asked for at
 * each attempt. */

#include "base/text.h"
#include "codec/form.h"
#include "worker/identity/azure.h"
#include "worker/metadata.h"

#define PATH "/metadata/identity/oauth2/token?"
#define VERSION "2018-02-01"

static int target(const Request *q, char **ret) {
        const FormField fields[] = {
                { "api-version", form_text(VERSION) },
                { "resource", form_text(request_setting(q, "Resource")) },
                { "client_id", form_text(request_setting(q, "ClientID")) },
                { "object_id", form_text(request_setting(q, "ObjectID")) },
                { "msi_res_id", form_text(request_setting(q, "ManagedIdentity")) },
        };
        _cleanup_secret_ Secret *query = NULL;
        int r;

        r = form_encode(fields, ELEMENTSOF(fields), &query);
        return r < 0 ? r : text_format(ret, PATH "%s", (const char *) secret_peek(query).iov_base);
}

static int explain(const Request *q, const HttpAnswer *a, Failure *f) {
        switch (a->status) {
        case 400:
                return failure_set_hint(
                        f, "Assign a managed identity to this machine (with several, choose one "
                           "by ClientID=, ObjectID= or ManagedIdentity=), and let Resource= be "
                           "an application that is registered in the tenant");
        case 404: /* while the service is renewed, says its documentation */
        case 410:
                f->reason = REASON_IDENTITY_SOURCE_FAILED;
                return failure_set_hint(f, "Nothing: the metadata service is being renewed, which takes a "
                                           "minute; if it stays, check MetadataServer= of the identity");
        default:
                return 0;
        }
}

static const MetadataSource source = {
        .header = "Metadata: true",
        .target = target,
        .explain = explain,
};

static int azure_start(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run) {
        return metadata_source_start(&source, q, handler, userdata, ret_run);
}

/* Entra signs by RS256 and names everything that Quay asks for. */
static const char not_entra[] =
        "Check MetadataServer= of the identity, if it is there, and what answers in its place: the tokens "
        "of Entra have all that Quay asks for";

const IdentitySourceType identity_azure = {
        .name = "azure",
        .start = azure_start,
        .free = metadata_source_free,
        .remedies = {
                [LINT_EMPTY] = not_entra,
                [LINT_MALFORMED] = "Name an application of your own in Resource= of the identity: tokens "
                                   "for services of Microsoft may be sealed for these",
                [LINT_TOO_LONG] = "Take groups and roles out of the tokens for the application in "
                                  "Resource= (groupMembershipClaims in its manifest)",
                [LINT_ALGORITHM] = not_entra,
                [LINT_NO_KEY_ID] = not_entra,
                [LINT_NO_ISSUER] = not_entra,
                [LINT_ISSUER] = not_entra,
                [LINT_NO_SUBJECT] = not_entra,
                [LINT_NO_DATES] = not_entra,
                [LINT_AUDIENCE] = "Make Audience= of the identity what tokens for Resource= have as 'aud': "
                                  "the application's id or its URI",
                [LINT_EXPIRED] = "Check the clock of this host ('timedatectl'): the metadata service gives "
                                 "tokens that are still valid",
        },
};
