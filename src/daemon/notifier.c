/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The socket of the service manager, and what it did not take yet.
 *
 * sd_notify(3), and with it sd_event_set_watchdog(3), waits while the queue of the receiver is full, so a
 * service manager that does not read would stop all jobs. Here what does not fit stays in its slot, where
 * later news of the same kind replaces it, until the socket takes more. Owns socket, slots and watchdog;
 * refuses to queue, for nobody is served by the history of a status line. */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/log.h"
#include "daemon/notifier.h"

struct Notifier {
        sd_event *event;
        sd_event_source *writable; /* on while something waits */
        sd_event_source *watchdog;
        uint64_t watchdog_usec;
        int fd;
        char *waiting[_NOTIFY_SLOT_MAX];
};

static void disconnect(Notifier *n) {
        n->writable = sd_event_source_disable_unref(n->writable);
        closep(&n->fd);
        n->fd = -EBADF;
}

static void flush(Notifier *n);

static int on_writable(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        flush(userdata);
        return 0;
}

/* Returns the length, -EAFNOSUPPORT for other kinds (vsock), which no service manager gives to a service. */
static int parse_address(const char *text, struct sockaddr_un *ret) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t length = strlen(text);

        if ((text[0] != '/' && text[0] != '@') || length < 2 || length >= sizeof(address.sun_path))
                return -EAFNOSUPPORT;
        memcpy(address.sun_path, text, length);
        if (text[0] == '@')
                address.sun_path[0] = '\0'; /* abstract, where every byte counts */
        else
                length++;
        *ret = address;
        return (int) (offsetof(struct sockaddr_un, sun_path) + length);
}

/* A connected socket can be polled for space at the other end. */
static int reach(Notifier *n, const char *path) {
        struct sockaddr_un address;
        int length, r;

        length = parse_address(path, &address);
        if (length < 0)
                return length;
        n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (n->fd < 0)
                return -errno;
        r = connect(n->fd, (struct sockaddr *) &address, (socklen_t) length) < 0 ? -errno : 0;
        if (r >= 0)
                r = sd_event_add_io(n->event, &n->writable, n->fd, EPOLLOUT, on_writable, n);
        if (r >= 0)
                r = sd_event_source_set_enabled(n->writable, SD_EVENT_OFF);
        if (r < 0)
                disconnect(n);
        return r;
}

/* `fd` may be none. */
static ssize_t send_with(int socket, const char *text, int fd) {
        struct iovec bytes = { (char *) text, strlen(text) };
        union {
                struct cmsghdr header;
                uint8_t space[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct msghdr m = { .msg_iov = &bytes, .msg_iovlen = 1 };

        if (fd >= 0) {
                m.msg_control = &control;
                m.msg_controllen = sizeof(control);
                control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                                   .cmsg_level = SOL_SOCKET,
                                                   .cmsg_type = SCM_RIGHTS };
                memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        }
        return sendmsg(socket, &m, MSG_NOSIGNAL);
}

static int try_to_send(Notifier *n, const char *path, const char *text, int fd) {
        int r;

        if (n->fd < 0) {
                r = reach(n, path);
                if (r < 0)
                        return r;
        }
        if (send_with(n->fd, text, fd) >= 0)
                return 0;
        r = -errno;
        if (r != -EAGAIN)
                disconnect(n);
        return r;
}

static int transmit(Notifier *n, const char *text, int fd) {
        const char *path = getenv("NOTIFY_SOCKET");
        bool connected = n->fd >= 0;
        int r;

        if (!path)
                return 0;
        r = try_to_send(n, path, text, fd);
        /* The socket at that place may be another than it was. */
        if (r < 0 && r != -EAGAIN && connected)
                r = try_to_send(n, path, text, fd);
        return r;
}

/* Returns 0 if no more can be done about it, -EAGAIN if it does not fit yet. */
static int deliver(Notifier *n, const char *text) {
        int r = transmit(n, text, /* fd= */ -EBADF);

        if (r == -EAGAIN)
                return r;
        if (r < 0)
                log_full(LOG_DEBUG, r, NULL, NULL, 0, "Cannot tell the service manager, ignoring: %m");
        return 0;
}

static void forget(Notifier *n, NotifySlot slot) {
        free(n->waiting[slot]);
        n->waiting[slot] = NULL;
}

static void flush(Notifier *n) {
        for (NotifySlot s = 0; s < _NOTIFY_SLOT_MAX; s++) {
                if (!n->waiting[s])
                        continue;
                if (deliver(n, n->waiting[s]) == -EAGAIN) {
                        (void) sd_event_source_set_enabled(n->writable, SD_EVENT_ON);
                        return;
                }
                forget(n, s);
        }
        if (n->writable)
                (void) sd_event_source_set_enabled(n->writable, SD_EVENT_OFF);
}

void notifier_tell(Notifier *n, NotifySlot slot, const char *format, ...) {
        va_list arguments;
        char *text;
        int r;

        va_start(arguments, format);
        r = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (r < 0)
                return;
        forget(n, slot);
        n->waiting[slot] = text;
        if (slot == NOTIFY_RELOADING)
                forget(n, NOTIFY_RELOADED);
        flush(n);
}

int notifier_pass(Notifier *n, int fd, const char *text) {
        return transmit(n, text, fd);
}

/* Between a half and three quarters of the time, as sd-event does. That the loop goes round is what it
 * tells, not that there is little to do. */
static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata) {
        Notifier *n = userdata;
        int r;

        notifier_tell(n, NOTIFY_ALIVE, "WATCHDOG=1");
        r = sd_event_source_set_time_relative(source, n->watchdog_usec / 2);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int watch(Notifier *n) {
        int r;

        r = sd_watchdog_enabled(/* unset_environment= */ false, &n->watchdog_usec);
        if (r <= 0)
                return r;
        r = sd_event_add_time_relative(n->event, &n->watchdog, CLOCK_MONOTONIC, /* usec= */ 0,
                                       n->watchdog_usec / 4, on_watchdog, n);
        return r < 0 ? r : sd_event_source_set_priority(n->watchdog, SD_EVENT_PRIORITY_IMPORTANT);
}

int notifier_new(sd_event *event, Notifier **ret) {
        _cleanup_(notifier_freep) Notifier *n = NULL;
        int r;

        n = calloc(1, sizeof(*n));
        if (!n)
                return -ENOMEM;
        n->fd = -EBADF;
        n->event = sd_event_ref(event);
        r = watch(n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(n);
        return 0;
}

Notifier *notifier_free(Notifier *n) {
        if (!n)
                return NULL;
        disconnect(n);
        sd_event_source_disable_unref(n->watchdog);
        for (NotifySlot s = 0; s < _NOTIFY_SLOT_MAX; s++)
                free(n->waiting[s]);
        sd_event_unref(n->event);
        free(n);
        return NULL;
}
