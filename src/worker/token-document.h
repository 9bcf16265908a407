/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finds the token in what a program or a service answers: a JWT as it is, or a member of a JSON document. */

#include "base/secret.h"
#include "codec/json.h"

/* Known members: "token" and "status"."token" (Kubernetes: TokenRequest, ExecCredential), "id_token" before
 * "access_token" (OAuth 2), "WebIdentityToken" (AWS), "accessToken" (Azure). Text that is no JSON object is
 * taken for the token itself, blanks around it cut off. Consumes `text`.
 * Returns 0; -ENOENT: a JSON object with none of these; -EBADMSG: begins as JSON, and is none; -ENOMEM. */
int token_document_read(Secret *text, Secret **ret);

/* The string `member` of a JSON object, or of the object `in` that one (NULL: of itself), which has to be
 * one word of at most 64 KiB. With `ret_document` (may be NULL) the object at the top, for json_erase().
 * Returns 0; -ENOMEM; -ENOENT or -EBADMSG with *reterr_what, what a sentence says after "but": "without a
 * token", or "not in JSON" and "its token cannot be one". */
int token_member_read(const Secret *body, const char *in, const char *member, Secret **ret,
                      json_object **ret_document, const char **reterr_what);
