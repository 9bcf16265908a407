/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Targets in the form of a template: what the specifiers of codec/template mean there. Pure.
 *
 *   %k  the key: host[:port][/path]         %e %E  when it ends: seconds since 1970, RFC 3339
 *   %r  host[:port] of it                   %i %I  when it was issued, likewise
 *   %h  host alone                          %j     the job
 *   %n  the path behind that, or nothing    %#     how many went before in the loop
 *   %u %s  user name and secret             %A %B  all of it as an auth.json of one line, and that in base64
 *   %a  both, as in auth.json
 *
 * "%[" goes over entries, "%(" over registries. %A and %B are there always, %# in loops; the rest outside of
 * loops if all entries agree in it, and in "%(" if all of that registry do. */

#include "base/secret.h"
#include "codec/template.h"

typedef struct TargetEntry {
        const char *key;
        const char *job;
        const Secret *user_pass; /* "user:secret" */
        int64_t issued;          /* seconds since 1970 */
        int64_t expires;
} TargetEntry;

/* Entries in any order, the text has them by registry and key. `variables` are "name=value". As
 * template_render(); -ENODATA if there are no entries and the text cannot be without; -EBADMSG with an empty
 * `what` for a user_pass without a colon. */
int target_template_render(const Template *t, const TargetEntry *entries, size_t n_entries,
                           char *const *variables, Secret **ret, TemplateError *reterr);
