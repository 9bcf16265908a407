/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One look at all jobs, then a look at each that changes.
 *
 * Signals only say when to look: what counts is what a job then shows, so that a lost or early signal cannot
 * mislead. Owns how many looks are under way at once. Shows nothing and decides nothing. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "client/follow.h"

/* Calls under way at once; a bus keeps 128 answers of one connection open. */
#define LOOKS_MAX 16

typedef struct Followed {
        Follow *follow;
        JobSnapshot *job; /* NULL: not looked at yet */
        char *path;
        bool wanted;  /* it may have changed since the last look */
        bool looking; /* a look at it is under way */
        bool gone;    /* removed; stays until the look at it has ended */
} Followed;

struct Follow {
        Client *client;
        FollowObserver observer;
        Snapshot *all;   /* the last look at everything, less its jobs */
        Followed **jobs; /* each by itself: a look that is under way points at it */
        size_t n_jobs, n_looking;
        bool complete;
        Snapshot shown; /* for follow_snapshot(): borrows */
};

static Followed *followed_free(Followed *j) {
        if (!j)
                return NULL;
        job_snapshot_free(j->job);
        free(j->path);
        free(j);
        return NULL;
}
DEFINE_CLEANUP(Followed *, followed_free)

static void drop(Follow *f, size_t i) {
        followed_free(f->jobs[i]);
        memmove(f->jobs + i, f->jobs + i + 1, (--f->n_jobs - i) * sizeof(*f->jobs));
}

Follow *follow_free(Follow *f) {
        if (!f)
                return NULL;
        for (size_t i = 0; i < f->n_jobs; i++)
                followed_free(f->jobs[i]);
        free(f->jobs);
        free(f->shown.jobs);
        snapshot_free(f->all);
        free(f);
        return NULL;
}

static Followed *find(const Follow *f, const char *path) {
        for (size_t i = 0; i < f->n_jobs; i++)
                if (!f->jobs[i]->gone && streq(f->jobs[i]->path, path))
                        return f->jobs[i];
        return NULL;
}

