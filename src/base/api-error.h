/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The errors of the D-Bus interface: one table of names, for the daemon that sends them and for the tools
 * that meet them. The names are API, explained in org.pullauth1(5); they are added, never renamed. What
 * else a caller may get is standard: AccessDenied, InteractiveAuthorizationRequired, LimitsExceeded. */

#include "base/macro.h"

typedef enum ApiError {
        API_ERROR_INVALID_NAME,     /* no job, identity, target, registry or image can be called so */
        API_ERROR_INVALID_ARGUMENT, /* a setting, flag or limit that makes no sense */
        API_ERROR_NO_SUCH_JOB,      /* none of this name, or none for this image */
        API_ERROR_JOB_DISABLED,
        API_ERROR_NO_SUCH_IDENTITY,
        API_ERROR_NO_SUCH_TARGET,
        API_ERROR_JOB_EXISTS,
        API_ERROR_NOT_CHANGEABLE,        /* what stands in the way belongs to somebody else */
        API_ERROR_FILE_FAILED,           /* a configuration file cannot be written or read */
        API_ERROR_CONFIGURATION_INVALID, /* the job's files cannot work as they are */
        API_ERROR_NO_CREDENTIAL,         /* the job holds none at present */
        API_ERROR_TARGET_FAILED,         /* the target file cannot be read or understood */
        API_ERROR_IDENTITY_FAILED,       /* no token of this host to be had */
        API_ERROR_SEVERAL_JOBS,          /* of a registry, where only one could answer for all of it */
        API_ERROR_ROBOT_NOT_ALLOWED,     /* no job lets pods be this robot account */
        API_ERROR_EXCHANGE_FAILED,       /* the registry does not take the token of a pod */
        _API_ERROR_MAX,
        _API_ERROR_INVALID = -EINVAL,
} ApiError;

/* "org.pullauth1.Error.NoSuchJob" … */
const char *api_error_to_string(ApiError e);
/* _API_ERROR_INVALID for NULL and for what is not in the table. */
ApiError api_error_from_string(const char *s);
