/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Puts const tables of bus objects onto a connection.
 *
 * Owns nothing: the tables are static data of their modules, the slots belong to the bus. Refuses a half
 * table: the first row that fails ends it, and the caller drops the connection. */

#include "io/bus-object.h"

static int register_one(sd_bus *bus, const BusObject *o, void *userdata) {
        int r;

        if (o->find)
                r = sd_bus_add_fallback_vtable(bus, NULL, o->path, o->interface, o->vtable, o->find,
                                               userdata);
        else
                r = sd_bus_add_object_vtable(bus, NULL, o->path, o->interface, o->vtable, userdata);
        if (r < 0)
                return r;
        if (o->enumerate) {
                r = sd_bus_add_node_enumerator(bus, NULL, o->path, o->enumerate, userdata);
                if (r < 0)
                        return r;
        }
        if (o->object_manager) {
                r = sd_bus_add_object_manager(bus, NULL, o->path);
                if (r < 0)
                        return r;
        }
        return 0;
}

int bus_objects_register(sd_bus *bus, const BusObject *const *objects, size_t n_objects, void *userdata) {
        for (size_t i = 0; i < n_objects; i++) {
                int r = register_one(bus, objects[i], userdata);

                if (r < 0)
                        return r;
        }
        return 0;
}
