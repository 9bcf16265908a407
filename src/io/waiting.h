/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Method calls that are answered later, when what they wait for has happened. Bounded for each user and in
 * all; each ends by its answer, by its time, or with its caller. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/macro.h"
#include "io/caller.h"

#define WAITING_PER_UID_MAX 8 /* root and our own user are not held to this one */
#define WAITING_MAX 64

typedef struct Waiting Waiting; /* of one connection */
typedef struct WaitingCall WaitingCall;

/* Returns 0: goes on waiting. 1: the message has been answered. Negative: the answer is *reterror, or this
 * errno. In the latter two cases the call ends with it. */
typedef int (*WaitingStep)(WaitingCall *c, void *userdata, sd_bus_error *reterror);

typedef struct WaitingKind {
        WaitingStep begin; /* it may wait: starts what it waits for, or answers at once */
        WaitingStep look;  /* something may have changed; NULL: waits for no such thing */
        WaitingStep late;  /* its time is over; must not return 0 */
        void (*free)(void *userdata);
} WaitingKind;

/* `callers` is of the connection that the messages come from, and must outlive what waits. */
int waiting_new(sd_event *event, Callers *callers, Waiting **ret);
/* What waits is not answered any more: the connection goes. */
Waiting *waiting_free(Waiting *w);
DEFINE_CLEANUP(Waiting *, waiting_free)

/* Lets a message wait; for the end of its handler, whose result this is. None of the steps is called within
 * it unless the bus has told whose the message is already. Consumes `userdata`, also on failure. */
int waiting_add(Waiting *w, sd_bus_message *m, usec_t timeout, const WaitingKind *kind, void *userdata,
                sd_bus_error *reterror);

sd_bus_message *waiting_call_message(const WaitingCall *c);
/* Takes a step of this call from outside; if that ends it, it is freed. */
void waiting_call_step(WaitingCall *c, WaitingStep step);
/* Has each of them look. No step may let another one's end come. */
void waiting_look(Waiting *w);
