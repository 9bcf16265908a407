/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Watches for steps of the real clock with a timer that never fires but is cancelled by them.
 *
 * Owns one timerfd and its event source. Says that the clock was set, not by how much. */

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>

#include "io/time-change.h"

struct TimeChange {
        int fd;
        sd_event_source *source;
        TimeChangeHandler handler;
        void *userdata;
};

/* The far end of what the kernel takes, which no clock reaches, be it decades ahead as some are without a
 * battery. */
#define FAR_SECONDS (INT64_MAX / NSEC_PER_SEC)
#define NSEC_PER_SEC 1000000000

static int arm(int fd) {
        static const struct itimerspec far = { .it_value.tv_sec =
                                                       sizeof(time_t) >= 8 ? FAR_SECONDS : INT32_MAX };

        return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) < 0 ? -errno : 0;
}

static int on_timer(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        TimeChange *t = userdata;
        uint64_t count;

        if (read(fd, &count, sizeof(count)) < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        /* ECANCELED, or the far end after all. Without a new timer the steps that follow would go unseen; if
         * it cannot be had, the source would spin: stop it. */
        if (arm(fd) < 0)
                (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        t->handler(t->userdata);
        return 0;
}

int time_change_new(sd_event *event, TimeChangeHandler handler, void *userdata, TimeChange **ret) {
        _cleanup_(time_change_freep) TimeChange *t = NULL;
        int r;

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->handler = handler;
        t->userdata = userdata;
        t->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        if (t->fd < 0)
                return -errno;
        r = arm(t->fd);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &t->source, t->fd, EPOLLIN, on_timer, t);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(t->source, "time-change");
        *ret = TAKE_PTR(t);
        return 0;
}

TimeChange *time_change_free(TimeChange *t) {
        if (!t)
                return NULL;
        sd_event_source_disable_unref(t->source);
        closep(&t->fd);
        free(t);
        return NULL;
}
