/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of the errors of the D-Bus interface.
 *
 * Owns the table and nothing else: what is said with an error belongs to its sender, what is advised to its
 * reader. Refuses names that are not in the table. */

#include "base/api-error.h"
#include "base/text.h"

static const char *const names[_API_ERROR_MAX] = {
        [API_ERROR_INVALID_NAME] = "org.pullauth1.Error.InvalidName",
        [API_ERROR_INVALID_ARGUMENT] = "org.pullauth1.Error.InvalidArgument",
        [API_ERROR_NO_SUCH_JOB] = "org.pullauth1.Error.NoSuchJob",
        [API_ERROR_JOB_DISABLED] = "org.pullauth1.Error.JobDisabled",
        [API_ERROR_NO_SUCH_IDENTITY] = "org.pullauth1.Error.NoSuchIdentity",
        [API_ERROR_NO_SUCH_TARGET] = "org.pullauth1.Error.NoSuchTarget",
        [API_ERROR_JOB_EXISTS] = "org.pullauth1.Error.JobExists",
        [API_ERROR_NOT_CHANGEABLE] = "org.pullauth1.Error.NotChangeable",
        [API_ERROR_FILE_FAILED] = "org.pullauth1.Error.FileFailed",
        [API_ERROR_CONFIGURATION_INVALID] = "org.pullauth1.Error.ConfigurationInvalid",
        [API_ERROR_NO_CREDENTIAL] = "org.pullauth1.Error.NoCredential",
        [API_ERROR_TARGET_FAILED] = "org.pullauth1.Error.TargetFailed",
        [API_ERROR_IDENTITY_FAILED] = "org.pullauth1.Error.IdentityFailed",
        [API_ERROR_SEVERAL_JOBS] = "org.pullauth1.Error.SeveralJobs",
        [API_ERROR_ROBOT_NOT_ALLOWED] = "org.pullauth1.Error.RobotNotAllowed",
        [API_ERROR_EXCHANGE_FAILED] = "org.pullauth1.Error.ExchangeFailed",
};

const char *api_error_to_string(ApiError e) {
        return e >= 0 && e < _API_ERROR_MAX ? names[e] : NULL;
}

ApiError api_error_from_string(const char *s) {
        for (ApiError e = 0; s && e < _API_ERROR_MAX; e++)
                if (streq(names[e], s))
                        return e;
        return _API_ERROR_INVALID;
}
