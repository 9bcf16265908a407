/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One question to pullauthd from beginning to end, for programs that live no longer than that. */

#include "client/client.h"

/* Connects, asks, and runs until the handler was called, which is exactly once: trouble with the bus is a
 * problem of the reply like any other. Nobody is asked for a password. Returns 0, or -ENOMEM without having
 * called the handler. */
int client_once(ClientMethod method, const ClientArguments *arguments, client_handler_t handler,
                void *userdata);
/* A problem as one line, for programs whose reader has no terminal. Returns 0 or -ENOMEM. */
int client_once_explain(const BusProblem *problem, char **ret);
