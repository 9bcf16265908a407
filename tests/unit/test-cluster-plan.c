/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is to be done with a Secret of a cluster: every policy against everything that can be found. */

#include "unit.h"

#include "base/text.h"
#include "daemon/cluster-plan.h"
#include "model/setting.h"

#define KEY "q.example/acme"
#define FOREIGN "{\"auths\":{\"docker.io\":{\"auth\":\"Zm9vOmJhcg==\"}}}"

typedef struct Fixture {
        char *directory;
        StateStore *store;
        TargetConfig config;
        ClusterConfig cluster;
        char *paths[2];
        ClusterView view;
        Secret *user_pass;
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));
        char *problem = NULL;

        if (setup_scratch((void **) &f->directory) < 0 ||
            state_store_open(f->directory, &f->store, &problem) < 0 ||
            secret_new_string("acme+edge:token", &f->user_pass) < 0)
                return -1;
        f->cluster = (ClusterConfig){ .secret = (char *) "quay-pull" };
        f->paths[0] = (char *) "kubernetes:https://api/edge/quay-pull";
        f->config = (TargetConfig){ .name = (char *) "pods", .paths = f->paths, .cluster = &f->cluster };
        f->view = (ClusterView){ .store = f->store, .config = &f->config, .owner = "id", .host = "edge-1" };
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;
        void *directory = f->directory;

        strv_free(f->cluster.labels);
        state_store_free(f->store);
        secret_free(f->user_pass);
        free(f);
        return teardown_scratch(&directory);
}

static Secret *secret_of(const char *text) {
        Secret *s = NULL;

        assert_ok(secret_new_string(text, &s));
        return s;
}

/* As it would be found if we had written `text`, or somebody else. */
static ClusterSecret *found_of(const Fixture *f, const char *text, bool ours) {
        ClusterSecret *s = NULL;

        assert_ok(cluster_secret_wanted(&f->view, &s));
        if (!ours) {
                s->labels = strv_free(s->labels);
                s->annotations = strv_free(s->annotations);
        }
        assert_ok(free_and_strdup(&s->uid, "u-1"));
        assert_ok(free_and_strdup(&s->version, "7"));
        assert_ok(free_and_strdup(&s->type, CLUSTER_SECRET_TYPE));
        s->data = text ? secret_of(text) : NULL;
        return s;
}

/* One round with a wish or none: its plan, and the reason of what is refused. */
static Reason plan(Fixture *f, const ClusterSecret *found, bool wanted, ClusterPlan *ret) {
        _cleanup_failure_ Failure *failure = NULL;
        Wanted w = { .key = KEY, .job = "edge", .robot = "acme+edge", .user_pass = f->user_pass };
        Reason reason;
        int r;

        f->view.found = found;
        *ret = (ClusterPlan){};
        r = cluster_plan_make(&f->view, &w, wanted ? 1 : 0, ret, &failure);
        assert_int_equal(r, failure ? 1 : 0);
        if (failure)
                assert_int_equal(failure->step, STEP_PUBLICATION);
        reason = failure ? failure->reason : w.failure ? w.failure->reason : REASON_NONE;
        failure_free(w.failure);
        return reason;
}

/* The same, for what has to be done; what stops being ours does so. */
static void expect(Fixture *f, const ClusterSecret *found, bool wanted, Reason reason,
                   ClusterAction action) {
        _cleanup_(cluster_plan_done) ClusterPlan p = {};

        assert_int_equal(plan(f, found, wanted, &p), reason);
        assert_int_equal(p.action, action);
        assert_true((action == CLUSTER_READ) == !p.secret);
        if (p.secret) {
                assert_string_equal(p.secret->name, "quay-pull");
                assert_true(streq_ptr(p.secret->uid, found ? "u-1" : NULL));
                assert_true(streq_ptr(p.secret->version, found ? "7" : NULL));
        }
        STRV_FOREACH(key, p.removed)
                state_data_disown_key(state_store_data(f->store), f->paths[0], *key);
}

static bool owns(const Fixture *f) {
        return state_data_owns_any(state_store_data(f->store), f->paths[0]);
}

