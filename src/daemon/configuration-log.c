/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Puts the messages about configuration files into the journal, each with file and line.
 *
 * Owns no state: what was wrong is said again at each reading, for that is when somebody looks. */

#include "base/log.h"
#include "base/text.h"
#include "daemon/configuration-log.h"
#include "model/message-id.h"

static void log_message(const ConfMessage *m, const char *job) {
        const LogField fields[] = { { "CONFIG_FILE", m->file }, { "PULLAUTH_JOB", job } };
        _cleanup_free_ char *text = NULL;

        if (conf_message_format(m, &text) < 0)
                return;
        log_full(m->severity == CONF_ERROR ? LOG_ERR : LOG_WARNING, 0,
                 m->severity == CONF_ERROR ? MESSAGE_ID_CONFIGURATION_INVALID : NULL, fields,
                 ELEMENTSOF(fields), "%s", text);
}

static void log_messages(const Conf *conf, const char *job) {
        for (size_t i = 0; i < conf->n_messages; i++)
                log_message(conf->messages + i, job);
}

void configuration_log(const Configuration *c) {
        log_messages(c->messages, NULL);
        for (size_t i = 0; i < c->n_identities; i++)
                log_messages(c->identities[i].conf, NULL);
        for (size_t i = 0; i < c->n_jobs; i++)
                log_messages(c->jobs[i].conf, c->jobs[i].config->name);
}
