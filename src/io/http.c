/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* HTTP transfers: their life, and their answer.
 *
 * Owns the transfers of one trust configuration. Each is a libcurl handle of its own; when it is done its
 * answer is complete and the handle gone, and a deferred event source calls the handlers one at a time,
 * so that a handler may free anything, this Http included. What is told to a handle stands in
 * io/http-setup, how bytes come in in io/http-receive, what went wrong in io/http-problem.
 *
 * A transfer waits for a connection that another one is making, which may carry both, but with patience:
 * a handshake that hangs holds up the one that began it, and the rest for a moment. */

#include <curl/curl.h>
#include <sys/socket.h>
#include <time.h>

#include "io/http-memory.h"
#include "io/http-multi.h"
#include "io/http-problem.h"
#include "io/http-receive.h"
#include "io/http-setup.h"
#include "io/http.h"

#define BODY_MAX_DEFAULT (64 * 1024)
#define HEADER_MAX_DEFAULT (32 * 1024)
/* How long a transfer waits for somebody else's connection before it makes its own. They lose patience one
 * after the other, for the next connection may carry all that still wait. */
#define PATIENCE (1 * USEC_PER_SEC)
#define PATIENCE_ACCURACY (100 * USEC_PER_MSEC)

typedef enum TransferState {
        TRANSFER_RUNNING,
        TRANSFER_FINISHED, /* its handler is still to be called */
        TRANSFER_DELIVERED,
} TransferState;

struct HttpTransfer {
        Http *http; /* NULL once that is freed */
        HttpTransfer *next, *previous;
        TransferState state;
        CURL *easy;    /* NULL unless running */
        bool connects; /* makes a connection of its own, or has lost patience and will */
        HttpLoans loans;
        HttpReceive receive;
        HttpAnswer answer;
        HttpHandler handler;
        void *userdata;
        char error[CURL_ERROR_SIZE];
};

struct Http {
        HttpMulti *multi;
        sd_event_source *deliver, *patience;
        HttpTransfer *first, *last;
        HttpAnchors anchors;
};

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        HttpTransfer *t = userdata;

        return http_receive_header(&t->receive, data, size * n);
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        HttpTransfer *t = userdata;

        return http_receive_body(&t->receive, data, size * n);
}

