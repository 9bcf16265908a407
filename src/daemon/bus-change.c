/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which files of a job a request changes, and to what (bus-plan does it).
 *
 * Owns the names of the drop-ins that are made here. Changes until the next boot stand in files of names of
 * their own: one in /etc of the same name would hide them. A lasting change takes its keys out of them, so
 * that the last change counts, whichever kind it is.
 *
 * Refuses to make a job where there is anything under its name, and to remove what a package brought. */

#include <errno.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/bus-change.h"
#include "daemon/bus-plan.h"

#define SETTINGS_FILE "50-bus.conf"
#define SETTINGS_RUNTIME_FILE "51-bus-runtime.conf"
#define ENABLED_FILE "60-enabled.conf"
#define ENABLED_RUNTIME_FILE "61-enabled-runtime.conf"

/* The drop-ins of one place, refused as a whole if one of them is no file. */
static int list_drop_ins(const char *root, const ConfFile *main, const char *path, char ***ret,
                         sd_bus_error *reterror) {
        _cleanup_free_ char *directory = NULL;
        int r;

        r = conf_file_list_drop_ins(root, main, ret);
        if (r >= 0)
                return 0;
        if (text_format(&directory, "%s.d", path) < 0)
                return -ENOMEM;
        if (r == -EMEDIUMTYPE)
                return bus_error(
                        reterror, API_ERROR_NOT_CHANGEABLE,
                        "%s, or something in it, is a link, a mask or the like: somebody put it there, and "
                        "has to remove it",
                        directory);
        return bus_plan_refuse_file(directory, r, reterror);
}

/* Nothing may have the name yet, be it that it is not read, masked or left over. */
static int refuse_taken_name(const BusContext *b, const char *name, sd_bus_error *reterror) {
        const char *root = manager_root(b->manager);

        if (manager_find_job(b->manager, name))
                return bus_error(reterror, API_ERROR_JOB_EXISTS,
                                 "There is a job '%s' already, change that one ('pullauthctl set')", name);
        for (ConfPlace place = 0; place < _CONF_PLACE_MAX; place++) {
                const ConfFile file = { place, bus_plan_kind(), name, NULL };
                _cleanup_strv_ char **drop_ins = NULL;
                _cleanup_free_ char *path = NULL;
                int r;

                r = conf_file_path(root, &file, &path);
                if (r >= 0)
                        r = conf_file_look(root, &file);
                if (r < 0)
                        return bus_plan_refuse_file(path ?: name, r, reterror);
                if (r > 0)
                        return bus_error(reterror, API_ERROR_JOB_EXISTS,
                                         "%s defines that job already, 'pullauthctl reload' reads it", path);
                r = place == CONF_PLACE_USR ? 0 : list_drop_ins(root, &file, path, &drop_ins, reterror);
                if (r < 0)
                        return r;
                if (drop_ins)
                        return bus_error(reterror, API_ERROR_NOT_CHANGEABLE,
                                         "%s.d/%s is left of an earlier job of that name and would "
                                         "count for this one, remove that directory first",
                                         path, drop_ins[0]);
        }
        return 0;
}

int bus_change_create(const BusContext *b, const char *name, const JobEdit *settings, BusChangeFlags flags,
                      sd_bus_error *reterror) {
        ConfPlace place = flags & BUS_CHANGE_RUNTIME ? CONF_PLACE_RUN : CONF_PLACE_ETC;
        _cleanup_(bus_plan_done) BusPlan p = { .b = b, .name = name };
        BusStep *s;
        int r;

        r = refuse_taken_name(b, name, reterror);
        if (r >= 0)
                r = bus_plan_add(&p, place, NULL, &s, reterror);
        if (r >= 0)
                r = job_edit_print(settings, JOB_EDIT_MAIN, &s->text);
        if (r >= 0)
                r = bus_plan_try(&p, settings, reterror);
        return r < 0 ? r : bus_plan_carry_out(&p, reterror);
}

