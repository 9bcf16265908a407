/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The state's life on disk; how the file reads is state-file.c, what it means state-data.c.
 *
 * Owns "state.json". A file that cannot be read never keeps the daemon from starting: it is set aside, for
 * somebody may want to look at it. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/file-replace.h"
#include "base/file.h"
#include "base/text.h"
#include "daemon/state-file.h"
#include "daemon/state-store.h"

#define STATE_FILE "state.json"
#define STATE_FILE_ASIDE "state.json.unusable"
/* What a Secret can hold. Of what is written as well: a state that the next run cannot read is none, and an
 * older one better. */
#define STATE_FILE_MAX (16 * 1024 * 1024 - 1)

struct StateStore {
        StateData data;
        int dir_fd;
};

StateData *state_store_data(StateStore *s) {
        return &s->data;
}

StateStore *state_store_free(StateStore *s) {
        if (!s)
                return NULL;
        state_data_clear(&s->data);
        closep(&s->dir_fd);
        free(s);
        return NULL;
}

int state_store_save(StateStore *s) {
        _cleanup_free_ char *text = NULL;
        FileReplace replace;
        size_t size;
        int r;

        if (!s->data.changed)
                return 0;
        r = state_file_print(&s->data, &text, &size);
        if (r < 0)
                return r;
        if (size > STATE_FILE_MAX)
                return -EFBIG;
        replace = (FileReplace){
                .dir_fd = s->dir_fd,
                .name = STATE_FILE,
                .data = text,
                .size = size,
                .old_fd = -EBADF,
                .mode = 0600,
                .uid = (uid_t) -1,
                .gid = (gid_t) -1,
                .flags = FILE_REPLACE_SYNC,
        };
        r = file_replace(&replace);
        if (r < 0)
                return r;
        s->data.changed = false;
        return 0;
}

static int open_directory(const char *path, int *ret_fd) {
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return -errno;
        *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return *ret_fd < 0 ? -errno : 0;
}

/* Returns 1 if there was a file and it was understood, 0 with *reterr_problem if it was not, 0 without
 * one if there is none. */
static int load(StateStore *s, char **reterr_problem) {
        _cleanup_secret_ Secret *text = NULL;
        const char *problem = NULL;
        int r;

        r = file_read(s->dir_fd, STATE_FILE, STATE_FILE_MAX, FILE_READ_OWNED, &text, NULL);
        if (r == -ENOENT)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                problem = strerrordesc_np(-r);
        else {
                struct iovec bytes = secret_peek(text);

                r = state_file_parse(bytes.iov_base, bytes.iov_len, &s->data, &problem);
                if (r >= 0)
                        return 1;
                if (r == -ENOMEM)
                        return r;
        }
        state_data_clear(&s->data);
        r = text_format(reterr_problem, "The state file cannot be used (%s), it was set aside as %s",
                        strempty(problem), STATE_FILE_ASIDE);
        if (r < 0)
                return r;
        (void) renameat(s->dir_fd, STATE_FILE, s->dir_fd, STATE_FILE_ASIDE);
        return 0;
}

int state_store_open(const char *directory, StateStore **ret, char **reterr_problem) {
        _cleanup_(state_store_freep) StateStore *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->dir_fd = -EBADF;
        r = open_directory(directory, &s->dir_fd);
        if (r < 0)
                return r;
        (void) file_replace_sweep(s->dir_fd, STATE_FILE);
        r = load(s, reterr_problem);
        if (r == 0) {
                /* Up to 256 bytes come whole or not at all (getrandom(2)). */
                if (getrandom(s->data.salt, sizeof(s->data.salt), 0) != (ssize_t) sizeof(s->data.salt))
                        r = -EIO;
                s->data.changed = true;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}
