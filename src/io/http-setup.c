/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which requests are made, how, and whom they trust: all that is decided before a byte is sent.
 *
 * Owns the table of what every transfer may and may not do. Refuses whatever was not asked for: other
 * protocols, redirects, netrc, proxies from the environment, compression. There is no low-speed limit: a
 * server may honestly be silent while it waits for another, and the timeout of the whole request bounds a
 * drip too. */

#include <curl/curl.h>
#include <limits.h>
#include <stdio.h>

#include "base/memory-file.h"
#include "base/text.h"
#include "codec/base64.h"
#include "config.h"
#include "io/http-setup.h"

#define CONNECT_TIMEOUT_DEFAULT (10 * USEC_PER_SEC)
#define TIMEOUT_DEFAULT (30 * USEC_PER_SEC)
/* Erased after each request, and answers are short. */
#define BUFFER_SIZE 4096L
/* A renewed trust store at the same path is seen after this at the latest. */
#define CA_CACHE_SECONDS 60L

typedef struct LongOption {
        CURLoption option;
        long value;
        bool optional; /* a libcurl that was built without it works as well */
} LongOption;

static const LongOption policy[] = {
        { CURLOPT_NOSIGNAL, 1, false },
        { CURLOPT_FOLLOWLOCATION, 0, false },
        { CURLOPT_MAXREDIRS, 0, false },
        { CURLOPT_AUTOREFERER, 0, false },
        { CURLOPT_UNRESTRICTED_AUTH, 0, false },
        { CURLOPT_NETRC, CURL_NETRC_IGNORED, false },
        { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS, true },
        /* A batch waits for its first connection, which may carry all of it: one handshake, not one each. */
        { CURLOPT_PIPEWAIT, 1, true },
        { CURLOPT_BUFFERSIZE, BUFFER_SIZE, false },
        /* Our headers are for the server, not for a proxy on the way to it. */
        { CURLOPT_HEADEROPT, CURLHEADER_SEPARATE, false },
        { CURLOPT_HTTP09_ALLOWED, 0, false },
        { CURLOPT_SUPPRESS_CONNECT_HEADERS, 1, false },
        { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2, false },
        { CURLOPT_SSL_VERIFYPEER, 1, false },
        { CURLOPT_SSL_VERIFYHOST, 2, false },
        { CURLOPT_CERTINFO, 1, true },
        { CURLOPT_PROXYAUTH, CURLAUTH_BASIC, false },
        { CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2, true },
        { CURLOPT_PROXY_SSL_VERIFYPEER, 1, true },
        { CURLOPT_PROXY_SSL_VERIFYHOST, 2, true },
        { CURLOPT_NOPROGRESS, 1, false },
        { CURLOPT_VERBOSE, 0, false },
#if LIBCURL_VERSION_NUM >= 0x075700
        { CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_SECONDS, true },
        /* Or the end of a transfer waits for its resolver thread, and everything else with it. */
        { CURLOPT_QUICK_EXIT, 1, true },
#endif
};

static const char *scheme_of(HttpWay way) {
        return way == HTTP_WAY_TLS ? "https" : "http";
}

static int errno_of(CURLcode c) {
        return c == CURLE_OK ? 0 : c == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
}

int http_setup_policy(void *easy) {
        CURLcode c = CURLE_OK;

        for (const LongOption *o = policy; c == CURLE_OK && o < policy + ELEMENTSOF(policy); o++) {
                c = curl_easy_setopt(easy, o->option, o->value);
                if (o->optional && c != CURLE_OUT_OF_MEMORY)
                        c = CURLE_OK;
        }
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, NULL);
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_USERAGENT, "pullauthd/" PROJECT_VERSION);
        return errno_of(c);
}

static bool trust_is_valid(const HttpTrust *t) {
        if (t->proxy && !startswith(t->proxy, "http://") && !startswith(t->proxy, "https://"))
                return false;
        if (t->way != HTTP_WAY_TLS && (t->proxy || t->ca))
                return false;
        if (t->way != HTTP_WAY_GRPC)
                return !t->socket;
        return t->socket && t->socket[0] == '/' && strlen(t->socket) <= HTTP_SOCKET_MAX;
}

static int secret_file(const char *name, const Secret *s, int *ret_fd) {
        struct iovec bytes = secret_peek(s);
        int r;

        r = memory_file_new(name, bytes.iov_base, bytes.iov_len, ret_fd);
        return r < 0 && r != -ENOMEM ? -EIO : r;
}

