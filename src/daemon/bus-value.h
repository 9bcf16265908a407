/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values that more than one bus object shows. All return 0 or a negative errno, as sd-bus wants it. */

#include <systemd/sd-bus.h>

#include "codec/conf.h"

/* Any number of (suss): severity, line, file, text; inside an array that the caller opened. */
int bus_append_conf_messages(sd_bus_message *m, const Conf *conf);
#define BUS_CONF_MESSAGE_TYPE "(suss)"

/* NULL is shown as an empty array. */
int bus_append_strv(sd_bus_message *m, char *const *l);

/* The same for names of files and sentences about them, which may hold what the bus does not take. */
int bus_append_text(sd_bus_message *m, const char *s);
int bus_append_texts(sd_bus_message *m, char *const *l);
