/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One https connection from the server's side, in a process of its own: what is answered is chosen by the
 * path, and each request is reported. */

#include <gnutls/gnutls.h>

#include "unit.h"

#define HEAD_MAX 4096

static inline void say(gnutls_session_t s, const char *text, size_t size) {
        while (size > 0) {
                ssize_t n = gnutls_record_send(s, text, size);

                if (n <= 0)
                        _exit(0);
                text += n;
                size -= (size_t) n;
        }
}

static inline void say_text(gnutls_session_t s, const char *text) {
        say(s, text, strlen(text));
}

static inline void say_much(gnutls_session_t s, size_t blocks) {
        static const char block[16384];

        for (size_t i = 0; i < blocks; i++)
                say(s, block, sizeof(block));
}

/* Sends a body of up to 64 bytes back, its length as the type. `more` is what of it came with the head. */
static inline void echo(gnutls_session_t s, const char *head, const char *more, size_t size) {
        const char *length = strcasestr(head, "\r\nContent-Length: ");
        char body[64], answer[128];
        size_t wanted = length ? (size_t) atoi(length + 18) : 0;

        if (size > wanted || wanted > sizeof(body))
                _exit(1);
        (void) memcpy(body, more, size);
        while (size < wanted) {
                ssize_t n = gnutls_record_recv(s, body + size, wanted - size);

                if (n <= 0)
                        _exit(0);
                size += (size_t) n;
        }
        (void) snprintf(answer, sizeof(answer),
                        "HTTP/1.1 200 OK\r\n"
                        "Content-Type: %zu\r\nContent-Length: %zu\r\n\r\n",
                        size, size);
        say_text(s, answer);
        say(s, body, size);
}

static inline void respond(gnutls_session_t s, const char *path) {
        if (strncmp(path, "/ok", 3) == 0)
                say_text(s, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                            "Date: Tue, 24 Nov 2026 00:00:00 GMT\r\n"
                            "Content-Length: 7\r\n\r\n{\"a\":1}");
        else if (strcmp(path, "/denied") == 0)
                say_text(s, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"r\"\r\n"
                            "Retry-After: 3\r\nContent-Length: 0\r\n\r\n");
        else if (strcmp(path, "/redirect") == 0)
                say_text(s, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
        else if (strcmp(path, "/big") == 0) {
                say_text(s, "HTTP/1.1 200 OK\r\nContent-Length: 1638400\r\n\r\n");
                say_much(s, 100);
        } else if (strcmp(path, "/endless") == 0) {
                say_text(s, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                say_much(s, SIZE_MAX);
        } else if (strcmp(path, "/hang") == 0)
                for (;;)
                        pause();
        else
                _exit(0);
}

static inline void serve_connection(int fd, int report, gnutls_certificate_credentials_t credentials) {
        gnutls_session_t s;
        char head[HEAD_MAX];
        size_t size = 0;

        if (gnutls_init(&s, GNUTLS_SERVER) < 0 || gnutls_set_default_priority(s) < 0 ||
            gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, credentials) < 0)
                _exit(1);
        gnutls_transport_set_int(s, fd);
        if (gnutls_handshake(s) < 0)
                _exit(0);
        for (;;) {
                char path[64], *end;
                ssize_t n = gnutls_record_recv(s, head + size, sizeof(head) - 1 - size);

                if (n <= 0)
                        _exit(0);
                size += (size_t) n;
                head[size] = '\0';
                end = strstr(head, "\r\n\r\n");
                if (!end)
                        continue;
                end[3] = '\0'; /* one report is what stands before a NUL */
                if (write(report, head, strlen(head) + 1) < 0 || sscanf(head, "%*s %63s", path) != 1)
                        _exit(1);
                if (strcmp(path, "/echo") == 0)
                        echo(s, head, end + 4, size - (size_t) (end + 4 - head));
                else
                        respond(s, path);
                size = 0;
        }
}