static const HttpAnchors anchors_none = { .ca_fd = -EBADF, .certificate_fd = -EBADF, .key_fd = -EBADF };

int http_anchors_init(HttpAnchors *a, const HttpTrust *trust) {
        int r;

        *a = anchors_none;
        a->way = trust->way;
        if (!trust_is_valid(trust))
                return -EINVAL;
        r = free_and_strdup(&a->proxy, strempty(trust->proxy));
        if (r >= 0)
                r = free_and_strdup(&a->socket, trust->socket);
        if (r >= 0 && trust->certificate)
                r = secret_file("pullauth-certificate", trust->certificate, &a->certificate_fd);
        if (r >= 0 && trust->key)
                r = secret_file("pullauth-key", trust->key, &a->key_fd);
        if (r < 0)
                return r;
        if (!trust->ca)
                return 0;
        a->ca = malloc(trust->ca_size + 1);
        if (!a->ca)
                return -ENOMEM;
        (void) memcpy(a->ca, trust->ca, trust->ca_size);
        a->ca[trust->ca_size] = '\0';
        a->ca_size = trust->ca_size;
        return 0;
}

void http_anchors_done(HttpAnchors *a) {
        free(a->ca);
        erase_and_free(a->proxy);
        free(a->socket);
        closep(&a->ca_fd);
        closep(&a->certificate_fd);
        closep(&a->key_fd);
        *a = anchors_none;
}

#define FD_PATH_MAX (sizeof("/proc/self/fd/") + 3 * sizeof(int))

static const char *fd_path(int fd, char buf[static FD_PATH_MAX]) {
        (void) snprintf(buf, FD_PATH_MAX, "/proc/self/fd/%i", fd);
        return buf;
}

/* Sealed, so that what libcurl opens by its path is what was given. */
static int anchors_file(HttpAnchors *a) {
        int r;

        if (a->ca_fd >= 0)
                return 0;
        r = memory_file_new("pullauth-ca", a->ca, a->ca_size, &a->ca_fd);
        return r < 0 && r != -ENOMEM ? -EIO : r;
}

typedef struct AnchorOptions {
        CURLoption file, path;
#if LIBCURL_VERSION_NUM >= 0x074d00
        CURLoption blob;
#endif
} AnchorOptions;

static const AnchorOptions server_options = {
        CURLOPT_CAINFO,
        CURLOPT_CAPATH,
#if LIBCURL_VERSION_NUM >= 0x074d00
        CURLOPT_CAINFO_BLOB,
#endif
};

static const AnchorOptions proxy_options = {
        CURLOPT_PROXY_CAINFO,
        CURLOPT_PROXY_CAPATH,
#if LIBCURL_VERSION_NUM >= 0x074d00
        CURLOPT_PROXY_CAINFO_BLOB,
#endif
};

/* The host's store. Where there is a bundle the directory beside it is left out: it holds the same
 * certificates once more, and reading it costs each connection 20 ms. */
static CURLcode set_store(CURL *e, const AnchorOptions *o) {
        const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
        bool bundle = info->cainfo && access(info->cainfo, R_OK) >= 0;
        CURLcode c;

        c = curl_easy_setopt(e, o->file, bundle || !info->capath ? info->cainfo : NULL);
        if (c == CURLE_OK)
                c = curl_easy_setopt(e, o->path, bundle ? NULL : info->capath);
        return c;
}

/* File and directory are both set, or the built-in ones would be trusted beside what was asked for. */
static int set_anchors(CURL *e, const AnchorOptions *o, HttpAnchors *a) {
#if LIBCURL_VERSION_NUM >= 0x074d00
        struct curl_blob blob = { .data = a->ca, .len = a->ca_size, .flags = CURL_BLOB_NOCOPY };
#endif
        char path[FD_PATH_MAX];
        CURLcode c;
        int r;

        if (!a->ca)
                return errno_of(set_store(e, o));
        c = curl_easy_setopt(e, o->path, NULL);
        if (c == CURLE_OK)
                c = curl_easy_setopt(e, o->file, NULL);
        if (c != CURLE_OK)
                return errno_of(c);
#if LIBCURL_VERSION_NUM >= 0x074d00
        c = curl_easy_setopt(e, o->blob, &blob);
        if (c != CURLE_NOT_BUILT_IN && c != CURLE_UNKNOWN_OPTION)
                return errno_of(c);
#endif
        r = anchors_file(a);
        if (r < 0)
                return r;
        return errno_of(curl_easy_setopt(e, o->file, fd_path(a->ca_fd, path)));
}

