/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* pkttyagent(1), which asks for the password that polkit wants, on the terminal of this process. */

#include "base/macro.h"

typedef struct Agent Agent;

/* Starts it and waits, for a few seconds at most, until it has registered. Does nothing without a terminal
 * and for root. Returns 1 with an agent, 0 without, -ENOMEM and other errors where it could not be started;
 * nothing of that is a reason not to go on. */
int agent_start(Agent **ret);
/* Ends it, so that it gives the terminal back as it was. */
Agent *agent_free(Agent *a);
DEFINE_CLEANUP(Agent *, agent_free)
