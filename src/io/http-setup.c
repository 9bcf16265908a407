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
#include "config.h"
#include "io/http-setup.h"

#define CONNECT_TIMEOUT_DEFAULT (10 * USEC_PER_SEC)
#define TIMEOUT_DEFAULT (30 * USEC_PER_SEC)
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
#if LIBCURL_VERSION_NUM >= 0x075500
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long) CURLPROTO_HTTPS);
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, (long) CURLPROTO_HTTPS);
#endif
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, NULL);
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_USERAGENT, "pullauthd/" PROJECT_VERSION);
        return errno_of(c);
}

int http_anchors_init(HttpAnchors *a, const HttpTrust *trust) {
        *a = (HttpAnchors){ .ca_fd = -EBADF };
        if (trust->proxy && !startswith(trust->proxy, "http://") && !startswith(trust->proxy, "https://"))
                return -EINVAL;
        a->proxy = strdup(strempty(trust->proxy));
        if (!a->proxy)
                return -ENOMEM;
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
        closep(&a->ca_fd);
        *a = (HttpAnchors){ .ca_fd = -EBADF };
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
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
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
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%i", a->ca_fd);
        return errno_of(curl_easy_setopt(e, o->file, path));
}

int http_setup_trust(void *easy, HttpAnchors *a) {
        CURLcode c;
        int r;

        c = curl_easy_setopt(easy, CURLOPT_PROXY, a->proxy);
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
        r = errno_of(c);
        if (r >= 0)
                r = set_anchors(easy, &server_options, a);
        if (r >= 0 && startswith(a->proxy, "https://"))
                r = set_anchors(easy, &proxy_options, a);
        return r;
}

/* https and no user in it; what libcurl's parser takes here is what it connects to later. */
static int check_url(const char *url) {
        CURLU *u;
        char *scheme = NULL;
        CURLUcode c;
        int r = -EINVAL;

        u = curl_url();
        if (!u)
                return -ENOMEM;
        c = curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER);
        if (c == CURLUE_OK)
                c = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
        if (c == CURLUE_OUT_OF_MEMORY)
                r = -ENOMEM;
        else if (c == CURLUE_OK && streq(scheme, "https"))
                r = 0;
        curl_free(scheme);
        curl_url_cleanup(u);
        return r;
}

static CURLcode set_authentication(CURL *e, const HttpRequest *q) {
        CURLcode c = CURLE_OK;

        if (q->user) {
                c = curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
                if (c == CURLE_OK)
                        c = curl_easy_setopt(e, CURLOPT_USERNAME, q->user);
                if (c == CURLE_OK)
                        c = curl_easy_setopt(e, CURLOPT_PASSWORD, secret_peek(q->password).iov_base);
        } else if (q->bearer) {
                c = curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long) CURLAUTH_BEARER);
                if (c == CURLE_OK)
                        c = curl_easy_setopt(e, CURLOPT_XOAUTH2_BEARER, secret_peek(q->bearer).iov_base);
        }
        return c;
}

static CURLcode set_method(CURL *e, const HttpRequest *q) {
        CURLcode c;

        if (streq(q->method, "GET"))
                return curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
        c = curl_easy_setopt(e, CURLOPT_POST, 1L);
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
        if (!streq(q->method, "GET") && !streq(q->method, "POST"))
                return false;
        if (q->user && (q->bearer || strchr(q->user, ':') || !q->password || !secret_is_string(q->password)))
                return false;
        return !q->bearer || secret_is_string(q->bearer);
}

int http_setup_request(void *easy, const HttpRequest *q) {
        CURLcode c;
        int r;

        if (!request_is_valid(q))
                return -EINVAL;
        r = check_url(q->url);
        if (r < 0)
                return r;
        c = curl_easy_setopt(easy, CURLOPT_URL, q->url);
        if (c == CURLE_OK)
                c = set_method(easy, q);
        if (c == CURLE_OK)
                c = set_authentication(easy, q);
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                                     milliseconds(q->connect_timeout, CONNECT_TIMEOUT_DEFAULT));
        if (c == CURLE_OK)
                c = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(q->timeout, TIMEOUT_DEFAULT));
        return errno_of(c);
}

int http_setup_headers(void *easy, char *const *headers, void **ret) {
        struct curl_slist *list = NULL, *longer;

        *ret = NULL;
        STRV_FOREACH(h, headers) {
                longer = strpbrk(*h, "\r\n") ? NULL : curl_slist_append(list, *h);
                if (!longer) {
                        curl_slist_free_all(list);
                        return strpbrk(*h, "\r\n") ? -EINVAL : -ENOMEM;
                }
                list = longer;
        }
        *ret = list;
        return list ? errno_of(curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list)) : 0;
}

void http_setup_headers_free(void *list) {
        curl_slist_free_all(list);
}
