/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bytes as a file that exists in memory alone and that nobody can change any more, whoever holds it. For
 * handing a secret to another process, or to a library that wants a path (/proc/self/fd/N). */

#include "base/macro.h"
#include "base/secret.h"

/* `name` shows up in /proc only. The file has every seal there is, its descriptor the flag CLOEXEC and its
 * position at the start. Returns 0 or a negative errno. */
int memory_file_new(const char *name, const void *data, size_t size, int *ret_fd);
/* The whole of a memory file that somebody else made and nobody can change any more. Returns 0, -EBADMSG if
 * it is none, or is not sealed, or holds more than `max` bytes; or another negative errno. */
int memory_file_read(int fd, size_t max, Secret **ret);