/* What this host shows of itself. */
static CURLcode set_own_certificate(CURL *e, const HttpAnchors *a) {
        char path[FD_PATH_MAX];
        CURLcode c = CURLE_OK;

        if (a->certificate_fd >= 0) {
                c = curl_easy_setopt(e, CURLOPT_SSLCERTTYPE, "PEM");
                if (c == CURLE_OK)
                        c = curl_easy_setopt(e, CURLOPT_SSLCERT, fd_path(a->certificate_fd, path));
        }
        if (c == CURLE_OK && a->key_fd >= 0) {
                c = curl_easy_setopt(e, CURLOPT_SSLKEYTYPE, "PEM");
                if (c == CURLE_OK)
                        c = curl_easy_setopt(e, CURLOPT_SSLKEY, fd_path(a->key_fd, path));
        }
        return c;
}

static CURLcode set_protocol(CURL *e, HttpWay way) {
        CURLcode c;

#if LIBCURL_VERSION_NUM >= 0x075500
        c = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, scheme_of(way));
        if (c == CURLE_OK)
                c = curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, scheme_of(way));
#else
        long bits = way == HTTP_WAY_TLS ? CURLPROTO_HTTPS : CURLPROTO_HTTP;

        c = curl_easy_setopt(e, CURLOPT_PROTOCOLS, bits);
        if (c == CURLE_OK)
                c = curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS, bits);
#endif
        return c;
}

/* A connection for each call: one costs next to nothing on the same host, none is found dead after a
 * restart, and libcurl (7.88) loses all but the first of the calls that wait for one without TLS. */
static const LongOption grpc_options[] = {
        { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE, false },
        { CURLOPT_PIPEWAIT, 0, false },
        { CURLOPT_FRESH_CONNECT, 1, false },
        { CURLOPT_FORBID_REUSE, 1, false },
};

static CURLcode set_way(CURL *e, const HttpAnchors *a) {
        CURLcode c;

        c = set_protocol(e, a->way);
        if (c == CURLE_OK && a->way == HTTP_WAY_PLAIN)
                c = curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
        if (c != CURLE_OK || a->way != HTTP_WAY_GRPC)
                return c;
        for (size_t i = 0; c == CURLE_OK && i < ELEMENTSOF(grpc_options); i++)
                c = curl_easy_setopt(e, grpc_options[i].option, grpc_options[i].value);
        if (c == CURLE_OK)
                c = curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, a->socket);
        return c;
}

int http_setup_trust(void *easy, HttpAnchors *a) {
        CURLcode c;
        int r;

        c = set_way(easy, a);
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_PROXY, a->proxy);
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
        if (c == CURLE_OK)
                c = set_own_certificate(easy, a);
        r = errno_of(c);
        if (r >= 0)
                r = set_anchors(easy, &server_options, a);
        if (r >= 0 && startswith(a->proxy, "https://"))
                r = set_anchors(easy, &proxy_options, a);
        return r;
}

void http_loans_done(HttpLoans *l) {
        curl_url_cleanup(l->url);
        curl_slist_free_all(l->headers);
        *l = (HttpLoans){};
}

/* The one scheme, and no user in it. Parsed once: what was checked is the very thing that libcurl connects
 * to. */
static int take_url(const char *url, HttpWay way, HttpLoans *l) {
        char *scheme = NULL;
        CURLUcode c;
        bool right;

        l->url = curl_url();
        if (!l->url)
                return -ENOMEM;
        c = curl_url_set(l->url, CURLUPART_URL, url, CURLU_DISALLOW_USER);
        if (c == CURLUE_OK)
                c = curl_url_get(l->url, CURLUPART_SCHEME, &scheme, 0);
        if (c != CURLUE_OK)
                return c == CURLUE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
        right = streq(scheme, scheme_of(way));
        curl_free(scheme);
        return right ? 0 : -EINVAL;
}

static int add_header(HttpLoans *l, const char *line) {
        struct curl_slist *longer;

        if (strpbrk(line, "\r\n"))
                return -EINVAL;
        longer = curl_slist_append(l->headers, line);
        if (!longer)
                return -ENOMEM;
        l->headers = longer;
        return 0;
}