/* What a first round writes. */
static ClusterSecret *written(Fixture *f, const char *into) {
        _cleanup_(cluster_secret_freep) ClusterSecret *found = into ? found_of(f, into, false) : NULL;
        _cleanup_(cluster_plan_done) ClusterPlan p = {};
        ClusterSecret *s;

        assert_int_equal(plan(f, found, true, &p), REASON_NONE);
        assert_true(owns(f));
        s = TAKE_PTR(p.secret);
        assert_ok(free_and_strdup(&s->uid, "u-1"));
        assert_ok(free_and_strdup(&s->version, "7"));
        assert_ok(free_and_strdup(&s->type, CLUSTER_SECRET_TYPE));
        return s;
}

static void a_secret_of_ours_is_made_kept_and_removed(void **state) {
        Fixture *f = *state;
        _cleanup_(cluster_secret_freep) ClusterSecret *s = NULL;

        expect(f, NULL, false, REASON_NONE, CLUSTER_READ);
        assert_false(owns(f));
        expect(f, NULL, true, REASON_NONE, CLUSTER_APPLY);
        s = written(f, NULL);
        assert_string_equal(settings_get(s->labels, CLUSTER_LABEL_MANAGER), CLUSTER_MANAGER);
        assert_string_equal(settings_get(s->annotations, CLUSTER_ANNOTATION_OWNER), "id");
        assert_string_equal(settings_get(s->annotations, CLUSTER_ANNOTATION_HOST), "edge-1/pods");
        expect(f, s, true, REASON_NONE, CLUSTER_READ);
        assert_true(owns(f));
        expect(f, s, false, REASON_NONE, CLUSTER_REMOVE);
        assert_false(owns(f));
}

static void what_differs_is_written(void **state) {
        Fixture *f = *state;
        _cleanup_(cluster_secret_freep) ClusterSecret *s = written(f, NULL);

        f->view.first = true;
        expect(f, s, true, REASON_NONE, CLUSTER_APPLY);
        f->view.first = false;
        assert_ok(strv_append(&f->cluster.labels, "team"));
        assert_ok(strv_append(&f->cluster.labels, "a"));
        expect(f, s, true, REASON_NONE, CLUSTER_APPLY);
        f->cluster.labels = strv_free(f->cluster.labels);
        expect(f, s, true, REASON_NONE, CLUSTER_READ);
        assert_ok(free_and_strdup(&s->type, "Opaque"));
        expect(f, s, true, REASON_NONE, CLUSTER_APPLY);
        assert_ok(free_and_strdup(&s->type, CLUSTER_SECRET_TYPE));
        secret_free(s->data);
        s->data = secret_of(FOREIGN);
        expect(f, s, true, REASON_NONE, CLUSTER_APPLY);
        s->data = secret_free(s->data);
        expect(f, s, true, REASON_NONE, CLUSTER_APPLY);
}

static void nobody_else_s_is_touched(void **state) {
        Fixture *f = *state;
        _cleanup_(cluster_secret_freep) ClusterSecret *foreign = found_of(f, FOREIGN, false),
                                                      *other = found_of(f, FOREIGN, true),
                                                      *half = found_of(f, FOREIGN, true);

        assert_ok(free_and_strdup(other->annotations + 1, "another id"));
        assert_string_equal(other->annotations[0], CLUSTER_ANNOTATION_OWNER);
        half->labels = strv_free(half->labels);
        for (size_t i = 0; i < 3; i++) {
                const ClusterSecret *s = (ClusterSecret *[]){ foreign, other, half }[i];

                expect(f, s, true, REASON_TARGET_CONFLICT, CLUSTER_READ);
                expect(f, s, false, REASON_NONE, CLUSTER_READ);
        }
        assert_false(owns(f));
}

static void what_becomes_of_it_when_nothing_is_wanted(void **state) {
        static const struct {
                ClusterCreate create;
                bool retain, leaving, removed;
        } rows[] = {
                { CLUSTER_OWNER, false, false, true },  { CLUSTER_OWNER, true, false, false },
                { CLUSTER_OWNER, true, true, true },    { CLUSTER_ORPHAN, false, false, true },
                { CLUSTER_ORPHAN, true, false, false }, { CLUSTER_ORPHAN, false, true, false },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(cluster_secret_freep) ClusterSecret *s = NULL;

                f->cluster.create = rows[i].create;
                f->cluster.retain = rows[i].retain;
                f->view.leaving = false;
                s = written(f, NULL);
                f->view.leaving = rows[i].leaving;
                expect(f, s, false, REASON_NONE, rows[i].removed ? CLUSTER_REMOVE : CLUSTER_READ);
                assert_false(owns(f));
        }
}

