/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of identity keys holds together, and each of its examples is what it asks people to write. */

#include "unit.h"

#include "base/text.h"
#include "model/identity-config.h"

static void each_key_is_there_once_and_for_a_source(void **state) {
        const SettingKey *keys;
        size_t n;

        keys = identity_key_all(&n);
        for (size_t i = 0; i < n; i++) {
                assert_ptr_equal(identity_key_find(keys[i].key), keys + i);
                assert_true(keys[i].users != 0 && keys[i].users < IDENTITY_KEY_CLUSTER << 1);
                assert_int_equal(keys[i].required & ~keys[i].users, 0);
                assert_false(isempty(keys[i].example));
                assert_int_equal(!!keys[i].choices, keys[i].value == SETTING_VALUE_CHOICE);
                assert_int_equal(keys[i].seconds[1] > 0, keys[i].value == SETTING_VALUE_SPAN);
        }
        assert_null(identity_key_find("tokenfile"));
        assert_null(identity_key_find(""));
}

static void write_identity(FILE *f, IdentitySource s, const SettingKey *keys, size_t n) {
        fprintf(f, "[Identity]\nAudience=quay\nSource=%s\n", identity_source_to_string(s));
        for (size_t i = 0; i < n; i++)
                if (keys[i].users & 1U << s)
                        fprintf(f, "%s=%s\n", keys[i].key, keys[i].example);
        assert_int_equal(fclose(f), 0);
}

static void each_source_takes_all_of_its_examples(void **state) {
        const SettingKey *keys;
        size_t n;

        keys = identity_key_all(&n);
        for (IdentitySource s = 0; s < _IDENTITY_SOURCE_MAX; s++) {
                _cleanup_(identity_config_freep) IdentityConfig *c = NULL;
                _cleanup_free_ char *text = NULL;
                _cleanup_conf_ Conf *conf = NULL;
                size_t size;
                FILE *f = open_memstream(&text, &size);

                assert_non_null(f);
                write_identity(f, s, keys, n);
                assert_ok(conf_new(&conf));
                assert_ok(conf_parse(conf, "x.identity", text, size));
                assert_ok(identity_config_new("x", conf, &c));
                /* Keys that exclude each other are complained about when all are there. */
                for (size_t i = 0; i < conf->n_messages; i++)
                        assert_non_null(strstr(conf->messages[i].text, " one of "));
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(!!identity_config_get(c, keys[i].key), !!(keys[i].users & 1U << s));
        }
}

static void sockets_have_one_path(void **state) {
        char longest[] = "unix:///"
                         "12345678901234567890123456789012345678901234567890"
                         "12345678901234567890123456789012345678901234567890"
                         "1234567";

        assert_string_equal(setting_socket_path("unix:///run/a"), "/run/a");
        assert_string_equal(setting_socket_path("unix:/run/a"), "/run/a");
        assert_string_equal(setting_socket_path("/run/a"), "/run/a");
        assert_null(setting_socket_path(longest));
        longest[sizeof(longest) - 2] = '\0';
        assert_string_equal(setting_socket_path(longest), longest + strlen("unix://"));
        assert_null(setting_socket_path(""));
        assert_null(setting_socket_path("run/a"));
        assert_null(setting_socket_path("unix://"));
        assert_null(setting_socket_path("unix://host/a"));
        assert_null(setting_socket_path("tcp://127.0.0.1:8081"));
        assert_null(setting_socket_path("/run/a b"));
}

static void sources_and_their_words_belong_together(void **state) {
        _cleanup_free_ char *names = NULL;

        for (IdentitySource s = 0; s < _IDENTITY_SOURCE_MAX; s++)
                assert_int_equal(identity_source_from_string(identity_source_to_string(s)), s);
        assert_true(identity_source_from_string("File") < 0);
        assert_true(identity_source_from_string(NULL) < 0);
        assert_ok(identity_source_names(&names));
        assert_non_null(strstr(names, "file, credential"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_key_is_there_once_and_for_a_source),
                cmocka_unit_test(each_source_takes_all_of_its_examples),
                cmocka_unit_test(sockets_have_one_path),
                cmocka_unit_test(sources_and_their_words_belong_together),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
