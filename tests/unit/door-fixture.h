/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages without a peer: written, sealed, and read again in the same process. */

#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "unit.h"

/* cmocka's *state: a bus that nobody listens to. */
static inline int setup_bus(void **state) {
        sd_bus *bus = NULL;
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 || sd_bus_new(&bus) < 0 ||
            sd_bus_set_fd(bus, fds[0], fds[0]) < 0 || sd_bus_start(bus) < 0)
                return -1;
        *state = bus;
        return close(fds[1]);
}

static inline int teardown_bus(void **state) {
        sd_bus_close_unref(*state);
        return 0;
}

static inline sd_bus_message *new_message(void **state) {
        sd_bus_message *m = NULL;

        assert_ok(sd_bus_message_new_method_call(*state, &m, NULL, "/", "test.Door", "Test"));
        return m;
}

static inline void seal(sd_bus_message *m) {
        assert_ok(sd_bus_message_seal(m, 1, 0));
        assert_ok(sd_bus_message_rewind(m, 1));
}
