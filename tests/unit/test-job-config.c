/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From *.job text to a job with all its defaults, or to messages. */

#include "unit.h"

#include "base/text.h"
#include "model/job-config.h"

#define FILE_NAME "/etc/pullauth/jobs/edge.job"

static Conf *parse(const char *text, JobConfig **ret) {
        Conf *conf = NULL;

        assert_ok(conf_new(&conf));
        assert_ok(strv_append(&conf->files, FILE_NAME));
        assert_ok(conf_parse(conf, FILE_NAME, text, strlen(text)));
        assert_ok(job_config_new("edge", conf, NULL, ret));
        return conf;
}

static void two_lines_make_a_complete_job(void **state) {
        _cleanup_(job_config_freep) JobConfig *c = NULL;
        _cleanup_conf_ Conf *conf = parse("[Job]\nRegistry=quay.example.com:8443\nRobot=acme+edge\n", &c);
        char *const scopes[] = { (char *) "quay.example.com:8443/acme", NULL };
        char *const targets[] = { (char *) "system", (char *) "podman", NULL };

        assert_int_equal(conf->n_messages, 0);
        assert_string_equal(c->name, "edge");
        assert_string_equal(c->identity, "default");
        assert_true(strv_equal(c->scopes, scopes));
        assert_true(strv_equal(c->targets, targets));
        assert_true(c->enabled);
        assert_false(c->take_over);
        assert_int_equal(c->on_remove, ON_REMOVE_WITHDRAW);
        assert_int_equal(c->minimum_remaining, 0);
}

/* Parses a job with `more` and these defaults. */
static JobConfig *with_defaults(const JobDefaults *defaults, const char *more) {
        _cleanup_free_ char *text = NULL;
        _cleanup_conf_ Conf *conf = NULL;
        JobConfig *c = NULL;

        assert_ok(text_format(&text, "[Job]\nRegistry=q.example\nRobot=a+b\n%s", more));
        assert_ok(conf_new(&conf));
        assert_ok(conf_parse(conf, FILE_NAME, text, strlen(text)));
        assert_ok(job_config_new("edge", conf, defaults, &c));
        assert_int_equal(conf->n_messages, 0);
        return c;
}

static void what_a_job_does_not_say_is_taken_from_the_defaults(void **state) {
        char *targets[] = { (char *) "podman", NULL };
        const JobDefaults defaults = { targets, (char *) "http://proxy:3128", 10 * USEC_PER_MINUTE };
        _cleanup_(job_config_freep) JobConfig *c = with_defaults(&defaults, "");

        assert_true(strv_equal(c->targets, targets));
        assert_string_equal(c->proxy, "http://proxy:3128");
        assert_int_equal(c->minimum_remaining, 10 * USEC_PER_MINUTE);
}

static void what_a_job_says_counts_before_the_defaults(void **state) {
        char *targets[] = { (char *) "podman", NULL };
        const JobDefaults defaults = { targets, (char *) "http://proxy:3128", 10 * USEC_PER_MINUTE };
        _cleanup_(job_config_freep) JobConfig *c = NULL, *direct = NULL;

        c = with_defaults(&defaults, "Targets=system\nProxy=http://other\nMinimumRemaining=1min\n");
        assert_int_equal(strv_length(c->targets), 1);
        assert_string_equal(c->targets[0], "system");
        assert_string_equal(c->proxy, "http://other");
        assert_int_equal(c->minimum_remaining, USEC_PER_MINUTE);
        direct = with_defaults(&defaults, "Proxy=none\nTargets=system\nTargets=\n");
        assert_null(direct->proxy);
        assert_true(strv_equal(direct->targets, targets));
}

static void every_key_is_taken(void **state) {
        _cleanup_(job_config_freep) JobConfig *c = NULL;
        _cleanup_conf_ Conf *conf = parse(
                "[Job]\nRegistry=q.example\nRobot=a+b\nIdentity=node\nScopes=a/x a/y\nScopes=a/z a/x\n"
                "Targets=podman\nUnits=app.service w@*.service\nUnits=*\nPodRobots=a+b c+*\n"
                "CAFile=/etc/ca.pem\nProxy=http://p.example:3128\nTakeOver=yes\n"
                "OnRemove=retain\nMinimumRemaining=25min\nOnExpiry=retain\nWakeSystem=yes\nEnabled=no\n",
                &c);
        char *const scopes[] = { (char *) "q.example/a/x", (char *) "q.example/a/y",
                                 (char *) "q.example/a/z", NULL };

        assert_int_equal(conf->n_messages, 0);
        assert_true(strv_equal(c->scopes, scopes));
        assert_int_equal(strv_length(c->targets), 1);
        assert_int_equal(strv_length(c->units), 3);
        assert_string_equal(c->units[1], "w@*.service");
        assert_int_equal(strv_length(c->pod_robots), 2);
        assert_string_equal(c->pod_robots[1], "c+*");
        assert_string_equal(c->ca_file, "/etc/ca.pem");
        assert_string_equal(c->proxy, "http://p.example:3128");
        assert_true(c->take_over);
        assert_int_equal(c->on_remove, ON_REMOVE_RETAIN);
        assert_int_equal(c->on_expiry, ON_EXPIRY_RETAIN);
        assert_true(c->wake_system);
        assert_false(c->enabled);
        assert_int_equal(c->minimum_remaining, 25 * USEC_PER_MINUTE);
}