static bool is_runtime(const BusContext *b, const char *name, BusChangeFlags flags) {
        const Job *j = manager_find_job(b->manager, name);

        return flags & BUS_CHANGE_RUNTIME || (j && job_is_runtime(j));
}

/* The file that shall set `settings`, among what it sets already. */
static int plan_merged(BusPlan *p, ConfPlace place, const char *drop_in, const JobEdit *settings,
                       sd_bus_error *reterror) {
        _cleanup_(job_edit_done) JobEdit e = {};
        BusStep *s;
        int r;

        r = bus_plan_add_drop_in(p, place, drop_in, &s, &e, reterror);
        if (r >= 0)
                r = job_edit_merge(&e, settings);
        return r < 0 ? r : job_edit_print(&e, JOB_EDIT_DROP_IN, &s->text);
}

/* The file that shall no more. */
static int plan_subtracted(BusPlan *p, ConfPlace place, const char *drop_in, const JobEdit *settings,
                           sd_bus_error *reterror) {
        _cleanup_(job_edit_done) JobEdit e = {};
        BusStep *s;
        int r;

        r = bus_plan_add_drop_in(p, place, drop_in, &s, &e, reterror);
        if (r < 0)
                return r;
        job_edit_subtract(&e, settings);
        return job_edit_is_empty(&e) ? 0 : job_edit_print(&e, JOB_EDIT_DROP_IN, &s->text);
}

int bus_change_settings(const BusContext *b, const char *name, const JobEdit *settings, BusChangeFlags flags,
                        sd_bus_error *reterror) {
        _cleanup_(bus_plan_done) BusPlan p = { .b = b, .name = name };
        int r;

        if (is_runtime(b, name, flags))
                r = plan_merged(&p, CONF_PLACE_RUN, SETTINGS_RUNTIME_FILE, settings, reterror);
        else {
                r = plan_merged(&p, CONF_PLACE_ETC, SETTINGS_FILE, settings, reterror);
                if (r >= 0)
                        r = plan_subtracted(&p, CONF_PLACE_RUN, SETTINGS_RUNTIME_FILE, settings, reterror);
        }
        if (r >= 0)
                r = bus_plan_try(&p, settings, reterror);
        return r < 0 ? r : bus_plan_carry_out(&p, reterror);
}

/* What the first step shall say: nothing, where that is as wanted. */
static int plan_enabled(BusPlan *p, bool wanted, sd_bus_error *reterror) {
        _cleanup_free_ char *by = NULL, *still_by = NULL;
        _cleanup_(job_edit_done) JobEdit e = {};
        bool is;
        int r;

        r = bus_plan_look_enabled(p, &is, &by, reterror);
        if (r < 0 || is == wanted)
                return r;
        r = job_edit_set_bool(&e, JOB_KEY_ENABLED, wanted);
        if (r >= 0)
                r = job_edit_print(&e, JOB_EDIT_DROP_IN, &p->steps[0].text);
        if (r >= 0)
                r = bus_plan_look_enabled(p, &is, &still_by, reterror);
        if (r < 0 || is == wanted)
                return r;
        return bus_error(reterror, API_ERROR_NOT_CHANGEABLE,
                         "%s has the last word about Enabled=, change it there", strempty(still_by));
}

int bus_change_enabled(const BusContext *b, const char *name, bool enabled, BusChangeFlags flags,
                       sd_bus_error *reterror) {
        _cleanup_(job_edit_done) JobEdit lasting = {}, runtime = {};
        _cleanup_(bus_plan_done) BusPlan p = { .b = b, .name = name };
        BusStep *s;
        int r = 0;

        if (!is_runtime(b, name, flags))
                r = bus_plan_add_drop_in(&p, CONF_PLACE_ETC, ENABLED_FILE, &s, &lasting, reterror);
        if (r >= 0)
                r = bus_plan_add_drop_in(&p, CONF_PLACE_RUN, ENABLED_RUNTIME_FILE, &s, &runtime, reterror);
        if (r >= 0)
                r = plan_enabled(&p, enabled, reterror);
        /* Switching off works with every job; switching on is refused where it would do nothing. */
        if (r >= 0 && enabled)
                r = bus_plan_try(&p, &(const JobEdit){}, reterror);
        return r < 0 ? r : bus_plan_carry_out(&p, reterror);
}

