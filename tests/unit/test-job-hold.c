/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a job holds, and the timers that it sets for it. */

#include "unit.h"

#include <time.h>

#include "base/text.h"
#include "daemon/job-hold.h"
#include "daemon/job.h"

typedef struct Fixture {
        JobContext context;
        Job *job;
        unsigned published;
} Fixture;

static void on_publish(Job *j, void *userdata) {
        Fixture *f = userdata;

        f->published++;
}

static void on_changed(Job *j, JobChange what, void *userdata) {
}

static void on_alarm(void *userdata) {
        fail();
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        f->context.observer.publish = on_publish;
        f->context.observer.changed = on_changed;
        f->context.observer.userdata = f;
        f->job = calloc(1, sizeof(*f->job));
        f->job->context = &f->context;
        f->job->config = calloc(1, sizeof(*f->job->config));
        f->job->config->name = strdup("edge");
        f->job->name = f->job->config->name;
        *state = f;
        assert_ok(sd_event_new(&f->context.event));
        assert_ok(alarms_new(f->context.event, CLOCK_BOOTTIME, on_alarm, &f->context.attempts));
        return alarms_new(f->context.event, CLOCK_BOOTTIME, on_alarm, &f->context.ends) < 0 ? -1 : 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        job_free(f->job);
        alarms_free(f->context.attempts);
        alarms_free(f->context.ends);
        sd_event_unref(f->context.event);
        free(f);
        return 0;
}

static Credential *make_credential(int64_t lifetime) {
        Credential *c = calloc(1, sizeof(*c));

        c->issued = 1000;
        c->expires = 1000 + lifetime;
        c->obtained_boot = now_boot();
        c->user = strdup("acme+edge");
        assert_ok(secret_new_string("token", &c->secret));
        return c;
}

static usec_t accuracy_of(const Alarm *a) {
        assert_non_null(a->set);
        return a->latest - a->at;
}

/* A refresh may come within a minute of when it was due. What has ended must not stand for another one. */
static void an_end_is_kept_to_the_second_however_far_it_is(void **state) {
        static const int64_t lifetimes[] = { 10, 600, 3600, 86400 };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(lifetimes); i++) {
                Credential *c = make_credential(lifetimes[i]);
                usec_t ends = credential_expires_boot(c);

                assert_ok(job_hold_credential(f->job, c, ends));
                assert_in_range(accuracy_of(&f->job->end), 1, USEC_PER_SEC);
                assert_ok(job_limit_credential(f->job, ends - USEC_PER_SEC));
                assert_in_range(accuracy_of(&f->job->end), 1, USEC_PER_SEC);
        }
        assert_int_equal(f->published, ELEMENTSOF(lifetimes));
        assert_ok(job_schedule(f->job, now_boot() + USEC_PER_HOUR));
        assert_in_range(accuracy_of(&f->job->attempt), USEC_PER_MINUTE, USEC_PER_HOUR);
}

static void one_copy_of_the_secret_is_kept(void **state) {
        Fixture *f = *state;
        Credential *c = make_credential(3600);

        assert_ok(job_hold_credential(f->job, c, credential_expires_boot(c)));
        assert_null(f->job->credential->secret);
        assert_non_null(f->job->user_pass);
        job_drop_credential(f->job);
        assert_null(f->job->credential);
        assert_null(f->job->user_pass);
        assert_null(f->job->end.set);
        assert_int_equal(f->published, 2);
}

/* It was worked out by the real clock, which may have stood in the past, and is set. */
static void what_was_left_ends_sooner_at_most(void **state) {
        Fixture *f = *state;
        usec_t ends = now_boot() + USEC_PER_HOUR;
        int64_t now = (int64_t) (now_real() / USEC_PER_SEC);

        assert_ok(job_hold_left(f->job, ends, now + 7200));
        assert_true(job_wants_left(f->job));
        job_judge_left(f->job);
        assert_int_equal(f->job->left_boot, ends);
        f->job->left_expires = now + 60;
        job_judge_left(f->job);
        assert_true(f->job->left_boot <= ends - 58 * USEC_PER_MINUTE && job_wants_left(f->job));
        assert_non_null(f->job->end.set);
        f->job->left_expires = now - 60;
        job_judge_left(f->job);
        assert_false(job_wants_left(f->job));
        job_end_credential(f->job);
        assert_null(f->job->end.set);
        assert_int_equal(f->job->left_boot, 0);
        assert_int_equal(f->published, 1);
}

static void a_credential_takes_the_place_of_what_was_left(void **state) {
        Fixture *f = *state;
        Credential *c = make_credential(3600);
        usec_t ends = credential_expires_boot(c);

        assert_ok(job_hold_left(f->job, ends - 1, 1));
        assert_ok(job_hold_credential(f->job, c, ends));
        assert_false(job_wants_left(f->job));
        job_judge_left(f->job);
        assert_int_equal(f->job->left_boot, 0);
        assert_int_equal(f->job->end.at, ends);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                test(an_end_is_kept_to_the_second_however_far_it_is),
                test(one_copy_of_the_secret_is_kept),
                test(what_was_left_ends_sooner_at_most),
                test(a_credential_takes_the_place_of_what_was_left),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
