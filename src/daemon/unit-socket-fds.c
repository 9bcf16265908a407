/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tells apart what the service manager passes on (sd_listen_fds(3)).
 *
 * Owns the names of these descriptors. A process of this service that was killed leaves connections behind
 * that waited for an answer: the service manager has copies, and nobody but us would answer them. */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/unit-socket-fds.h"

#define NAME "credential" /* FileDescriptorName= */

static bool is_listening(int fd, const char *name) {
        return streq_ptr(name, NAME) && sd_is_socket_unix(fd, SOCK_STREAM, /* listening= */ 1, NULL, 0) > 0;
}

static bool is_call(int fd, const char *name) {
        return name && startswith(name, UNIT_SOCKET_CALL) &&
               sd_is_socket_unix(fd, SOCK_STREAM, /* listening= */ 0, NULL, 0) > 0;
}

void unit_socket_fds_done(UnitSocketFds *f) {
        closep(&f->listening);
        for (size_t i = 0; i < f->n_calls; i++)
                if (f->calls[i] >= 0) {
                        (void) send(f->calls[i], "{}", 2, MSG_NOSIGNAL | MSG_DONTWAIT);
                        /* There are copies. */
                        (void) shutdown(f->calls[i], SHUT_RDWR);
                        closep(f->calls + i);
                }
        free(f->calls);
        strv_free(f->names);
        *f = UNIT_SOCKET_FDS_NONE;
}

/* Returns 1 if it was, 0 if it is nothing of ours. */
static int take(UnitSocketFds *f, int fd, const char *name) {
        int r;

        if (f->listening < 0 && is_listening(fd, name)) {
                f->listening = fd;
                return 1;
        }
        if (!is_call(fd, name))
                return 0;
        r = strv_append(&f->names, name);
        if (r < 0)
                return r;
        f->calls[f->n_calls++] = fd;
        return 1;
}

int unit_socket_fds_find(UnitSocketFds *ret) {
        _cleanup_(unit_socket_fds_done) UnitSocketFds found = UNIT_SOCKET_FDS_NONE;
        _cleanup_strv_ char **names = NULL;
        int n;

        n = sd_listen_fds_with_names(/* unset_environment= */ 1, &names);
        if (n < 0)
                return log_error_errno(n, "Cannot read what the service manager passed on: %m");
        found.calls = calloc((size_t) n + 1, sizeof(*found.calls));
        if (!found.calls)
                return log_oom();
        for (int i = 0; i < n; i++) {
                int fd = SD_LISTEN_FDS_START + i, r = take(&found, fd, names[i]);

                if (r > 0)
                        continue;
                if (r < 0)
                        log_oom();
                else
                        log_warning(
                                "Descriptor %d of the service manager is no listening socket of the name "
                                "'" NAME "', ignoring",
                                fd);
                (void) close(fd);
        }
        *ret = found;
        found = UNIT_SOCKET_FDS_NONE;
        return 0;
}
