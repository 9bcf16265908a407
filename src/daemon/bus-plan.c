/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a change of a job comes to in files: what shall stand where, and what stands there now. It is tried
 * (the job as it would be is held against all rules, by the code that reads files), then carried out, and
 * then the job is read again.
 *
 * Owns what a plan holds, and the words for what is in the way. What somebody else wrote is never written
 * over: a drop-in of ours is one that says, to the last byte, what we would write. A change that would
 * not count, because a later drop-in of the administrator says something else, is refused rather than
 * made in vain. */

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/bus-plan.h"
#include "model/name.h"

void bus_plan_done(BusPlan *p) {
        for (size_t i = 0; i < p->n; i++) {
                free(p->steps[i].path);
                free(p->steps[i].present);
                free(p->steps[i].text);
        }
}

const ConfKind *bus_plan_kind(void) {
        return configuration_kinds + CONFIGURATION_JOBS;
}

static const char *root_of(const BusPlan *p) {
        return manager_root(p->b->manager);
}

/* What to do where it is the file system that says no. */
static int refuse_by_file_system(const char *path, int r, sd_bus_error *reterror) {
        const char *advice;

        switch (-r) {
        case ENOMEM:
                return r;
        case ENOSPC:
        case EDQUOT:
                advice = "make room there, and try again";
                break;
        case ENOENT:
        case EROFS:
                advice = "the directory has to be there, and writable, when the service starts; "
                         "'systemd-tmpfiles --create pullauth.conf' makes it, "
                         "'systemctl restart pullauthd.service' takes note";
                break;
        default:
                advice = "see to the directory and the disk it is on, and try again";
        }
        return bus_error(reterror, API_ERROR_FILE_FAILED, "Cannot change %s: %s; %s", path,
                         strerrordesc_np(-r), advice);
}

int bus_plan_refuse_file(const char *path, int r, sd_bus_error *reterror) {
        switch (-r) {
        case EMEDIUMTYPE:
                return bus_error(
                        reterror, API_ERROR_NOT_CHANGEABLE,
                        "%s is no regular file: somebody put a link, a mask or a directory there, and has "
                        "to remove it",
                        path);
        case EAGAIN:
                return bus_error(reterror, API_ERROR_NOT_CHANGEABLE,
                                 "%s was changed this very moment, try again", path);
        case EPERM:
        case EFBIG:
        case EBADMSG:
                return bus_error(
                        reterror, API_ERROR_NOT_CHANGEABLE,
                        "%s is not safe to believe: it must be text, belong to root, and be writable by "
                        "nobody else",
                        path);
        default:
                return refuse_by_file_system(path, r, reterror);
        }
}

int bus_plan_refuse_change(const char *path, int r, sd_bus_error *reterror) {
        if (r == -EMEDIUMTYPE || r == -EAGAIN)
                return bus_plan_refuse_file(path, r, reterror);
        return refuse_by_file_system(path, r, reterror);
}

int bus_plan_add(BusPlan *p, ConfPlace place, const char *drop_in, BusStep **ret, sd_bus_error *reterror) {
        BusStep *s = p->steps + p->n++;
        int r;

        *s = (BusStep){ .file = { place, bus_plan_kind(), p->name, drop_in } };
        r = conf_file_path(root_of(p), &s->file, &s->path);
        if (r < 0)
                return r;
        r = conf_file_read(root_of(p), &s->file, &s->present, &s->expected);
        if (r < 0)
                return bus_plan_refuse_file(s->path, r, reterror);
        *ret = s;
        return 0;
}

int bus_plan_add_drop_in(BusPlan *p, ConfPlace place, const char *drop_in, BusStep **ret, JobEdit *ret_edit,
                         sd_bus_error *reterror) {
        BusStep *s = NULL;
        int r;

        r = bus_plan_add(p, place, drop_in, &s, reterror);
        if (r < 0 || !s)
                return r;
        if (s->present)
                r = job_edit_read(s->present, ret_edit);
        if (r < 0)
                return r;
        if (s->present && r == 0)
                return bus_error(reterror, API_ERROR_NOT_CHANGEABLE,
                                 "%s was changed by somebody else: move it to a drop-in of another name, or "
                                 "remove it",
                                 s->path);
        *ret = s;
        return 0;
}

