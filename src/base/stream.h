/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Standard input and output of a program that is handed secrets: read to the end, written to the last byte,
 * and never through the buffers of stdio, which nobody erases. They may block. */

#include "base/macro.h"
#include "base/secret.h"

/* Reads to the end. Returns 0, -EFBIG for more than `max` bytes, or what read(2) said. */
int stream_read(int fd, size_t max, Secret **ret);
/* Returns 0 or what write(2) said; then some of it may have been written. */
int stream_write(int fd, const Secret *s);
