/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A host whose clock is another one than this machine's, and whose resolver does what a test wants.
 * Preloaded into daemon and worker (LD_PRELOAD); all that they and their libraries ask of clocks, timers and
 * names goes through here.
 *
 * PULLAUTH_TEST_CLOCK names a file of three numbers: nanoseconds by which CLOCK_REALTIME, CLOCK_BOOTTIME and
 * CLOCK_MONOTONIC are ahead. Whoever writes it sets the clock, suspends the host, or lets time pass, while
 * the process runs: timers of timerfd_create(2) are set anew, and those with TFD_TIMER_CANCEL_ON_SET are
 * cancelled by a step of the real clock as the kernel does it. What poll(2) and the like wait for is real
 * time.
 *
 * PULLAUTH_TEST_NAMES names a directory: a name that has a file there is found, at the loopback address; a
 * name that has none is one that no name server answers for. Addresses are let through. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC INT64_C(1000000000)
#define FDS_MAX 1024

typedef struct Offsets {
        int64_t real, boot, monotonic;
} Offsets;

typedef struct Timer {
        bool known;
        clockid_t clock;
        int flags;
        struct itimerspec value; /* as the program sees time */
        bool cancelled;          /* by a step that it has not read of yet */
} Timer;

static const volatile Offsets *offsets; /* NULL: the clocks are this machine's */
static int changes = -1;
/* By how much the real clock is ahead of the monotonic one: known from the start, however late the watch
 * begins. */
static int64_t ahead;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Timer timers[FDS_MAX];

static int64_t offset(clockid_t clock) {
        if (!offsets)
                return 0;
        switch (clock) {
        case CLOCK_REALTIME:
        case CLOCK_REALTIME_COARSE:
        case CLOCK_REALTIME_ALARM:
                return offsets->real;
        case CLOCK_BOOTTIME:
        case CLOCK_BOOTTIME_ALARM:
                return offsets->boot;
        case CLOCK_MONOTONIC:
        case CLOCK_MONOTONIC_COARSE:
        case CLOCK_MONOTONIC_RAW:
                return offsets->monotonic;
        default:
                return 0;
        }
}

static struct timespec shifted(struct timespec t, int64_t by) {
        int64_t nsec = t.tv_nsec + by % NSEC_PER_SEC;

        t.tv_sec += by / NSEC_PER_SEC + (nsec >= NSEC_PER_SEC) - (nsec < 0);
        t.tv_nsec = nsec - ((nsec >= NSEC_PER_SEC) - (nsec < 0)) * NSEC_PER_SEC;
        return t;
}

/* With PULLAUTH_TEST_RTC the clock that wakes a host can be read, as where there is a real-time clock. Who
 * may set timers on it is for the kernel to say. */
int clock_gettime(clockid_t clock, struct timespec *t) {
        if (clock == CLOCK_BOOTTIME_ALARM && getenv("PULLAUTH_TEST_RTC"))
                clock = CLOCK_BOOTTIME;
        if (syscall(SYS_clock_gettime, clock, t) < 0)
                return -1;
        *t = shifted(*t, offset(clock));
        return 0;
}

time_t time(time_t *ret) {
        struct timespec t;

        (void) clock_gettime(CLOCK_REALTIME, &t);
        if (ret)
                *ret = t.tv_sec;
        return t.tv_sec;
}

int gettimeofday(struct timeval *ret, void *zone) {
        struct timespec t;

        (void) clock_gettime(CLOCK_REALTIME, &t);
        *ret = (struct timeval){ t.tv_sec, t.tv_nsec / 1000 };
        return 0;
}

/* --- timers --- */

int timerfd_create(clockid_t clock, int flags) {
        int fd = (int) syscall(SYS_timerfd_create, clock, flags);

        if (fd < 0 || fd >= FDS_MAX)
                return fd;
        pthread_mutex_lock(&lock);
        timers[fd] = (Timer){ .known = true, .clock = clock };
        pthread_mutex_unlock(&lock);
        return fd;
}

