/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* free() and realloc() that erase a block before it goes back to the C library, for every library in the
 * process: JSON, TLS and bus libraries do not wipe what passed through them. Linked into the programs
 * themselves, since only their symbols come before those of libc; never into a static library, where
 * sanitizers and tests would get it. It owns nothing: the blocks stay those of libc's allocator. */

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define _public_ __attribute__((__visibility__("default")))

/* The allocator of glibc under the names that cannot be interposed. */
void __libc_free(void *p);
void *__libc_realloc(void *p, size_t size);

_public_ void free(void *p) {
        if (!p)
                return;
        explicit_bzero(p, malloc_usable_size(p));
        __libc_free(p);
}

_public_ void *realloc(void *p, size_t size) {
        size_t present = p ? malloc_usable_size(p) : 0;
        void *moved;

        if (!p)
                return malloc(size);
        /* Shrinking happens in place. */
        if (size <= present) {
                explicit_bzero((char *) p + size, present - size);
                return __libc_realloc(p, size);
        }
        /* Growing may move the block and leave a copy behind, so that is done here. */
        moved = malloc(size);
        if (!moved)
                return NULL;
        memcpy(moved, p, present);
        free(p);
        return moved;
}