static bool is_of_plan(const BusPlan *p, const char *file) {
        for (size_t i = 0; i < p->n; i++)
                if (streq(p->steps[i].path, file))
                        return true;
        return false;
}

/* The job's files as they would be. Returns 1, or 0 if there would be no job. */
static int load(const BusPlan *p, Conf **ret) {
        ConfOverlay overlays[BUS_PLAN_STEPS_MAX];

        for (size_t i = 0; i < p->n; i++)
                overlays[i] = (ConfOverlay){ p->steps[i].path, p->steps[i].text };
        return conf_tree_load_one(root_of(p), bus_plan_kind(), p->name, overlays, p->n, ret);
}

/* The place that has the last word about a key, if that is not `path`. */
static const ConfAssignment *find_overriding(const Conf *c, JobKey k, const char *path) {
        const ConfAssignment *last = NULL;

        for (size_t i = 0; i < c->n_assignments; i++)
                if (streq(c->assignments[i].section, "Job") &&
                    streq(c->assignments[i].key, job_key_to_string(k)))
                        last = c->assignments + i;
        return last && !streq(last->file, strempty(path)) ? last : NULL;
}

static int refuse_overridden(const ConfAssignment *a, sd_bus_error *reterror) {
        return bus_error(reterror, API_ERROR_NOT_CHANGEABLE,
                         "%s:%u has the last word about %s=, change it there", a->file, a->line, a->key);
}

static int refuse_gone(const char *name, sd_bus_error *reterror) {
        return bus_error(reterror, API_ERROR_NO_SUCH_JOB,
                         "The files of job '%s' are gone, 'pullauthctl reload' takes note of it", name);
}

static const ConfMessage *find_error(const Conf *c, bool last) {
        const ConfMessage *found = NULL;

        for (size_t i = 0; i < c->n_messages; i++)
                if (c->messages[i].severity == CONF_ERROR && (last || !found))
                        found = c->messages + i;
        return found;
}

/* Why the job as it would be cannot work. What is wrong in the very settings names no file: there is none
 * yet. */
static int refuse_definition(const BusPlan *p, const JobDefinition *d, sd_bus_error *reterror) {
        Reason reason = d->failure ? d->failure->reason : REASON_CONFIGURATION_INVALID;
        bool by_rule = reason != REASON_CONFIGURATION_INVALID;
        const ConfMessage *m = find_error(d->conf, /* last= */ by_rule);
        ApiError e = API_ERROR_CONFIGURATION_INVALID;
        _cleanup_free_ char *text = NULL;

        if (!m)
                return bus_error(reterror, e, "%s", d->failure ? d->failure->message : "It cannot work");
        if (reason == REASON_IDENTITY_MISSING)
                e = API_ERROR_NO_SUCH_IDENTITY;
        else if (reason == REASON_TARGET_MISSING)
                e = API_ERROR_NO_SUCH_TARGET;
        else if (!by_rule && is_of_plan(p, m->file))
                e = API_ERROR_INVALID_ARGUMENT;
        if (!by_rule && !is_of_plan(p, m->file) && conf_message_format(m, &text) < 0)
                return -ENOMEM;
        return bus_error(reterror, e, "%s", text ?: m->text);
}

