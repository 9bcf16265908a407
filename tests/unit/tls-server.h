/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A small https server in a child process. */

#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tls-answer.h"
#include "tls-identity.h"

typedef struct TlsServer {
        pid_t pid;
        uint16_t port;
        char ca[PEM_MAX]; /* who signed its certificate */
        int requests;     /* request heads, as they come */
} TlsServer;

/* In the child. The first `deaf` connections are taken and never answered. */
static inline void serve(int listener, int report, const TlsIdentity *identity, unsigned deaf) {
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

                if (fd >= 0 && deaf > 0) {
                        deaf--;
                        continue;
                }
                if (fd >= 0 && fork() == 0) {
                        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                        serve_connection(fd, report, credentials);
                }
                if (fd >= 0)
                        (void) close(fd);
        }
}

/* In the test. `address` is whom the certificate is made out to. */
static inline TlsServer server_start_deaf(const char *address, time_t from, time_t to, unsigned deaf) {
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
                serve(listener, fds[1], &own, deaf);
        (void) close(fds[1]);
        (void) close(listener);
        identity_done(&own);
        identity_done(&authority);
        return s;
}

static inline TlsServer server_start(const char *address, time_t from, time_t to) {
        return server_start_deaf(address, from, to, 0);
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