static void entries_go_into_and_out_of_a_foreign_one(void **state) {
        Fixture *f = *state;
        _cleanup_(cluster_secret_freep) ClusterSecret *s = NULL, *empty = NULL;
        _cleanup_(cluster_plan_done) ClusterPlan p = {};

        f->cluster.create = CLUSTER_MERGE;
        expect(f, NULL, true, REASON_TARGET_UNWRITABLE, CLUSTER_READ);
        expect(f, NULL, false, REASON_NONE, CLUSTER_READ);
        empty = found_of(f, NULL, false);
        expect(f, empty, true, REASON_NONE, CLUSTER_PATCH);
        s = written(f, FOREIGN);
        assert_true(!s->labels && !s->annotations);
        assert_non_null(strstr(secret_peek(s->data).iov_base, "docker.io"));
        assert_non_null(strstr(secret_peek(s->data).iov_base, KEY));
        expect(f, s, true, REASON_NONE, CLUSTER_READ);
        assert_int_equal(plan(f, s, false, &p), REASON_NONE);
        assert_int_equal(p.action, CLUSTER_PATCH);
        assert_int_equal(strv_length(p.removed), 1);
        assert_non_null(strstr(secret_peek(p.secret->data).iov_base, "docker.io"));
        assert_null(strstr(secret_peek(p.secret->data).iov_base, KEY));
        f->cluster.retain = true;
        expect(f, s, false, REASON_NONE, CLUSTER_READ);
        assert_true(owns(f));
        f->view.leaving = true;
        expect(f, s, false, REASON_NONE, CLUSTER_PATCH);
        assert_false(owns(f));
}

static void what_we_did_not_write_stays_in_it(void **state) {
        Fixture *f = *state;
        _cleanup_(cluster_secret_freep) ClusterSecret *s = NULL, *other = NULL;

        f->cluster.create = CLUSTER_MERGE;
        other = found_of(f, "{\"auths\":{\"" KEY "\":{\"auth\":\"Zm9vOmJhcg==\"}}}", false);
        expect(f, other, true, REASON_TARGET_CONFLICT, CLUSTER_READ);
        assert_false(owns(f));
        s = written(f, FOREIGN);
        /* Somebody replaced our entry: it is not ours to remove, and there is nothing else. */
        expect(f, other, false, REASON_NONE, CLUSTER_READ);
        assert_false(owns(f));
}

static void what_is_not_understood_is_left_alone(void **state) {
        Fixture *f = *state;
        _cleanup_(cluster_secret_freep) ClusterSecret *broken = NULL, *other = NULL;

        f->cluster.create = CLUSTER_MERGE;
        broken = found_of(f, "{\"auths\":[]}", false);
        expect(f, broken, true, REASON_TARGET_MALFORMED, CLUSTER_READ);
        other = found_of(f, FOREIGN, false);
        assert_ok(free_and_strdup(&other->type, "Opaque"));
        expect(f, other, true, REASON_TARGET_MALFORMED, CLUSTER_READ);
        expect(f, other, false, REASON_NONE, CLUSTER_READ);
}

/* A round of a job that has no credential, after a boot; what it comes to of the Secret and of the wish. */
static ClusterAction round_of_left(Fixture *f, const ClusterSecret *found, Wanted w, bool keeps) {
        _cleanup_(cluster_plan_done) ClusterPlan p = {};
        _cleanup_failure_ Failure *failure = NULL;

        f->view.found = found;
        w.left = true;
        assert_int_equal(cluster_plan_make(&f->view, &w, 1, &p, &failure), 0);
        assert_null(failure);
        assert_null(w.failure);
        assert_null(w.user_pass);
        assert_int_equal(w.left, keeps);
        assert_int_equal(strv_length(p.removed), keeps ? 0 : 1);
        return p.action;
}

static void what_an_earlier_run_left_stays_if_it_is_that(void **state) {
        static const ClusterCreate creates[] = { CLUSTER_OWNER, CLUSTER_MERGE };
        const Wanted w = { .key = KEY, .job = "edge", .robot = "acme+edge" };
        const Wanted others[] = {
                { .key = KEY, .job = "other", .robot = "acme+edge" },
                { .key = KEY, .job = "edge", .robot = "acme+edg" },
                { .key = KEY, .job = "edge", .robot = "acme+edge:" },
                { .key = KEY, .job = "edge" },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(creates); i++) {
                ClusterAction removal = creates[i] == CLUSTER_MERGE ? CLUSTER_PATCH : CLUSTER_REMOVE;
                _cleanup_(cluster_secret_freep) ClusterSecret *s = NULL;

                f->cluster.create = creates[i];
                s = written(f, creates[i] == CLUSTER_MERGE ? FOREIGN : NULL);
                assert_int_equal(round_of_left(f, s, w, true), CLUSTER_READ);
                for (size_t k = 0; k < ELEMENTSOF(others); k++)
                        assert_int_equal(round_of_left(f, s, others[k], false), removal);
                assert_int_equal(round_of_left(f, NULL, w, false), CLUSTER_READ);
        }
}

