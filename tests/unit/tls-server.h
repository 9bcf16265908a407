/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A small https server in a child process: what it answers is chosen by the path, each request is reported. */

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "unit.h"

#define PEM_MAX 4096
#define HEAD_MAX 4096
#define DAY 86400

typedef struct TlsServer {
        pid_t pid;
        uint16_t port;
        char ca[PEM_MAX]; /* who signed its certificate */
        int requests;     /* request heads, as they come */
} TlsServer;

typedef struct TlsIdentity {
        gnutls_x509_privkey_t key;
        gnutls_x509_crt_t certificate;
} TlsIdentity;

static inline TlsIdentity make_identity(const TlsIdentity *signer, const char *address, time_t from,
                                        time_t to) {
        TlsIdentity i;
        in_addr_t a = inet_addr(address ?: "127.0.0.1");

        assert_ok(gnutls_x509_privkey_init(&i.key));
        assert_ok(gnutls_x509_privkey_generate2(
                i.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0, NULL, 0));
        assert_ok(gnutls_x509_crt_init(&i.certificate));
        assert_ok(gnutls_x509_crt_set_version(i.certificate, 3));
        assert_ok(gnutls_x509_crt_set_serial(i.certificate, address ? "\2" : "\1", 1));
        assert_ok(gnutls_x509_crt_set_key(i.certificate, i.key));
        assert_ok(gnutls_x509_crt_set_activation_time(i.certificate, from));
        assert_ok(gnutls_x509_crt_set_expiration_time(i.certificate, to));
        assert_ok(gnutls_x509_crt_set_dn(i.certificate, address ? "CN=server" : "CN=authority", NULL));
        assert_ok(gnutls_x509_crt_set_basic_constraints(i.certificate, address ? 0 : 1, -1));
        assert_ok(gnutls_x509_crt_set_key_usage(i.certificate, address ? GNUTLS_KEY_DIGITAL_SIGNATURE
                                                                       : GNUTLS_KEY_KEY_CERT_SIGN));
        if (address)
                assert_ok(gnutls_x509_crt_set_subject_alt_name(i.certificate, GNUTLS_SAN_IPADDRESS, &a,
                                                               sizeof(a), GNUTLS_FSAN_SET));
        assert_ok(gnutls_x509_crt_sign2(i.certificate, signer ? signer->certificate : i.certificate,
                                        signer ? signer->key : i.key, GNUTLS_DIG_SHA256, 0));
        return i;
}

static inline void identity_done(TlsIdentity *i) {
        gnutls_x509_crt_deinit(i->certificate);
        gnutls_x509_privkey_deinit(i->key);
}

static inline void make_authority(TlsIdentity *ret, char pem[static PEM_MAX]) {
        size_t size = PEM_MAX - 1;

        *ret = make_identity(NULL, NULL, time(NULL) - DAY, time(NULL) + DAY);
        assert_ok(gnutls_x509_crt_export(ret->certificate, GNUTLS_X509_FMT_PEM, pem, &size));
        pem[size] = '\0';
}

/* In the child from here on. */

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

static inline void respond(gnutls_session_t s, const char *path) {
        if (strncmp(path, "/ok", 3) == 0)
                say_text(
                        s,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Tue, 24 Nov 2026 00:00:00 GMT\r\n"
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
                size = 0;
                respond(s, path);
        }
}

static inline void serve(int listener, int report, const TlsIdentity *identity) {
        gnutls_certificate_credentials_t credentials;
        gnutls_x509_crt_t certificate = identity->certificate;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) signal(SIGCHLD, SIG_IGN);
        (void) signal(SIGPIPE, SIG_IGN);
        if (gnutls_certificate_allocate_credentials(&credentials) < 0 ||
            gnutls_certificate_set_x509_key(credentials, &certificate, 1, identity->key) < 0)
                _exit(1);
        for (;;) {
                int fd = accept(listener, NULL, NULL);

                if (fd >= 0 && fork() == 0) {
                        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                        serve_connection(fd, report, credentials);
                }
                if (fd >= 0)
                        (void) close(fd);
        }
}

/* In the test again. `address` is whom the certificate is made out to. */
static inline TlsServer server_start(const char *address, time_t from, time_t to) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(a);
        TlsIdentity authority, own;
        TlsServer s = {};
        int listener, fds[2];

        make_authority(&authority, s.ca);
        own = make_identity(&authority, address, time(NULL) + from, time(NULL) + to);
        listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_ok(listener);
        assert_ok(bind(listener, (struct sockaddr *) (void *) &a, size));
        assert_ok(listen(listener, 128));
        assert_ok(getsockname(listener, (struct sockaddr *) (void *) &a, &size));
        s.port = ntohs(a.sin_port);
        assert_ok(pipe(fds));
        s.requests = fds[0];
        s.pid = fork();
        assert_ok(s.pid);
        if (s.pid == 0)
                serve(listener, fds[1], &own);
        (void) close(fds[1]);
        (void) close(listener);
        identity_done(&own);
        identity_done(&authority);
        return s;
}

static inline void server_stop(TlsServer *s) {
        (void) kill(s->pid, SIGKILL);
        (void) waitpid(s->pid, NULL, 0);
        (void) close(s->requests);
}

/* The head of the next request, without its last line break. */
static inline void server_request(const TlsServer *s, char head[static HEAD_MAX]) {
        size_t n = 0;

        do {
                assert_true(n < HEAD_MAX);
                assert_int_equal(read(s->requests, head + n, 1), 1);
        } while (head[n++] != '\0');
}
