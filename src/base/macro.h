/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The whole set of macros this project uses. It does not grow without a reason in docs/decisions.md. */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* Unused: clang takes a variable that is there for its end alone for a forgotten one. */
#define _cleanup_(f) __attribute__((__cleanup__(f), __unused__))
#define _printf_(a, b) __attribute__((__format__(printf, a, b)))
#define _unused_ __attribute__((__unused__))

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))

/* Moves the value out of a variable that a cleanup handler watches. */
#define TAKE_PTR(p)                    \
        ({                             \
                typeof(p) *_pp = &(p); \
                typeof(p) _v = *_pp;   \
                *_pp = NULL;           \
                _v;                    \
        })

#define TAKE_FD(fd)                \
        ({                         \
                int *_pfd = &(fd); \
                int _v = *_pfd;    \
                *_pfd = -EBADF;    \
                _v;                \
        })

/* Defines the function that _cleanup_() wants from a function that frees and returns NULL. */
#define DEFINE_CLEANUP(type, func)            \
        static inline void func##p(type *p) { \
                if (*p)                       \
                        *p = func(*p);        \
        }

static inline void freep(void *p) {
        free(*(void **) p);
}

static inline void closep(int *fd) {
        int saved = errno;

        if (*fd >= 0)
                (void) close(*fd);
        errno = saved;
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
