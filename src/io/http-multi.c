/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libcurl's multi socket interface on sd-event.
 *
 * Owns one multi handle, one event source for each socket that libcurl wants watched, and its timer. The
 * timer has an accuracy of 1 µs: with sd-event's default of 250 ms each request takes as much longer. For
 * each step of a transfer libcurl asks to be called back at once and then at some distant time again; so "at
 * once" is a deferred source, and the timer is left alone until it fires, instead of being set twice in each
 * step, for setting one is among the most expensive things that a virtual machine does.
 *
 * libcurl calls back from within almost any of its functions, those that clean up included. So the
 * callbacks here never call libcurl, except for curl_multi_assign(), which is made for that; they never
 * fail either, for a single -1 ends all transfers: what cannot be watched is left to the timeout of its
 * transfer. */

#include <curl/curl.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "io/http-multi.h"

#define TIMER_ACCURACY 1

typedef struct Socket Socket;
struct Socket {
        sd_event_source *source;
        Socket *next, *previous;
};

struct HttpMulti {
        sd_event *event;
        CURLM *multi;
        sd_event_source *at_once;
        sd_event_source *timer;
        usec_t due;   /* what libcurl wants, on the monotonic clock; 0: nothing later than at once */
        usec_t armed; /* when the timer fires, never later than `due`; 0: it does not */
        Socket *sockets;
        HttpMultiHandler handler;
        void *userdata;
};

/* All that are done, not just one: no further wakeup need come for the others. */
static void drain(HttpMulti *m) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(m->multi, &left))) {
                CURL *easy = message->easy_handle;
                CURLcode code = message->data.result;

                if (message->msg != CURLMSG_DONE)
                        continue;
                /* Frees the message, too. */
                (void) curl_multi_remove_handle(m->multi, easy);
                m->handler(easy, (int) code, m->userdata);
        }
}

static void time_out(HttpMulti *m) {
        int running;

        (void) curl_multi_socket_action(m->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        drain(m);
}

static int on_at_once(sd_event_source *source, void *userdata) {
        time_out(userdata);
        return 0;
}

static void arm(HttpMulti *m) {
        m->armed = m->due;
        (void) sd_event_source_set_time(m->timer, m->due);
        (void) sd_event_source_set_enabled(m->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        HttpMulti *m = userdata;

        m->armed = 0;
        if (m->due == 0)
                return 0;
        if (usec < m->due) {
                arm(m);
                return 0;
        }
        m->due = 0;
        time_out(m);
        return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        HttpMulti *m = userdata;
        int bits = 0, running;

        if (events & EPOLLIN)
                bits |= CURL_CSELECT_IN;
        if (events & EPOLLOUT)
                bits |= CURL_CSELECT_OUT;
        if (events & (EPOLLERR | EPOLLHUP))
                bits |= CURL_CSELECT_ERR;
        (void) curl_multi_socket_action(m->multi, fd, bits, &running);
        drain(m);
        return 0;
}

static int set_timer(CURLM *multi, long timeout_msec, void *userdata) {
        HttpMulti *m = userdata;
        uint64_t now;

        (void) sd_event_source_set_enabled(m->at_once, timeout_msec == 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
        if (timeout_msec <= 0 || sd_event_now(m->event, CLOCK_MONOTONIC, &now) < 0) {
                m->due = 0;
                return 0;
        }
        m->due = now + (usec_t) timeout_msec * USEC_PER_MSEC;
        if (m->armed == 0 || m->due < m->armed)
                arm(m);
        return 0;
}

static void socket_free(HttpMulti *m, Socket *s) {
        sd_event_source_disable_unref(s->source);
        if (s->previous)
                s->previous->next = s->next;
        else
                m->sockets = s->next;
        if (s->next)
                s->next->previous = s->previous;
        free(s);
}

static uint32_t events_of(int what) {
        switch (what) {
        case CURL_POLL_IN:
                return EPOLLIN;
        case CURL_POLL_OUT:
                return EPOLLOUT;
        case CURL_POLL_INOUT:
                return EPOLLIN | EPOLLOUT;
        default:
                return 0;
        }
}

static void socket_watch(HttpMulti *m, curl_socket_t fd, uint32_t events) {
        Socket *s;

        s = calloc(1, sizeof(*s));
        if (!s)
                return;
        if (sd_event_add_io(m->event, &s->source, fd, events, on_io, m) < 0) {
                free(s);
                return;
        }
        s->next = m->sockets;
        if (s->next)
                s->next->previous = s;
        m->sockets = s;
        (void) curl_multi_assign(m->multi, fd, s);
}

/* Once libcurl says "remove", the number may be a new socket's any moment: the source goes at once. */
static int set_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *assigned) {
        HttpMulti *m = userdata;
        Socket *s = assigned;

        if (what == CURL_POLL_REMOVE) {
                if (s)
                        socket_free(m, s);
                return 0;
        }
        if (s)
                (void) sd_event_source_set_io_events(s->source, events_of(what));
        else
                socket_watch(m, fd, events_of(what));
        return 0;
}

static int set_callbacks(HttpMulti *m) {
        CURLMcode c;

        c = curl_multi_setopt(m->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
        if (c == CURLM_OK)
                c = curl_multi_setopt(m->multi, CURLMOPT_SOCKETDATA, m);
        if (c == CURLM_OK)
                c = curl_multi_setopt(m->multi, CURLMOPT_TIMERFUNCTION, set_timer);
        if (c == CURLM_OK)
                c = curl_multi_setopt(m->multi, CURLMOPT_TIMERDATA, m);
        return c == CURLM_OK ? 0 : -EIO;
}

int http_multi_new(sd_event *event, HttpMultiHandler handler, void *userdata, HttpMulti **ret) {
        _cleanup_(http_multi_freep) HttpMulti *m = NULL;
        int r;

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->event = sd_event_ref(event);
        m->handler = handler;
        m->userdata = userdata;
        /* The clock that libcurl reads. */
        r = sd_event_add_time(event, &m->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY, on_timer, m);
        if (r >= 0)
                r = sd_event_source_set_enabled(m->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &m->at_once, on_at_once, m);
        if (r >= 0)
                r = sd_event_source_set_enabled(m->at_once, SD_EVENT_OFF);
        if (r < 0)
                return r;
        m->multi = curl_multi_init();
        if (!m->multi)
                return -ENOMEM;
        r = set_callbacks(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

HttpMulti *http_multi_free(HttpMulti *m) {
        if (!m)
                return NULL;
        (void) curl_multi_cleanup(m->multi);
        while (m->sockets)
                socket_free(m, m->sockets);
        sd_event_source_disable_unref(m->at_once);
        sd_event_source_disable_unref(m->timer);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}

int http_multi_add(HttpMulti *m, void *easy) {
        CURLMcode c = curl_multi_add_handle(m->multi, easy);

        return c == CURLM_OK ? 0 : c == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

void http_multi_remove(HttpMulti *m, void *easy) {
        (void) curl_multi_remove_handle(m->multi, easy);
}
