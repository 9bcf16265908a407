/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libcurl copies passwords and answers to many places; each is erased before it goes back to the heap.
 *
 * Owns nothing. Never grows a block in place: realloc(3) might move it and leave the old bytes behind. */

#include <malloc.h>
#include <string.h>

#include "base/macro.h"
#include "io/http-memory.h"

void *http_memory_alloc(size_t size) {
        return malloc(size);
}

void http_memory_free(void *p) {
        if (!p)
                return;
        explicit_bzero(p, malloc_usable_size(p));
        free(p);
}

void *http_memory_realloc(void *p, size_t size) {
        size_t old;
        void *q;

        if (!p)
                return malloc(size);
        old = malloc_usable_size(p);
        q = malloc(size);
        if (!q)
                return NULL;
        (void) memcpy(q, p, old < size ? old : size);
        http_memory_free(p);
        return q;
}

char *http_memory_strdup(const char *s) {
        return strdup(s);
}

void *http_memory_calloc(size_t n, size_t size) {
        return calloc(n, size);
}
