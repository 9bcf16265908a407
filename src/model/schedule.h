/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When to try next. Pure: time and randomness come as arguments.
 *
 * After a success: the last point of a grid (period 65 % of the token's life, phase fixed per host and
 * job) not later than 80 % of its life and leaving the minimum that must remain. Hosts that were all
 * switched on in one second are spread from their first cycle on, and stay so. After a failure: the pace
 * of its class. */

#include "base/clock.h"
#include "base/failure.h"

/* A phase in [0, 2^64) from host id, install salt and job name. The salt is needed because cloned images
 * share machine ids. */
uint64_t schedule_phase(const uint8_t host[static 16], const void *salt, size_t salt_size, const char *job);

/* What must be left of a life of `lifetime` when its refresh is due: `configured`, or a third of the life
 * (20 minutes of an hour) if that is 0; never more than four fifths of the life, however short it is. */
usec_t schedule_minimum_remaining(usec_t lifetime, usec_t configured);

/* Due time, on the boot clock, of a token that was obtained at `obtained` (boot clock) and lives `lifetime`.
 * The grid stands on the boot clock. obtained < result <= obtained + lifetime - minimum remaining. */
usec_t schedule_due(uint64_t phase, usec_t obtained, usec_t lifetime, usec_t minimum_remaining);

/* The failures of one job since its last published credential. Zero-initialised at start and then. Counted
 * per class, so that two classes that take turns cannot keep each other's delays short. */
typedef struct Pace {
        unsigned n[_FAILURE_CLASS_MAX];
        usec_t registry; /* the last wait for a registry that is not well, before jitter */
        usec_t spared;   /* what jitter took off the wait that goes on */
        usec_t owed;     /* parts of waits that ended early; the next waits are longer by it */
} Pace;

/* Notes a failure and returns the delay before the next attempt. `remaining` is what is left of the standing
 * credential's life (0: none stands). `retry_after` counts for FAILURE_RATE_LIMIT only. `random` is uniform
 * over all of uint64_t. */
usec_t pace_next(Pace *p, FailureClass class, usec_t retry_after, usec_t remaining, uint64_t random);
unsigned pace_failures(const Pace *p); /* of all classes together */

/* What may happen that makes it worth while to try before the wait is over. */
typedef enum WaitEvent {
        WAIT_EVENT_NETWORK,       /* the network came up */
        WAIT_EVENT_RESUME,        /* the host was suspended */
        WAIT_EVENT_CLOCK,         /* the real clock was set */
        WAIT_EVENT_IDENTITY_FILE, /* the token file is another one */
        WAIT_EVENT_CA_FILE,       /* the file of the job's authorities is another one */
        _WAIT_EVENT_MAX,
        _WAIT_EVENT_INVALID = -EINVAL,
} WaitEvent;

/* The classes whose waits it may end. */
FailureClasses wait_event_classes(WaitEvent e);
/* Within what time after it an attempt is to be made: it may have happened to a whole fleet at once. */
usec_t wait_event_spread(WaitEvent e);

/* Such an event happened: may the wait, of which `left` is left, end now? If so (true) the rest of it, as it
 * would have been without the luck of the draw, is owed, and added to the next wait: events bring attempts
 * forward, and for all who bring too many the answer is no. A storm of them makes no more attempts within an
 * hour than the pace of the class does when every draw is short. */
bool pace_may_wake(Pace *p, FailureClass class, usec_t left);
