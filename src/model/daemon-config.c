/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the assignments of pullauthd.conf to a DaemonConfig with every default filled in.
 *
 * Owns the table of keys of that file. A wrong value never keeps the daemon from starting: it is complained
 * about, and the value before it stands. */

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "model/config-value.h"
#include "model/daemon-config.h"

#define READY_TIMEOUT_DEFAULT (1 * USEC_PER_MINUTE)
#define READY_TIMEOUT_MAX (10 * USEC_PER_MINUTE)

static int set_log_level(const ConfAssignment *a, void *userdata, char **reterr) {
        DaemonConfig *c = userdata;
        int level = isempty(a->value) ? LOG_INFO : log_level_from_string(a->value);

        if (level < 0)
                return config_complain(reterr,
                                       "LogLevel=%s is no log level, use emerg, alert, crit, err, warning, "
                                       "notice, info or debug",
                                       a->value);
        c->log_level = level;
        return 0;
}

static int set_ready_timeout(const ConfAssignment *a, void *userdata, char **reterr) {
        DaemonConfig *c = userdata;

        if (isempty(a->value)) {
                c->ready_timeout = READY_TIMEOUT_DEFAULT;
                return 0;
        }
        return config_set_span(a, &c->ready_timeout, 0, READY_TIMEOUT_MAX, "30s", reterr);
}

static int set_targets(const ConfAssignment *a, void *userdata, char **reterr) {
        DaemonConfig *c = userdata;

        return job_config_set_targets(a, &c->job_defaults.targets, reterr);
}

static int set_proxy(const ConfAssignment *a, void *userdata, char **reterr) {
        DaemonConfig *c = userdata;

        return job_config_set_proxy(a, &c->job_defaults.proxy, reterr);
}

static int set_minimum_remaining(const ConfAssignment *a, void *userdata, char **reterr) {
        DaemonConfig *c = userdata;

        return job_config_set_minimum_remaining(a, &c->job_defaults.minimum_remaining, reterr);
}

static const ConfKey daemon_keys[] = {
        { "Manager", "LogLevel", set_log_level },
        { "Manager", "ReadyTimeout", set_ready_timeout },
        { "Manager", "DefaultTargets", set_targets },
        { "Manager", "DefaultProxy", set_proxy },
        { "Manager", "DefaultMinimumRemaining", set_minimum_remaining },
};

DaemonConfig *daemon_config_free(DaemonConfig *c) {
        if (!c)
                return NULL;
        strv_free(c->job_defaults.targets);
        free(c->job_defaults.proxy);
        free(c);
        return NULL;
}

int daemon_config_new(Conf *conf, DaemonConfig **ret) {
        _cleanup_(daemon_config_freep) DaemonConfig *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->log_level = LOG_INFO;
        c->ready_timeout = READY_TIMEOUT_DEFAULT;
        r = conf_apply(conf, daemon_keys, ELEMENTSOF(daemon_keys), c);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}