static int basic(const HttpRequest *q, Secret **ret) {
        _cleanup_secret_ Secret *user = NULL, *colon = NULL, *plain = NULL;
        struct iovec bytes;
        int r;

        r = secret_new_string(q->user, &user);
        if (r >= 0)
                r = secret_new_string(":", &colon);
        if (r >= 0)
                r = secret_join((const Secret *const[]){ user, colon, q->password }, 3, &plain);
        if (r < 0)
                return r;
        bytes = secret_peek(plain);
        return base64_encode(bytes.iov_base, bytes.iov_len, ret);
}

/* A line of our own: libcurl would print user and password into two more texts before it came to the same,
 * which is a quarter of what a request costs, and remember them with the connection. It is sent to the host
 * of the URL alone, for nothing is redirected. */
static int add_authorization(HttpLoans *l, const HttpRequest *q) {
        _cleanup_secret_ Secret *name = NULL, *encoded = NULL, *line = NULL;
        const Secret *value = q->bearer;
        int r;

        if ((!q->user && !q->bearer) || q->signature)
                return 0;
        if (q->user) {
                r = basic(q, &encoded);
                if (r < 0)
                        return r;
                value = encoded;
        }
        r = secret_new_string(q->user ? "Authorization: Basic " : "Authorization: Bearer ", &name);
        if (r >= 0)
                r = secret_join((const Secret *const[]){ name, value }, 2, &line);
        return r < 0 ? r : add_header(l, secret_peek(line).iov_base);
}

static int take_headers(const HttpRequest *q, HttpLoans *l) {
        int r = 0;

        for (char *const *h = q->headers; h && *h && r >= 0; h++)
                r = add_header(l, *h);
        return r < 0 ? r : add_authorization(l, q);
}

static CURLcode set_method(CURL *e, const HttpRequest *q) {
        CURLcode c;

        if (streq(q->method, "GET"))
                return curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
        c = curl_easy_setopt(e, CURLOPT_POST, 1L);
        if (c == CURLE_OK && !streq(q->method, "POST"))
                c = curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);
        if (c == CURLE_OK)
                c = curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) q->body_size);
        if (c == CURLE_OK)
                c = curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, q->body ?: "");
        return c;
}

/* Rounded up, for 0 would mean none. */
static long milliseconds(usec_t t, usec_t otherwise) {
        usec_t msec = ((t ?: otherwise) - 1) / USEC_PER_MSEC + 1;

        return msec > (usec_t) LONG_MAX ? LONG_MAX : (long) msec;
}

static bool request_is_valid(const HttpRequest *q) {
        static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", NULL };

        if (!strv_contains((char *const *) methods, q->method))
                return false;
        if (q->user && (q->bearer || strchr(q->user, ':') || !q->password || !secret_is_string(q->password)))
                return false;
        if (q->signature && !q->user)
                return false;
        return !q->bearer || secret_is_string(q->bearer);
}

static CURLcode set_signature(CURL *e, const HttpRequest *q) {
        CURLcode c;

        if (!q->signature)
                return CURLE_OK;
        c = curl_easy_setopt(e, CURLOPT_AWS_SIGV4, q->signature);
        if (c == CURLE_OK)
                c = curl_easy_setopt(e, CURLOPT_USERNAME, q->user);
        if (c == CURLE_OK)
                c = curl_easy_setopt(e, CURLOPT_PASSWORD, (const char *) secret_peek(q->password).iov_base);
        return c;
}

static CURLcode set_timeouts(CURL *e, const HttpRequest *q) {
        CURLcode c;

        c = curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                             milliseconds(q->connect_timeout, CONNECT_TIMEOUT_DEFAULT));
        if (c == CURLE_OK)
                c = curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, milliseconds(q->timeout, TIMEOUT_DEFAULT));
        return c;
}

int http_setup_request(void *easy, HttpWay way, const HttpRequest *q, HttpLoans *ret) {
        _cleanup_(http_loans_done) HttpLoans l = {};
        CURLcode c;
        int r;

        if (!request_is_valid(q))
                return -EINVAL;
        r = take_url(q->url, way, &l);
        if (r >= 0)
                r = take_headers(q, &l);
        if (r < 0)
                return r;
        c = curl_easy_setopt(easy, CURLOPT_CURLU, l.url);
        if (c == CURLE_OK && l.headers)
                c = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, l.headers);
        if (c == CURLE_OK)
                c = set_method(easy, q);
        if (c == CURLE_OK)
                c = set_signature(easy, q);
        if (c == CURLE_OK)
                c = set_timeouts(easy, q);
        if (c == CURLE_OK && q->connects)
                c = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        if (c != CURLE_OK)
                return errno_of(c);
        *ret = l;
        l = (HttpLoans){};
        return 0;
}