int bus_plan_look_enabled(const BusPlan *p, bool *ret, char **ret_by, sd_bus_error *reterror) {
        _cleanup_(job_definition_done) JobDefinition d = {};
        _cleanup_free_ char *by = NULL;
        const ConfAssignment *a;
        Conf *conf = NULL;
        int r;

        r = load(p, &conf);
        if (r <= 0)
                return r < 0 ? r : refuse_gone(p->name, reterror);
        a = find_overriding(conf, JOB_KEY_ENABLED, NULL);
        r = a ? text_format(&by, "%s:%u", a->file, a->line) : 0;
        if (r < 0) {
                conf_free(conf);
                return r;
        }
        r = manager_define_job(p->b->manager, p->name, conf, &d);
        if (r < 0)
                return r;
        *ret = d.config->enabled;
        *ret_by = TAKE_PTR(by);
        return 0;
}

static bool is_named(const Manager *m, const char *target) {
        Job *const *jobs;
        size_t n;

        jobs = manager_jobs(m, &n);
        for (size_t i = 0; i < n; i++)
                if (strv_contains(jobs[i]->config->targets, target))
                        return true;
        return false;
}

/* Whose home is written to, is decided in files. */
static int check_users(const BusPlan *p, const JobEdit *settings, sd_bus_error *reterror) {
        STRV_FOREACH(t, settings->values[JOB_KEY_TARGETS])
                if (target_name_user(*t) && !is_named(p->b->manager, *t))
                        return bus_error(
                                reterror, API_ERROR_NO_SUCH_TARGET,
                                "Callers may name '%s' only where a job has it already, name it in a "
                                "file below /etc/pullauth/jobs",
                                *t);
        return 0;
}

int bus_plan_try(const BusPlan *p, const JobEdit *settings, sd_bus_error *reterror) {
        _cleanup_(job_definition_done) JobDefinition d = {};
        const ConfMessage *m;
        Conf *conf = NULL;
        int r;

        r = check_users(p, settings, reterror);
        if (r >= 0)
                r = load(p, &conf);
        if (r < 0)
                return r;
        if (r == 0)
                return refuse_gone(p->name, reterror);
        for (JobKey k = 0; k < _JOB_KEY_MAX; k++) {
                const ConfAssignment *a =
                        settings->has[k] ? find_overriding(conf, k, p->steps[0].path) : NULL;

                if (a) {
                        r = refuse_overridden(a, reterror);
                        conf_free(conf);
                        return r;
                }
        }
        r = manager_define_job(p->b->manager, p->name, conf, &d);
        if (r < 0)
                return r;
        /* A disabled job is judged by nobody, but what is set now has to make sense. */
        m = find_error(d.conf, /* last= */ false);
        if (d.failure || (m && is_of_plan(p, m->file)))
                return refuse_definition(p, &d, reterror);
        return 0;
}

static int carry_out_step(const BusPlan *p, const BusStep *s) {
        if (!s->text)
                return s->present ? conf_file_remove(root_of(p), &s->file) : 0;
        if (streq_ptr(s->present, s->text))
                return 0;
        return conf_file_write(root_of(p), &s->file, s->text, &s->expected);
}

int bus_plan_reload(const BusContext *b, const char *name, sd_bus_error *reterror) {
        int r = manager_reload_job(b->manager, name);

        return r == -ENOMEM || r >= 0
                       ? r
                       : bus_error(
                                 reterror, API_ERROR_FILE_FAILED,
                                 "The files of job '%s' were changed, but cannot be read again: %s; see to "
                                 "the directories below /etc/pullauth, then run 'pullauthctl reload'",
                                 name, strerrordesc_np(-r));
}

int bus_plan_carry_out(const BusPlan *p, sd_bus_error *reterror) {
        int r = 0, k;

        for (size_t i = 0; i < p->n && r >= 0; i++) {
                r = carry_out_step(p, p->steps + i);
                if (r < 0)
                        r = bus_plan_refuse_change(p->steps[i].path, r, reterror);
        }
        /* Also when it went half way: what runs is what the files say. */
        k = bus_plan_reload(p->b, p->name, r < 0 ? NULL : reterror);
        if (r < 0 || k < 0)
                return r < 0 ? r : k;
        log_info("Job '%s' was changed on request", p->name);
        return 0;
}
