/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The documents of an issuer that is a web site, byte for byte: people compare them with what they
 * published. */

#include "unit.h"

#include "worker/issuer-documents.h"

static PublicKey first = { (char *) "bm90IGEgbW9kdWx1cw", (char *) "AQAB", (char *) "dGh1bWI" },
                 second = { (char *) "b3RoZXI", (char *) "AQAB", (char *) "c2Vjb25k" };

static void a_key_set_has_each_key_with_its_name(void **state) {
        const PublishedKey keys[] = { { &first, "2026-11", "RS256" }, { &second, NULL, "RS384" } };
        _cleanup_free_ char *text = NULL;

        assert_int_equal(issuer_jwks(keys, 2, &text), 0);
        assert_string_equal(text, "{\n"
                                  "  \"keys\": [\n"
                                  "    {\n"
                                  "      \"kty\": \"RSA\",\n"
                                  "      \"use\": \"sig\",\n"
                                  "      \"alg\": \"RS256\",\n"
                                  "      \"kid\": \"2026-11\",\n"
                                  "      \"n\": \"bm90IGEgbW9kdWx1cw\",\n"
                                  "      \"e\": \"AQAB\"\n"
                                  "    },\n"
                                  "    {\n"
                                  "      \"kty\": \"RSA\",\n"
                                  "      \"use\": \"sig\",\n"
                                  "      \"alg\": \"RS384\",\n"
                                  "      \"kid\": \"c2Vjb25k\",\n"
                                  "      \"n\": \"b3RoZXI\",\n"
                                  "      \"e\": \"AQAB\"\n"
                                  "    }\n"
                                  "  ]\n"
                                  "}");
}

static void discovery_names_the_issuer_to_the_last_character(void **state) {
        _cleanup_free_ char *text = NULL, *slash = NULL;

        assert_int_equal(issuer_discovery("https://keys.example.com/edge", "RS256", &text), 0);
        assert_string_equal(text, "{\n"
                                  "  \"issuer\": \"https://keys.example.com/edge\",\n"
                                  "  \"jwks_uri\": \"https://keys.example.com/edge/jwks.json\",\n"
                                  "  \"response_types_supported\": [\n"
                                  "    \"id_token\"\n"
                                  "  ],\n"
                                  "  \"subject_types_supported\": [\n"
                                  "    \"public\"\n"
                                  "  ],\n"
                                  "  \"id_token_signing_alg_values_supported\": [\n"
                                  "    \"RS256\"\n"
                                  "  ]\n"
                                  "}");
        assert_int_equal(issuer_discovery("https://keys.example.com/", "RS256", &slash), 0);
        assert_non_null(strstr(slash, "\"issuer\": \"https://keys.example.com/\""));
        assert_non_null(strstr(slash, "\"jwks_uri\": \"https://keys.example.com/jwks.json\""));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_key_set_has_each_key_with_its_name),
                cmocka_unit_test(discovery_names_the_issuer_to_the_last_character),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
