/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a unit gets, and what is waited for: jobs without bus, worker or timers. */

#include "unit.h"

#include "base/text.h"
#include "daemon/unit-credential.h"

static const UnitPeer app = { (char *) "app.service", (char *) "auth.json" };

typedef enum Held { HELD, ENDED, NONE } Held;

/* `units` and `scopes` are words. */
static Job *make_job(const char *name, const char *units, const char *scopes, Held held) {
        Job *j = calloc(1, sizeof(*j));

        assert_non_null(j);
        j->config = calloc(1, sizeof(*j->config));
        j->name = j->config->name = strdup(name);
        j->config->enabled = true;
        assert_ok(strv_split_words(units, &j->config->units));
        assert_ok(strv_split_words(scopes, &j->config->scopes));
        j->next_attempt_boot = USEC_INFINITY;
        if (held == NONE)
                return j;
        j->credential = calloc(1, sizeof(*j->credential));
        j->expires_boot = held == HELD ? USEC_INFINITY : 1;
        assert_ok(secret_new_string(name, &j->user_pass));
        return j;
}

static void free_jobs(Job **jobs, size_t n) {
        for (size_t i = 0; i < n; i++)
                job_free(jobs[i]);
}

/* The text without blanks and lines. */
static void expect(Job **jobs, size_t n, const UnitPeer *peer, const char *expected) {
        _cleanup_(unit_credential_freep) UnitCredential *c = NULL;
        _cleanup_free_ char *text = NULL;
        struct iovec bytes;
        size_t size = 0;

        assert_ok(unit_credential_new(jobs, n, peer, &c));
        bytes = secret_peek(c->text);
        text = calloc(bytes.iov_len + 1, 1);
        for (size_t i = 0; i < bytes.iov_len; i++)
                if (!strchr(WHITESPACE, ((const char *) bytes.iov_base)[i]))
                        text[size++] = ((const char *) bytes.iov_base)[i];
        assert_string_equal(text, expected);
}

static void the_scopes_of_all_jobs_that_allow_it_are_given(void **state) {
        Job *jobs[] = { make_job("aaaa", "app.service", "q/a q/b", HELD), make_job("bbbb", "*", "q/c", HELD),
                        make_job("cccc", "web@*.service", "q/d", HELD), make_job("dddd", "", "q/e", HELD) };
        const UnitPeer web = { (char *) "web@1.service", (char *) "auth.json" };

        expect(jobs, ELEMENTSOF(jobs), &app,
               "{\"auths\":{\"q/a\":{\"auth\":\"YWFhYQ==\"},\"q/b\":{\"auth\":\"YWFhYQ==\"},"
               "\"q/c\":{\"auth\":\"YmJiYg==\"}}}");
        expect(jobs, ELEMENTSOF(jobs), &web,
               "{\"auths\":{\"q/c\":{\"auth\":\"YmJiYg==\"},\"q/d\":{\"auth\":\"Y2NjYw==\"}}}");
        free_jobs(jobs, ELEMENTSOF(jobs));
}

static void one_job_can_be_asked_for(void **state) {
        static const char *const nothing[] = { "b.json", "a", "a.jso", "a.jsonx", "A.json", "json" };
        Job *jobs[] = { make_job("a", "app.service", "q/a", HELD),
                        make_job("auth", "app.service", "q/c", HELD),
                        make_job("b", "other.service", "q/b", HELD) };
        UnitPeer peer = { app.unit, (char *) "a.json" };

        expect(jobs, 1, &peer, "{\"auths\":{\"q/a\":{\"auth\":\"YQ==\"}}}");
        /* The name for all is that of no job. */
        jobs[0]->user_pass = secret_free(jobs[0]->user_pass);
        assert_ok(secret_new_string("aaaa", &jobs[0]->user_pass));
        expect(jobs, ELEMENTSOF(jobs), &app,
               "{\"auths\":{\"q/a\":{\"auth\":\"YWFhYQ==\"},\"q/c\":{\"auth\":\"YXV0aA==\"}}}");
        for (size_t i = 0; i < ELEMENTSOF(nothing); i++) {
                peer.credential = (char *) nothing[i];
                expect(jobs, ELEMENTSOF(jobs), &peer, "{}");
        }
        free_jobs(jobs, ELEMENTSOF(jobs));
}

static void nothing_is_an_object_and_never_no_bytes(void **state) {
        Job *jobs[] = { make_job("aaaa", "other.service", "q/a", HELD),
                        make_job("bbbb", "app.service", "q/b", ENDED),
                        make_job("cccc", "app.service", "q/c", NONE),
                        make_job("dddd", "app.service", "q/d", HELD) };

        jobs[3]->config->enabled = false;
        expect(jobs, 0, &app, "{}");
        expect(jobs, ELEMENTSOF(jobs), &app, "{}");
        free_jobs(jobs, ELEMENTSOF(jobs));
}

