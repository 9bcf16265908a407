/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl credential": an auth.json with the scopes of one job, for tools that read one from a pipe.
 *
 * The one command that prints a secret. It comes as a sealed memory file, goes from there to standard output
 * without a copy in the buffers of stdio, and is erased. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/stream.h"
#include "ctl/verb.h"

/* A job's name holds no slash, an image's always does. */
void verb_credential(Ctl *ctl, char *const *arguments) {
        const ClientArguments wanted = { .name = arguments[0] };
        _cleanup_(answer_done) Answer a = {};
        int r;

        if (ctl_call(ctl,
                     strchr(arguments[0], '/') ? METHOD_GET_CREDENTIAL_FOR_IMAGE : METHOD_GET_CREDENTIAL,
                     &wanted, &a) < 0)
                return;
        r = stream_write(STDOUT_FILENO, a.credential);
        if (r < 0 && r != -EPIPE)
                ctl_report_errno(ctl, r, "write to standard output");
}
