/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading the configuration again, as whole as at start.
 *
 * Owns the answer, which is everything that is wrong with it. If it cannot be read at all the old one stays,
 * and the caller is told. */

#include <string.h>

#include "daemon/bus-manager-methods.h"
#include "daemon/bus-request.h"
#include "daemon/bus-value.h"

static int append_all_messages(sd_bus_message *reply, const Manager *m) {
        Job *const *jobs;
        size_t n;
        int r;

        r = bus_manager_append_messages(reply, m);
        jobs = manager_jobs(m, &n);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = bus_append_conf_messages(reply, jobs[i]->conf);
        return r;
}

static int reload(const BusContext *b) {
        const BusObserver *o = &b->observer;
        int r;

        if (o->reload)
                o->reload(/* begin= */ true, o->userdata);
        r = manager_reload(b->manager);
        if (o->reload)
                o->reload(/* begin= */ false, o->userdata);
        return r;
}

int bus_manager_reload(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const BusContext *b = userdata;
        int r;

        r = authorize(b->authorizer, message, NULL, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = reload(b);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return bus_error(
                        reterror, API_ERROR_FILE_FAILED,
                        "The configuration cannot be read, what was read before holds: %s; see to the "
                        "directories below /etc/pullauth, and try again",
                        strerrordesc_np(-r));
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', BUS_CONF_MESSAGE_TYPE);
        if (r >= 0)
                r = append_all_messages(reply, b->manager);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}
