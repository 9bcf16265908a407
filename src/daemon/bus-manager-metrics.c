/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How all jobs stand, for machines.
 *
 * Everyone may look. Says nothing that properties do not say, in the form in which collectors want it. */

#include "daemon/bus-manager-methods.h"
#include "daemon/metrics.h"

int bus_manager_get_metrics(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        _cleanup_free_ char *text = NULL;
        int r;

        r = metrics_render(b->manager, &text);
        return r < 0 ? r : sd_bus_reply_method_return(message, "s", text);
}
