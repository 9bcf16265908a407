/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sees that what a restart must know gets to disk: soon after a change, and not at every one.
 *
 * Owns the timer and the sentence about a disk that does not take it. A state that cannot be saved stops
 * nothing: it may cost an exchange that was not due, after a restart. */

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/fragment.h"
#include "daemon/manager-parts.h"
#include "daemon/manager-save.h"
#include "model/message-id.h"

#define SAVE_DELAY (1 * USEC_PER_SEC)

void manager_save_now(Manager *m) {
        int r = state_store_save(m->store);

        if (r < 0)
                log_full(LOG_WARNING, r, MESSAGE_ID_STATE_UNSAVED, NULL, 0,
                         "Cannot save the state in %s%s, a restart may refresh early: %m", m->root,
                         MANAGER_STATE_DIRECTORY);
}

static int compare_name(const void *name, const void *item) {
        return strcmp(name, (*(Job *const *) item)->name);
}

static bool has_credential(const char *job, void *userdata) {
        const Manager *m = userdata;
        Job *const *found = NULL;

        if (m->n_jobs > 0)
                found = bsearch(job, m->jobs, m->n_jobs, sizeof(*m->jobs), compare_name);
        return found && (*found)->credential;
}

void manager_sweep(Manager *m) {
        m->stray_fragments = fragments_sweep(m->adoption.fragments_fd, has_credential, m) < 0;
}

void manager_sweep_soon(Manager *m) {
        m->stray_fragments = true;
        manager_save_soon(m);
}

static int on_save_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *m = userdata;

        manager_save_now(m);
        if (m->stray_fragments)
                manager_sweep(m);
        /* The bunch is over. What it took is many times of what is held until the next one. */
        (void) malloc_trim(0);
        return 0;
}

void manager_save_soon(Manager *m) {
        int enabled;

        if (sd_event_source_get_enabled(m->save_timer, &enabled) >= 0 && enabled != SD_EVENT_OFF)
                return;
        (void) sd_event_source_set_time_relative(m->save_timer, SAVE_DELAY);
        (void) sd_event_source_set_enabled(m->save_timer, SD_EVENT_ONESHOT);
}

/* When the credential was obtained, by the real clock as it goes now: it may have been set since. */
static usec_t obtained_real(const Job *j) {
        return usec_sub(now_real(), usec_sub(now_boot(), j->credential->obtained_boot));
}

static bool is_near(usec_t a, usec_t b) {
        return usec_sub(a, b) <= JOB_CLOCK_LEEWAY && usec_sub(b, a) <= JOB_CLOCK_LEEWAY;
}

static bool is_recorded(const Manager *m, const JobRecord *r, const Job *j) {
        if (!j->credential)
                return r->issued == 0 || j->left_boot > 0;
        return r->issued == (uint64_t) j->credential->issued &&
               r->expires == (uint64_t) j->credential->expires && r->expires_boot == j->expires_boot &&
               r->due_boot == j->due_boot && r->estimated == j->end_estimated &&
               is_near(r->obtained_real, obtained_real(j)) &&
               memcmp(r->boot_id, m->adoption.boot_id, sizeof(r->boot_id)) == 0;
}

void manager_record_job(Manager *m, const Job *j) {
        JobRecord *record = state_data_job(state_store_data(m->store), j->name, /* create= */ j->credential);

        if (!record || is_recorded(m, record, j))
                return;
        record->issued = j->credential ? (uint64_t) j->credential->issued : 0;
        record->expires = j->credential ? (uint64_t) j->credential->expires : 0;
        record->last_success_real = j->last_success_real;
        if (j->credential) {
                record->obtained_boot = j->credential->obtained_boot;
                record->obtained_real = obtained_real(j);
                record->due_boot = j->due_boot;
                record->expires_boot = j->expires_boot;
                record->estimated = j->end_estimated;
                memcpy(record->boot_id, m->adoption.boot_id, sizeof(record->boot_id));
        }
        state_data_touch(state_store_data(m->store));
        manager_save_soon(m);
}

int manager_note_reloads(Manager *m, char *const *units) {
        return state_data_note_reloads(state_store_data(m->store), units, m->adoption.boot_id);
}

void manager_forget_reload(Manager *m, const char *unit) {
        StateData *s = state_store_data(m->store);

        if (state_data_forget_reload(s, unit) < 0)
                log_oom();
        if (s->changed)
                manager_save_soon(m);
}

static bool is_named(const Manager *m, const char *unit) {
        const TargetSet *all = m->configuration->targets;

        for (size_t i = 0; i < all->n; i++)
                if (strv_contains(all->items[i].config->reload_units, unit))
                        return true;
        return false;
}

int manager_find_reloads(Manager *m, char ***ret) {
        StateData *s = state_store_data(m->store);
        _cleanup_strv_ char **units = NULL;
        int r;

        STRV_FOREACH(unit, m->owed_reloads) {
                r = is_named(m, *unit) ? strv_append(&units, *unit) : state_data_forget_reload(s, *unit);
                if (r < 0)
                        return r;
        }
        m->owed_reloads = strv_free(m->owed_reloads);
        *ret = TAKE_PTR(units);
        return 0;
}

int manager_save_open(Manager *m) {
        int r;

        r = sd_event_add_time_relative(m->event, &m->save_timer, CLOCK_BOOTTIME, 0, SAVE_DELAY,
                                       on_save_timer, m);
        return r < 0 ? r : sd_event_source_set_enabled(m->save_timer, SD_EVENT_OFF);
}
