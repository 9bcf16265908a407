/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Snapshots that the tests of pullauthctl's renderings show. */

#include "base/text.h"
#include "client/snapshot.h"

#define EXAMPLE_NOW (UINT64_C(1795467600) * USEC_PER_SEC) /* Mon 2026-11-23 21:00:00 UTC */

static inline void example_set(char **p, const char *value) {
        assert_true(free_and_strdup(p, value) >= 0);
}

static inline void example_add_message(ShownMessages *l, const char *severity, const char *file,
                                       uint32_t line, const char *text) {
        ShownMessage *m;

        l->items = reallocarray(l->items, l->n_items + 1, sizeof(*l->items));
        assert_non_null(l->items);
        m = l->items + l->n_items++;
        *m = (ShownMessage){ .line = line };
        example_set(&m->severity, severity);
        example_set(&m->file, file);
        example_set(&m->text, text);
}

static inline void example_add_target(ShownTargets *l, const char *target, const char *path,
                                      const char *state, const char *message) {
        ShownTarget *t;

        l->items = reallocarray(l->items, l->n_items + 1, sizeof(*l->items));
        assert_non_null(l->items);
        t = l->items + l->n_items++;
        *t = (ShownTarget){};
        example_set(&t->target, target);
        example_set(&t->path, path);
        example_set(&t->state, state);
        example_set(&t->message, message);
}

static inline JobSnapshot *example_add_job(Snapshot *s, const char *name, const char *state) {
        _cleanup_free_ char *path = NULL;
        JobSnapshot *j;

        assert_int_equal(text_format(&path, "/org/pullauth1/job/%s", name), 0);
        assert_int_equal(job_snapshot_new(path, &j), 0);
        s->jobs = reallocarray(s->jobs, s->n_jobs + 1, sizeof(*s->jobs));
        assert_non_null(s->jobs);
        s->jobs[s->n_jobs++] = j;
        example_set(&j->name, name);
        example_set(&j->state, state);
        return j;
}

/* A credential that lives an hour, of which this much is left. */
static inline void example_set_life(JobSnapshot *j, usec_t left) {
        j->expires = EXAMPLE_NOW + left;
        j->issued = j->expires - USEC_PER_HOUR;
}

static inline JobSnapshot *example_fresh(Snapshot *s) {
        JobSnapshot *j = example_add_job(s, "edge", "fresh");

        example_set(&j->registry, "quay.example.com");
        example_set(&j->robot, "acme+edge");
        example_set(&j->identity, "default");
        assert_int_equal(strv_append(&j->scopes, "quay.example.com/acme"), 0);
        example_set_life(j, 42 * USEC_PER_MINUTE);
        j->next_attempt = EXAMPLE_NOW + 17 * USEC_PER_MINUTE;
        j->attempts_started = j->attempts_ended = 12;
        j->refreshes = 11;
        j->last_attempt = j->last_success = j->issued;
        example_set(&j->identity_issuer, "https://oidc.example.com");
        example_set(&j->identity_subject, "spiffe://example.com/host/edge-1");
        assert_int_equal(strv_append(&j->identity_audience, "quay"), 0);
        j->identity_expires = EXAMPLE_NOW + 5 * USEC_PER_MINUTE;
        example_add_target(&j->target_states, "system", "/etc/containers/auth.json", "published", "");
        example_add_target(&j->target_states, "podman", "/run/containers/0/auth.json", "published", "");
        assert_int_equal(strv_append(&j->configuration_files, "/etc/pullauth/jobs/edge.job"), 0);
        return j;
}

static inline JobSnapshot *example_retrying(Snapshot *s) {
        JobSnapshot *j = example_add_job(s, "lab", "retrying");

        example_set(&j->registry, "quay.example.com");
        example_set(&j->robot, "acme+lab");
        example_set_life(j, 12 * USEC_PER_MINUTE);
        j->next_attempt = EXAMPLE_NOW + 40 * USEC_PER_SEC;
        j->attempts_started = 4;
        j->refreshes = 1;
        j->failures_in_a_row = 3;
        j->http_status = 400;
        example_set(&j->step, "exchange");
        example_set(&j->reason, "federation-not-configured");
        example_set(&j->message, "The registry trusts no issuer for robot acme+lab");
        example_set(&j->registry_words, "Robot does not have federated login configured");
        example_set(&j->hint,
                    "Add this host's issuer and subject to the robot account's federation in the registry");
        j->clock_skew = -(int64_t) (4 * USEC_PER_SEC);
        assert_int_equal(strv_append(&j->notices, "The token names another host"), 0);
        example_add_message(&j->configuration_messages, "warning", "/etc/pullauth/jobs/lab.job", 4,
                            "Unknown key 'Robots' in section [Job], ignoring");
        return j;
}
