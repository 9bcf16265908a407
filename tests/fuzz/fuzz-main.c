/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands in for libFuzzer: runs the corpus of a fuzzer, one file after the other, and says so in TAP.
 * Finds nothing by itself, but holds what was found. A directory without files is a mistake, not a
 * success. */

#include <dirent.h>
#include <errno.h>

#include "fuzz.h"

static char *read_whole(const char *path, size_t *ret_size) {
        FILE *f = fopen(path, "re");
        char *data = NULL;
        long size;

        if (!f || fseek(f, 0, SEEK_END) < 0 || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) < 0)
                abort();
        /* Of its own size, so that a sanitizer sees the first byte too many. */
        data = malloc(size > 0 ? (size_t) size : 1);
        if (!data || fread(data, 1, (size_t) size, f) != (size_t) size)
                abort();
        (void) fclose(f);
        *ret_size = (size_t) size;
        return data;
}

static int is_file(const struct dirent *e) {
        return e->d_name[0] != '.';
}

int main(int argc, char *argv[]) {
        struct dirent **names = NULL;
        int n, total = 0;

        for (int i = 1; i < argc; i++) {
                n = scandir(argv[i], &names, is_file, alphasort);
                if (n <= 0) {
                        printf("Bail out! %s: %s\n", argv[i], n < 0 ? strerrordesc_np(errno) : "empty");
                        return EXIT_FAILURE;
                }
                for (int k = 0; k < n; k++) {
                        _cleanup_free_ char *path = NULL, *data = NULL;
                        size_t size;

                        if (text_format(&path, "%s/%s", argv[i], names[k]->d_name) < 0)
                                abort();
                        data = read_whole(path, &size);
                        (void) LLVMFuzzerTestOneInput((const uint8_t *) data, size);
                        printf("ok %d - %s\n", ++total, names[k]->d_name);
                        (void) fflush(stdout);
                        free(names[k]);
                }
                free(names);
        }
        printf("1..%d\n", total);
        return EXIT_SUCCESS;
}
