/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The network came up (NetworkManager, systemd-networkd), the host resumed (systemd-logind).
 *
 * Owns the three subscriptions. The daemon itself has no network to look at: its namespace is empty, so
 * rtnetlink would show nothing. None of these services need be there, and none is started or asked. */

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/bus-event.h"
#include "daemon/manager-watch.h"

/* NM_STATE_CONNECTED_SITE: routes and names work, be it not to everywhere (NetworkManager's D-Bus API). */
#define NM_CONNECTED_SITE 60

/* The bus checks the sender of what is told to all; what is sent to us alone could be from anyone. */
static bool is_broadcast(sd_bus_message *m) {
        return !sd_bus_message_get_destination(m);
}

static void wake(const BusContext *c, WaitEvent event, const char *why) {
        log_debug("%s, ending the waits for it", why);
        manager_wake(c->manager, event);
}

static int on_network_manager(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        uint32_t state;

        if (is_broadcast(m) && sd_bus_message_read(m, "u", &state) >= 0 && state >= NM_CONNECTED_SITE)
                wake(userdata, WAIT_EVENT_NETWORK, "NetworkManager has a connection");
        return 0;
}

/* Returns true if the dictionary says OperationalState=routable; looks at no other property. */
static bool is_routable(sd_bus_message *m) {
        const char *interface, *name, *state;

        if (sd_bus_message_read(m, "s", &interface) < 0 ||
            !streq(interface, "org.freedesktop.network1.Manager") ||
            sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
                return false;
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                if (sd_bus_message_read(m, "s", &name) < 0)
                        return false;
                if (streq(name, "OperationalState"))
                        return sd_bus_message_read(m, "v", "s", &state) >= 0 && streq(state, "routable");
                if (sd_bus_message_skip(m, "v") < 0 || sd_bus_message_exit_container(m) < 0)
                        return false;
        }
        return false;
}

static int on_networkd(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        if (is_broadcast(m) && is_routable(m))
                wake(userdata, WAIT_EVENT_NETWORK, "systemd-networkd has a route");
        return 0;
}

static int on_sleep(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        int before;

        if (is_broadcast(m) && sd_bus_message_read(m, "b", &before) >= 0 && !before)
                wake(userdata, WAIT_EVENT_RESUME, "The host resumed");
        return 0;
}

int bus_events_subscribe(sd_bus *bus, BusContext *context) {
        static const struct {
                const char *sender, *path, *interface, *member;
                sd_bus_message_handler_t handler;
        } rows[] = {
                { "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager",
                  "org.freedesktop.NetworkManager", "StateChanged", on_network_manager },
                { "org.freedesktop.network1", "/org/freedesktop/network1", "org.freedesktop.DBus.Properties",
                  "PropertiesChanged", on_networkd },
                { "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
                  "PrepareForSleep", on_sleep },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int r = sd_bus_match_signal_async(bus, NULL, rows[i].sender, rows[i].path, rows[i].interface,
                                                  rows[i].member, rows[i].handler, NULL, context);

                if (r < 0)
                        return r;
        }
        return 0;
}
