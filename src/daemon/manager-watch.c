/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Watches the files that jobs read for their attempts, one watch for each path however many jobs need it,
 * and wakes the jobs that wait for a change of it.
 *
 * Owns the list of watches. Refuses to read anything: the attempt does. How often a job can be woken is
 * for its pace to say. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/manager-parts.h"
#include "daemon/manager-watch.h"
#include "io/watch.h"
#include "model/exchange-config.h"
#include "model/identity-key.h"

struct FileWatch {
        Manager *manager;
        char *path; /* as configured, without the root */
        Watch *watch;
        bool wanted;
};

static void file_watch_free(FileWatch *f) {
        if (!f)
                return;
        watch_free(f->watch);
        free(f->path);
        free(f);
}

typedef const SettingKey *(*FindKey)(const char *key);

/* Credentials of the service manager stay as they are while we run. */
static bool is_file(const SettingKey *k, const char *value) {
        return setting_key_is_file(k) && value[0] == '/';
}

/* An identity or an exchange that has such a file, whichever it is, may work with another one; those of
 * authorities are what trust waits for as well. */
static void wake_for_settings(Job *j, char *const *settings, FindKey find_key, const char *path) {
        for (char *const *s = settings; s && s[0]; s += 2) {
                const SettingKey *k = find_key(s[0]);

                if (!is_file(k, s[1]) || !streq(s[1], path))
                        continue;
                job_wake(j, WAIT_EVENT_IDENTITY_FILE);
                if (k->value == SETTING_VALUE_CA)
                        job_wake(j, WAIT_EVENT_CA_FILE);
        }
}

static void on_change(void *userdata) {
        const FileWatch *f = userdata;
        const Manager *m = f->manager;

        for (size_t i = 0; i < m->n_jobs; i++) {
                Job *j = m->jobs[i];

                if (j->identity)
                        wake_for_settings(j, j->identity->settings, identity_key_find, f->path);
                wake_for_settings(j, j->config->exchange_settings, exchange_key_find, f->path);
                if (streq_ptr(j->config->ca_file, f->path))
                        job_wake(j, WAIT_EVENT_CA_FILE);
        }
}

static FileWatch *find(const Manager *m, const char *path) {
        for (size_t i = 0; i < m->n_watches; i++)
                if (streq(m->watches[i]->path, path))
                        return m->watches[i];
        return NULL;
}

static int add(Manager *m, const char *path) {
        _cleanup_free_ char *full = NULL;
        FileWatch *f, **grown;
        int r;

        r = text_format(&full, "%s%s", m->root, path);
        if (r < 0)
                return r;
        grown = reallocarray(m->watches, m->n_watches + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->watches = grown;
        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->manager = m;
        f->wanted = true;
        r = free_and_strdup(&f->path, path);
        if (r >= 0)
                r = watch_new(m->event, full, on_change, f, &f->watch);
        if (r < 0) {
                file_watch_free(f);
                return r;
        }
        m->watches[m->n_watches++] = f;
        return 0;
}

static int want(Manager *m, const char *path) {
        FileWatch *f;

        if (!path)
                return 0;
        f = find(m, path);
        if (!f)
                return add(m, path);
        f->wanted = true;
        return 0;
}

static int want_settings(Manager *m, char *const *settings, FindKey find_key) {
        int r = 0;

        for (char *const *s = settings; s && s[0]; s += 2)
                if (is_file(find_key(s[0]), s[1])) {
                        int k = want(m, s[1]);

                        r = k < 0 ? k : r;
                }
        return r;
}

/* As many as can be had. */
static int want_files(Manager *m, const Job *j) {
        int r = j->identity ? want_settings(m, j->identity->settings, identity_key_find) : 0;
        int k = want_settings(m, j->config->exchange_settings, exchange_key_find);
        int n = want(m, j->config->ca_file);

        return r < 0 ? r : k < 0 ? k : n;
}

static void drop_unwanted(Manager *m) {
        size_t kept = 0;

        for (size_t i = 0; i < m->n_watches; i++)
                if (m->watches[i]->wanted)
                        m->watches[kept++] = m->watches[i];
                else
                        file_watch_free(m->watches[i]);
        m->n_watches = kept;
}

int manager_watch_files(Manager *m) {
        int r = 0;

        for (size_t i = 0; i < m->n_watches; i++)
                m->watches[i]->wanted = false;
        for (size_t i = 0; i < m->n_jobs; i++) {
                int k = want_files(m, m->jobs[i]);

                r = k < 0 ? k : r;
        }
        drop_unwanted(m);
        return r;
}

void manager_unwatch_files(Manager *m) {
        for (size_t i = 0; i < m->n_watches; i++)
                file_watch_free(m->watches[i]);
        free(m->watches);
        m->watches = NULL;
        m->n_watches = 0;
}

void manager_wake(Manager *m, WaitEvent event) {
        for (size_t i = 0; i < m->n_jobs; i++)
                job_wake(m->jobs[i], event);
}
