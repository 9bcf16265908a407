/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Accepts connections of the service manager and answers each with the credential of a unit.
 *
 * Owns the socket and the connections: one that waits for an attempt does so for a bounded time, one that is
 * slow in reading as well. Never waits itself, and reads nothing: who asks, and for what, is in the address
 * of the peer, which anybody could choose, so root's word counts and nobody else's (below --root= our own
 * user's, too). What is too much at once stays in the queue of the socket.
 *
 * Refuses to end a connection of the service manager without an answer, also when the daemon ends. Should it
 * be killed, the service manager has a copy of each connection that waits, and hands it to the next process:
 * without that it would read nothing, and make a file of no bytes of it. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/unit-credential.h"
#include "daemon/unit-socket.h"
#include "model/message-id.h"

#define CALLS_MAX 256
/* More of one unit are answered at once. */
#define WAITING_PER_UNIT_MAX 16
#define READING_TIMEOUT (30 * USEC_PER_SEC)
#define TIMER_ACCURACY (100 * USEC_PER_MSEC)
/* Without descriptors or memory the next connection is tried after this. */
#define ACCEPT_PAUSE (1 * USEC_PER_SEC)
/* News of jobs come in crowds. */
#define LOOK_INTERVAL (100 * USEC_PER_MSEC)
#define LOOK_BURST 10
#define REFUSED_INTERVAL (10 * USEC_PER_SEC)

typedef struct UnitCall {
        UnitSocket *socket;
        int fd;
        UnitPeer peer;
        char *name;            /* by which the service manager keeps a copy; NULL: it does not */
        UnitCredential *found; /* NULL: it waits */
        size_t written;
        sd_event_source *io, *timer;
} UnitCall;

struct UnitSocket {
        sd_event *event;
        const Manager *manager;
        Service *service;
        UnitSocketFds before;
        uint64_t n_named;
        int fd;
        sd_event_source *listening, *resume, *look;
        UnitCall *calls[CALLS_MAX];
        size_t n_calls;
        usec_t refused_told; /* when one was last told of */
        uint64_t refused_untold;
};

static UnitCall *unit_call_free(UnitCall *c) {
        if (!c)
                return NULL;
        sd_event_source_disable_unref(c->io);
        sd_event_source_disable_unref(c->timer);
        /* Also for those who have a copy. */
        if (c->fd >= 0)
                (void) shutdown(c->fd, SHUT_RDWR);
        closep(&c->fd);
        unit_peer_done(&c->peer);
        free(c->name);
        unit_credential_free(c->found);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(UnitCall *, unit_call_free)

/* Two bytes that need no memory: of no answer at all a file of no bytes would be made. */
static void say_nothing(int fd) {
        (void) send(fd, "{}", 2, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void end_call(UnitCall *c) {
        UnitSocket *s = c->socket;
        size_t at = 0;

        while (s->calls[at] != c)
                at++;
        s->calls[at] = s->calls[--s->n_calls];
        unit_call_free(c);
        (void) sd_event_source_set_enabled(s->listening, SD_EVENT_ON);
}

/* Returns 1 when all is written, 0 when the peer has to read first, a negative errno when it is gone. */
static int write_some(UnitCall *c) {
        struct iovec all = secret_peek(c->found->text);

        while (c->written < all.iov_len) {
                ssize_t n = send(c->fd, (const char *) all.iov_base + c->written, all.iov_len - c->written,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno != EINTR)
                        return errno == EAGAIN ? 0 : -errno;
                if (n > 0)
                        c->written += (size_t) n;
        }
        return 1;
}

/* Only now is it true that the unit got something. */
static void end_written(UnitCall *c, int r) {
        if (r < 0)
                log_debug("Unit '%s' went before it had its credential", c->peer.unit);
        else
                unit_credential_log(c->found, &c->peer);
        end_call(c);
}

static int fill(UnitCall *c) {
        Job *const *jobs;
        size_t n;

        jobs = manager_jobs(c->socket->manager, &n);
        return unit_credential_new(jobs, n, &c->peer, &c->found);
}

static int await_reader(UnitCall *c) {
        int r;

        r = sd_event_source_set_io_events(c->io, EPOLLOUT);
        if (r >= 0)
                r = sd_event_source_set_time_relative(c->timer, READING_TIMEOUT);
        return r < 0 ? r : sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

/* From here on it is ours alone: two processes that answer would be worse than none. */
static void take_back(UnitCall *c) {
        int r;

        if (!c->name)
                return;
        r = service_release(c->socket->service, c->name);
        if (r < 0)
                log_debug("Cannot take the connection of unit '%s' back, ignoring", c->peer.unit);
        free(TAKE_PTR(c->name));
}

/* With what there is. Ends the call, unless the peer has to read first. */
static void answer(UnitCall *c) {
        int r;

        r = fill(c);
        take_back(c);
        if (r >= 0) {
                r = write_some(c);
                if (r != 0) {
                        end_written(c, r);
                        return;
                }
                r = await_reader(c);
        } else
                say_nothing(c->fd);
        if (r >= 0)
                return;
        log_warning_errno(r, "Cannot give unit '%s' its credential: %m", c->peer.unit);
        end_call(c);
}

static bool is_answerable(const UnitCall *c) {
        Job *const *jobs;
        size_t n;

        jobs = manager_jobs(c->socket->manager, &n);
        return !unit_credential_is_coming(jobs, n, &c->peer);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        UnitCall *c = userdata;
        int r;

        /* Before there is an answer, all that can happen is that the peer goes. */
        if (!c->found) {
                log_debug("Unit '%s' does not wait any more", c->peer.unit);
                end_call(c);
                return 0;
        }
        r = write_some(c);
        if (r != 0)
                end_written(c, r);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        UnitCall *c = userdata;

        if (!c->found) {
                log_debug("Unit '%s' has waited long enough", c->peer.unit);
                answer(c);
                return 0;
        }
        log_warning("Unit '%s' does not read its credential, giving up", c->peer.unit);
        end_call(c);
        return 0;
}

static void take_up(UnitSocket *s);

static int on_look(sd_event_source *source, void *userdata) {
        UnitSocket *s = userdata;

        take_up(s);
        /* From the end: an answer moves the last one to the place of its own. */
        for (size_t i = s->n_calls; i-- > 0;)
                if (!s->calls[i]->found && is_answerable(s->calls[i]))
                        answer(s->calls[i]);
        return 0;
}

static size_t count_waiting(const UnitSocket *s, const char *unit) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_calls; i++)
                n += !s->calls[i]->found && streq(s->calls[i]->peer.unit, unit);
        return n;
}

static void refuse(UnitSocket *s, const struct ucred *peer, const char *why) {
        char uid[16], pid[16];
        const LogField fields[] = { { "PULLAUTH_PEER_UID", uid }, { "PULLAUTH_PEER_PID", pid } };
        usec_t now = now_boot();

        if (s->refused_told > 0 && now < usec_add(s->refused_told, REFUSED_INTERVAL)) {
                s->refused_untold++;
                return;
        }
        (void) snprintf(uid, sizeof(uid), "%u", (unsigned) peer->uid);
        (void) snprintf(pid, sizeof(pid), "%d", (int) peer->pid);
        log_full(
                LOG_WARNING, 0, MESSAGE_ID_UNIT_REFUSED, fields, ELEMENTSOF(fields),
                "Process %s of user %s asked for the credential of a unit: %s (since the last such message, "
                "%" PRIu64 " more)",
                pid, uid, why, s->refused_untold);
        s->refused_told = now;
        s->refused_untold = 0;
}

static bool may_ask(const UnitSocket *s, uid_t uid) {
        return uid == 0 || (!isempty(manager_root(s->manager)) && uid == geteuid());
}

/* For the case that this process does not end well while the call waits. */
static void hand_over(UnitCall *c) {
        int r;

        if (c->name)
                return;
        r = text_format(&c->name, UNIT_SOCKET_CALL "%d-%" PRIu64, (int) getpid(), c->socket->n_named++);
        if (r >= 0)
                r = service_hold(c->socket->service, c->fd, c->name);
        if (r >= 0)
                return;
        log_debug("Unit '%s' gets nothing if this process ends now: the service manager cannot keep its "
                  "connection",
                  c->peer.unit);
        free(TAKE_PTR(c->name));
}

/* On failure the connection stays the caller's, who still owes it an answer. */
static int add_call(UnitSocket *s, int *fd, const char *name, UnitPeer *peer) {
        _cleanup_(unit_call_freep) UnitCall *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->socket = s;
        c->fd = -EBADF;
        c->peer = *peer;
        *peer = (UnitPeer){};
        r = free_and_strdup(&c->name, name);
        if (r >= 0)
                r = sd_event_add_io(s->event, &c->io, *fd, /* events= */ 0, on_io, c);
        if (r >= 0)
                r = sd_event_add_time_relative(s->event, &c->timer, CLOCK_BOOTTIME, UNIT_CREDENTIAL_PATIENCE,
                                               TIMER_ACCURACY, on_timer, c);
        if (r < 0)
                return r;
        c->fd = TAKE_FD(*fd);
        s->calls[s->n_calls++] = TAKE_PTR(c);
        return 0;
}

/* Takes the connection in and answers it, now or later. */
static int serve(UnitSocket *s, int *fd, const char *name, UnitPeer *peer) {
        bool crowded = count_waiting(s, peer->unit) >= WAITING_PER_UNIT_MAX;
        UnitCall *c;
        int r;

        r = add_call(s, fd, name, peer);
        if (r < 0)
                return r;
        c = s->calls[s->n_calls - 1];
        if (crowded || is_answerable(c)) {
                answer(c);
                return 0;
        }
        hand_over(c);
        log_debug("Unit '%s' waits for the credential '%s'", c->peer.unit, c->peer.credential);
        return 0;
}

typedef union PeerAddress {
        struct sockaddr any;
        struct sockaddr_un un;
} PeerAddress;

/* `name`: the service manager has a copy of it. */
static int admit(UnitSocket *s, int *fd, const char *name, const PeerAddress *address, socklen_t size) {
        _cleanup_(unit_peer_done) UnitPeer peer = {};
        struct ucred user;
        socklen_t user_size = sizeof(user);
        int r;

        if (getsockopt(*fd, SOL_SOCKET, SO_PEERCRED, &user, &user_size) < 0)
                return -errno;
        if (!may_ask(s, user.uid)) {
                refuse(s, &user, "only the service manager may, check the mode of the socket");
                return 0;
        }
        if (size < offsetof(struct sockaddr_un, sun_path))
                size = offsetof(struct sockaddr_un, sun_path);
        r = unit_peer_parse(address->un.sun_path, size - offsetof(struct sockaddr_un, sun_path), &peer);
        if (r == -EINVAL) {
                /* Who knows what else the service manager comes to say. */
                say_nothing(*fd);
                refuse(s, &user,
                       "its address names no unit and credential, as that of the service manager "
                       "does; it was told that there is none");
                return 0;
        }
        return r < 0 ? r : serve(s, fd, name, &peer);
}

/* Returns 1 if a connection was taken or turned away, 0 if none is there or there is no room. */
static int take_one(UnitSocket *s) {
        PeerAddress address = {};
        socklen_t size = sizeof(address);
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (s->n_calls >= CALLS_MAX) {
                (void) sd_event_source_set_enabled(s->listening, SD_EVENT_OFF);
                return 0;
        }
        fd = accept4(s->fd, &address.any, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
                return errno == EAGAIN ? 0 : errno == ECONNABORTED || errno == EINTR ? 1 : -errno;
        r = admit(s, &fd, /* name= */ NULL, &address, size);
        if (r < 0) {
                log_warning_errno(r, "Cannot serve the credential of a unit: %m");
                say_nothing(fd);
        }
        return 1;
}

static int on_listening(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        UnitSocket *s = userdata;
        int r = 1;

        for (size_t i = 0; i < CALLS_MAX && r > 0; i++)
                r = take_one(s);
        if (r >= 0)
                return 0;
        log_warning_errno(r, "Cannot accept a connection of the service manager, trying again: %m");
        (void) sd_event_source_set_enabled(s->listening, SD_EVENT_OFF);
        (void) sd_event_source_set_time_relative(s->resume, ACCEPT_PAUSE);
        (void) sd_event_source_set_enabled(s->resume, SD_EVENT_ONESHOT);
        return 0;
}

static bool make_nonblocking(int fd) {
        int flags = fcntl(fd, F_GETFL);

        return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) >= 0;
}

/* What waited already when this process began. */
static void take_up(UnitSocket *s) {
        UnitSocketFds *f = &s->before;

        for (size_t i = 0; i < f->n_calls && s->n_calls < CALLS_MAX; i++) {
                PeerAddress address = {};
                socklen_t size = sizeof(address);
                int r;

                if (getpeername(f->calls[i], &address.any, &size) < 0 || !make_nonblocking(f->calls[i]))
                        r = -errno;
                else
                        r = admit(s, f->calls + i, f->names[i], &address, size);
                if (r < 0)
                        log_warning_errno(r, "Cannot serve the credential of a unit that waited: %m");
        }
        unit_socket_fds_done(f);
}

static int on_resume(sd_event_source *source, uint64_t usec, void *userdata) {
        UnitSocket *s = userdata;

        (void) sd_event_source_set_enabled(s->listening, SD_EVENT_ON);
        return 0;
}

static int add_sources(UnitSocket *s) {
        int r;

        r = sd_event_add_io(s->event, &s->listening, s->fd, EPOLLIN, on_listening, s);
        if (r >= 0)
                r = sd_event_add_time_relative(s->event, &s->resume, CLOCK_BOOTTIME, 0, TIMER_ACCURACY,
                                               on_resume, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->resume, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(s->event, &s->look, on_look, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->look, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_ratelimit(s->look, LOOK_INTERVAL, LOOK_BURST);
        return r;
}

int unit_socket_new(sd_event *event, const Manager *manager, Service *service, UnitSocketFds *fds,
                    UnitSocket **ret) {
        _cleanup_(unit_socket_freep) UnitSocket *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s) {
                unit_socket_fds_done(fds);
                return -ENOMEM;
        }
        s->event = sd_event_ref(event);
        s->manager = manager;
        s->service = service;
        s->fd = TAKE_FD(fds->listening);
        s->before = *fds;
        *fds = UNIT_SOCKET_FDS_NONE;
        /* The service manager hands sockets over blocking. */
        if (!make_nonblocking(s->fd))
                return -errno;
        r = add_sources(s);
        if (r < 0)
                return r;
        /* From the event loop, when there are jobs. */
        r = s->before.n_calls > 0 ? sd_event_source_set_enabled(s->look, SD_EVENT_ONESHOT) : 0;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

UnitSocket *unit_socket_free(UnitSocket *s) {
        if (!s)
                return NULL;
        for (size_t i = s->n_calls; i-- > 0;)
                if (!s->calls[i]->found)
                        answer(s->calls[i]);
        while (s->n_calls > 0)
                unit_call_free(s->calls[--s->n_calls]);
        sd_event_source_disable_unref(s->listening);
        sd_event_source_disable_unref(s->resume);
        sd_event_source_disable_unref(s->look);
        unit_socket_fds_done(&s->before);
        closep(&s->fd);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}

void unit_socket_changed(UnitSocket *s) {
        if (s && s->n_calls > 0)
                (void) sd_event_source_set_enabled(s->look, SD_EVENT_ONESHOT);
}
