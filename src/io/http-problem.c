/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From libcurl's result to an HttpProblem, the same for each of its TLS libraries.
 *
 * They agree on the code of a certificate that is not accepted and differ in everything else: OpenSSL says
 * why in words, GnuTLS (up to at least 7.88) says the same words for every reason but hands over the
 * certificates, so their dates are looked at. Words decide only where codes cannot.
 *
 * Owns no state and asks no clock. */

#include <curl/curl.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "io/http-problem.h"

#define TEXT_MAX 256

static bool has_any(const char *text, const char *const *words, size_t n_words) {
        for (size_t i = 0; i < n_words; i++)
                if (strcasestr(text, words[i]))
                        return true;
        return false;
}

static HttpProblem certificate_problem(const HttpOutcome *o) {
        static const char *const dates[] = { "expired", "not yet valid", "not activated", "expiration date",
                                             "activation date" };
        static const char *const host[] = { "target host name", "subject name", "subjectaltname",
                                            "hostname mismatch", "does not match" };

        if (has_any(strempty(o->text), host, ELEMENTSOF(host)))
                return HTTP_TLS_HOST;
        if (o->certificate_dates || has_any(strempty(o->text), dates, ELEMENTSOF(dates)))
                return HTTP_TLS_DATES;
        return HTTP_TLS_UNTRUSTED;
}

/* A connection that ends in the middle of a handshake is a broken connection, not a matter of trust. With an
 * authority of the right name and another key OpenSSL stumbles over the signature before it can say so. */
static HttpProblem handshake_problem(const HttpOutcome *o) {
        static const char *const ended[] = { "reset by peer",     "non-properly terminated",
                                             "premature",         "unexpected eof",
                                             "SSL_ERROR_SYSCALL", "connection was closed",
                                             "broken pipe" };
        static const char *const signature[] = { "asn1 encoding routines", "bad signature" };

        if (has_any(strempty(o->text), ended, ELEMENTSOF(ended)))
                return HTTP_CLOSED;
        return has_any(strempty(o->text), signature, ELEMENTSOF(signature)) ? HTTP_TLS_UNTRUSTED
                                                                            : HTTP_TLS_OTHER;
}

static HttpProblem broken_connection(const HttpOutcome *o) {
        if (o->proxy_status >= 300 && !o->secured)
                return HTTP_CONNECT;
        return o->answering ? HTTP_BROKEN : HTTP_CLOSED;
}

HttpProblem http_problem(const HttpOutcome *o) {
        if (o->too_large)
                return HTTP_TOO_LARGE;
        switch (o->code) {
        case CURLE_OK:
                return o->headers_open ? HTTP_BROKEN : HTTP_OK;
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
                return HTTP_RESOLVE;
        case CURLE_COULDNT_CONNECT:
        case CURLE_PROXY:
        case CURLE_INTERFACE_FAILED:
                return HTTP_CONNECT;
        case CURLE_OPERATION_TIMEDOUT:
                return HTTP_TIMEOUT;
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
                return broken_connection(o);
        case CURLE_PARTIAL_FILE:
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_UNSUPPORTED_PROTOCOL: /* of an answer that is no HTTP; our URLs were checked before */
        case CURLE_BAD_CONTENT_ENCODING:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
                return HTTP_BROKEN;
        case CURLE_PEER_FAILED_VERIFICATION:
                return certificate_problem(o);
        case CURLE_SSL_CACERT_BADFILE: /* nothing to trust anyone by; of bytes OpenSSL says the other */
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_ISSUER_ERROR:
                return HTTP_TLS_UNTRUSTED;
        case CURLE_SSL_CONNECT_ERROR:
                return handshake_problem(o);
        case CURLE_SSL_CIPHER:
#if LIBCURL_VERSION_NUM >= 0x074d00
        case CURLE_SSL_CLIENTCERT:
#endif
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_SHUTDOWN_FAILED:
        case CURLE_USE_SSL_FAILED:
                return HTTP_TLS_OTHER;
        case CURLE_FILESIZE_EXCEEDED:
                return HTTP_TOO_LARGE;
        case CURLE_OUT_OF_MEMORY:
                /* libcurl's word for a header line without an end, too, and by far the likelier of the
                 * two. */
                return o->answering ? HTTP_TOO_LARGE : HTTP_INTERNAL;
        default:
                return o->connected ? HTTP_BROKEN : HTTP_INTERNAL;
        }
}

int http_problem_text(const HttpOutcome *o, char **ret) {
        const char *text = isempty(o->text) ? curl_easy_strerror((CURLcode) o->code) : o->text;
        const char *files = strstr(text, ". CAfile:");

        return text_clean(text, files ? (size_t) (files - text) : strlen(text), TEXT_MAX, ret);
}

bool http_certificate_date_is_off(const char *line, usec_t now) {
        static const char start[] = "start date:", expire[] = "expire date:";
        bool starts = strncasecmp(line, start, strlen(start)) == 0;
        const char *date = line, *end;
        struct tm tm = {};
        time_t t;

        /* Capitals differ between the TLS libraries. */
        if (starts)
                date += strlen(start);
        else if (strncasecmp(line, expire, strlen(expire)) == 0)
                date += strlen(expire);
        else
                return false;
        date += strspn(date, " ");
        /* libcurl's own reader of certificates writes the first form, OpenSSL the second. */
        end = strptime(date, "%Y-%m-%d %H:%M:%S", &tm);
        if (!end) {
                tm = (struct tm){};
                end = strptime(date, "%b %d %H:%M:%S %Y", &tm);
        }
        if (!end)
                return false;
        t = timegm(&tm);
        if (t < 0)
                return false;
        return starts ? (usec_t) t * USEC_PER_SEC > now
                      : usec_add((usec_t) t * USEC_PER_SEC, USEC_PER_SEC) <= now;
}
