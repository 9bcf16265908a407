/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the journal is told of configuration files. */

#include "model/configuration.h"

/* One entry for each message, of the files as a whole, of identities and of jobs. */
void configuration_log(const Configuration *c);
/* `job` may be NULL. */
void configuration_log_messages(const Conf *conf, const char *job);
