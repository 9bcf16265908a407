/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From D-Bus errors to sentences for people: what is the matter, and what to do about it. Pure. */

#include <systemd/sd-bus.h>

#include "base/api-error.h"
#include "base/macro.h"

typedef enum BusProblemKind {
        PROBLEM_NO_BUS,        /* no system bus to talk to */
        PROBLEM_NOT_RUNNING,   /* nobody owns the name, or the service could not be started */
        PROBLEM_NO_ANSWER,     /* hangs, or ended meanwhile */
        PROBLEM_DENIED,        /* polkit or the bus policy said no */
        PROBLEM_UNASKED,       /* polkit wants to ask for a password, and may not */
        PROBLEM_BUSY,          /* too many requests at once */
        PROBLEM_NO_SUCH_JOB,   /* or identity, or target */
        PROBLEM_ATTENTION,     /* it is understood, but somebody has to do something first */
        PROBLEM_REFUSED,       /* it makes no sense, or would harm somebody */
        PROBLEM_OTHER_VERSION, /* daemon and tool do not understand each other */
        PROBLEM_OTHER,
        _PROBLEM_KIND_MAX,
        _PROBLEM_KIND_INVALID = -EINVAL,
} BusProblemKind;

typedef struct BusProblem {
        BusProblemKind kind;
        ApiError error; /* of pullauthd itself, or _API_ERROR_INVALID */
        char *what;     /* one sentence without a final stop */
        char *advice;   /* what to do, one line; or NULL */
} BusProblem;

BusProblem *bus_problem_free(BusProblem *p);
DEFINE_CLEANUP(BusProblem *, bus_problem_free)

/* `sender` is who sent the error (may be NULL), `action` the polkit action that the call needs, or NULL.
 * Whatever the error carries is cleaned first. Returns 0 or -ENOMEM. */
int bus_problem_new(const sd_bus_error *error, const char *sender, const char *action, BusProblem **ret);
/* The call did not even reach the bus: `error` is a negative errno of sd-bus. */
int bus_problem_new_local(int error, BusProblem **ret);
