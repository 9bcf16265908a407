/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bus messages into snapshots.
 *
 * This is the door through which foreign text enters the tools: every string is cleaned here, once, so that
 * no escape sequence reaches a terminal and nobody behind it has to think of it. Knows no connection and
 * prints nothing. A property that is missing or of another type leaves its empty value: the tools must work
 * with an older or newer daemon. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "client/snapshot.h"

/* Longer than any text pullauthd makes; the rest is cut. */
#define SHOWN_TEXT_MAX 4096

#define JOB_INTERFACE "org.pullauth1.Job"

#define JOB(dbus, json_name, kind_of, member) \
        { .name = dbus, .json = json_name, .kind = kind_of, .offset = offsetof(JobSnapshot, member) }

static const Property job_properties[] = {
        JOB("Name", "name", PROPERTY_STRING, name),
        JOB("Registry", "registry", PROPERTY_STRING, registry),
        JOB("Robot", "robot", PROPERTY_STRING, robot),
        JOB("State", "state", PROPERTY_STRING, state),
        JOB("Reason", "reason", PROPERTY_STRING, reason),
        JOB("Expires", "expires", PROPERTY_TIME, expires),
        JOB("NextAttempt", "next_attempt", PROPERTY_TIME, next_attempt),
        JOB("Identity", "identity", PROPERTY_STRING, identity),
        JOB("Scopes", "scopes", PROPERTY_STRINGS, scopes),
        JOB("Targets", "targets", PROPERTY_STRINGS, targets),
        JOB("ConfigurationFiles", "configuration_files", PROPERTY_STRINGS, configuration_files),
        JOB("ConfigurationMessages", "configuration_messages", PROPERTY_MESSAGES, configuration_messages),
        JOB("Step", "step", PROPERTY_STRING, step),
        JOB("Message", "message", PROPERTY_STRING, message),
        JOB("RegistryWords", "registry_words", PROPERTY_STRING, registry_words),
        JOB("Hint", "hint", PROPERTY_STRING, hint),
        JOB("HTTPStatus", "http_status", PROPERTY_U32, http_status),
        JOB("Notices", "notices", PROPERTY_STRINGS, notices),
        JOB("AttemptsStarted", "attempts_started", PROPERTY_U64, attempts_started),
        JOB("AttemptsEnded", "attempts_ended", PROPERTY_U64, attempts_ended),
        JOB("Refreshes", "refreshes", PROPERTY_U64, refreshes),
        JOB("FailuresInARow", "failures_in_a_row", PROPERTY_U32, failures_in_a_row),
        JOB("LastAttempt", "last_attempt", PROPERTY_TIME, last_attempt),
        JOB("LastSuccess", "last_success", PROPERTY_TIME, last_success),
        JOB("Issued", "issued", PROPERTY_TIME, issued),
        JOB("IdentityIssuer", "identity_issuer", PROPERTY_STRING, identity_issuer),
        JOB("IdentitySubject", "identity_subject", PROPERTY_STRING, identity_subject),
        JOB("IdentityAudience", "identity_audience", PROPERTY_STRINGS, identity_audience),
        JOB("IdentityExpires", "identity_expires", PROPERTY_TIME, identity_expires),
        JOB("TargetStates", "target_states", PROPERTY_TARGETS, target_states),
        JOB("ClockSkew", "clock_skew", PROPERTY_I64, clock_skew),
};

static const Property manager_properties[] = {
        { "Version", "version", PROPERTY_STRING, offsetof(Snapshot, version) },
        { "Ready", "ready", PROPERTY_BOOL, offsetof(Snapshot, ready) },
        { "ConfigurationMessages", "configuration_messages", PROPERTY_MESSAGES,
          offsetof(Snapshot, configuration_messages) },
};

static const char *const kind_signature[_PROPERTY_KIND_MAX] = {
        [PROPERTY_STRING] = "s",        [PROPERTY_STRINGS] = "as",
        [PROPERTY_BOOL] = "b",          [PROPERTY_U32] = "u",
        [PROPERTY_U64] = "t",           [PROPERTY_I64] = "x",
        [PROPERTY_TIME] = "t",          [PROPERTY_MESSAGES] = "a(suss)",
        [PROPERTY_TARGETS] = "a(ssss)",
};

const Property *job_snapshot_properties(size_t *ret_n) {
        *ret_n = ELEMENTSOF(job_properties);
        return job_properties;
}

/* Where a property lies in its object. */
static void *member(void *object, const Property *p) {
        return (char *) object + p->offset;
}

static void shown_target_done(ShownTarget *t) {
        free(t->target);
        free(t->path);
        free(t->state);
        free(t->message);
}

static void shown_targets_done(ShownTargets *l) {
        for (size_t i = 0; i < l->n_items; i++)
                shown_target_done(l->items + i);
        free(l->items);
        *l = (ShownTargets){};
}

