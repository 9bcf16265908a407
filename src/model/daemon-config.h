/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon as configured: pullauthd.conf (pullauthd.conf(5)). */

#include "base/clock.h"
#include "base/macro.h"
#include "codec/conf.h"
#include "model/job-config.h"

typedef struct DaemonConfig {
        int log_level; /* LOG_EMERG … LOG_DEBUG */
        usec_t ready_timeout;
        JobDefaults job_defaults;
} DaemonConfig;

DaemonConfig *daemon_config_free(DaemonConfig *c);
DEFINE_CLEANUP(DaemonConfig *, daemon_config_free)

/* Reads the assignments; what is wrong becomes a CONF_ERROR in `conf`, and its default stands. Returns 0 or
 * -ENOMEM. */
int daemon_config_new(Conf *conf, DaemonConfig **ret);
