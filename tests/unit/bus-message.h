/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages without a bus, for the readers of the client library. */

#include <sys/socket.h>
#include <systemd/sd-bus.h>

/* A connection that goes nowhere, for messages need one to be built. */
static inline int setup_bus(void **state) {
        sd_bus *bus = NULL;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_ok(sd_bus_new(&bus));
        assert_ok(sd_bus_set_fd(bus, fds[0], fds[0]));
        assert_ok(sd_bus_start(bus));
        close(fds[1]);
        *state = bus;
        return 0;
}

static inline int teardown_bus(void **state) {
        *state = sd_bus_close_unref(*state);
        return 0;
}

static inline sd_bus_message *new_signal(void **state, const char *member) {
        sd_bus_message *m = NULL;

        assert_ok(sd_bus_message_new_signal(*state, &m, "/x", "a.b", member));
        return m;
}

static inline sd_bus_message *new_message(void **state) {
        return new_signal(state, "C");
}

static inline void seal_message(sd_bus_message *m) {
        assert_ok(sd_bus_message_seal(m, /* cookie= */ 1, /* timeout= */ 0));
        assert_ok(sd_bus_message_rewind(m, /* complete= */ true));
}

#define bus_test(f) cmocka_unit_test_setup_teardown(f, setup_bus, teardown_bus)
