/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job as configured: *.job files (pullauth.job(5)). */

#include "base/clock.h"
#include "base/macro.h"
#include "codec/conf.h"
#include "model/exchange-config.h"

typedef enum OnRemove {
        ON_REMOVE_WITHDRAW,
        ON_REMOVE_RETAIN,
        _ON_REMOVE_MAX,
        _ON_REMOVE_INVALID = -EINVAL,
} OnRemove;

const char *on_remove_to_string(OnRemove r);
OnRemove on_remove_from_string(const char *s);

/* What becomes of a credential in its targets when it ends. */
typedef enum OnExpiry {
        ON_EXPIRY_WITHDRAW,
        ON_EXPIRY_RETAIN,
        _ON_EXPIRY_MAX,
        _ON_EXPIRY_INVALID = -EINVAL,
} OnExpiry;

const char *on_expiry_to_string(OnExpiry e);
OnExpiry on_expiry_from_string(const char *s);

/* What jobs take that say nothing else: Default*= of pullauthd.conf. */
typedef struct JobDefaults {
        char **targets; /* NULL: "system", "podman" */
        char *proxy;    /* URL, or NULL */
        usec_t minimum_remaining;
} JobDefaults;

typedef struct JobConfig {
        char *name;
        char *registry; /* NULL if missing or wrong (then conf has the error) */
        char *robot;    /* whose credential it is: Robot=, or Username= with another exchange than Quay's */
        char *identity; /* default "default" */
        char **scopes;  /* full keys "host/ns"; default: the robot's namespace, else the whole registry */
        char **targets; /* default "system", "podman" */
        char **units;   /* patterns of names of units that may have the credential, or NULL */
        char **pod_robots;        /* that the token of a pod may be exchanged for, or NULL */
        char *ca_file;            /* absolute, or NULL */
        char *proxy;              /* URL, or NULL */
        char **files;             /* where it was read from */
        char **exchange_settings; /* KEY, VALUE …: section [Exchange], in canonical form */
        usec_t minimum_remaining; /* 0: default of model/schedule */
        /* There are ten thousand of these: what is small stands together. */
        ExchangeKind exchange;
        OnRemove on_remove;
        OnExpiry on_expiry;
        bool enabled;
        bool take_over;
        bool wake_system; /* attempts wake a suspended host */
} JobConfig;

JobConfig *job_config_free(JobConfig *c);
DEFINE_CLEANUP(JobConfig *, job_config_free)

/* As identity_config_new(). `defaults` may be NULL. */
int job_config_new(const char *name, Conf *conf, const JobDefaults *defaults, JobConfig **ret);
/* Values of keys that pullauthd.conf has as defaults, too; as the set function of a ConfKey. */
int job_config_set_targets(const ConfAssignment *a, char ***p, char **reterr);
int job_config_set_proxy(const ConfAssignment *a, char **p, char **reterr);
int job_config_set_minimum_remaining(const ConfAssignment *a, usec_t *p, char **reterr);

/* Everything but `files`. */
bool job_config_equal(const JobConfig *a, const JobConfig *b);
