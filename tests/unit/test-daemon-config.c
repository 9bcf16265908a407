/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pullauthd.conf: defaults, each key, and wrong values, of which none keeps the rest from counting. */

#include "unit.h"

#include "base/log.h"
#include "base/text.h"
#include "model/daemon-config.h"

static DaemonConfig *parse(const char *text, Conf **ret_conf) {
        Conf *conf = NULL;
        DaemonConfig *c = NULL;

        assert_ok(conf_new(&conf));
        assert_ok(conf_parse(conf, "pullauthd.conf", text, strlen(text)));
        assert_ok(daemon_config_new(conf, &c));
        *ret_conf = conf;
        return c;
}

static void nothing_is_complete(void **state) {
        _cleanup_(daemon_config_freep) DaemonConfig *c = NULL;
        _cleanup_conf_ Conf *conf = NULL;

        c = parse("", &conf);
        assert_int_equal(conf->n_messages, 0);
        assert_int_equal(c->log_level, LOG_INFO);
        assert_int_equal(c->ready_timeout, USEC_PER_MINUTE);
        assert_null(c->job_defaults.targets);
        assert_null(c->job_defaults.proxy);
        assert_int_equal(c->job_defaults.minimum_remaining, 0);
}

static void each_key_counts(void **state) {
        _cleanup_(daemon_config_freep) DaemonConfig *c = NULL;
        _cleanup_conf_ Conf *conf = NULL;

        c = parse("[Manager]\nLogLevel=debug\nReadyTimeout=0\nDefaultTargets=podman\n"
                  "DefaultProxy=http://proxy.example.com:3128\nDefaultMinimumRemaining=10min\n",
                  &conf);
        assert_int_equal(conf->n_messages, 0);
        assert_int_equal(c->log_level, LOG_DEBUG);
        assert_int_equal(c->ready_timeout, 0);
        assert_int_equal(strv_length(c->job_defaults.targets), 1);
        assert_string_equal(c->job_defaults.targets[0], "podman");
        assert_string_equal(c->job_defaults.proxy, "http://proxy.example.com:3128");
        assert_int_equal(c->job_defaults.minimum_remaining, 10 * USEC_PER_MINUTE);
}

static void empty_values_reset(void **state) {
        _cleanup_(daemon_config_freep) DaemonConfig *c = NULL;
        _cleanup_conf_ Conf *conf = NULL;

        c = parse(
                "[Manager]\nLogLevel=7\nLogLevel=\nReadyTimeout=3min\nReadyTimeout=\nDefaultTargets=podman\n"
                "DefaultTargets=\nDefaultProxy=https://proxy\nDefaultProxy=\nDefaultMinimumRemaining=1h\n"
                "DefaultMinimumRemaining=\n",
                &conf);
        assert_int_equal(conf->n_messages, 0);
        assert_int_equal(c->log_level, LOG_INFO);
        assert_int_equal(c->ready_timeout, USEC_PER_MINUTE);
        assert_int_equal(strv_length(c->job_defaults.targets), 0);
        assert_null(c->job_defaults.proxy);
        assert_int_equal(c->job_defaults.minimum_remaining, 0);
}

static void wrong_values_are_named_and_harm_nothing_else(void **state) {
        static const struct {
                const char *line, *says;
        } cases[] = {
                { "LogLevel=loud", "LogLevel=loud is no log level, use emerg" },
                { "LogLevel=8", "no log level" },
                { "ReadyTimeout=11min", "between 0s and 10min" },
                { "ReadyTimeout=infinity", "between 0s and 10min" },
                { "DefaultTargets=../x", "'../x' in DefaultTargets= is not valid" },
                { "DefaultProxy=proxy:3128", "DefaultProxy=proxy:3128 is no URL" },
                { "DefaultProxy=none", "DefaultProxy=none is no URL" },
                { "DefaultMinimumRemaining=8d", "between 1s and 7d" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(daemon_config_freep) DaemonConfig *c = NULL;
                _cleanup_free_ char *text = NULL;
                _cleanup_conf_ Conf *conf = NULL;

                assert_ok(
                        text_format(&text, "[Manager]\n%s\nReadyTimeout=5s\nLogLevel=err\n", cases[i].line));
                c = parse(text, &conf);
                assert_int_equal(conf->n_messages, 1);
                assert_int_equal(conf->messages[0].severity, CONF_ERROR);
                assert_int_equal(conf->messages[0].line, 2);
                assert_non_null(strstr(conf->messages[0].text, cases[i].says));
                assert_int_equal(c->ready_timeout, 5 * USEC_PER_SEC);
                assert_int_equal(c->log_level, LOG_ERR);
        }
}

static void unknown_targets_stand_all_the_same(void **state) {
        _cleanup_(daemon_config_freep) DaemonConfig *c = NULL;
        _cleanup_conf_ Conf *conf = NULL;

        c = parse("[Manager]\nDefaultTargets=nowhere\n", &conf);
        /* Whether there is such a target is for whoever holds them all. */
        assert_false(conf_has_error(conf));
        assert_true(strv_contains(c->job_defaults.targets, "nowhere"));
}

static void keys_of_jobs_are_unknown(void **state) {
        _cleanup_(daemon_config_freep) DaemonConfig *c = NULL;
        _cleanup_conf_ Conf *conf = NULL;

        c = parse("[Manager]\nProxy=http://proxy\n[Job]\nRegistry=quay.io\n", &conf);
        assert_int_equal(conf->n_messages, 2);
        assert_int_equal(conf->messages[0].severity, CONF_WARNING);
        assert_false(conf_has_error(conf));
        assert_null(c->job_defaults.proxy);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_complete),
                cmocka_unit_test(each_key_counts),
                cmocka_unit_test(empty_values_reset),
                cmocka_unit_test(wrong_values_are_named_and_harm_nothing_else),
                cmocka_unit_test(unknown_targets_stand_all_the_same),
                cmocka_unit_test(keys_of_jobs_are_unknown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
