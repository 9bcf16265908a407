/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of org.pullauth1.Manager that tools call: one row of a table each. */

#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/macro.h"
#include "client/answer.h"

typedef enum ClientMethod {
        METHOD_CHANGE_JOB,
        METHOD_CREATE_JOB,
        METHOD_DISABLE_JOB,
        METHOD_ENABLE_JOB,
        METHOD_EXCHANGE_TOKEN,
        METHOD_EXPLAIN_IDENTITY,
        METHOD_GET_CREDENTIAL,
        METHOD_GET_CREDENTIAL_FOR_IMAGE,
        METHOD_GET_CREDENTIAL_FOR_REGISTRY,
        METHOD_GET_METRICS,
        METHOD_LIST_REGISTRIES,
        METHOD_REFRESH_ALL,
        METHOD_REFRESH_JOB,
        METHOD_REFRESH_REGISTRY,
        METHOD_RELOAD,
        METHOD_REMOVE_JOB,
        METHOD_RENDER_TARGET,
        METHOD_RESET_FAILED,
        METHOD_RESET_FAILED_JOB,
        METHOD_TEST_JOB,
        METHOD_WAIT_JOBS,
        _CLIENT_METHOD_MAX,
        _CLIENT_METHOD_INVALID = -EINVAL,
} ClientMethod;

/* One member of the dictionary that CreateJob and ChangeJob take. */
typedef struct JobSetting {
        const char *key; /* static */
        PropertyKind kind;
        char *string;    /* PROPERTY_STRING */
        char **strings;  /* PROPERTY_STRINGS */
        uint64_t number; /* PROPERTY_SPAN, PROPERTY_BOOL */
} JobSetting;

typedef struct JobSettings {
        JobSetting *items;
        size_t n_items;
} JobSettings;

void job_settings_done(JobSettings *l);

#define JOB_RUNTIME UINT64_C(1) /* in /run: until the next boot */

/* What a method is given; each takes those that it has a place for. */
typedef struct ClientArguments {
        const char *name;            /* s: of a job, registry, identity, target or image */
        const char *robot;           /* the second s */
        int fd;                      /* h */
        char *const *names;          /* as */
        const JobSettings *settings; /* a{sv} */
        uint64_t number;             /* t: flags, or a timeout */
} ClientArguments;

const char *client_method_action(ClientMethod method); /* of polkit, or NULL */
/* How long the daemon may need by itself. */
usec_t client_method_patience(ClientMethod method, const ClientArguments *arguments);

/* The message of a call, ready to be sent. */
int client_method_message(ClientMethod method, sd_bus *bus, const ClientArguments *arguments,
                          sd_bus_message **ret);
/* An answer that is no error. */
int client_method_read(ClientMethod method, Answer *answer, sd_bus_message *m);
