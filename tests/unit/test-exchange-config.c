/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names of exchanges and the users that each takes. */

#include "unit.h"

#include "base/text.h"
#include "model/job-config.h"

static void each_exchange_has_a_name_and_is_found_by_it(void **state) {
        _cleanup_free_ char *names = NULL;

        assert_ok(exchange_kind_names(&names));
        for (ExchangeKind k = 0; k < _EXCHANGE_KIND_MAX; k++) {
                assert_int_equal(exchange_kind_from_string(exchange_kind_to_string(k)), k);
                assert_non_null(strstr(names, exchange_kind_to_string(k)));
        }
        assert_int_equal(exchange_kind_from_string("Quay"), _EXCHANGE_KIND_INVALID);
        assert_int_equal(exchange_kind_from_string(NULL), _EXCHANGE_KIND_INVALID);
        assert_null(exchange_kind_to_string(_EXCHANGE_KIND_MAX));
}

static void quay_takes_robot_accounts_and_others_any_user(void **state) {
        assert_true(exchange_user_is_valid(EXCHANGE_QUAY, "acme+edge"));
        assert_false(exchange_user_is_valid(EXCHANGE_QUAY, "serviceaccount"));
        assert_true(exchange_user_is_valid(EXCHANGE_TOKEN, "serviceaccount"));
        assert_true(exchange_user_is_valid(EXCHANGE_TOKEN, "00000000-0000-0000-0000-000000000000"));
        assert_false(exchange_user_is_valid(EXCHANGE_TOKEN, "kube:admin"));
        assert_false(exchange_user_is_valid(EXCHANGE_TOKEN, "two words"));
        assert_false(exchange_user_is_valid(EXCHANGE_TOKEN, ""));
        assert_false(exchange_user_is_valid(EXCHANGE_TOKEN, NULL));
}

static void each_key_is_there_once_and_takes_its_example(void **state) {
        _cleanup_(job_config_freep) JobConfig *c = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_conf_ Conf *conf = NULL;
        const SettingKey *keys;
        size_t n, size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        fprintf(f, "[Job]\nRegistry=q.example\nExchange=oauth2\nUsername=u\n[Exchange]\n");
        keys = exchange_key_all(&n);
        for (size_t i = 0; i < n; i++) {
                assert_ptr_equal(exchange_key_find(keys[i].key), keys + i);
                fprintf(f, "%s=%s\n", keys[i].key, keys[i].example);
        }
        assert_int_equal(fclose(f), 0);
        assert_ok(conf_new(&conf));
        assert_ok(conf_parse(conf, "x.job", text, size));
        assert_ok(job_config_new("x", conf, NULL, &c));
        /* Keys that exclude each other are complained about when all are there. */
        for (size_t i = 0; i < conf->n_messages; i++)
                assert_non_null(strstr(conf->messages[i].text, " one of "));
        for (size_t i = 0; i < n; i++)
                assert_non_null(settings_get(c->exchange_settings, keys[i].key));
        assert_null(exchange_key_find("tokenendpoint"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_exchange_has_a_name_and_is_found_by_it),
                cmocka_unit_test(quay_takes_robot_accounts_and_others_any_user),
                cmocka_unit_test(each_key_is_there_once_and_takes_its_example),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
