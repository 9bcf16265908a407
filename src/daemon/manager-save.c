/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sees that what a restart must know gets to disk: soon after a change, and not at every one.
 *
 * Owns the timer and the sentence about a disk that does not take it. A state that cannot be saved stops
 * nothing: it may cost an exchange that was not due, after a restart. */

#include <malloc.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
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

static int on_save_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        manager_save_now(userdata);
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

void manager_record_job(Manager *m, const Job *j) {
        uint64_t issued = j->credential ? (uint64_t) j->credential->issued : 0;
        JobRecord *record = state_data_job(state_store_data(m->store), j->name, /* create= */ issued != 0);

        /* The due time is fixed once for each credential: retries do not move it. */
        if (!record ||
            (record->issued == issued &&
             (issued == 0 || memcmp(record->boot_id, m->adoption.boot_id, sizeof(record->boot_id)) == 0)))
                return;
        record->issued = issued;
        record->last_success_real = j->last_success_real;
        if (j->credential) {
                record->obtained_boot = j->credential->obtained_boot;
                record->obtained_real = usec_sub(now_real(), usec_sub(now_boot(), record->obtained_boot));
                record->due_boot = j->next_attempt_boot != USEC_INFINITY ? j->next_attempt_boot : 0;
                memcpy(record->boot_id, m->adoption.boot_id, sizeof(record->boot_id));
        }
        state_data_touch(state_store_data(m->store));
        manager_save_soon(m);
}

int manager_save_open(Manager *m) {
        int r;

        r = sd_event_add_time_relative(m->event, &m->save_timer, CLOCK_BOOTTIME, 0, SAVE_DELAY,
                                       on_save_timer, m);
        return r < 0 ? r : sd_event_source_set_enabled(m->save_timer, SD_EVENT_OFF);
}
