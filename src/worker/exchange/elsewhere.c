/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The usual hints of failures at the registry speak of Quay, its issuers and its robot accounts. These do
 * not.
 *
 * Owns the sentences, and nothing else. */

#include "worker/exchange/elsewhere.h"

static const char wrong_place[] =
        "Check that Registry= names a container registry and that no proxy or portal answers in its place";

static const struct {
        Reason reason;
        const char *hint;
} hints[] = {
        { REASON_CREDENTIAL_REFUSED,
          "Check that the registry takes tokens of this issuer and audience as a password, and the user in "
          "Username=" },
        { REASON_NOT_FOUND,
          "Check that Registry= names a container registry: there has to be something at /v2/" },
        { REASON_ANSWER_MALFORMED, wrong_place },
        { REASON_ANSWER_TOO_LARGE, wrong_place },
        { REASON_REJECTED,
          "Check Registry=, Username= and what stands between this host and the registry; the registry's "
          "words say more" },
        { REASON_REGISTRY_ERROR, "Ask the registry's administrator if it lasts; its own log says why" },
        { REASON_REGISTRY_CLOSED,
          "Check that the registry is well, and what stands between it and this host (Proxy=)" },
        { REASON_TIMEOUT, "Check that the registry is well, and the network between it and this host" },
        { REASON_TOKEN_NOT_USABLE,
          "Check the clock of this host ('timedatectl') and the dates in the token ('pullauthctl "
          "identity')" },
};

const char *elsewhere_advise(Reason reason) {
        for (size_t i = 0; i < ELEMENTSOF(hints); i++)
                if (hints[i].reason == reason)
                        return hints[i].hint;
        return NULL;
}
