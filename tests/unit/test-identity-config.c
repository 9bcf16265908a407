/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From *.identity text to an identity, or to a message that says what is missing. */

#include "unit.h"

#include "base/text.h"
#include "model/identity-config.h"

static Conf *parse(const char *text, IdentityConfig **ret) {
        Conf *conf = NULL;

        assert_ok(conf_new(&conf));
        assert_ok(strv_append(&conf->files, "/etc/pullauth/identities/x.identity"));
        assert_ok(conf_parse(conf, "/etc/pullauth/identities/x.identity", text, strlen(text)));
        assert_ok(identity_config_new("x", conf, ret));
        return conf;
}

static void a_whole_identity_is_taken(void **state) {
        _cleanup_(identity_config_freep) IdentityConfig *c = NULL, *copy = NULL;
        _cleanup_conf_ Conf *conf = parse("[Identity]\nSource=file\nTokenFile=/run/t\nAudience=quay\n", &c);

        assert_false(conf_has_error(conf));
        assert_int_equal(c->source, IDENTITY_FILE);
        assert_string_equal(c->token_file, "/run/t");
        assert_string_equal(c->audience, "quay");
        assert_ok(identity_config_dup(c, &copy));
        assert_true(identity_config_equal(c, copy));
        free(copy->audience);
        copy->audience = NULL;
        assert_false(identity_config_equal(c, copy));
}

static void what_is_missing_or_wrong_is_said(void **state) {
        static const struct {
                const char *text;
                const char *says;
        } rows[] = {
                { "[Identity]\n", "Source=" },
                { "[Identity]\nSource=file\n", "TokenFile=" },
                { "[Identity]\nSource=magic\nTokenFile=/a\n", "magic" },
                { "[Identity]\nSource=file\nTokenFile=a\n", "absolute" },
                { "[Identity]\nSource=file\nTokenFile=/a\nAudience=a b\n", "Audience=" },
                { "", "Source=" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(identity_config_freep) IdentityConfig *c = NULL;
                _cleanup_conf_ Conf *conf = parse(rows[i].text, &c);

                assert_true(conf_has_error(conf));
                assert_non_null(strstr(conf->messages[0].text, rows[i].says));
                assert_string_equal(conf->messages[0].file, "/etc/pullauth/identities/x.identity");
        }
}

static void sources_and_their_words_belong_together(void **state) {
        for (IdentitySource s = 0; s < _IDENTITY_SOURCE_MAX; s++)
                assert_int_equal(identity_source_from_string(identity_source_to_string(s)), s);
        assert_true(identity_source_from_string("File") < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_whole_identity_is_taken),
                cmocka_unit_test(what_is_missing_or_wrong_is_said),
                cmocka_unit_test(sources_and_their_words_belong_together),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
