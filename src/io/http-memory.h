/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Allocators that erase what they free, in the shape that curl_global_init_mem() wants. For io/http
 * alone. */

#include <stddef.h>

void *http_memory_alloc(size_t size);
void http_memory_free(void *p);
void *http_memory_realloc(void *p, size_t size);
char *http_memory_strdup(const char *s);
void *http_memory_calloc(size_t n, size_t size);
