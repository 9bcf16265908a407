/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each source that an identity can name is there, and has something to say of each mistake in a token. */

#include "unit.h"

#include <string.h>

#include "model/identity-key.h"
#include "worker/identity/sources.h"

static void each_source_that_can_be_named_is_there(void **state) {
        for (IdentitySource s = 0; s < _IDENTITY_SOURCE_MAX; s++) {
                const IdentitySourceType *t = identity_source_find(identity_source_to_string(s));

                assert_non_null(t);
                assert_string_equal(t->name, identity_source_to_string(s));
                assert_non_null(t->start);
                assert_non_null(t->free);
        }
        assert_null(identity_source_find("other"));
        assert_null(identity_source_find(""));
}

/* Where the issuer is somebody's own, what the lint says of its claims is all that can be said. */
static bool general_words_do(IdentitySource s, LintFinding finding) {
        static const bool of_issuers[_IDENTITY_SOURCE_MAX] = {
                [IDENTITY_FILE] = true,   [IDENTITY_CREDENTIAL] = true, [IDENTITY_EXEC] = true,
                [IDENTITY_SPIFFE] = true, [IDENTITY_OAUTH2] = true,
        };
        static const bool of_claims[_LINT_FINDING_MAX] = {
                [LINT_TOO_LONG] = true,   [LINT_NO_KEY_ID] = true, [LINT_NO_ISSUER] = true,
                [LINT_NO_SUBJECT] = true, [LINT_NO_DATES] = true,
        };

        /* The reasons themselves speak of token files. */
        return s == IDENTITY_FILE || (of_issuers[s] && of_claims[finding]);
}

static void assert_is_sentence(const char *remedy) {
        assert_in_range(strlen(remedy), 30, 250);
        assert_in_range(remedy[0], 'A', 'Z');
        assert_true(remedy[strlen(remedy) - 1] != '.');
        assert_null(strstr(remedy, "oken file"));
}

static void each_mistake_has_its_remedy_at_each_source(void **state) {
        for (IdentitySource s = 0; s < _IDENTITY_SOURCE_MAX; s++) {
                const IdentitySourceType *t = identity_source_find(identity_source_to_string(s));

                for (LintFinding i = 0; i < _LINT_FINDING_MAX; i++)
                        if (t->remedies[i])
                                assert_is_sentence(t->remedies[i]);
                        else if (!general_words_do(s, i))
                                fail_msg("%s has no remedy for finding %i", t->name, (int) i);
        }
}

/* What people search for, and what they have to change. */
static void remedies_name_what_is_to_be_changed(void **state) {
        static const struct {
                IdentitySource source;
                LintFinding finding;
                const char *named;
        } cases[] = {
                { IDENTITY_FILE, LINT_ALGORITHM, "--service-account-signing-key-file" },
                { IDENTITY_FILE, LINT_NO_ISSUER, "jwt_issuer" },
                { IDENTITY_CREDENTIAL, LINT_EXPIRED, "restart pullauthd.service" },
                { IDENTITY_EXEC, LINT_AUDIENCE, "--audience" },
                { IDENTITY_EXEC, LINT_MALFORMED, "\"token\"" },
                { IDENTITY_SPIFFE, LINT_ALGORITHM, "jwt_key_type = \"rsa-2048\"" },
                { IDENTITY_SPIFFE, LINT_ISSUER, "jwt_issuer" },
                { IDENTITY_SPIFFE, LINT_NO_ISSUER, "jwt_issuer" },
                { IDENTITY_KUBERNETES, LINT_ALGORITHM, "--service-account-signing-key-file" },
                { IDENTITY_KUBERNETES, LINT_ISSUER, "spec.serviceAccountIssuer" },
                { IDENTITY_KUBERNETES, LINT_AUDIENCE, "Server=" },
                { IDENTITY_OAUTH2, LINT_MALFORMED, "IdToken=yes" },
                { IDENTITY_OAUTH2, LINT_NO_SUBJECT, "client scope 'basic'" },
                { IDENTITY_SIGNED, LINT_ISSUER, "Issuer=" },
                { IDENTITY_SIGNED, LINT_EXPIRED, "Lifetime=" },
                { IDENTITY_GCE, LINT_ALGORITHM, "MetadataServer=" },
                { IDENTITY_GCE, LINT_EXPIRED, "timedatectl" },
                { IDENTITY_AZURE, LINT_AUDIENCE, "Resource=" },
                { IDENTITY_AZURE, LINT_TOO_LONG, "groupMembershipClaims" },
                { IDENTITY_AWS, LINT_ALGORITHM, "STSEndpoint=" },
                { IDENTITY_AWS, LINT_TOO_LONG, "tags" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *name = identity_source_to_string(cases[i].source);

                assert_non_null(
                        strstr(identity_source_find(name)->remedies[cases[i].finding], cases[i].named));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_source_that_can_be_named_is_there),
                cmocka_unit_test(each_mistake_has_its_remedy_at_each_source),
                cmocka_unit_test(remedies_name_what_is_to_be_changed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
