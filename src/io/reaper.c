/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Kills programs with what they started, and collects what is left of them.
 *
 * Owns the duty that nothing of a program stays: its group is killed; what escaped from that became a child
 * of ours (we are the subreaper) and is killed as such. The kernel may hold on to what was killed, on a file
 * system that hangs for example: the event loop is not kept waiting for that, and hears of its end by a
 * descriptor. */

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scalar.h"
#include "io/reaper.h"

/* Orphans whose parent dies while we look come to us as well, so it takes some rounds to the end of a
 * tree. */
#define ORPHAN_ROUNDS 32
/* How long we wait for what was killed. Only what the kernel does not let go of takes longer. */
#define KILL_PATIENCE USEC_PER_SEC

typedef struct Children {
        pid_t *items;
        size_t n_items;
} Children;

/* A child that was killed and has not gone yet. */
typedef struct Stuck Stuck;
struct Stuck {
        Reaper *reaper;
        Stuck *next;
        pid_t pid;
        int fd;
        sd_event_source *source;
};

struct Reaper {
        sd_event *event;
        bool adopt;
        Children before; /* they were here before us, and stay */
        Leader *running;
        Stuck *stuck;
};

static void children_done(Children *c) {
        free(c->items);
}

static bool children_have(const Children *c, pid_t pid) {
        for (size_t i = 0; i < c->n_items; i++)
                if (c->items[i] == pid)
                        return true;
        return false;
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

static void stuck_free(Stuck *s) {
        for (Stuck **i = &s->reaper->stuck; *i; i = &(*i)->next)
                if (*i == s) {
                        *i = s->next;
                        break;
                }
        sd_event_source_disable_unref(s->source);
        closep(&s->fd);
        free(s);
}

int reaper_new(sd_event *event, bool adopt, Reaper **ret) {
        _cleanup_(reaper_freep) Reaper *reaper = NULL;
        int r;

        reaper = calloc(1, sizeof(*reaper));
        if (!reaper)
                return -ENOMEM;
        reaper->adopt = adopt;
        reaper->event = sd_event_ref(event);
        if (adopt) {
                r = children_read(&reaper->before);
                if (r < 0)
                        return r;
                if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                        return -errno;
        }
        *ret = TAKE_PTR(reaper);
        return 0;
}

Reaper *reaper_free(Reaper *r) {
        if (!r)
                return NULL;
        while (r->stuck)
                stuck_free(r->stuck);
        children_done(&r->before);
        sd_event_unref(r->event);
        free(r);
        return NULL;
}

void reaper_add(Reaper *r, Leader *l, pid_t pid) {
        l->pid = pid;
        l->next = r->running;
        r->running = l;
}

/* A process that nobody needs any more: one of the session of a program that has just ended, or any if no
 * program runs. What is stuck has been killed before. */
static bool is_stray(const Reaper *r, pid_t session, pid_t pid) {
        if (pid == session || children_have(&r->before, pid))
                return false;
        for (const Leader *i = r->running; i; i = i->next)
                if (i->pid == pid)
                        return false;
        for (const Stuck *i = r->stuck; i; i = i->next)
                if (i->pid == pid)
                        return false;
        return !r->running || getsid(pid) == session;
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

/* Has it gone, if need be by our hand? */
static bool collect(pid_t pid) {
        siginfo_t info = {};

        if (waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG) < 0)
                return errno == ECHILD;
        return info.si_pid == pid;
}

static void end_strays(Reaper *r, pid_t session, usec_t until);

static int on_gone(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Stuck *s = userdata;
        Reaper *r = s->reaper;

        if (!collect(s->pid))
                return 0;
        stuck_free(s);
        /* Its children, if it had any, are ours now. */
        if (r->adopt && !r->running)
                end_strays(r, 0, usec_add(now_boot(), KILL_PATIENCE));
        return 0;
}

/* By edges, for of a process that somebody traces the end is seen before we can collect it. Without memory
 * or a descriptor it stays until this process ends. */
static void await_later(Reaper *r, pid_t pid) {
        Stuck *s = calloc(1, sizeof(*s));

        if (!s)
                return;
        *s = (Stuck){
                .reaper = r,
                .next = r->stuck,
                .pid = pid,
                .fd = (int) syscall(SYS_pidfd_open, pid, 0),
        };
        r->stuck = s;
        if (s->fd < 0 || sd_event_add_io(r->event, &s->source, s->fd, EPOLLIN | EPOLLET, on_gone, s) < 0)
                stuck_free(s);
}

static bool collect_or_await(Reaper *r, pid_t pid) {
        bool gone = collect(pid);

        if (!gone)
                await_later(r, pid);
        return gone;
}

/* Returns how many are gone. */
static unsigned end_strays_once(Reaper *r, pid_t session, usec_t until) {
        _cleanup_(children_done) Children c = {};
        size_t n_strays = 0;
        unsigned gone = 0;

        if (children_read(&c) < 0)
                return 0;
        for (size_t i = 0; i < c.n_items; i++)
                if (is_stray(r, session, c.items[i])) {
                        (void) kill(c.items[i], SIGKILL);
                        c.items[n_strays++] = c.items[i];
                }
        for (size_t i = 0; i < n_strays; i++) {
                await_end(c.items[i], until);
                gone += collect_or_await(r, c.items[i]);
        }
        return gone;
}

static void end_strays(Reaper *r, pid_t session, usec_t until) {
        for (unsigned i = 0; i < ORPHAN_ROUNDS && end_strays_once(r, session, until) > 0; i++)
                ;
}

void reaper_end(Reaper *r, Leader *l) {
        usec_t until = usec_add(now_boot(), KILL_PATIENCE);
        pid_t pid = l->pid;

        if (pid <= 0)
                return;
        for (Leader **i = &r->running; *i; i = &(*i)->next)
                if (*i == l) {
                        *i = l->next;
                        break;
                }
        *l = (Leader){};
        /* It is collected last: its number, that of the session, is its own until then. */
        (void) kill(-pid, SIGKILL);
        await_end(pid, until);
        if (r->adopt)
                end_strays(r, pid, until);
        (void) collect_or_await(r, pid);
}
