/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What to do where a tool does not take the credential of the job that should serve an image.
 *
 * Owns the wording of advice, and no finding: one step at a time, most often a command. */

#include <string.h>

#include "base/text.h"
#include "ctl/use-hint.h"

#define OUR_HELPER "docker-credential-pullauth"

bool job_publishes_to(const JobSnapshot *j, const char *path) {
        for (size_t i = 0; i < j->target_states.n_items; i++)
                if (streq(j->target_states.items[i].path, path))
                        return true;
        return false;
}

bool job_reaches(const JobSnapshot *j, const Tool *t) {
        for (size_t i = 0; i < t->n_files; i++)
                if (job_publishes_to(j, t->files[i].path))
                        return true;
        return false;
}

/* How a job comes to publish for a tool. */
static int target_hint(const Tool *t, const JobSnapshot *j, char **ret) {
        const Consumer *c = t->consumer;
        _cleanup_free_ char *targets = NULL;
        int r;

        if (!t->target)
                return text_format(ret, "Job %s does not publish to any file of this tool", j->name);
        if (strv_contains(j->targets, t->target)) {
                if (c->setting)
                        return text_format(ret, "Let %s in /%s name the file of target '%s'", c->setting,
                                           c->settings_file, t->target);
                /* $DOCKER_CONFIG names a directory, and gives way. */
                if (t->named_by)
                        return text_format(ret, "Let %s name the file of target '%s'",
                                           streq(t->named_by, NAMED_BY_DOCKER) ? "$REGISTRY_AUTH_FILE"
                                                                               : t->named_by,
                                           t->target);
                return text_format(ret, "pullauthctl status %s", j->name);
        }
        /* Nobody makes pullauthd write into a home over the bus. */
        if (startswith(t->target, "user:"))
                return text_format(ret, "Add '%s' to Targets= in a file of the job: pullauthctl edit %s",
                                   t->target, j->name);
        r = strv_join(j->targets, " ", &targets);
        return r < 0 ? r
                     : text_format(ret, "pullauthctl set %s Targets='%s%s%s'", j->name, targets,
                                   isempty(targets) ? "" : " ", t->target);
}

bool answer_is_our_helper(const ConsumerAnswer *a) {
        return a->kind == ANSWER_HELPER && streq(a->found.helper, OUR_HELPER);
}

/* What helps a tool whose files have no answer. */
static int files_hint(const Tool *t, const JobSnapshot *job, char **ret) {
        return job_reaches(job, t) ? text_format(ret, "pullauthctl status %s", job->name)
                                   : target_hint(t, job, ret);
}

static int helper_hint(const Tool *t, const ConsumerAnswer *a, const char *path, const JobSnapshot *job,
                       char **ret) {
        if (!job->enabled)
                return text_format(ret, "pullauthctl enable %s", job->name);
        if (a->source < 0 && streq(t->helpers[0], HELPER_FILES))
                return files_hint(t, job, ret);
        if (answer_is_our_helper(a))
                return text_format(
                        ret,
                        "It is asked for a registry and not for an image, and several jobs are there: "
                        "take it out of %s",
                        path);
        return text_format(ret, "Remove the program from %s, or job %s does nothing here", path, job->name);
}

static int none_hint(const Tool *t, const char *repository, const JobSnapshot *job, char **ret) {
        int host = (int) strcspn(repository, "/");

        if (!job)
                return text_format(ret, "No job serves it: pullauthctl add JOB Registry=%.*s Robot=ROBOT",
                                   host, repository);
        return files_hint(t, job, ret);
}

int use_hint(const Tool *t, const ConsumerAnswer *a, const char *repository, const JobSnapshot *job,
             char **ret) {
        const char *path =
                a->source >= 0 ? t->files[a->source].path : "credential-helpers in registries.conf";

        switch (a->kind) {
        case ANSWER_NONE:
                if (a->found.kind != FOUND_EMPTY)
                        return none_hint(t, repository, job, ret);
                return text_format(ret, "Remove '%s' from %s", a->found.key, path);
        case ANSWER_CREDENTIAL:
        case ANSWER_HELPER:
                if (!job)
                        return 0;
                if (a->kind == ANSWER_HELPER && (answer_is_our_helper(a) || job_reaches(job, t)))
                        return helper_hint(t, a, path, job, ret);
                if (!job_reaches(job, t))
                        return target_hint(t, job, ret);
                return text_format(ret, "Remove '%s' from %s, it stands before job %s", a->found.key, path,
                                   job->name);
        case ANSWER_BROKEN:
                return text_format(ret,
                                   t->files[a->source].error == -ENOTDIR
                                           ? "Remove what stands in the place of a directory in %s"
                                           : "Mend or remove %s",
                                   path);
        case ANSWER_UNKNOWN:
                return t->files[a->source].error == -EACCES || t->files[a->source].error == -EPERM
                               ? text_format(ret, "Ask as root, or as the user that %s belongs to", path)
                               : 0;
        case _ANSWER_KIND_MAX:
        case _ANSWER_KIND_INVALID:
                break;
        }
        return 0;
}
