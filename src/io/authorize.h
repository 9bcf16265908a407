/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* May this caller do this? Asks polkit asynchronously and dispatches the original message again.
 *
 * One const table says which method needs which action; a method without a row is denied. Nothing is cached
 * across messages: a yes belongs to the one message it was asked for. Any error, a vanished caller, a
 * missing polkit is a no. Root, and a caller with our own uid, are not asked for. */

#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "io/caller.h"

typedef struct AuthorizeRule {
        const char *interface;
        const char *member;
        const char *action; /* polkit action; NULL: everyone may */
} AuthorizeRule;

typedef struct Authorizer Authorizer;

/* `callers` is of the same connection and must outlive the authorizer. */
int authorizer_new(sd_bus *bus, Callers *callers, const AuthorizeRule *rules, size_t n_rules,
                   Authorizer **ret);
Authorizer *authorizer_free(Authorizer *a);
DEFINE_CLEANUP(Authorizer *, authorizer_free)

/* To be called by a method handler after it has validated its arguments and before it looks anything up.
 * `details` is a NULL-terminated vector key, value, key, value … shown to polkit rules and in dialogs; if
 * they are others when the handler is called again, polkit is asked again.
 * Returns 1: go on. 0: asked; the handler returns 1 and is called again for the same message. Negative: the
 * handler returns it, with *reterror set (AccessDenied, InteractiveAuthorizationRequired, LimitsExceeded).
 * At most 4 questions of one sender uid and 16 in all are under way. */
int authorize(Authorizer *a, sd_bus_message *message, char *const *details, sd_bus_error *reterror);
