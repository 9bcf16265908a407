/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bus that is played: the other end of a socket pair answers Hello, AddMatch and whose a connection is,
 * and sends what a test wants to have come. Both ends are driven by hand. */

#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include "base/text.h"
#include "unit.h"

typedef struct FakeBus {
        sd_bus *client; /* what the code under test has */
        sd_bus *server;
        bool silent;        /* nobody's uid is told any more */
        unsigned questions; /* about uids */
        unsigned matches;   /* that stand */
} FakeBus;

/* ":1.1000" belongs to uid 1000; a name with an 'x' in it to nobody. */
static inline int fake_bus_answer(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        FakeBus *f = userdata;
        const char *name;

        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "Hello"))
                return sd_bus_reply_method_return(m, "s", ":1.1");
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "AddMatch")) {
                f->matches++;
                return sd_bus_reply_method_return(m, NULL);
        }
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "RemoveMatch")) {
                f->matches--;
                return 1;
        }
        if (!sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "GetConnectionUnixUser"))
                return 0;
        f->questions++;
        if (f->silent)
                return 1;
        assert_ok(sd_bus_message_read(m, "s", &name));
        if (strchr(name, 'x'))
                return sd_bus_reply_method_errorf(m, "org.freedesktop.DBus.Error.NameHasNoOwner", "Nobody");
        return sd_bus_reply_method_return(m, "u", (uint32_t) strtoul(name + 3, NULL, 10));
}

/* Both ends, until neither has anything to do. */
static inline void fake_bus_run(FakeBus *f) {
        int a, b;

        do {
                a = sd_bus_process(f->server, NULL);
                b = sd_bus_process(f->client, NULL);
                assert_ok(a);
                assert_ok(b);
        } while (a > 0 || b > 0);
}

static inline int setup_fake_bus(void **state) {
        FakeBus *f = calloc(1, sizeof(*f));
        sd_id128_t id;
        int fds[2];

        *state = f;
        if (!f || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ||
            sd_id128_randomize(&id) < 0 || sd_bus_new(&f->server) < 0 ||
            sd_bus_set_fd(f->server, fds[0], fds[0]) < 0 || sd_bus_set_server(f->server, 1, id) < 0 ||
            sd_bus_add_filter(f->server, NULL, fake_bus_answer, f) < 0 || sd_bus_start(f->server) < 0 ||
            sd_bus_new(&f->client) < 0 || sd_bus_set_fd(f->client, fds[1], fds[1]) < 0 ||
            sd_bus_set_bus_client(f->client, 1) < 0 || sd_bus_start(f->client) < 0)
                return -1;
        while (sd_bus_is_ready(f->client) == 0) {
                if (sd_bus_process(f->server, NULL) < 0 || sd_bus_process(f->client, NULL) < 0)
                        return -1;
        }
        fake_bus_run(f);
        return 0;
}

static inline int teardown_fake_bus(void **state) {
        FakeBus *f = *state;

        sd_bus_close_unref(f->client);
        sd_bus_close_unref(f->server);
        free(f);
        return 0;
}

/* A method call that has come from `sender`. */
static inline sd_bus_message *fake_bus_call(FakeBus *f, const char *sender) {
        sd_bus_message *m = NULL;

        assert_ok(sd_bus_message_new_method_call(f->client, &m, NULL, "/", "test.Interface", "Test"));
        assert_ok(sd_bus_message_set_sender(m, sender));
        return m;
}

static inline int fake_bus_keep(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        sd_bus_message **kept = userdata;

        if (!sd_bus_message_is_method_call(m, "test.Interface", "Test"))
                return 0;
        *kept = sd_bus_message_ref(m);
        return 1;
}

/* One that really came over the connection, so that it can be answered; answers go to the server's
 * filters. */
static inline sd_bus_message *fake_bus_deliver(FakeBus *f, const char *sender) {
        sd_bus_message *m = NULL, *kept = NULL;
        sd_bus_slot *slot = NULL;

        assert_ok(sd_bus_add_filter(f->client, &slot, fake_bus_keep, &kept));
        assert_ok(sd_bus_message_new_method_call(f->server, &m, ":1.1", "/", "test.Interface", "Test"));
        assert_ok(sd_bus_message_set_sender(m, sender));
        assert_ok(sd_bus_send(f->server, m, &(uint64_t){ 0 }));
        sd_bus_message_unref(m);
        fake_bus_run(f);
        sd_bus_slot_unref(slot);
        assert_non_null(kept);
        return kept;
}

static inline void fake_bus_depart(FakeBus *f, const char *from, const char *to, const char *name) {
        sd_bus_message *m = NULL;

        assert_ok(sd_bus_message_new_signal(f->server, &m, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                            "NameOwnerChanged"));
        assert_ok(sd_bus_message_append(m, "sss", name, name, ""));
        assert_ok(sd_bus_message_set_sender(m, from));
        if (to)
                assert_ok(sd_bus_message_set_destination(m, to));
        assert_ok(sd_bus_send(f->server, m, NULL));
        sd_bus_message_unref(m);
}