static void what_others_put_in_its_place_is_not_what_was_left(void **state) {
        const Wanted w = { .key = KEY, .job = "edge", .robot = "acme+edge" };
        Fixture *f = *state;
        _cleanup_(cluster_secret_freep) ClusterSecret *s = written(f, NULL);

        secret_free(s->data);
        s->data = secret_of("{\"auths\":{\"" KEY "\":{\"auth\":\"Zm9vOmJhcg==\"}}}");
        assert_int_equal(round_of_left(f, s, w, false), CLUSTER_REMOVE);
        secret_free(s->data);
        s->data = secret_of("{");
        assert_int_equal(round_of_left(f, s, w, false), CLUSTER_REMOVE);
        s->data = secret_free(s->data);
        assert_int_equal(round_of_left(f, s, w, false), CLUSTER_REMOVE);
}

/* The Secret is made anew of both. */
static void what_was_left_stays_beside_what_is_new(void **state) {
        Fixture *f = *state;
        _cleanup_(cluster_secret_freep) ClusterSecret *s = written(f, NULL);
        Wanted both[] = { { .key = KEY, .job = "edge", .robot = "acme+edge", .left = true },
                          { .key = KEY "/b", .job = "b", .robot = "acme+b", .user_pass = f->user_pass } };
        _cleanup_(cluster_plan_done) ClusterPlan p = {};
        _cleanup_failure_ Failure *failure = NULL;

        f->view.found = s;
        assert_int_equal(cluster_plan_make(&f->view, both, 2, &p, &failure), 0);
        assert_int_equal(p.action, CLUSTER_APPLY);
        assert_non_null(strstr(secret_peek(p.secret->data).iov_base, "\"" KEY "\""));
        assert_non_null(strstr(secret_peek(p.secret->data).iov_base, "\"" KEY "/b\""));
        assert_true(both[0].left && !both[0].user_pass && both[1].user_pass == f->user_pass);
}

static void a_secret_has_a_largest_size(void **state) {
        Fixture *f = *state;
        _cleanup_(cluster_secret_freep) ClusterSecret *s = found_of(f, NULL, false);
        _cleanup_free_ char *text = malloc(CLUSTER_SECRET_MAX);

        assert_non_null(text);
        memset(text, ' ', CLUSTER_SECRET_MAX);
        memcpy(text, "{}", 2);
        assert_ok(secret_new(text, CLUSTER_SECRET_MAX, &s->data));
        f->cluster.create = CLUSTER_MERGE;
        expect(f, s, true, REASON_TARGET_FULL, CLUSTER_READ);
        assert_false(owns(f));
}

static void a_preview_changes_nothing(void **state) {
        Fixture *f = *state;
        Wanted w = { .key = KEY, .job = "edge", .robot = "acme+edge", .user_pass = f->user_pass };
        _cleanup_secret_ Secret *text = NULL, *empty = NULL;

        assert_int_equal(cluster_plan_preview(f->store, &f->config, &w, 1, &text), 0);
        assert_non_null(strstr(secret_peek(text).iov_base, KEY));
        assert_int_equal(cluster_plan_preview(f->store, &f->config, NULL, 0, &empty), 0);
        assert_int_equal(secret_size(empty), 0);
        assert_false(owns(f));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(a_secret_of_ours_is_made_kept_and_removed),
                TEST(what_differs_is_written),
                TEST(nobody_else_s_is_touched),
                TEST(what_becomes_of_it_when_nothing_is_wanted),
                TEST(entries_go_into_and_out_of_a_foreign_one),
                TEST(what_we_did_not_write_stays_in_it),
                TEST(what_is_not_understood_is_left_alone),
                TEST(what_an_earlier_run_left_stays_if_it_is_that),
                TEST(what_others_put_in_its_place_is_not_what_was_left),
                TEST(what_was_left_stays_beside_what_is_new),
                TEST(a_secret_has_a_largest_size),
                TEST(a_preview_changes_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
