/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When the files of one target are written. */

#include <systemd/sd-event.h>

#include "daemon/publisher-client.h"
#include "daemon/state-store.h"

typedef struct TargetSlot TargetSlot;

/* What all slots of a publisher share; it must outlive them. */
typedef struct TargetSlotContext {
        sd_event *event;
        const char *root; /* as in `pullauthd --root=` */
        StateStore *store;
        PublisherClient client;
        /* There is nothing of ours any more in what is no target any more. May free the slot. */
        void (*over)(TargetSlot *s, void *userdata);
        void *userdata;
} TargetSlotContext;

/* Marked from the start. Consumes `config`, also on failure. Returns 0 or a negative errno. */
int target_slot_new(const TargetSlotContext *context, TargetConfig *config, TargetSlot **ret);
TargetSlot *target_slot_free(TargetSlot *s);
DEFINE_CLEANUP(TargetSlot *, target_slot_free)

const TargetConfig *target_slot_config(const TargetSlot *s);
const char *target_slot_path(const TargetSlot *s); /* of the first file, with the root */
const char *target_slot_note(const TargetSlot *s); /* as target_note(), of the first file that has one */

/* There is something to write that is no mending, whatever else the files were marked for. */
void target_slot_mark(TargetSlot *s);
/* What is new is written without waiting for more that could share the write. */
void target_slot_hurry(TargetSlot *s);
void target_slot_reset_failed(TargetSlot *s);
/* What is marked is written at once, without the event loop. May free the slot (over). */
void target_slot_write_marked(TargetSlot *s);