static void other_exchanges_take_any_user_and_the_whole_registry(void **state) {
        _cleanup_(job_config_freep) JobConfig *c = NULL;
        _cleanup_conf_ Conf *conf =
                parse("[Job]\nRegistry=q.example:5000\nExchange=token\nUsername=serviceaccount\n", &c);
        char *const scopes[] = { (char *) "q.example:5000", NULL };

        assert_int_equal(conf->n_messages, 0);
        assert_int_equal(c->exchange, EXCHANGE_TOKEN);
        assert_string_equal(c->robot, "serviceaccount");
        assert_true(strv_equal(c->scopes, scopes));
}

static void a_key_of_another_exchange_is_named(void **state) {
        static const struct {
                const char *more, *says;
                bool error;
        } rows[] = {
                { "Robot=a+b\nUsername=u\n", "Username= means nothing with Exchange=quay", false },
                { "Robot=a+b\nUsername=u\nExchange=token\n", "Robot= means nothing with Exchange=token",
                  false },
                { "Robot=a+b\nExchange=token\n", "Robot= means nothing with Exchange=token", true },
                { "Exchange=token\n", "Username= is missing", true },
                { "Username=u\n", "Username= means nothing", true },
                { "Exchange=ecr\nRobot=a+b\n", "quay, token, oauth2", true },
                { "Exchange=oauth2\nUsername=u\n", "needs exactly one of TokenEndpoint=, Issuer=", true },
                { "Exchange=oauth2\nUsername=u\n[Exchange]\nIssuer=http://x\n",
                  "Issuer=http://x is not valid", true },
                { "Exchange=oauth2\nUsername=u\n[Exchange]\nIssuer=https://x\nClientSecretFile=/s\n",
                  "needs ClientID=", true },
                { "Robot=a+b\n[Exchange]\nScope=x\n", "Scope= means nothing with Exchange=quay", false },
                { "Exchange=token\nUsername=a:b\n", "Username=a:b is not valid", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(job_config_freep) JobConfig *c = NULL;
                _cleanup_free_ char *text = NULL;
                _cleanup_conf_ Conf *conf = NULL;

                assert_ok(text_format(&text, "[Job]\nRegistry=q.example\n%s", rows[i].more));
                conf = parse(text, &c);
                assert_int_equal(conf_has_error(conf), rows[i].error);
                if (!strstr(conf->messages[0].text, rows[i].says))
                        fail_msg("'%s' does not say '%s'", conf->messages[0].text, rows[i].says);
        }
}

static void an_empty_value_resets(void **state) {
        _cleanup_(job_config_freep) JobConfig *c = NULL;
        _cleanup_conf_ Conf *conf =
                parse("[Job]\nRegistry=q.example\nRobot=a+b\nScopes=a/x\nScopes=\nIdentity=n\n"
                      "Identity=\nCAFile=/a\nCAFile=\nUnits=*\nUnits=\nPodRobots=a+b\nPodRobots=\n"
                      "Enabled=no\nEnabled=\n",
                      &c);

        assert_int_equal(conf->n_messages, 0);
        assert_string_equal(c->scopes[0], "q.example/a");
        assert_string_equal(c->identity, "default");
        assert_null(c->ca_file);
        assert_null(c->units);
        assert_null(c->pod_robots);
        assert_true(c->enabled);
}

static void wrong_values_name_line_and_remedy(void **state) {
        static const struct {
                const char *line;
                const char *says;
        } rows[] = {
                { "Registry=https://q.example", "URL" }, { "Registry=Q.example", "Registry=" },
                { "Robot=edge", "organization+robot" },  { "Scopes=/a", "Scopes=" },
                { "Identity=../x", "Identity=" },        { "TakeOver=perhaps", "yes or no" },
                { "OnRemove=burn", "OnRemove" },         { "OnExpiry=sell", "OnExpiry" },
                { "WakeSystem=2", "yes or no" },         { "MinimumRemaining=0", "MinimumRemaining=" },
                { "CAFile=ca.pem", "absolute" },         { "Proxy=ftp://x", "Proxy" },
                { "PodRobots=acme", "acme+pull" },       { "PodRobots=acme+*x", "shop+*" },
                { "Units=app", "app.service" },          { "Units=app@.service", "worker@*.service" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(job_config_freep) JobConfig *c = NULL;
                _cleanup_free_ char *text = NULL;
                _cleanup_conf_ Conf *conf = NULL;

                assert_ok(text_format(&text, "[Job]\nRegistry=q.example\nRobot=a+b\n%s\n", rows[i].line));
                conf = parse(text, &c);
                if (!conf_has_error(conf))
                        fail_msg("'%s' should be an error", rows[i].line);
                assert_int_equal(conf->messages[0].line, 4);
                assert_string_equal(conf->messages[0].file, FILE_NAME);
                assert_non_null(strstr(conf->messages[0].text, rows[i].says));
        }
}

static void what_is_missing_is_said(void **state) {
        _cleanup_(job_config_freep) JobConfig *c = NULL;
        _cleanup_conf_ Conf *conf = parse("[Job]\nRobot=a+b\n", &c);

        assert_true(conf_has_error(conf));
        assert_non_null(strstr(conf->messages[0].text, "Registry="));
        assert_null(c->registry);
}

static void what_was_set_and_taken_back_is_missing(void **state) {
        static const char *const keys[] = { "Registry", "Robot" };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                _cleanup_(job_config_freep) JobConfig *c = NULL;
                _cleanup_free_ char *text = NULL, *says = NULL;
                _cleanup_conf_ Conf *conf = NULL;

                assert_ok(text_format(&text, "[Job]\nRegistry=q.example\nRobot=a+b\n%s=\n", keys[i]));
                assert_ok(text_format(&says, "%s= is missing", keys[i]));
                conf = parse(text, &c);
                assert_true(conf_has_error(conf));
                assert_non_null(strstr(conf->messages[0].text, says));
        }
}

static void unknown_keys_are_warnings(void **state) {
        _cleanup_(job_config_freep) JobConfig *c = NULL;
        _cleanup_conf_ Conf *conf = parse("[Job]\nRegistry=q.example\nRobot=a+b\nScope=a/x\nX-Mine=1\n", &c);

        assert_false(conf_has_error(conf));
        assert_int_equal(conf->n_messages, 1);
        assert_non_null(strstr(conf->messages[0].text, "Scopes"));
}

static void equality_is_about_everything_but_files(void **state) {
        static const char base[] = "[Job]\nRegistry=q.example\nRobot=a+b\n";
        static const char *const more[] = {
                "Scopes=a/x\n",      "Targets=podman\n", "Identity=n\n",      "TakeOver=yes\n",
                "CAFile=/a\n",       "Proxy=http://p\n", "OnRemove=retain\n", "MinimumRemaining=9min\n",
                "OnExpiry=retain\n", "WakeSystem=yes\n", "Enabled=no\n",      "Units=*\n",
                "PodRobots=acme+*\n"
        };
        _cleanup_(job_config_freep) JobConfig *a = NULL, *b = NULL;
        _cleanup_conf_ Conf *conf_a = parse(base, &a), *conf_b = parse(base, &b);

        assert_true(job_config_equal(a, b));
        for (size_t i = 0; i < ELEMENTSOF(more); i++) {
                _cleanup_(job_config_freep) JobConfig *c = NULL;
                _cleanup_free_ char *text = NULL;
                _cleanup_conf_ Conf *conf = NULL;

                assert_ok(text_format(&text, "%s%s", base, more[i]));
                conf = parse(text, &c);
                if (job_config_equal(a, c))
                        fail_msg("'%s' should make a difference", more[i]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(two_lines_make_a_complete_job),
                cmocka_unit_test(what_a_job_does_not_say_is_taken_from_the_defaults),
                cmocka_unit_test(what_a_job_says_counts_before_the_defaults),
                cmocka_unit_test(every_key_is_taken),
                cmocka_unit_test(other_exchanges_take_any_user_and_the_whole_registry),
                cmocka_unit_test(a_key_of_another_exchange_is_named),
                cmocka_unit_test(an_empty_value_resets),
                cmocka_unit_test(wrong_values_name_line_and_remedy),
                cmocka_unit_test(what_is_missing_is_said),
                cmocka_unit_test(what_was_set_and_taken_back_is_missing),
                cmocka_unit_test(unknown_keys_are_warnings),
                cmocka_unit_test(equality_is_about_everything_but_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