static void shown_message_done(ShownMessage *m) {
        free(m->severity);
        free(m->file);
        free(m->text);
}

void shown_messages_done(ShownMessages *l) {
        for (size_t i = 0; i < l->n_items; i++)
                shown_message_done(l->items + i);
        free(l->items);
        *l = (ShownMessages){};
}

bool shown_messages_have_error(const ShownMessages *l) {
        for (size_t i = 0; i < l->n_items; i++)
                if (streq(l->items[i].severity, "error"))
                        return true;
        return false;
}

static void free_properties(void *object, const Property *table, size_t n) {
        for (size_t i = 0; i < n; i++) {
                void *p = member(object, table + i);

                switch (table[i].kind) {
                case PROPERTY_STRING:
                        free(*(char **) p);
                        break;
                case PROPERTY_STRINGS:
                        strv_free(*(char ***) p);
                        break;
                case PROPERTY_MESSAGES:
                        shown_messages_done(p);
                        break;
                case PROPERTY_TARGETS:
                        shown_targets_done(p);
                        break;
                case PROPERTY_BOOL:
                case PROPERTY_U32:
                case PROPERTY_U64:
                case PROPERTY_I64:
                case PROPERTY_TIME:
                case _PROPERTY_KIND_MAX:
                case _PROPERTY_KIND_INVALID:
                        break;
                }
        }
}

static int empty_strings(void *object, const Property *table, size_t n) {
        int r;

        for (size_t i = 0; i < n; i++)
                if (table[i].kind == PROPERTY_STRING) {
                        r = free_and_strdup(member(object, table + i), "");
                        if (r < 0)
                                return r;
                }
        return 0;
}

int job_snapshot_new(const char *path, JobSnapshot **ret) {
        _cleanup_(job_snapshot_freep) JobSnapshot *j = NULL;
        int r;

        j = calloc(1, sizeof(*j));
        if (!j)
                return -ENOMEM;
        r = empty_strings(j, job_properties, ELEMENTSOF(job_properties));
        if (r >= 0)
                r = free_and_strdup(&j->path, path);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(j);
        return 0;
}

JobSnapshot *job_snapshot_free(JobSnapshot *j) {
        if (!j)
                return NULL;
        free_properties(j, job_properties, ELEMENTSOF(job_properties));
        free(j->path);
        free(j);
        return NULL;
}

int snapshot_new(Snapshot **ret) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        r = empty_strings(s, manager_properties, ELEMENTSOF(manager_properties));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

static void drop_jobs(Snapshot *s) {
        for (size_t i = 0; i < s->n_jobs; i++)
                job_snapshot_free(s->jobs[i]);
        free(s->jobs);
        s->jobs = NULL;
        s->n_jobs = 0;
}

Snapshot *snapshot_free(Snapshot *s) {
        if (!s)
                return NULL;
        free_properties(s, manager_properties, ELEMENTSOF(manager_properties));
        drop_jobs(s);
        free(s);
        return NULL;
}

const JobSnapshot *snapshot_find(const Snapshot *s, const char *name) {
        for (size_t i = 0; i < s->n_jobs; i++)
                if (streq(s->jobs[i]->name, name))
                        return s->jobs[i];
        return NULL;
}

static int read_string(char **p, sd_bus_message *m) {
        _cleanup_free_ char *clean = NULL;
        const char *s;
        int r;

        r = sd_bus_message_read_basic(m, 's', &s);
        if (r < 0)
                return r;
        r = text_clean(s, strlen(s), SHOWN_TEXT_MAX, &clean);
        if (r < 0)
                return r;
        free(*p);
        *p = TAKE_PTR(clean);
        return 0;
}

static int read_strings(char ***p, sd_bus_message *m) {
        _cleanup_strv_ char **l = NULL;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_at_end(m, /* complete= */ false)) == 0) {
                _cleanup_free_ char *s = NULL;

                r = read_string(&s, m);
                if (r >= 0)
                        r = strv_consume(&l, TAKE_PTR(s));
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        strv_free(*p);
        *p = TAKE_PTR(l);
        return 0;
}

/* Room for one more item behind n; the place is empty. NULL: out of memory. */
static void *append(void **items, size_t n, size_t size) {
        static const union {
                ShownMessage message;
                ShownTarget target;
        } nothing;
        char *grown = reallocarray(*items, n + 1, size);

        if (!grown)
                return NULL;
        *items = grown;
        return memcpy(grown + n * size, &nothing, size);
}

