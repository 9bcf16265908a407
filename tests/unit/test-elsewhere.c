/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* At other registries nobody is told to look after Quay. */

#include "unit.h"

#include "worker/exchange/elsewhere.h"

static void no_hint_at_the_registry_speaks_of_quay(void **state) {
        static const Reason at_registry[] = {
                REASON_NAME_RESOLUTION,  REASON_CONNECTION_FAILED,     REASON_CONNECTION_LOST,
                REASON_TIMEOUT,          REASON_TLS_UNTRUSTED,         REASON_TLS_HOST_MISMATCH,
                REASON_TLS_FAILED,       REASON_TLS_CERTIFICATE_DATES, REASON_RATE_LIMITED,
                REASON_REGISTRY_ERROR,   REASON_REGISTRY_CLOSED,       REASON_REGISTRY_REDIRECTED,
                REASON_ANSWER_MALFORMED, REASON_ANSWER_TOO_LARGE,      REASON_TOKEN_NOT_USABLE,
                REASON_NOT_FOUND,        REASON_CREDENTIAL_REFUSED,    REASON_REJECTED,
        };

        for (size_t i = 0; i < ELEMENTSOF(at_registry); i++) {
                const char *hint = elsewhere_advise(at_registry[i]) ?: reason_hint(at_registry[i]);

                if (strstr(hint, "Quay") || strstr(hint, "obot") || strstr(hint, "federation"))
                        fail_msg("%s: %s", reason_to_string(at_registry[i]), hint);
        }
}

static void what_needs_no_other_hint_has_none(void **state) {
        assert_null(elsewhere_advise(REASON_NAME_RESOLUTION));
        assert_null(elsewhere_advise(REASON_NONE));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_hint_at_the_registry_speaks_of_quay),
                cmocka_unit_test(what_needs_no_other_hint_has_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