static void a_scope_is_the_first_ones_and_rather_that_of_a_job_with_good_files(void **state) {
        Job *jobs[] = { make_job("aaaa", "*", "q/a q/b", HELD), make_job("bbbb", "*", "q/a q/b", HELD),
                        make_job("cccc", "*", "q/b", HELD) };

        expect(jobs, ELEMENTSOF(jobs), &app,
               "{\"auths\":{\"q/a\":{\"auth\":\"YWFhYQ==\"},\"q/b\":{\"auth\":\"YWFhYQ==\"}}}");
        assert_ok(failure_new(&jobs[0]->configuration_failure, STEP_CONFIGURATION, REASON_SCOPE_CONFLICT,
                              "x"));
        expect(jobs, ELEMENTSOF(jobs), &app,
               "{\"auths\":{\"q/a\":{\"auth\":\"YmJiYg==\"},\"q/b\":{\"auth\":\"YmJiYg==\"}}}");
        free_jobs(jobs, ELEMENTSOF(jobs));
}

static void what_the_service_manager_would_not_take_is_not_sent(void **state) {
        _cleanup_(unit_credential_freep) UnitCredential *c = NULL;
        char *user_pass = malloc(UNIT_CREDENTIAL_MAX / 4 * 3);
        Job *jobs[] = { make_job("a", "*", "q/a", HELD) };

        assert_non_null(user_pass);
        memset(user_pass, 'A', UNIT_CREDENTIAL_MAX / 4 * 3);
        secret_free(jobs[0]->user_pass);
        assert_ok(secret_new(user_pass, UNIT_CREDENTIAL_MAX / 4 * 3, &jobs[0]->user_pass));
        free(user_pass);
        assert_ok(unit_credential_new(jobs, 1, &app, &c));
        assert_true(c->too_large);
        assert_int_equal(secret_size(c->text), 2);
        free_jobs(jobs, ELEMENTSOF(jobs));
}

static void not_more_than_a_few_jobs_are_named(void **state) {
        _cleanup_(unit_credential_freep) UnitCredential *c = NULL;
        Job *jobs[20];

        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                jobs[i] = make_job("aaaa", "*", "q/a", i % 2 == 0 ? HELD : NONE);
        assert_ok(unit_credential_new(jobs, ELEMENTSOF(jobs), &app, &c));
        assert_int_equal(c->n_given, 10);
        assert_int_equal(c->n_missing, 10);
        assert_int_equal(strv_length(c->given), UNIT_CREDENTIAL_NAMED_MAX);
        assert_int_equal(strv_length(c->missing), UNIT_CREDENTIAL_NAMED_MAX);
        free_jobs(jobs, ELEMENTSOF(jobs));
}

static bool is_coming(Job *j, const UnitPeer *peer) {
        return unit_credential_is_coming(&j, 1, peer);
}

static void an_attempt_that_is_due_or_under_way_is_waited_for(void **state) {
        const UnitPeer other = { (char *) "other.service", (char *) "auth.json" };
        Job *j = make_job("a", "app.service", "q/a", NONE);

        assert_false(is_coming(j, &app));
        j->next_attempt_boot = now_boot() + USEC_PER_SEC;
        assert_true(is_coming(j, &app));
        assert_false(is_coming(j, &other));
        j->next_attempt_boot = now_boot() + UNIT_CREDENTIAL_PATIENCE + USEC_PER_MINUTE;
        assert_false(is_coming(j, &app));
        /* Under way. */
        j->awaiting_publication = true;
        j->next_attempt_boot = USEC_INFINITY;
        j->last_attempt_boot = now_boot();
        assert_true(is_coming(j, &app));
        j->last_attempt_boot = now_boot() - UNIT_CREDENTIAL_PATIENCE - 1;
        assert_false(is_coming(j, &app));
        job_free(j);
}

static void nobody_waits_for_a_job_that_has_something_or_will_have_nothing(void **state) {
        Job *jobs[] = { make_job("a", "*", "q/a", HELD), make_job("b", "*", "q/b", NONE),
                        make_job("c", "*", "q/c", NONE) };

        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                jobs[i]->next_attempt_boot = now_boot();
        jobs[1]->config->enabled = false;
        assert_ok(failure_new(&jobs[2]->configuration_failure, STEP_CONFIGURATION, REASON_SCOPE_CONFLICT,
                              "x"));
        assert_false(unit_credential_is_coming(jobs, ELEMENTSOF(jobs), &app));
        free_jobs(jobs, ELEMENTSOF(jobs));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_scopes_of_all_jobs_that_allow_it_are_given),
                cmocka_unit_test(one_job_can_be_asked_for),
                cmocka_unit_test(nothing_is_an_object_and_never_no_bytes),
                cmocka_unit_test(a_scope_is_the_first_ones_and_rather_that_of_a_job_with_good_files),
                cmocka_unit_test(what_the_service_manager_would_not_take_is_not_sent),
                cmocka_unit_test(not_more_than_a_few_jobs_are_named),
                cmocka_unit_test(an_attempt_that_is_due_or_under_way_is_waited_for),
                cmocka_unit_test(nobody_waits_for_a_job_that_has_something_or_will_have_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
