/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a program and collects what it prints.
 *
 * Owns the child, its pipes, its deadline, and the duty that nothing of it stays: a program is the
 * leader of a session, which is killed as a group when it ends; what escaped from the group became a
 * child of ours (we are the subreaper) and is killed as such.
 *
 * Refuses shells, searching in PATH and inheriting anything. Never blocks: standard output goes into
 * memory of a fixed size, of standard error only the end is kept. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory-file.h"
#include "base/scalar.h"
#include "base/text.h"
#include "io/process.h"

#define WORDS_MAX 1024
#define LAST_WORDS_MAX 256
#define WORDS_READ (WORDS_MAX / 2)
/* So many reads empty a pipe of the usual size. */
#define WORDS_READS (64 * 1024 / WORDS_READ)
/* Orphans whose parent dies while we look come to us as well, so it takes some rounds to the end of a
 * tree. */
#define ORPHAN_ROUNDS 32
/* How long we wait for what was killed. Only what the kernel does not let go of takes longer, on a file
 * system that hangs for example; it is collected after a later program, or by the service manager. */
#define KILL_PATIENCE USEC_PER_SEC

typedef struct Children {
        pid_t *items;
        size_t n_items;
} Children;

struct Processes {
        sd_event *event;
        ProcessesFlags flags;
        Children before; /* they were here before us, and stay */
        Process *first;
};

struct Process {
        Processes *list;
        Process *next;
        pid_t pid; /* 0: it ended and was waited for */
        int out_fd, err_fd;
        sd_event_source *child, *out, *err, *deadline;
        Secret *output;
        size_t size, max;
        char words[WORDS_MAX];
        size_t words_size;
        ProcessHandler handler;
        void *userdata;
};

static void children_done(Children *c) {
        free(c->items);
}

/* None on a kernel without this file: what its programs leave behind is for the service manager to end. */
static int children_read(Children *ret) {
        _cleanup_(children_done) Children c = {};
        FILE *f = fopen("/proc/thread-self/children", "re");
        char word[16];
        int r = 0;

        while (r >= 0 && f && fscanf(f, "%15s", word) == 1) {
                pid_t *grown = reallocarray(c.items, c.n_items + 1, sizeof(*grown));
                uint64_t pid;

                r = grown ? parse_u64(word, 1, INT_MAX, &pid) : -ENOMEM;
                if (grown)
                        c.items = grown;
                if (r >= 0)
                        c.items[c.n_items++] = (pid_t) pid;
        }
        if (f)
                (void) fclose(f);
        if (r < 0)
                return r;
        *ret = (Children){ .items = TAKE_PTR(c.items), .n_items = c.n_items };
        return 0;
}

int processes_new(sd_event *event, ProcessesFlags flags, Processes **ret) {
        _cleanup_(processes_freep) Processes *l = NULL;
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->flags = flags;
        l->event = sd_event_ref(event);
        if (flags & PROCESSES_ADOPT) {
                r = children_read(&l->before);
                if (r < 0)
                        return r;
                if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                        return -errno;
        }
        *ret = TAKE_PTR(l);
        return 0;
}

Processes *processes_free(Processes *l) {
        if (!l)
                return NULL;
        children_done(&l->before);
        sd_event_unref(l->event);
        free(l);
        return NULL;
}

/* A process that nobody needs any more: one of the session of `p`, or any if no other program runs. */
static bool is_stray(const Process *p, pid_t pid) {
        const Children *before = &p->list->before;
        bool alone = true;

        for (size_t i = 0; i < before->n_items; i++)
                if (before->items[i] == pid)
                        return false;
        for (const Process *i = p->list->first; i; i = i->next) {
                if (i->pid == pid)
                        return false;
                if (i != p && i->pid > 0)
                        alone = false;
        }
        return alone || getsid(pid) == p->pid;
}

/* Waits for the end of a child that was killed, but not for long. */
static void await_end(pid_t pid, usec_t until) {
        bool taken = false;
        sigset_t child;

        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        for (;;) {
                usec_t left = usec_sub(until, now_boot());
                siginfo_t info = {};

                if (waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
                    info.si_pid == pid || left == 0)
                        break;
                if (sigtimedwait(&child, NULL,
                                 &(struct timespec){
                                         .tv_sec = (time_t) (left / USEC_PER_SEC),
                                         .tv_nsec = (long) (left % USEC_PER_SEC) * 1000,
                                 }) == SIGCHLD)
                        taken = true;
        }
        /* The event loop may have to learn the end of another program from it. */
        if (taken)
                (void) raise(SIGCHLD);
}

static bool collect(pid_t pid) {
        siginfo_t info = {};

        return waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid;
}

/* Returns how many are gone. */
static unsigned end_strays(const Process *p, usec_t until) {
        _cleanup_(children_done) Children c = {};
        size_t n_strays = 0;
        unsigned gone = 0;

        if (children_read(&c) < 0)
                return 0;
        for (size_t i = 0; i < c.n_items; i++)
                if (is_stray(p, c.items[i])) {
                        (void) kill(c.items[i], SIGKILL);
                        c.items[n_strays++] = c.items[i];
                }
        for (size_t i = 0; i < n_strays; i++) {
                await_end(c.items[i], until);
                gone += collect(c.items[i]);
        }
        return gone;
}

static void end_tree(Process *p) {
        usec_t until = usec_add(now_boot(), KILL_PATIENCE);

        if (p->pid <= 0)
                return;
        /* The leader is collected last: its number, that of the session, is its own until then. */
        (void) kill(-p->pid, SIGKILL);
        await_end(p->pid, until);
        if (p->list->flags & PROCESSES_ADOPT)
                for (unsigned i = 0; i < ORPHAN_ROUNDS && end_strays(p, until) > 0; i++)
                        ;
        (void) collect(p->pid);
        p->pid = 0;
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
        end_tree(p);
        for (Process **i = &p->list->first; *i; i = &(*i)->next)
                if (*i == p) {
                        *i = p->next;
                        break;
                }
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

        end_tree(p);
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
        /* Not collected yet, see sd_event_add_child(3): end_tree() does that, after its group was killed. */
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
static int spawn_with(Process *p, const ProcessSpec *spec, const ChildFiles *f,
                      posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes) {
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
                r = posix_spawn(&p->pid, spec->arguments[0], actions, attributes, (char **) spec->arguments,
                                (char **) spec->environment);
        return -r;
}

static int spawn(Process *p, const ProcessSpec *spec, const ChildFiles *f) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r;

        r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                return r;
        r = -posix_spawnattr_init(&attributes);
        if (r == 0) {
                r = spawn_with(p, spec, f, &actions, &attributes);
                (void) posix_spawnattr_destroy(&attributes);
        }
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r < 0)
                p->pid = 0;
        return r;
}

static int add_sources(Process *p, usec_t timeout) {
        sd_event *e = p->list->event;
        int r;

        r = sd_event_add_io(e, &p->out, p->out_fd, EPOLLIN, on_output, p);
        if (r >= 0)
                r = sd_event_add_io(e, &p->err, p->err_fd, EPOLLIN, on_words, p);
        if (r >= 0)
                r = sd_event_add_child(e, &p->child, p->pid, WEXITED, on_end, p);
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
        p->next = l->first;
        l->first = p;
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
