/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Credentials that tokens of pods were exchanged for. They stand in memory alone, until a fifth of their
 * life is left; who asks for the same one meanwhile, or while it is being asked for, causes no other
 * exchange. */

#include "daemon/manager.h"

typedef struct PodExchanges PodExchanges;
typedef struct PodExchange PodExchange;

#define POD_EXCHANGES_MAX 256

/* `changed` is told when one of them has ended; references may be given up inside. */
int pod_exchanges_new(sd_event *event, Manager *manager, void (*changed)(void *userdata), void *userdata,
                      PodExchanges **ret);
/* All references must have been given up. */
PodExchanges *pod_exchanges_free(PodExchanges *l);
DEFINE_CLEANUP(PodExchanges *, pod_exchanges_free)

/* The exchange of this token for the robot account at the registry of the job, which goes on or is over
 * already. `scope` is what the robot account is for. Returns 0 with a reference, -EBUSY if too many are
 * under way, -ENOMEM. */
int pod_exchange_get(PodExchanges *l, const Job *j, const char *robot, const char *scope,
                     const Secret *token, PodExchange **ret);
/* One that goes on ends with its last reference. */
PodExchange *pod_exchange_unref(PodExchange *x);
DEFINE_CLEANUP(PodExchange *, pod_exchange_unref)

/* Returns 1 with the credential as targets want it and its end on the boot clock, both while the reference
 * lives; -EIO with *reterr_failure; 0 while it goes on. */
int pod_exchange_result(const PodExchange *x, const Secret **ret_user_pass, usec_t *ret_expires_boot,
                        const Failure **reterr_failure);
