/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions held against each other: what is missing, what two want, and whom it concerns. */

#include "unit.h"

#include "base/text.h"
#include "model/configuration.h"

static void add(Configuration *c, ConfigurationKind kind, const char *name, const char *text) {
        _cleanup_free_ char *file = NULL;
        Conf *conf = NULL;

        assert_ok(text_format(&file, "/etc/pullauth/%s/%s%s", configuration_kinds[kind].directory, name,
                              configuration_kinds[kind].suffix));
        assert_ok(conf_new(&conf));
        assert_ok(strv_append(&conf->files, file));
        assert_ok(conf_parse(conf, file, text, strlen(text)));
        assert_ok(configuration_add(c, kind, name, conf));
}

static void add_job(Configuration *c, const char *name, const char *more) {
        _cleanup_free_ char *text = NULL;

        assert_ok(text_format(&text, "[Job]\nRegistry=q.example\nRobot=acme+%s\nScopes=acme/%s\n%s", name,
                              name, more));
        add(c, CONFIGURATION_JOBS, name, text);
}

static void add_identity(Configuration *c, const char *name) {
        add(c, CONFIGURATION_IDENTITIES, name, "[Identity]\nSource=file\nTokenFile=/t\nAudience=quay\n");
}

static void whoever_comes_in_any_order_is_sorted(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        char name[16];

        assert_ok(configuration_new(&c));
        for (int i = 99; i >= 0; i--) {
                snprintf(name, sizeof(name), "j%02d", i);
                add_job(c, name, "");
        }
        add_identity(c, "node");
        add_identity(c, "default");
        assert_ok(configuration_check(c));
        assert_int_equal(c->n_jobs, 100);
        assert_int_equal(c->n_identities, 2);
        assert_string_equal(c->jobs[0].config->name, "j00");
        assert_string_equal(c->jobs[99].config->name, "j99");
        for (size_t i = 0; i < c->n_jobs; i++) {
                assert_null(c->jobs[i].failure);
                assert_ptr_equal(c->jobs[i].identity, c->identities[0].config);
        }
}

static void nothing_at_all_is_fine(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;

        assert_ok(configuration_new(&c));
        assert_ok(configuration_check(c));
        assert_int_equal(c->n_jobs, 0);
        assert_int_equal(c->messages->n_messages, 0);
}

static void a_missing_identity_concerns_one_job(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;

        assert_ok(configuration_new(&c));
        add_identity(c, "default");
        add_job(c, "a", "Identity=nod\n");
        add_job(c, "b", "");
        assert_ok(configuration_check(c));
        assert_int_equal(c->jobs[0].failure->reason, REASON_IDENTITY_MISSING);
        assert_non_null(
                strstr(c->jobs[0].failure->message, "/etc/pullauth/jobs/a.job: There is no identity"));
        assert_non_null(strstr(c->jobs[0].failure->message, "/etc/pullauth/identities/nod.identity"));
        assert_null(c->jobs[0].identity);
        assert_null(c->jobs[1].failure);
}

static void an_unknown_target_names_the_known_ones(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;

        assert_ok(configuration_new(&c));
        add_identity(c, "default");
        add_job(c, "a", "Targets=system podmann\n");
        assert_ok(configuration_check(c));
        assert_int_equal(c->jobs[0].failure->reason, REASON_TARGET_MISSING);
        assert_non_null(strstr(c->jobs[0].failure->message, "'podmann'"));
        assert_non_null(strstr(c->jobs[0].failure->message, "podman"));
}

static void an_unknown_default_target_is_said_with_its_line(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;

        assert_ok(configuration_new(&c));
        add(c, CONFIGURATION_TARGETS, "ci", "[Target]\nPath=/srv/ci.json\n");
        add(c, CONFIGURATION_DAEMON, "pullauthd.conf",
            "[Manager]\nLogLevel=err\nDefaultTargets=ci nowhere\n");
        assert_int_equal(c->messages->n_messages, 1);
        assert_int_equal(c->messages->messages[0].line, 3);
        assert_non_null(
                strstr(c->messages->messages[0].text, "There is no target 'nowhere', known ones are"));
}

