/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bytes that must not be seen: erased when freed, opaque, never a string.
 *
 * A Secret cannot be handed to a printf-like function by accident: the type is opaque and its content
 * comes out only as a struct iovec, which no format specifier takes. */

#include <sys/uio.h>

#include "base/macro.h"

typedef struct Secret Secret;

/* Copies `size` bytes. A NUL that is not counted always follows the content, for libraries that want a
 * C string; content that holds a NUL itself is allowed here and refused where a string is needed.
 * Returns 0, or -ENOMEM, or -E2BIG beyond 16 MiB. */
int secret_new(const void *data, size_t size, Secret **ret);

/* `size` zero bytes to be filled through secret_writable(). */
int secret_new_zero(size_t size, Secret **ret);

/* Erases `data` (explicit_bzero) and frees it after copying; for buffers of other libraries. `data` comes
 * from malloc(); it is consumed also when the call fails. */
int secret_new_take(void *data, size_t size, Secret **ret);

/* One behind the other; NULL is empty. */
int secret_join(const Secret *const *parts, size_t n_parts, Secret **ret);
int secret_new_string(const char *text, Secret **ret);

Secret *secret_free(Secret *s);
DEFINE_CLEANUP(Secret *, secret_free)
#define _cleanup_secret_ _cleanup_(secret_freep)

int secret_dup(const Secret *s, Secret **ret);

/* The content; valid as long as the Secret. NULL gives an empty iovec. */
struct iovec secret_peek(const Secret *s);
struct iovec secret_writable(Secret *s);
size_t secret_size(const Secret *s);

/* Shrinks in place, erasing what is cut off. Never makes it larger. */
void secret_truncate(Secret *s, size_t size);

/* Takes blanks and line breaks from the end, which editors and echo(1) put there. */
void secret_cut_blanks(Secret *s);

/* Compares in constant time for equal sizes. NULL equals only NULL. */
bool secret_equal(const Secret *a, const Secret *b);

/* True if the content holds no NUL byte, so that it can be used as a C string. */
bool secret_is_string(const Secret *s);

/* explicit_bzero() and free() of a C string that held something secret. Returns NULL. */
char *erase_and_free(char *s);
DEFINE_CLEANUP(char *, erase_and_free)
#define _cleanup_erase_ _cleanup_(erase_and_freep)
