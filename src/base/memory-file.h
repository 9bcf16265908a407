/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bytes as a file that exists in memory alone and that nobody can change any more, whoever holds it. For
 * handing a secret to another process, or to a library that wants a path (/proc/self/fd/N). */

#include "base/macro.h"

/* `name` shows up in /proc only. The file has every seal there is, its descriptor the flag CLOEXEC and its
 * position at the start. Returns 0 or a negative errno. */
int memory_file_new(const char *name, const void *data, size_t size, int *ret_fd);
