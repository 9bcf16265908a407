/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of Docker's credential helper protocol. Each reads standard input and writes standard output,
 * and returns the exit status. */

/* -1 if there is no such verb. */
int protocol_run(const char *verb);