/* What there is of the job in one place, if nothing of it is in the way. Returns 1, or 0 for nothing. */
static int look_removable(const char *root, const ConfFile *file, char ***ret_drop_ins,
                          sd_bus_error *reterror) {
        _cleanup_free_ char *path = NULL;
        int r, main;

        r = conf_file_path(root, file, &path);
        if (r < 0)
                return r;
        main = conf_file_look(root, file);
        if (main < 0)
                return bus_plan_refuse_file(path, main, reterror);
        r = list_drop_ins(root, file, path, ret_drop_ins, reterror);
        if (r < 0)
                return r;
        return main > 0 || *ret_drop_ins;
}

static int remove_file(const char *root, const ConfFile *file, sd_bus_error *reterror) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = conf_file_path(root, file, &path);
        if (r < 0)
                return r;
        r = conf_file_remove(root, file);
        return r < 0 ? bus_plan_refuse_change(path, r, reterror) : 0;
}

static int remove_drop_ins(const char *root, const ConfFile *main, char *const *drop_ins,
                           sd_bus_error *reterror) {
        STRV_FOREACH(d, drop_ins) {
                const ConfFile file = { main->place, main->kind, main->name, *d };
                int r = remove_file(root, &file, reterror);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int refuse_vendor(const char *root, const char *name, sd_bus_error *reterror) {
        const ConfFile file = { CONF_PLACE_USR, bus_plan_kind(), name, NULL };
        _cleanup_free_ char *path = NULL;
        int r;

        r = conf_file_path(root, &file, &path);
        if (r < 0 || conf_file_look(root, &file) == 0)
                return r;
        return bus_error(
                reterror, API_ERROR_NOT_CHANGEABLE,
                "%s came with a package and stays, disable the job instead: 'pullauthctl disable %s'", path,
                name);
}

int bus_change_remove(const BusContext *b, const char *name, sd_bus_error *reterror) {
        const ConfFile run = { CONF_PLACE_RUN, bus_plan_kind(), name, NULL },
                       etc = { CONF_PLACE_ETC, bus_plan_kind(), name, NULL };
        _cleanup_strv_ char **run_drop_ins = NULL, **etc_drop_ins = NULL;
        const char *root = manager_root(b->manager);
        int r, k, found = 0;

        r = refuse_vendor(root, name, reterror);
        if (r >= 0)
                r = found = look_removable(root, &run, &run_drop_ins, reterror);
        if (r >= 0)
                r = look_removable(root, &etc, &etc_drop_ins, reterror);
        if (r < 0)
                return r;
        if (r == 0 && found == 0 && !manager_find_job(b->manager, name))
                return bus_error(reterror, API_ERROR_NO_SUCH_JOB, "There is no job '%s'", name);
        /* The main files first: without them drop-ins mean nothing, whatever happens in between. */
        r = remove_file(root, &run, reterror);
        if (r >= 0)
                r = remove_file(root, &etc, reterror);
        if (r >= 0)
                r = remove_drop_ins(root, &run, run_drop_ins, reterror);
        if (r >= 0)
                r = remove_drop_ins(root, &etc, etc_drop_ins, reterror);
        k = bus_plan_reload(b, name, r < 0 ? NULL : reterror);
        if (r < 0 || k < 0)
                return r < 0 ? r : k;
        log_info("Job '%s' was removed on request", name);
        return 0;
}
