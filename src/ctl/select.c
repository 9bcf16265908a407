/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From what was typed to jobs.
 *
 * Owns the words for names that mean nothing. A pattern is the shell's (fnmatch(3)); matching nothing is
 * reported like a name that does not exist, for a script that meant somebody should know. */

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "base/text.h"
#include "client/near.h"
#include "ctl/select.h"

#define SUGGESTIONS_MAX 3
#define SHOWN_MAX 256

bool select_is_pattern(const char *name) {
        return strpbrk(name, "*?[") != NULL;
}

static int shown_name(const char *name, char **ret) {
        return text_clean(name, strlen(name), SHOWN_MAX, ret);
}

/* "'a' or 'b'" of what is near, or NULL. */
static int near_text(const char *name, char *const *names, size_t max, char **ret) {
        _cleanup_strv_ char **near = NULL;
        _cleanup_free_ char *joined = NULL;
        int r;

        r = near_names(name, names, max, &near);
        if (r < 0 || strv_length(near) == 0)
                return r;
        r = strv_join(near, "' or '", &joined);
        return r < 0 ? r : text_format(ret, "'%s'", joined);
}

static int complain_no_such_job(Ctl *ctl, const Snapshot *s, const char *name) {
        _cleanup_free_ char *shown = NULL, *near = NULL;
        _cleanup_strv_ char **names = NULL;
        int r;

        ctl_note(ctl, STATUS_NO_SUCH_JOB);
        r = shown_name(name, &shown);
        for (size_t i = 0; i < s->n_jobs && r >= 0; i++)
                r = strv_append(&names, s->jobs[i]->name);
        if (r >= 0 && !select_is_pattern(name))
                r = near_text(name, names, SUGGESTIONS_MAX, &near);
        if (r < 0)
                return r;
        if (near)
                complain("No job '%s', did you mean %s?", shown, near);
        else if (s->n_jobs == 0)
                complain("No job '%s', there are no jobs at all ('pullauthctl' says how to make one)",
                         shown);
        else
                complain("No job %s'%s', 'pullauthctl list' shows all jobs",
                         select_is_pattern(name) ? "matches " : "", shown);
        return 0;
}

static int complain_no_such_registry(Ctl *ctl, const Snapshot *s) {
        _cleanup_free_ char *shown = NULL, *near = NULL;
        _cleanup_strv_ char **names = NULL;
        int r;

        ctl_note(ctl, STATUS_NO_SUCH_JOB);
        r = shown_name(ctl->options.registry, &shown);
        for (size_t i = 0; i < s->n_jobs && r >= 0; i++)
                if (!strv_contains(names, s->jobs[i]->registry))
                        r = strv_append(&names, s->jobs[i]->registry);
        if (r >= 0)
                r = near_text(ctl->options.registry, names, 1, &near);
        if (r < 0)
                return r;
        if (near)
                complain("No job of the registry '%s', did you mean %s?", shown, near);
        else
                complain("No job of the registry '%s', 'pullauthctl list' shows all jobs", shown);
        return 0;
}

static bool is_called(const JobSnapshot *j, const char *name) {
        return streq(j->name, name) || (select_is_pattern(name) && fnmatch(name, j->name, 0) == 0);
}

bool select_matches(const JobSnapshot *j, char *const *names, const char *registry) {
        bool called = !names || !names[0];

        STRV_FOREACH(name, names)
                called = called || is_called(j, *name);
        return called && (!registry || streq(j->registry, registry));
}

typedef struct Selection {
        const JobSnapshot **jobs;
        size_t n;
        const char *registry;
} Selection;

/* Returns whether the job is what was meant; adds it unless it is there, or of another registry. */
static bool take(Selection *l, const JobSnapshot *j, const char *name) {
        if (name && !is_called(j, name))
                return false;
        if (l->registry && !streq(j->registry, l->registry))
                return true;
        for (size_t i = 0; name && i < l->n; i++)
                if (l->jobs[i] == j)
                        return true;
        l->jobs[l->n++] = j;
        return true;
}

int select_jobs(Ctl *ctl, const Snapshot *s, char *const *names, const JobSnapshot ***ret, size_t *ret_n) {
        _cleanup_free_ const JobSnapshot **jobs = NULL;
        Selection l = { .registry = ctl->options.registry };
        bool named = names && names[0];
        int r = 0;

        l.jobs = jobs = calloc(s->n_jobs + 1, sizeof(*jobs));
        if (!jobs)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_jobs && !named; i++)
                (void) take(&l, s->jobs[i], NULL);
        STRV_FOREACH(name, names) {
                bool found = false;

                for (size_t i = 0; i < s->n_jobs; i++)
                        found = take(&l, s->jobs[i], *name) || found;
                if (!found)
                        r = complain_no_such_job(ctl, s, *name);
                if (r < 0)
                        return r;
        }
        if (l.n == 0 && l.registry && ctl->status != STATUS_NO_SUCH_JOB)
                r = complain_no_such_registry(ctl, s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(jobs);
        *ret_n = l.n;
        return 0;
}
