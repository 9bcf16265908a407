/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a program and collects what it prints.
 *
 * Owns the child, its pipes and its deadline. A program is the leader of a session; that nothing of it stays
 * is seen to by the reaper.
 *
 * Refuses shells, searching in PATH and inheriting anything. Never blocks: standard output goes into
 * memory of a fixed size, of standard error only the end is kept. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory-file.h"
#include "base/text.h"
#include "io/process.h"
#include "io/reaper.h"

#define WORDS_MAX 1024
#define LAST_WORDS_MAX 256
#define WORDS_READ (WORDS_MAX / 2)
/* So many reads empty a pipe of the usual size. */
#define WORDS_READS (64 * 1024 / WORDS_READ)

struct Processes {
        sd_event *event;
        Reaper *reaper;
};

struct Process {
        Processes *list;
        Leader leader;
        int out_fd, err_fd;
        sd_event_source *child, *out, *err, *deadline;
        Secret *output;
        size_t size, max;
        char words[WORDS_MAX];
        size_t words_size;
        ProcessHandler handler;
        void *userdata;
};

int processes_new(sd_event *event, ProcessesFlags flags, Processes **ret) {
        _cleanup_(processes_freep) Processes *l = NULL;
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->event = sd_event_ref(event);
        r = reaper_new(event, flags & PROCESSES_ADOPT, &l->reaper);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

Processes *processes_free(Processes *l) {
        if (!l)
                return NULL;
        reaper_free(l->reaper);
        sd_event_unref(l->event);
        free(l);
        return NULL;
}

static void close_sources(Process *p) {
        p->child = sd_event_source_disable_unref(p->child);
        p->out = sd_event_source_disable_unref(p->out);
        p->err = sd_event_source_disable_unref(p->err);
        p->deadline = sd_event_source_disable_unref(p->deadline);
        closep(&p->out_fd);
        closep(&p->err_fd);
        p->out_fd = p->err_fd = -EBADF;
}

Process *process_free(Process *p) {
        if (!p)
                return NULL;
        close_sources(p);
        reaper_end(p->list->reaper, &p->leader);
        secret_free(p->output);
        free(p);
        return NULL;
}

/* What was printed last, in one line. */
static int last_words(const Process *p, char **ret) {
        const char *end = p->words + p->words_size, *begin;

        while (end > p->words && strchr(WHITESPACE, end[-1]))
                end--;
        for (begin = end; begin > p->words && begin[-1] != '\n'; begin--)
                ;
        return text_clean(begin, (size_t) (end - begin), LAST_WORDS_MAX, ret);
}

/* Appends to standard error's end; the older half goes when there is no room. */
static void keep_words(Process *p, const char *data, size_t size) {
        if (size > WORDS_MAX / 2) {
                data += size - WORDS_MAX / 2;
                size = WORDS_MAX / 2;
        }
        if (p->words_size + size > WORDS_MAX) {
                size_t kept = WORDS_MAX / 2;

                memmove(p->words, p->words + p->words_size - kept, kept);
                p->words_size = kept;
        }
        (void) memcpy(p->words + p->words_size, data, size);
        p->words_size += size;
}

/* Both return 1 if there may be more, 0 at the end or when there is nothing now. */
static int read_words(Process *p) {
        char buffer[WORDS_READ];
        ssize_t n = read(p->err_fd, buffer, sizeof(buffer));

        if (n > 0)
                keep_words(p, buffer, (size_t) n);
        explicit_bzero(buffer, sizeof(buffer));
        return n > 0;
}

static int read_output(Process *p) {
        struct iovec room = secret_writable(p->output);
        ssize_t n;

        if (p->size > p->max)
                return 0;
        n = read(p->out_fd, (char *) room.iov_base + p->size, room.iov_len - p->size);
        if (n > 0)
                p->size += (size_t) n;
        return n > 0;
}

static void finish(Process *p, ProcessOutcome outcome, int status) {
        _cleanup_free_ char *words = NULL;

        reaper_end(p->list->reaper, &p->leader);
        /* What is in the pipes is all that counts; who left the session may still write. */
        while (p->out_fd >= 0 && read_output(p) > 0)
                ;
        for (unsigned i = 0; i < WORDS_READS && p->err_fd >= 0 && read_words(p) > 0; i++)
                ;
        close_sources(p);
        (void) last_words(p, &words);
        secret_truncate(p->output, p->size);
        p->handler(
                &(ProcessResult){
                        .outcome = p->size > p->max ? PROCESS_TOO_LARGE : outcome,
                        .status = status,
                        .last_words = strempty(words),
                },
                TAKE_PTR(p->output), p->userdata);
}

static int on_end(sd_event_source *source, const siginfo_t *info, void *userdata) {
        /* Not collected yet, see sd_event_add_child(3): the reaper does that, after its group was killed. */
        finish(userdata, info->si_code == CLD_EXITED ? PROCESS_EXITED : PROCESS_KILLED, info->si_status);
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        finish(userdata, PROCESS_TIMEOUT, 0);
        return 0;
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Process *p = userdata;

        if (read_output(p) > 0)
                return 0;
        if (p->size > p->max) {
                finish(p, PROCESS_TOO_LARGE, 0);
                return 0;
        }
        /* Closed: its end is told by the child. */
        return events & EPOLLHUP ? sd_event_source_set_enabled(source, SD_EVENT_OFF) : 0;
}

static int on_words(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Process *p = userdata;

        if (read_words(p) > 0)
                return 0;
        return events & EPOLLHUP ? sd_event_source_set_enabled(source, SD_EVENT_OFF) : 0;
}

/* What the child gets as its standard descriptors; ours to close. */
typedef struct ChildFiles {
        int input, output, error;
} ChildFiles;

static void child_files_done(ChildFiles *f) {
        closep(&f->input);
        closep(&f->output);
        closep(&f->error);
}

/* A file and no pipe: it is there as a whole, so that nobody has to write while the program reads. */
static int open_input(const Secret *input, ChildFiles *f) {
        struct iovec bytes = secret_peek(input);

        return input ? memory_file_new("pullauth-input", bytes.iov_base, bytes.iov_len, &f->input) : 0;
}

static int open_pipes(Process *p, ChildFiles *f) {
        int out[2], err[2];

        if (pipe2(out, O_CLOEXEC) < 0)
                return -errno;
        p->out_fd = out[0];
        f->output = out[1];
        if (pipe2(err, O_CLOEXEC) < 0)
                return -errno;
        p->err_fd = err[0];
        f->error = err[1];
        if (fcntl(p->out_fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(p->err_fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        return 0;
}

/* posix_spawn() says in its result what kept the program from being started. */
static int spawn_with(const ProcessSpec *spec, const ChildFiles *f, posix_spawn_file_actions_t *actions,
                      posix_spawnattr_t *attributes, pid_t *ret) {
        sigset_t none, all;
        int r;

        sigemptyset(&none);
        sigfillset(&all);
        if (f->input >= 0)
                r = posix_spawn_file_actions_adddup2(actions, f->input, STDIN_FILENO);
        else
                r = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, f->output, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, f->error, STDERR_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
        if (r == 0)
                r = posix_spawn_file_actions_addchdir_np(actions, "/");
        if (r == 0)
                r = posix_spawnattr_setsigmask(attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(attributes, &all);
        if (r == 0)
                r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                                 POSIX_SPAWN_SETSIGDEF);
        if (r == 0)
                r = posix_spawn(ret, spec->arguments[0], actions, attributes, (char **) spec->arguments,
                                (char **) spec->environment);
        return -r;
}

static int spawn(Process *p, const ProcessSpec *spec, const ChildFiles *f) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        pid_t pid = 0;
        int r;

        r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                return r;
        r = -posix_spawnattr_init(&attributes);
        if (r == 0) {
                r = spawn_with(spec, f, &actions, &attributes, &pid);
                (void) posix_spawnattr_destroy(&attributes);
        }
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r >= 0)
                reaper_add(p->list->reaper, &p->leader, pid);
        return r;
}

static int add_sources(Process *p, usec_t timeout) {
        sd_event *e = p->list->event;
        int r;

        r = sd_event_add_io(e, &p->out, p->out_fd, EPOLLIN, on_output, p);
        if (r >= 0)
                r = sd_event_add_io(e, &p->err, p->err_fd, EPOLLIN, on_words, p);
        if (r >= 0)
                r = sd_event_add_child(e, &p->child, p->leader.pid, WEXITED, on_end, p);
        if (r >= 0)
                r = sd_event_add_time_relative(e, &p->deadline, CLOCK_BOOTTIME, timeout, USEC_PER_MSEC,
                                               on_deadline, p);
        return r;
}

int process_start(Processes *l, const ProcessSpec *spec, ProcessHandler handler, void *userdata,
                  Process **ret) {
        _cleanup_(child_files_done) ChildFiles files = { -EBADF, -EBADF, -EBADF };
        _cleanup_(process_freep) Process *p = NULL;
        int r;

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->list = l;
        p->out_fd = p->err_fd = -EBADF;
        p->handler = handler;
        p->userdata = userdata;
        p->max = spec->output_max;
        /* One byte more tells too much from just enough. */
        r = secret_new_zero(p->max + 1, &p->output);
        if (r >= 0)
                r = open_input(spec->input, &files);
        if (r >= 0)
                r = open_pipes(p, &files);
        if (r >= 0)
                r = spawn(p, spec, &files);
        if (r >= 0)
                r = add_sources(p, spec->timeout);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}