static int read_message(sd_bus_message *m, void *item) {
        ShownMessage *l = item;
        int r;

        r = sd_bus_message_enter_container(m, 'r', "suss");
        if (r >= 0)
                r = read_string(&l->severity, m);
        if (r >= 0)
                r = sd_bus_message_read_basic(m, 'u', &l->line);
        if (r >= 0)
                r = read_string(&l->file, m);
        if (r >= 0)
                r = read_string(&l->text, m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_target(sd_bus_message *m, void *item) {
        ShownTarget *t = item;
        int r;

        r = sd_bus_message_enter_container(m, 'r', "ssss");
        if (r >= 0)
                r = read_string(&t->target, m);
        if (r >= 0)
                r = read_string(&t->path, m);
        if (r >= 0)
                r = read_string(&t->state, m);
        if (r >= 0)
                r = read_string(&t->message, m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* What is read so far stays in the list when it fails, for its owner to free. */
static int read_structs(sd_bus_message *m, const char *contents, int (*read)(sd_bus_message *m, void *item),
                        void **items, size_t *n, size_t size) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', contents);
        if (r < 0)
                return r;
        while ((r = sd_bus_message_at_end(m, /* complete= */ false)) == 0) {
                void *item = append(items, *n, size);

                if (!item)
                        return -ENOMEM;
                (*n)++;
                r = read(m, item);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int shown_messages_read(ShownMessages *l, sd_bus_message *m) {
        void *items = NULL;
        int r;

        shown_messages_done(l);
        r = read_structs(m, "(suss)", read_message, &items, &l->n_items, sizeof(*l->items));
        l->items = items;
        return r;
}

static int shown_targets_read(ShownTargets *l, sd_bus_message *m) {
        void *items = NULL;
        int r;

        shown_targets_done(l);
        r = read_structs(m, "(ssss)", read_target, &items, &l->n_items, sizeof(*l->items));
        l->items = items;
        return r;
}

static int read_value(void *p, PropertyKind kind, sd_bus_message *m) {
        switch (kind) {
        case PROPERTY_STRING:
                return read_string(p, m);
        case PROPERTY_STRINGS:
                return read_strings(p, m);
        case PROPERTY_MESSAGES:
                return shown_messages_read(p, m);
        case PROPERTY_TARGETS:
                return shown_targets_read(p, m);
        case PROPERTY_BOOL:
        case PROPERTY_U32:
        case PROPERTY_U64:
        case PROPERTY_I64:
        case PROPERTY_TIME:
                return sd_bus_message_read_basic(m, kind_signature[kind][0], p);
        case _PROPERTY_KIND_MAX:
        case _PROPERTY_KIND_INVALID:
                break;
        }
        return -EINVAL;
}

/* At the name of one property. */
static int read_property(void *object, const Property *table, size_t n, sd_bus_message *m) {
        const char *name, *contents;
        int r;

        r = sd_bus_message_read_basic(m, 's', &name);
        if (r < 0)
                return r;
        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                if (!streq(table[i].name, name) || !streq_ptr(kind_signature[table[i].kind], contents))
                        continue;
                r = sd_bus_message_enter_container(m, 'v', contents);
                if (r >= 0)
                        r = read_value(member(object, table + i), table[i].kind, m);
                return r < 0 ? r : sd_bus_message_exit_container(m);
        }
        return sd_bus_message_skip(m, "v");
}

static int read_properties(void *object, const Property *table, size_t n, sd_bus_message *m) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_property(object, table, n, m);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int job_snapshot_read(JobSnapshot *j, sd_bus_message *m) {
        return read_properties(j, job_properties, ELEMENTSOF(job_properties), m);
}

int snapshot_read_manager(Snapshot *s, sd_bus_message *m) {
        return read_properties(s, manager_properties, ELEMENTSOF(manager_properties), m);
}

static int add_job(Snapshot *s, const char *path, sd_bus_message *m) {
        _cleanup_(job_snapshot_freep) JobSnapshot *j = NULL;
        JobSnapshot **grown;
        int r;

        r = job_snapshot_new(path, &j);
        if (r >= 0)
                r = job_snapshot_read(j, m);
        if (r < 0)
                return r;
        grown = reallocarray(s->jobs, s->n_jobs + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        s->jobs = grown;
        s->jobs[s->n_jobs++] = TAKE_PTR(j);
        return 0;
}

/* At the path of one object: takes its interface of a job and skips the others. */
static int read_object(Snapshot *s, sd_bus_message *m) {
        const char *path, *interface;
        int r;

        r = sd_bus_message_read_basic(m, 'o', &path);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                r = sd_bus_message_read_basic(m, 's', &interface);
                if (r >= 0)
                        r = streq(interface, JOB_INTERFACE) ? add_job(s, path, m)
                                                            : sd_bus_message_skip(m, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int compare_jobs(const void *a, const void *b) {
        const JobSnapshot *const *x = a, *const *y = b;

        return strcmp((*x)->name, (*y)->name);
}

int snapshot_read_jobs(Snapshot *s, sd_bus_message *m) {
        int r;

        drop_jobs(s);
        r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
                r = read_object(s, m);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (s->n_jobs > 1)
                qsort(s->jobs, s->n_jobs, sizeof(*s->jobs), compare_jobs);
        return sd_bus_message_exit_container(m);
}
