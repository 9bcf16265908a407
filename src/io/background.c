/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One thread for one piece of work, and the word of its end through an eventfd.
 *
 * Owns the handshake between the two threads: a small block that both hold, freed by the last. The
 * thread never touches the event loop, and the loop never waits for the thread, so that a device which
 * hangs keeps nobody but the requests of its own lane; those are given up when their time is over, and one
 * thread is all that is left behind. There is no pool: such work is rare. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/background.h"

/* Held by both threads. What the thread wrote is read by the loop behind `r`, and by who frees it behind
 * `holders`. */
typedef struct Shared {
        struct Shared *next; /* in the lane, under its lock */
        atomic_uint holders;
        BackgroundJob job;
        atomic_int r; /* stored when `data` is complete */
        int fd;       /* a duplicate for the thread, for the loop may close its own first */
} Shared;

struct Background {
        Shared *shared;
        sd_event_source *source;
        int fd;
        BackgroundHandler handler;
        void *userdata;
};

static void shared_release(Shared *s) {
        if (atomic_fetch_sub(&s->holders, 1) > 1)
                return;
        s->job.release(s->job.data);
        closep(&s->fd);
        free(s);
}

/* Returns NULL when nobody waits; then the lane has no thread any more. */
static Shared *lane_next(BackgroundLane *lane) {
        Shared *s;

        (void) pthread_mutex_lock(&lane->lock);
        s = lane->first;
        if (s)
                lane->first = s->next;
        else
                lane->busy = false;
        (void) pthread_mutex_unlock(&lane->lock);
        return s;
}

static void *run(void *argument) {
        BackgroundLane *lane = ((Shared *) argument)->job.lane;
        uint64_t one = 1;

        for (Shared *s = argument; s; s = lane ? lane_next(lane) : NULL) {
                atomic_store(&s->r, s->job.work(s->job.data));
                (void) !write(s->fd, &one, sizeof(one));
                shared_release(s);
        }
        return NULL;
}

static int on_done(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Background *b = userdata;
        uint64_t count;

        if (read(fd, &count, sizeof(count)) < 0)
                return 0;
        b->source = sd_event_source_disable_unref(b->source);
        b->handler(atomic_load(&b->shared->r), b->shared->job.data, b->userdata);
        return 0;
}

/* No signal of ours is for that thread. */
static int start_thread(Shared *s) {
        sigset_t all, old;
        pthread_attr_t attributes;
        pthread_t thread;
        int r;

        r = pthread_attr_init(&attributes);
        if (r != 0)
                return -r;
        sigfillset(&all);
        (void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        (void) pthread_sigmask(SIG_SETMASK, &all, &old);
        atomic_fetch_add(&s->holders, 1);
        r = pthread_create(&thread, &attributes, run, s);
        if (r != 0)
                atomic_fetch_sub(&s->holders, 1);
        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
        (void) pthread_attr_destroy(&attributes);
        return -r;
}

static int lane_start(BackgroundLane *lane, Shared *s) {
        Shared **end = &lane->first;
        int r = 0;

        (void) pthread_mutex_lock(&lane->lock);
        if (!lane->busy) {
                r = start_thread(s);
                lane->busy = r >= 0;
        } else {
                while (*end)
                        end = &(*end)->next;
                *end = s;
                atomic_fetch_add(&s->holders, 1);
        }
        (void) pthread_mutex_unlock(&lane->lock);
        return r;
}

static void lane_give_up(BackgroundLane *lane, Shared *s) {
        Shared **p = &lane->first;
        bool waits;

        (void) pthread_mutex_lock(&lane->lock);
        while (*p && *p != s)
                p = &(*p)->next;
        waits = *p;
        if (waits)
                *p = s->next;
        (void) pthread_mutex_unlock(&lane->lock);
        if (waits)
                shared_release(s);
}

static int shared_new(const BackgroundJob *job, Shared **ret) {
        Shared *s;

        s = calloc(1, sizeof(*s));
        if (!s) {
                job->release(job->data);
                return -ENOMEM;
        }
        atomic_init(&s->holders, 1);
        s->job = *job;
        s->fd = -EBADF;
        *ret = s;
        return 0;
}

int background_start(sd_event *event, const BackgroundJob *job, BackgroundHandler handler, void *userdata,
                     Background **ret) {
        _cleanup_(background_freep) Background *b = NULL;
        Shared *s = NULL;
        int r;

        r = shared_new(job, &s);
        if (r < 0)
                return r;
        b = calloc(1, sizeof(*b));
        if (!b) {
                shared_release(s);
                return -ENOMEM;
        }
        b->shared = s;
        b->handler = handler;
        b->userdata = userdata;
        b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        s->fd = b->fd < 0 ? -EBADF : fcntl(b->fd, F_DUPFD_CLOEXEC, 3);
        if (b->fd < 0 || s->fd < 0)
                return -errno;
        r = sd_event_add_io(event, &b->source, b->fd, EPOLLIN, on_done, b);
        if (r >= 0)
                r = job->lane ? lane_start(job->lane, s) : start_thread(s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b);
        return 0;
}

Background *background_free(Background *b) {
        if (!b)
                return NULL;
        sd_event_source_disable_unref(b->source);
        closep(&b->fd);
        if (b->shared->job.lane)
                lane_give_up(b->shared->job.lane, b->shared);
        shared_release(b->shared);
        free(b);
        return NULL;
}