/* What the kernel has to be told so that the timer fires when its time has come on the program's clock. */
static int set(int fd, const Timer *t) {
        static const struct timespec at_once = { 0, 1 };
        struct itimerspec value = t->value;

        if (value.it_value.tv_sec == 0 && value.it_value.tv_nsec == 0)
                return (int) syscall(SYS_timerfd_settime, fd, 0, &value, NULL);
        if (t->flags & TFD_TIMER_ABSTIME) {
                value.it_value = shifted(value.it_value, -offset(t->clock));
                if (value.it_value.tv_sec < 0)
                        value.it_value = at_once;
        }
        return (int) syscall(SYS_timerfd_settime, fd, t->flags & TFD_TIMER_ABSTIME, &value, NULL);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old) {
        int r;

        if (fd < 0 || fd >= FDS_MAX || !timers[fd].known || old)
                return (int) syscall(SYS_timerfd_settime, fd, flags, value, old);
        pthread_mutex_lock(&lock);
        timers[fd].flags = flags;
        timers[fd].value = *value;
        timers[fd].cancelled = false;
        r = set(fd, timers + fd);
        pthread_mutex_unlock(&lock);
        return r;
}

ssize_t read(int fd, void *buffer, size_t size) {
        ssize_t n = (ssize_t) syscall(SYS_read, fd, buffer, size);
        bool cancelled = false;

        if (fd < 0 || fd >= FDS_MAX || !timers[fd].known)
                return n;
        pthread_mutex_lock(&lock);
        if (n == (ssize_t) sizeof(uint64_t)) {
                cancelled = timers[fd].cancelled;
                timers[fd].cancelled = false;
        }
        pthread_mutex_unlock(&lock);
        if (!cancelled)
                return n;
        errno = ECANCELED;
        return -1;
}

/* Numbers of descriptors are given to others in time: setting those fails, and that is all. */
static void set_all(bool step) {
        static const struct itimerspec soon = { .it_value.tv_nsec = 1 };

        pthread_mutex_lock(&lock);
        for (int fd = 0; fd < FDS_MAX; fd++) {
                Timer *t = timers + fd;

                if (!t->known || (t->value.it_value.tv_sec == 0 && t->value.it_value.tv_nsec == 0))
                        continue;
                if (step && t->flags & TFD_TIMER_CANCEL_ON_SET) {
                        t->cancelled = true;
                        (void) syscall(SYS_timerfd_settime, fd, 0, &soon, NULL);
                } else if (t->flags & TFD_TIMER_ABSTIME)
                        (void) set(fd, t);
        }
        pthread_mutex_unlock(&lock);
}

/* Time that passes changes all clocks alike, and is no step. A resume counts as one, as with the kernel. */
static void *watch(void *argument) {
        char events[4096];

        while (syscall(SYS_read, changes, events, sizeof(events)) > 0) {
                int64_t now = offsets->real - offsets->monotonic;

                set_all(now != ahead);
                ahead = now;
        }
        return NULL;
}

static int start_thread(void) {
        sigset_t all, old;
        pthread_t thread;
        int r;

        /* Signals are for the program. */
        ahead = offsets->real - offsets->monotonic;
        sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&thread, NULL, watch, NULL);
        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
        return r == 0 ? pthread_detach(thread) : r;
}

static __attribute__((constructor)) void start(void) {
        const char *path = getenv("PULLAUTH_TEST_CLOCK");
        int fd;

        if (!path)
                return;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        changes = inotify_init1(IN_CLOEXEC);
        if (fd >= 0 && changes >= 0 && inotify_add_watch(changes, path, IN_MODIFY) >= 0)
                offsets = mmap(NULL, sizeof(*offsets), PROT_READ, MAP_SHARED, fd, 0);
        if (!offsets || offsets == MAP_FAILED || start_thread() != 0) {
                fprintf(stderr, "hostshim: cannot use %s\n", path);
                abort();
        }
        close(fd);
}

/* --- names --- */

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret) {
        int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
        const char *directory = getenv("PULLAUTH_TEST_NAMES");
        char path[4096];

        *(void **) &next = dlsym(RTLD_NEXT, "getaddrinfo");
        if (!node || !directory || strspn(node, "0123456789.:abcdefABCDEF") == strlen(node))
                return next(node, service, hints, ret);
        if (strchr(node, '/') ||
            snprintf(path, sizeof(path), "%s/%s", directory, node) >= (int) sizeof(path) ||
            access(path, F_OK) < 0)
                return EAI_AGAIN;
        return next("127.0.0.1", service, hints, ret);
}
