/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Accepts connections and decides when the worker is no longer needed.
 *
 * Owns the connections, each a peer-to-peer bus of its own (worker/door-connection), and the idle timer.
 * Lets in root, our own user and the owner of the socket file; whoever may connect is the file mode's
 * business, this is for the day on which that is wrong. What is not accepted stays in the queue of the
 * socket, which belongs to systemd: a worker that goes loses nobody. */

#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "base/log.h"
#include "worker/door-connection.h"
#include "worker/door-server.h"

#define CONNECTIONS_MAX 32
#define IDLE_ACCURACY (100 * USEC_PER_MSEC)

struct DoorServer {
        const WorkerContext *context;
        int listen_fd;
        uid_t owner; /* of the socket file, (uid_t) -1 if it cannot be told */
        sd_event_source *listening, *reap, *idle_timer;
        usec_t idle;
        DoorConnection *connections[CONNECTIONS_MAX];
        size_t n_connections;
};

static uid_t socket_owner(int fd) {
        union {
                struct sockaddr any;
                struct sockaddr_un un;
        } address = {};
        socklen_t size = sizeof(address.un) - 1;
        struct stat st;

        if (getsockname(fd, &address.any, &size) < 0 || address.any.sa_family != AF_UNIX ||
            address.un.sun_path[0] != '/' || stat(address.un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
                return (uid_t) -1;
        return st.st_uid;
}

static bool may_enter(const DoorServer *s, int fd) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return false;
        if (peer.uid == 0 || peer.uid == geteuid() || (s->owner != (uid_t) -1 && peer.uid == s->owner))
                return true;
        log_warning("Refusing a connection of user %u, who does not own the socket; check the socket's mode",
                    (unsigned) peer.uid);
        return false;
}

static int start_idling(DoorServer *s) {
        int r;

        if (s->idle == USEC_INFINITY)
                return 0;
        r = sd_event_source_set_time_relative(s->idle_timer, s->idle);
        return r < 0 ? r : sd_event_source_set_enabled(s->idle_timer, SD_EVENT_ONESHOT);
}

static void on_closed(void *userdata) {
        DoorServer *s = userdata;

        (void) sd_event_source_set_enabled(s->reap, SD_EVENT_ONESHOT);
}

/* Apart from the connection's own callbacks, so that nothing is freed under them. */
static int on_reap(sd_event_source *source, void *userdata) {
        DoorServer *s = userdata;

        for (size_t i = 0; i < s->n_connections;) {
                if (!door_connection_is_closed(s->connections[i])) {
                        i++;
                        continue;
                }
                door_connection_free(s->connections[i]);
                s->connections[i] = s->connections[--s->n_connections];
        }
        if (s->n_connections > 0)
                return 0;
        /* What a batch needed at its peak goes back at its end. */
        (void) malloc_trim(0);
        return start_idling(s);
}

/* Returns 1 if a connection was taken in or turned away, 0 if none waits. */
static int take_one(DoorServer *s) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
                return errno == EAGAIN ? 0 : errno == ECONNABORTED || errno == EINTR ? 1 : -errno;
        if (s->n_connections >= CONNECTIONS_MAX || !may_enter(s, fd))
                return 1;
        r = door_connection_new(s->context, TAKE_FD(fd), on_closed, s, s->connections + s->n_connections);
        if (r < 0) {
                log_warning_errno(r, "Cannot serve a connection: %m, ignoring");
                return 1;
        }
        s->n_connections++;
        (void) sd_event_source_set_enabled(s->idle_timer, SD_EVENT_OFF);
        return 1;
}

static int on_listening(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        DoorServer *s = userdata;
        int r;

        do
                r = take_one(s);
        while (r > 0);
        /* Out of descriptors or memory: the connection waits, and so do we, or this would spin. */
        if (r < 0)
                log_warning_errno(r, "Cannot accept a connection: %m");
        return r;
}

/* The last look into the queue; whoever comes after it finds the socket in systemd's hands. */
static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        DoorServer *s = userdata;
        int r;

        r = take_one(s);
        if (r == 0)
                return sd_event_exit(s->context->event, 0);
        return s->n_connections == 0 ? start_idling(s) : 0;
}

/* systemd hands sockets over blocking unless told otherwise (NonBlocking= in systemd.service(5)). */
static int make_nonblocking(int fd) {
        int flags = fcntl(fd, F_GETFL);

        return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static int add_sources(DoorServer *s) {
        int r;

        r = sd_event_add_io(s->context->event, &s->listening, s->listen_fd, EPOLLIN, on_listening, s);
        if (r >= 0)
                r = sd_event_add_defer(s->context->event, &s->reap, on_reap, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->reap, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time_relative(s->context->event, &s->idle_timer, CLOCK_MONOTONIC, 0,
                                               IDLE_ACCURACY, on_idle, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->idle_timer, SD_EVENT_OFF);
        return r < 0 ? r : start_idling(s);
}

int door_server_new(const WorkerContext *context, int listen_fd, usec_t idle, DoorServer **ret) {
        _cleanup_(door_server_freep) DoorServer *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->context = context;
        s->listen_fd = listen_fd;
        s->idle = idle;
        s->owner = socket_owner(listen_fd);
        r = make_nonblocking(listen_fd);
        if (r >= 0)
                r = add_sources(s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

DoorServer *door_server_free(DoorServer *s) {
        if (!s)
                return NULL;
        while (s->n_connections > 0)
                door_connection_free(s->connections[--s->n_connections]);
        sd_event_source_disable_unref(s->listening);
        sd_event_source_disable_unref(s->reap);
        sd_event_source_disable_unref(s->idle_timer);
        free(s);
        return NULL;
}
