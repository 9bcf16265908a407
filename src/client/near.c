/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds names that a misspelt one was meant to be.
 *
 * Owns nothing. The distance is Damerau-Levenshtein in its restricted form (optimal string alignment):
 * insert, delete, replace, swap neighbours. Names are short; longer ones than a job can have are not
 * compared. */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "client/near.h"

#define NAME_LENGTH_MAX 64

static unsigned least(unsigned a, unsigned b) {
        return a < b ? a : b;
}

static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* Both at most NAME_LENGTH_MAX long. */
static unsigned distance(const char *a, const char *b) {
        unsigned d[NAME_LENGTH_MAX + 1][NAME_LENGTH_MAX + 1];
        unsigned n = (unsigned) strlen(a), m = (unsigned) strlen(b);

        for (unsigned i = 0; i <= n; i++)
                d[i][0] = i;
        for (unsigned k = 0; k <= m; k++)
                d[0][k] = k;
        for (unsigned i = 1; i <= n; i++)
                for (unsigned k = 1; k <= m; k++) {
                        unsigned cost = lower(a[i - 1]) == lower(b[k - 1]) ? 0 : 1;

                        d[i][k] = least(least(d[i - 1][k] + 1, d[i][k - 1] + 1), d[i - 1][k - 1] + cost);
                        if (i > 1 && k > 1 && lower(a[i - 1]) == lower(b[k - 2]) &&
                            lower(a[i - 2]) == lower(b[k - 1]))
                                d[i][k] = least(d[i][k], d[i - 2][k - 2] + 1);
                }
        return d[n][m];
}

/* 0 is nearest; UINT32_MAX: not near. */
static unsigned rank(const char *name, const char *candidate) {
        size_t length = strlen(name);
        unsigned d;

        if (length == 0 || length > NAME_LENGTH_MAX || strlen(candidate) > NAME_LENGTH_MAX)
                return UINT32_MAX;
        d = distance(name, candidate);
        if (d <= (length + 2) / 3)
                return d;
        return strncasecmp(name, candidate, length) == 0 ? NAME_LENGTH_MAX : UINT32_MAX;
}

typedef struct Candidate {
        unsigned rank;
        const char *name;
} Candidate;

static int compare_candidates(const void *a, const void *b) {
        const Candidate *x = a, *y = b;

        if (x->rank != y->rank)
                return x->rank < y->rank ? -1 : 1;
        return strcmp(x->name, y->name);
}

int near_names(const char *name, char *const *names, size_t max, char ***ret) {
        _cleanup_free_ Candidate *candidates = NULL;
        _cleanup_strv_ char **l = NULL;
        size_t n = 0;
        int r;

        candidates = calloc(strv_length(names) + 1, sizeof(*candidates));
        if (!candidates)
                return -ENOMEM;
        STRV_FOREACH(i, names) {
                candidates[n] = (Candidate){ rank(name, *i), *i };
                if (candidates[n].rank != UINT32_MAX)
                        n++;
        }
        qsort(candidates, n, sizeof(*candidates), compare_candidates);
        for (size_t i = 0; i < n && i < max; i++) {
                r = strv_append(&l, candidates[i].name);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(l);
        return 0;
}