static void errors_of_a_target_concern_the_jobs_that_name_it(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;

        assert_ok(configuration_new(&c));
        add_identity(c, "default");
        add(c, CONFIGURATION_TARGETS, "ci", "[Target]\nPath=/srv/ci.json\nMode=rw\n");
        add(c, CONFIGURATION_TARGETS, "good", "[Target]\nPath=/srv/good.json\n");
        add_job(c, "a", "Targets=system ci\n");
        add_job(c, "b", "Targets=system good\n");
        assert_ok(configuration_check(c));
        assert_int_equal(c->jobs[0].failure->reason, REASON_CONFIGURATION_INVALID);
        assert_non_null(strstr(c->jobs[0].failure->message, "/etc/pullauth/targets/ci.target:3: Mode=rw"));
        assert_true(conf_has_error(c->jobs[0].conf));
        assert_null(c->jobs[1].failure);
}

static void a_registry_of_a_target_with_hosts_alone_has_one_job(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        const char *message;

        assert_ok(configuration_new(&c));
        add_identity(c, "default");
        add(c, CONFIGURATION_TARGETS, "hosts", "[Target]\nPath=/srv/hosts.json\nKeys=registry\n");
        add_job(c, "a", "Targets=system hosts\n");
        add_job(c, "b", "Targets=system hosts\n");
        add_job(c, "c", "Targets=system\n");
        assert_ok(configuration_check(c));
        assert_null(c->jobs[0].failure);
        assert_null(c->jobs[2].failure);
        assert_int_equal(c->jobs[1].failure->reason, REASON_SCOPE_CONFLICT);
        message = c->jobs[1].failure->message;
        assert_non_null(strstr(message, "'hosts' takes one credential for each registry"));
        assert_non_null(strstr(message, "'q.example' is of job 'a'"));
        assert_non_null(strstr(message, "take hosts out of Targets="));
}

static void errors_of_an_identity_come_with_file_and_line(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;

        assert_ok(configuration_new(&c));
        add(c, CONFIGURATION_IDENTITIES, "default", "[Identity]\nSource=file\nTokenFile=relative\n");
        add_job(c, "a", "");
        assert_ok(configuration_check(c));
        assert_int_equal(c->jobs[0].failure->reason, REASON_CONFIGURATION_INVALID);
        assert_non_null(
                strstr(c->jobs[0].failure->message, "/etc/pullauth/identities/default.identity:3: "));
        assert_true(conf_has_error(c->jobs[0].conf));
}

static void the_first_by_name_keeps_a_scope(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;

        assert_ok(configuration_new(&c));
        add_identity(c, "default");
        add_job(c, "z", "Scopes=acme/shared\n");
        add_job(c, "b", "Scopes=acme/shared\nTargets=podman\n");
        add_job(c, "c", "Scopes=acme/shared\nIdentity=none\n");
        assert_ok(configuration_check(c));
        assert_null(c->jobs[0].failure);
        assert_int_equal(c->jobs[1].failure->reason, REASON_IDENTITY_MISSING);
        assert_int_equal(c->jobs[2].failure->reason, REASON_SCOPE_CONFLICT);
        assert_non_null(strstr(c->jobs[2].failure->message, "belongs to job 'b'"));
        assert_non_null(strstr(c->jobs[2].failure->message, "q.example/acme/shared"));
}

static void a_disabled_job_needs_nothing_and_claims_nothing(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;

        assert_ok(configuration_new(&c));
        add_identity(c, "default");
        add_job(c, "a", "Scopes=acme/z\nIdentity=none\nTargets=nowhere\nTakeOver=perhaps\nEnabled=no\n");
        add_job(c, "z", "");
        assert_ok(configuration_check(c));
        assert_null(c->jobs[0].failure);
        assert_true(conf_has_error(c->jobs[0].conf));
        assert_null(c->jobs[1].failure);
}

static void a_kind_that_there_is_not_is_refused(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        Conf *conf = NULL;

        assert_ok(configuration_new(&c));
        assert_ok(conf_new(&conf));
        assert_int_equal(configuration_add(c, _CONFIGURATION_KIND_MAX, "x", conf), -EINVAL);
}

static int collect(const ConfMessage *m, const char *job, void *userdata) {
        char *seen = userdata;

        snprintf(seen + strlen(seen), 128, "%s:%u %s;", strrchr(m->file, '/') + 1, m->line, strempty(job));
        return strlen(seen) > 60 ? 1 : 0;
}

