/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Appends values that come from files to bus messages.
 *
 * Owns nothing. What may hold bytes that are no UTF-8 (names of files that an administrator made) is
 * cleaned here, for the bus would end the connection over it. */

#include <errno.h>
#include <limits.h>

#include "base/text.h"
#include "daemon/bus-value.h"

#define MESSAGE_TEXT_MAX 1024

static int append_message(sd_bus_message *m, const ConfMessage *c) {
        _cleanup_free_ char *file = NULL, *text = NULL;
        int r;

        r = text_clean(c->file, strlen(c->file), PATH_MAX, &file);
        if (r >= 0)
                r = text_clean(c->text, strlen(c->text), MESSAGE_TEXT_MAX, &text);
        if (r >= 0)
                r = sd_bus_message_append(m, BUS_CONF_MESSAGE_TYPE,
                                          c->severity == CONF_ERROR ? "error" : "warning",
                                          (uint32_t) c->line, file, text);
        return r;
}

int bus_append_conf_messages(sd_bus_message *m, const Conf *conf) {
        for (size_t i = 0; conf && i < conf->n_messages; i++) {
                int r = append_message(m, conf->messages + i);

                if (r < 0)
                        return r;
        }
        return 0;
}

int bus_append_strv(sd_bus_message *m, char *const *l) {
        return sd_bus_message_append_strv(m, (char **) l);
}
