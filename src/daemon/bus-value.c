/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Appends values that come from files to bus messages.
 *
 * Owns nothing. What may hold bytes that are no UTF-8, or characters that are none (names of files that an
 * administrator made), is cleaned here: sd-bus refuses it, and with it the whole list of all jobs. */

#include <errno.h>
#include <limits.h>

#include "base/text.h"
#include "daemon/bus-value.h"

/* Of a path, and of a sentence that has one in it. */
#define TEXT_MAX (PATH_MAX + 1024)

int bus_append_text(sd_bus_message *m, const char *s) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = text_clean(strempty(s), strlen(strempty(s)), TEXT_MAX, &text);
        return r < 0 ? r : sd_bus_message_append_basic(m, 's', text);
}

int bus_append_texts(sd_bus_message *m, char *const *l) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        STRV_FOREACH(s, l)
                if (r >= 0)
                        r = bus_append_text(m, *s);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_message(sd_bus_message *m, const ConfMessage *c) {
        int r;

        r = sd_bus_message_open_container(m, 'r', "suss");
        if (r >= 0)
                r = sd_bus_message_append(m, "su", c->severity == CONF_ERROR ? "error" : "warning",
                                          (uint32_t) c->line);
        if (r >= 0)
                r = bus_append_text(m, c->file);
        if (r >= 0)
                r = bus_append_text(m, c->text);
        return r < 0 ? r : sd_bus_message_close_container(m);
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
