/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finds the token in what a program or a service answers: a JWT as it is, or a member of a JSON document. */

#include "base/secret.h"

/* Known members: "token" and "status"."token" (Kubernetes: TokenRequest, ExecCredential), "id_token" before
 * "access_token" (OAuth 2), "WebIdentityToken" (AWS), "accessToken" (Azure). Text that is no JSON object is
 * taken for the token itself, blanks around it cut off. Consumes `text`.
 * Returns 0; -ENOENT: a JSON object with none of these; -EBADMSG: begins as JSON, and is none; -ENOMEM. */
int token_document_read(Secret *text, Secret **ret);
