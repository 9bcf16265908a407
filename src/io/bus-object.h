/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bus objects as data: registration, golden introspection and manuals read the same const tables. */

#include <systemd/sd-bus.h>

#include "base/macro.h"

typedef struct BusObject {
        const char *path; /* "/org/pullauth1", or the prefix of a fallback */
        const char *interface;
        const sd_bus_vtable *vtable;
        sd_bus_object_find_t find;          /* fallback vtables: path → object; else NULL */
        sd_bus_node_enumerator_t enumerate; /* fallback: lists the objects; else NULL */
        bool object_manager;                /* ObjectManager at this path */
} BusObject;

/* Registers all rows. Slots are floating: they live as long as the bus. Returns 0 or a negative errno. */
int bus_objects_register(sd_bus *bus, const BusObject *const *objects, size_t n_objects, void *userdata);
