/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of settings, and what keys demand of each other. */

#include "unit.h"

#include "base/text.h"
#include "model/setting.h"

#define FILE_NAME "/etc/x"
#define ONE 1U
#define TWO 2U

static const SettingKey keys[] = {
        { "Alpha", ONE, ONE, SETTING_VALUE_TOKEN, "a" },
        { "Beta", ONE | TWO, 0, SETTING_VALUE_BOOL, "yes" },
        { "Gamma", ONE | TWO, 0, SETTING_VALUE_CHOICE, "x", .choices = "x y" },
        { "Delta", TWO, 0, SETTING_VALUE_FILE, "/d" },
};
static const SettingChoice choices[] = { { TWO, NULL, { "Beta", "Gamma" } } };
static const SettingCompanion companions[] = { { TWO, "Gamma", "y", "Delta" } };
static const SettingRules rules = { keys,       ELEMENTSOF(keys),      choices, ELEMENTSOF(choices),
                                    companions, ELEMENTSOF(companions) };

/* "Key=value" lines for one user; the messages, joined. */
static char *check(const char *text, unsigned user, char ***ret_settings) {
        _cleanup_strv_ char **settings = NULL;
        _cleanup_conf_ Conf *conf = NULL;
        char *all = NULL;

        assert_ok(conf_new(&conf));
        assert_ok(strv_append(&conf->files, FILE_NAME));
        assert_ok(conf_parse(conf, FILE_NAME, text, strlen(text)));
        for (size_t i = 0; i < conf->n_assignments; i++) {
                _cleanup_free_ char *complaint = NULL;

                for (size_t k = 0; k < ELEMENTSOF(keys); k++)
                        if (streq(keys[k].key, conf->assignments[i].key))
                                assert_ok(settings_take(&settings, keys + k, conf->assignments + i,
                                                        &complaint));
                if (complaint)
                        assert_ok(conf_add_message(conf, CONF_ERROR, FILE_NAME, 1, "%s", complaint));
        }
        assert_ok(settings_check(settings, &rules, user, "User=x", conf));
        assert_ok(text_format(&all, "%s", ""));
        for (size_t i = 0; i < conf->n_messages; i++) {
                _cleanup_free_ char *before = all;

                assert_ok(text_format(&all, "%s%s;", before, conf->messages[i].text));
        }
        if (ret_settings) {
                *ret_settings = settings;
                settings = NULL;
        }
        return all;
}

static void values_are_kept_in_canonical_form_and_later_lines_win(void **state) {
        _cleanup_strv_ char **settings = NULL;
        _cleanup_free_ char *said =
                check("[S]\nAlpha=1\nAlpha=2\nBeta=on\nBeta=no\nGamma=x\n", ONE, &settings);

        assert_string_equal(said, "");
        assert_string_equal(settings_get(settings, "Alpha"), "2");
        assert_null(settings_get(settings, "Beta"));
        assert_string_equal(settings_get(settings, "Gamma"), "x");
        assert_null(settings_get(NULL, "Alpha"));
}

static void what_is_wrong_missing_or_of_others_is_said(void **state) {
        static const struct {
                const char *text;
                unsigned user;
                const char *says;
        } rows[] = {
                { "[S]\nBeta=yes\n", ONE, "Alpha= is missing, User=x needs it, add for example Alpha=a" },
                { "[S]\nAlpha=1\nDelta=/d\n", ONE, "Delta= means nothing with User=x, ignoring" },
                { "[S]\nAlpha=1\nGamma=z\n", ONE, "Gamma=z is not valid, use one of: x y" },
                { "[S]\nAlpha=1\nAlpha=a b\n", ONE, "Alpha= is missing" },
                { "[S]\nDelta=/d\n", TWO, "User=x needs exactly one of Beta=, Gamma=" },
                { "[S]\nBeta=yes\nGamma=x\n", TWO, "User=x needs exactly one of Beta=, Gamma=" },
                { "[S]\nGamma=y\n", TWO, "Gamma=y needs Delta=" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *said = check(rows[i].text, rows[i].user, NULL);

                if (!strstr(said, rows[i].says))
                        fail_msg("'%s' does not say '%s'", said, rows[i].says);
        }
}

static void addresses_have_a_host_and_a_port_that_can_be(void **state) {
        static const char *const good[] = {
                "https://a",
                "https://a/",
                "https://a.example.com:8443/x?y#z",
                "https://my_host",
                "https://10.0.0.1",
                "https://[::1]:65535",
                "https://[fe80::1%25eth0]/x",
                "https://a?b@c",
        };
        static const char *const bad[] = {
                "",
                "https://",
                "https:///x",
                "http://a",
                "ftp://a",
                "https://:1",
                "https://a:",
                "https://a:0",
                "https://a:65536",
                "https://a:x",
                "https://a:123456789",
                "https://me:word@a",
                "https://[::1",
                "https://[]",
                "https://[::1]x",
                "https://a b",
                "https://{a}",
                "https://?x",
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                if (!setting_url_is_sane(good[i], false))
                        fail_msg("'%s' is refused", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (setting_url_is_sane(bad[i], false))
                        fail_msg("'%s' is taken", bad[i]);
        assert_true(setting_url_is_sane("http://169.254.169.254", true));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_are_kept_in_canonical_form_and_later_lines_win),
                cmocka_unit_test(addresses_have_a_host_and_a_port_that_can_be),
                cmocka_unit_test(what_is_wrong_missing_or_of_others_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