/* With the flag that libcurl would leave out. */
static curl_socket_t on_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *address) {
        HttpTransfer *t = userdata;

        t->connects = true;
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int on_resolve(void *state, void *reserved, void *userdata) {
        HttpTransfer *t = userdata;

        t->connects = true;
        return 0;
}

static long info_long(CURL *e, CURLINFO what) {
        long value = 0;

        return curl_easy_getinfo(e, what, &value) == CURLE_OK ? value : 0;
}

static usec_t info_time(CURL *e, CURLINFO what) {
        curl_off_t value = 0;

        return curl_easy_getinfo(e, what, &value) == CURLE_OK && value > 0 ? (usec_t) value : 0;
}

static bool certificate_dates_are_off(CURL *e) {
        struct curl_certinfo *info = NULL;
        usec_t now = now_real();

        if (curl_easy_getinfo(e, CURLINFO_CERTINFO, &info) != CURLE_OK || !info)
                return false;
        for (int i = 0; i < info->num_of_certs; i++)
                for (struct curl_slist *l = info->certinfo[i]; l; l = l->next)
                        if (http_certificate_date_is_off(l->data, now))
                                return true;
        return false;
}

static void release(HttpTransfer *t) {
        if (!t->easy)
                return;
        curl_easy_cleanup(t->easy);
        t->easy = NULL;
        http_loans_done(&t->loans);
}

static void take_timings(HttpTransfer *t) {
        t->answer.timings = (HttpTimings){
                .resolved = info_time(t->easy, CURLINFO_NAMELOOKUP_TIME_T),
                .connected = info_time(t->easy, CURLINFO_CONNECT_TIME_T),
                .secured = info_time(t->easy, CURLINFO_APPCONNECT_TIME_T),
                .first_byte = info_time(t->easy, CURLINFO_STARTTRANSFER_TIME_T),
                .total = info_time(t->easy, CURLINFO_TOTAL_TIME_T),
        };
}

/* Everything that is to be known of the transfer, before its handle goes. */
static void take_answer(HttpTransfer *t, int code) {
        HttpAnswer *a = &t->answer;
        HttpOutcome o;

        a->ended_boot = now_boot();
        a->status = (int) info_long(t->easy, CURLINFO_RESPONSE_CODE);
        if (code == CURLE_COULDNT_CONNECT)
                a->connect_error = (int) info_long(t->easy, CURLINFO_OS_ERRNO);
        a->reused = info_long(t->easy, CURLINFO_NUM_CONNECTS) == 0;
        a->reached = info_long(t->easy, CURLINFO_LOCAL_PORT) > 0;
        take_timings(t);
        o = (HttpOutcome){
                .code = code,
                .text = t->error,
                .too_large = t->receive.too_large,
                .connected = a->timings.connected > 0,
                .secured = a->timings.secured > 0,
                .answering = t->receive.header_size > 0 || info_long(t->easy, CURLINFO_HEADER_SIZE) > 0,
                .headers_open = t->receive.in_headers,
                .proxy_status = (int) info_long(t->easy, CURLINFO_HTTP_CONNECTCODE),
                .certificate_dates = code != CURLE_OK && certificate_dates_are_off(t->easy),
        };
        a->problem = t->receive.out_of_memory ? HTTP_INTERNAL : http_problem(&o);
        if (a->problem == HTTP_OK && http_receive_end(&t->receive) < 0)
                a->problem = HTTP_INTERNAL;
        if (a->problem != HTTP_OK) {
                a->body = secret_free(a->body);
                (void) http_problem_text(&o, &a->problem_text);
        }
}

static void finish(HttpTransfer *t, int code) {
        take_answer(t, code);
        release(t);
        t->state = TRANSFER_FINISHED;
        (void) sd_event_source_set_enabled(t->http->deliver, SD_EVENT_ONESHOT);
}

static void on_done(void *easy, int code, void *userdata) {
        char *private = NULL;

        (void) curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
        finish((HttpTransfer *) (void *) private, code);
}

/* The one that waits for a connection of somebody else for longest. */
static HttpTransfer *first_waiting(const Http *h) {
        HttpTransfer *t = h->first;

        while (t && (!t->easy || t->connects || info_time(t->easy, CURLINFO_PRETRANSFER_TIME_T) > 0))
                t = t->next;
        return t;
}

static void be_patient(Http *h, usec_t until) {
        (void) sd_event_source_set_time(h->patience, until);
        (void) sd_event_source_set_enabled(h->patience, SD_EVENT_ONESHOT);
}

/* Begins anew, without waiting; nothing of it is under way. */
static void connect_alone(HttpTransfer *t) {
        t->connects = true;
        http_multi_remove(t->http->multi, t->easy);
        (void) curl_easy_setopt(t->easy, CURLOPT_PIPEWAIT, 0L);
        if (http_multi_add(t->http->multi, t->easy) < 0)
                finish(t, CURLE_OUT_OF_MEMORY);
}

static int on_patience(sd_event_source *source, uint64_t usec, void *userdata) {
        Http *h = userdata;
        HttpTransfer *t = first_waiting(h);
        usec_t now = now_boot();

        if (!t)
                return 0;
        if (now < t->answer.started_boot + PATIENCE) {
                be_patient(h, t->answer.started_boot + PATIENCE);
                return 0;
        }
        connect_alone(t);
        if (first_waiting(h))
                be_patient(h, now + PATIENCE);
        return 0;
}

static HttpTransfer *first_finished(const Http *h) {
        HttpTransfer *t = h->first;

        while (t && t->state != TRANSFER_FINISHED)
                t = t->next;
        return t;
}

/* One handler per call, and nothing is touched after it: it may have freed the transfer and the Http. */
static int on_deliver(sd_event_source *source, void *userdata) {
        Http *h = userdata;
        HttpTransfer *t = first_finished(h);

        if (!t)
                return 0;
        t->state = TRANSFER_DELIVERED;
        if (first_finished(h))
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        t->handler(t, &t->answer, t->userdata);
        return 0;
}

int http_global_init(HttpHeap heap) {
        const curl_version_info_data *info;
        CURLcode c;

        if (heap == HTTP_HEAP_ERASES)
                c = curl_global_init(CURL_GLOBAL_DEFAULT);
        else
                c = curl_global_init_mem(CURL_GLOBAL_DEFAULT, http_memory_alloc, http_memory_free,
                                         http_memory_realloc, http_memory_strdup, http_memory_calloc);
        if (c != CURLE_OK)
                return c == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EIO;
        info = curl_version_info(CURLVERSION_NOW);
        return info->features & CURL_VERSION_SSL ? 0 : -EOPNOTSUPP;
}

static bool libcurl_knows(HttpWay way) {
        const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
        const int needed = CURL_VERSION_HTTP2 | CURL_VERSION_UNIX_SOCKETS;

        return way != HTTP_WAY_GRPC || (info->features & needed) == needed;
}

int http_new(sd_event *event, const HttpTrust *trust, Http **ret) {
        _cleanup_(http_freep) Http *h = NULL;
        int r;

        if (!libcurl_knows(trust->way))
                return -EOPNOTSUPP;
        h = calloc(1, sizeof(*h));
        if (!h)
                return -ENOMEM;
        r = http_anchors_init(&h->anchors, trust);
        if (r >= 0)
                r = http_multi_new(event, on_done, h, &h->multi);
        if (r >= 0)
                r = sd_event_add_defer(event, &h->deliver, on_deliver, h);
        if (r >= 0)
                r = sd_event_source_set_enabled(h->deliver, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time(event, &h->patience, CLOCK_BOOTTIME, 0, PATIENCE_ACCURACY, on_patience,
                                      h);
        if (r >= 0)
                r = sd_event_source_set_enabled(h->patience, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(h);
        return 0;
}

/* Takes a transfer out of its Http. Its answer, if it has one, stays. */
static void detach(HttpTransfer *t) {
        Http *h = t->http;

        if (!h)
                return;
        if (t->easy)
                http_multi_remove(h->multi, t->easy);
        release(t);
        if (t->previous)
                t->previous->next = t->next;
        else
                h->first = t->next;
        if (t->next)
                t->next->previous = t->previous;
        else
                h->last = t->previous;
        t->next = t->previous = NULL;
        t->http = NULL;
}

Http *http_free(Http *h) {
        if (!h)
                return NULL;
        while (h->first)
                detach(h->first);
        http_multi_free(h->multi);
        sd_event_source_disable_unref(h->deliver);
        sd_event_source_disable_unref(h->patience);
        http_anchors_done(&h->anchors);
        free(h);
        return NULL;
}

static int set_callbacks(HttpTransfer *t) {
        CURLcode c;

        c = curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
        if (c == CURLE_OK)
                c = curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
        if (c == CURLE_OK)
                c = curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
        if (c == CURLE_OK)
                c = curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
        if (c == CURLE_OK)
                c = curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
        if (c == CURLE_OK)
                c = curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
        if (c == CURLE_OK)
                c = curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
        if (c == CURLE_OK)
                c = curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
        if (c == CURLE_OK)
                c = curl_easy_setopt(t->easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolve);
        if (c == CURLE_OK)
                c = curl_easy_setopt(t->easy, CURLOPT_RESOLVER_START_DATA, t);
        /* Ends at once what announces too much; what does not is stopped by the cap of io/http-receive. */
        if (c == CURLE_OK)
                c = curl_easy_setopt(t->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) t->receive.body_max);
        return c == CURLE_OK ? 0 : -ENOMEM;
}

/* A transfer that is alone waits for nobody. */
static void mind_others(Http *h) {
        int enabled;

        if (h->first && sd_event_source_get_enabled(h->patience, &enabled) >= 0 && enabled == SD_EVENT_OFF)
                be_patient(h, now_boot() + PATIENCE);
}

static void attach(Http *h, HttpTransfer *t) {
        t->http = h;
        t->previous = h->last;
        if (h->last)
                h->last->next = t;
        else
                h->first = t;
        h->last = t;
}

int http_start(Http *h, const HttpRequest *request, HttpHandler handler, void *userdata,
               HttpTransfer **ret) {
        _cleanup_(http_transfer_freep) HttpTransfer *t = NULL;
        int r;

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->handler = handler;
        t->userdata = userdata;
        t->receive = (HttpReceive){
                .answer = &t->answer,
                .header_max = request->header_max ?: HEADER_MAX_DEFAULT,
                .body_max = request->body_max ?: BODY_MAX_DEFAULT,
        };
        t->easy = curl_easy_init();
        if (!t->easy)
                return -ENOMEM;
        r = http_setup_policy(t->easy);
        if (r >= 0)
                r = http_setup_trust(t->easy, &h->anchors);
        if (r >= 0)
                r = http_setup_request(t->easy, h->anchors.way, request, &t->loans);
        if (r >= 0)
                r = set_callbacks(t);
        if (r < 0)
                return r;
        t->answer.started_boot = now_boot();
        r = http_multi_add(h->multi, t->easy);
        if (r < 0)
                return r;
        mind_others(h);
        attach(h, t);
        *ret = TAKE_PTR(t);
        return 0;
}

HttpTransfer *http_transfer_free(HttpTransfer *t) {
        if (!t)
                return NULL;
        detach(t);
        release(t);
        http_answer_clear(&t->answer);
        free(t);
        return NULL;
}