static int add(Follow *f, const char *path, Followed **ret) {
        _cleanup_(followed_freep) Followed *j = NULL;
        Followed **grown;
        int r;

        j = calloc(1, sizeof(*j));
        if (!j)
                return -ENOMEM;
        j->follow = f;
        r = free_and_strdup(&j->path, path);
        if (r < 0)
                return r;
        grown = reallocarray(f->jobs, f->n_jobs + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        f->jobs = grown;
        *ret = f->jobs[f->n_jobs++] = TAKE_PTR(j);
        return 0;
}

static void fail(Follow *f, int error) {
        _cleanup_(bus_problem_freep) BusProblem *p = NULL;

        if (f->observer.failed && bus_problem_new_local(error, &p) >= 0)
                f->observer.failed(p, f->observer.userdata);
}

/* Takes the job. */
static void set_job(Followed *j, JobSnapshot *job) {
        _cleanup_(job_snapshot_freep) JobSnapshot *before = j->job;
        Follow *f = j->follow;

        j->job = job;
        if (f->observer.job)
                f->observer.job(job, before, f->observer.userdata);
}

/* One that is removed, or that went with its daemon. */
static void forget(Follow *f, Followed *j) {
        if (j->looking) {
                j->gone = true;
                return;
        }
        for (size_t i = 0; i < f->n_jobs; i++)
                if (f->jobs[i] == j) {
                        drop(f, i);
                        return;
                }
}

static void look_on(Follow *f);

/* A job that is not there any more is told of by a signal; its error says nothing new. */
static void on_look(ClientReply *reply, void *userdata) {
        Followed *j = userdata;
        Follow *f = j->follow;

        j->looking = false;
        f->n_looking--;
        if (j->gone)
                forget(f, j);
        else if (!reply->problem)
                set_job(j, TAKE_PTR(reply->job));
        else if (reply->problem->kind != PROBLEM_NO_SUCH_JOB &&
                 reply->problem->kind != PROBLEM_NOT_RUNNING && f->observer.failed)
                f->observer.failed(reply->problem, f->observer.userdata);
        look_on(f);
}

/* Looks at jobs that may have changed, at as many at once as the bus has patience for. */
static void look_on(Follow *f) {
        for (size_t i = 0; i < f->n_jobs && f->n_looking < LOOKS_MAX; i++) {
                Followed *j = f->jobs[i];
                int r;

                if (!j->wanted || j->looking || j->gone)
                        continue;
                j->wanted = false;
                r = client_get_job(f->client, j->path, on_look, j);
                if (r < 0) {
                        fail(f, r);
                        continue;
                }
                j->looking = true;
                f->n_looking++;
        }
}

static void want(Follow *f, const char *path, bool make) {
        Followed *j = find(f, path);
        int r = 0;

        if (!j && make)
                r = add(f, path, &j);
        if (r < 0)
                fail(f, r);
        if (!j)
                return;
        j->wanted = true;
        look_on(f);
}

static void on_job_added(const char *path, void *userdata) {
        want(userdata, path, /* make= */ true);
}

static void on_job_changed(const char *path, void *userdata) {
        want(userdata, path, /* make= */ false);
}

static void on_job_removed(const char *path, void *userdata) {
        Follow *f = userdata;
        Followed *j = find(f, path);

        if (!j)
                return;
        if (f->observer.removed && j->job)
                f->observer.removed(j->job, f->observer.userdata);
        forget(f, j);
}

static void on_job_event(const JobEvent *event, void *userdata) {
        Follow *f = userdata;
        Followed *j = find(f, event->path);

        if (j && j->job && f->observer.event)
                f->observer.event(event, j->job, f->observer.userdata);
}

static int take_all(Follow *f, Snapshot *all) {
        bool some = f->n_jobs > 0; /* a signal was faster */
        int r = 0;

        snapshot_free(f->all);
        f->all = all;
        for (size_t i = 0; i < all->n_jobs && r >= 0; i++) {
                Followed *j = some ? find(f, all->jobs[i]->path) : NULL;

                if (!j)
                        r = add(f, all->jobs[i]->path, &j);
                if (r >= 0)
                        set_job(j, TAKE_PTR(all->jobs[i]));
        }
        /* Where it ended early, what is left is nobody's. */
        for (size_t i = 0; i < all->n_jobs; i++)
                job_snapshot_free(all->jobs[i]);
        all->n_jobs = 0;
        return r;
}

static void on_all(ClientReply *reply, void *userdata) {
        Follow *f = userdata;
        int r;

        if (reply->problem) {
                f->complete = true;
                if (f->observer.failed)
                        f->observer.failed(reply->problem, f->observer.userdata);
                return;
        }
        r = take_all(f, TAKE_PTR(reply->snapshot));
        f->complete = true;
        if (r < 0)
                fail(f, r);
        look_on(f);
}

static int look_at_all(Follow *f) {
        return client_get_all(f->client, on_all, f);
}

static void on_vanished(void *userdata) {
        Follow *f = userdata;

        if (f->observer.vanished)
                f->observer.vanished(f->observer.userdata);
        for (size_t i = f->n_jobs; i > 0; i--)
                forget(f, f->jobs[i - 1]);
}

static void on_appeared(void *userdata) {
        Follow *f = userdata;
        int r;

        if (f->observer.appeared)
                f->observer.appeared(f->observer.userdata);
        r = look_at_all(f);
        if (r < 0)
                fail(f, r);
}

static void on_disconnected(void *userdata) {
        Follow *f = userdata;

        if (f->observer.disconnected)
                f->observer.disconnected(f->observer.userdata);
}

int follow_new(Client *client, const FollowObserver *observer, Follow **ret) {
        _cleanup_(follow_freep) Follow *f = NULL;
        ClientWatch watch = {
                .job_added = on_job_added,
                .job_changed = on_job_changed,
                .job_removed = on_job_removed,
                .job_event = on_job_event,
                .vanished = on_vanished,
                .appeared = on_appeared,
                .disconnected = on_disconnected,
        };
        int r;

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->client = client;
        f->observer = *observer;
        watch.userdata = f;
        r = client_watch(client, &watch);
        if (r >= 0)
                r = look_at_all(f);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

bool follow_is_complete(const Follow *f) {
        return f->complete;
}

static int compare_jobs(const void *a, const void *b) {
        const JobSnapshot *const *x = a, *const *y = b;

        return strcmp((*x)->name, (*y)->name);
}

const Snapshot *follow_snapshot(Follow *f) {
        JobSnapshot **jobs;

        if (!f->all)
                return NULL;
        jobs = reallocarray(f->shown.jobs, f->n_jobs + 1, sizeof(*jobs));
        if (!jobs)
                return NULL;
        f->shown = *f->all;
        f->shown.jobs = jobs;
        f->shown.n_jobs = 0;
        for (size_t i = 0; i < f->n_jobs; i++)
                if (f->jobs[i]->job && !f->jobs[i]->gone)
                        jobs[f->shown.n_jobs++] = f->jobs[i]->job;
        if (f->shown.n_jobs > 1)
                qsort(jobs, f->shown.n_jobs, sizeof(*jobs), compare_jobs);
        return &f->shown;
}

const JobSnapshot *follow_find(const Follow *f, const char *name) {
        for (size_t i = 0; i < f->n_jobs; i++)
                if (f->jobs[i]->job && !f->jobs[i]->gone && streq(f->jobs[i]->job->name, name))
                        return f->jobs[i]->job;
        return NULL;
}