static void every_message_is_visited_in_order(void **state) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        char seen[512] = "";

        assert_ok(configuration_new(&c));
        assert_ok(conf_add_message(c->messages, CONF_WARNING, "/etc/stray", 0, "x"));
        add(c, CONFIGURATION_IDENTITIES, "default",
            "[Identity]\nSource=file\nTokenFile=/t\nAudience=q\nX=\n");
        add_job(c, "b", "Y=\n");
        add_job(c, "a", "Z=\n");
        assert_ok(configuration_check(c));
        assert_int_equal(configuration_each_message(c, collect, seen), 0);
        assert_string_equal(seen, "stray:0 ;default.identity:5 ;a.job:5 a;b.job:5 b;");
        assert_int_equal(configuration_each_message(c, collect, seen), 1);
}

static int define(const Configuration *c, const char *name, const char *more, const JobConfig *const *others,
                  size_t n, JobDefinition *ret) {
        _cleanup_free_ char *text = NULL;
        Conf *conf = NULL;

        assert_ok(text_format(&text, "[Job]\nRegistry=q.example\nRobot=acme+%s\nScopes=acme/%s\n%s", name,
                              name, more));
        assert_ok(conf_new(&conf));
        assert_ok(strv_append(&conf->files, "/f"));
        assert_ok(conf_parse(conf, "/f", text, strlen(text)));
        return configuration_define_job(c, name, conf, others, n, ret);
}

static void one_job_is_held_against_the_others_as_they_are(void **state) {
        static const struct {
                const char *more;
                Reason reason;
        } rows[] = {
                { "", REASON_NONE },
                { "Targets=system\nScopes=acme/z\n", REASON_SCOPE_CONFLICT },
                { "Targets=podman\nScopes=acme/z\n", REASON_NONE }, /* z has it in the other target */
                { "Scopes=acme/z\nEnabled=no\n", REASON_NONE },
                { "Identity=none\n", REASON_IDENTITY_MISSING },
                { "Targets=nowhere\n", REASON_TARGET_MISSING },
                { "TakeOver=perhaps\n", REASON_CONFIGURATION_INVALID },
        };
        _cleanup_(configuration_freep) Configuration *c = NULL;

        assert_ok(configuration_new(&c));
        add_identity(c, "default");
        add_job(c, "z", "Targets=system\n");
        assert_ok(configuration_check(c));
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const JobConfig *const others[] = { c->jobs[0].config };
                JobDefinition d = {};

                assert_ok(define(c, "a", rows[i].more, others, 1, &d));
                if (rows[i].reason != (d.failure ? d.failure->reason : REASON_NONE))
                        fail_msg("with '%s': %s", rows[i].more,
                                 d.failure ? d.failure->message : "no failure");
                /* It comes first by name, and z has the scope all the same. */
                if (rows[i].reason == REASON_SCOPE_CONFLICT)
                        assert_non_null(strstr(d.failure->message, "belongs to job 'z'"));
                if (!d.failure && d.config->enabled)
                        assert_ptr_equal(d.identity, c->identities[0].config);
                job_definition_done(&d);
        }
        assert_null(c->jobs[0].failure);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whoever_comes_in_any_order_is_sorted),
                cmocka_unit_test(nothing_at_all_is_fine),
                cmocka_unit_test(a_missing_identity_concerns_one_job),
                cmocka_unit_test(an_unknown_target_names_the_known_ones),
                cmocka_unit_test(an_unknown_default_target_is_said_with_its_line),
                cmocka_unit_test(errors_of_a_target_concern_the_jobs_that_name_it),
                cmocka_unit_test(a_registry_of_a_target_with_hosts_alone_has_one_job),
                cmocka_unit_test(errors_of_an_identity_come_with_file_and_line),
                cmocka_unit_test(the_first_by_name_keeps_a_scope),
                cmocka_unit_test(a_disabled_job_needs_nothing_and_claims_nothing),
                cmocka_unit_test(every_message_is_visited_in_order),
                cmocka_unit_test(one_job_is_held_against_the_others_as_they_are),
                cmocka_unit_test(a_kind_that_there_is_not_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
