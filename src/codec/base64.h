/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* base64 (RFC 4648 §4, with padding) and base64url (§5, without). Strict: no blanks, no line breaks, exact
 * padding, unused bits zero. Own code, for the resident daemon links no TLS library. */

#include "base/macro.h"
#include "base/secret.h"

/* Encodes into a Secret, for what is encoded here is secret more often than not. Returns 0 or -ENOMEM. */
int base64_encode(const void *data, size_t size, Secret **ret);
/* The same as part of a larger text: how many letters it takes, with padding; writing them (no NUL), which
 * returns the place behind them; whether a text is just them. */
size_t base64_size(size_t size);
char *base64_write(const void *data, size_t size, char *out);
bool base64_is(const char *text, size_t text_size, const void *data, size_t size);
int base64_decode(const char *text, size_t size, Secret **ret); /* -EBADMSG if malformed */
int base64url_encode(const void *data, size_t size, Secret **ret);
int base64url_decode(const char *text, size_t size, Secret **ret); /* -EBADMSG if malformed or padded */
