/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Snapshots as JSON: what the property table of client/snapshot names, in its order, plus what is derived.
 *
 * The members are a contract with scripts (pullauthctl(1)): none is ever absent, times are RFC 3339 or null.
 * The json-c calls return ownership; a tree that could not be built whole is given up as a whole. */

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "codec/json.h"
#include "ctl/life.h"
#include "ctl/render.h"

/* Consumes the value. NULL is the JSON null; a value that could not be made has to be caught before. */
static int add_member(json_object *o, const char *key, json_object *value) {
        if (json_object_object_add(o, key, value) == 0)
                return 0;
        json_object_put(value);
        return -ENOMEM;
}

static int add_string(json_object *o, const char *key, const char *s) {
        return json_put(o, key, json_object_new_string(s));
}

static int add_u64(json_object *o, const char *key, uint64_t n) {
        return json_put(o, key, json_object_new_uint64(n));
}

static int add_strings(json_object *o, const char *key, char *const *l) {
        _cleanup_json_ json_object *array = json_object_new_array();
        int r;

        if (!array)
                return -ENOMEM;
        STRV_FOREACH(i, l) {
                r = json_append(array, json_object_new_string(*i));
                if (r < 0)
                        return r;
        }
        return add_member(o, key, TAKE_PTR(array));
}

static int add_time(json_object *o, const char *key, usec_t t) {
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        char text[64];
        struct tm tm;

        if (t == 0 || t == USEC_INFINITY || !gmtime_r(&seconds, &tm) ||
            strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                return add_member(o, key, NULL);
        return add_string(o, key, text);
}

/* A span in seconds, as "left" is. */
static int add_span(json_object *o, const char *key, usec_t span) {
        return span == USEC_INFINITY ? add_member(o, key, NULL) : add_u64(o, key, span / USEC_PER_SEC);
}

/* Everything but rows. */
static int add_value(json_object *o, const Property *p, const void *object) {
        const void *v = property_of_const(object, p);

        switch (p->kind) {
        case PROPERTY_STRING:
        case PROPERTY_LINES:
                return add_string(o, p->json, *(char *const *) v);
        case PROPERTY_STRINGS:
                return add_strings(o, p->json, *(char **const *) v);
        case PROPERTY_BOOL:
                return json_put(o, p->json, json_object_new_boolean(*(const int *) v));
        case PROPERTY_U32:
                return add_u64(o, p->json, *(const uint32_t *) v);
        case PROPERTY_U64:
                return add_u64(o, p->json, *(const uint64_t *) v);
        case PROPERTY_I64:
                return json_put(o, p->json, json_object_new_int64(*(const int64_t *) v));
        case PROPERTY_TIME:
                return add_time(o, p->json, *(const usec_t *) v);
        case PROPERTY_SPAN:
                return add_span(o, p->json, *(const usec_t *) v);
        case PROPERTY_ROWS:
        case _PROPERTY_KIND_MAX:
        case _PROPERTY_KIND_INVALID:
                break;
        }
        return -EINVAL;
}

static int add_property(json_object *o, const Property *p, const void *object);

/* Rows in rows are one table in another, so this ends. */
static int rows_array(const Rows *rows, const RowType *type, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();
        int r;

        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < rows->n_items; i++) {
                _cleanup_json_ json_object *o = json_object_new_object();

                r = o ? 0 : -ENOMEM;
                for (size_t k = 0; k < type->n_members && r >= 0; k++)
                        r = add_property(o, type->members + k, (const char *) rows->items + i * type->size);
                if (r >= 0)
                        r = json_append(array, TAKE_PTR(o));
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(array);
        return 0;
}

static int add_rows(json_object *o, const char *key, const Rows *rows, const RowType *type) {
        json_object *array;
        int r;

        r = rows_array(rows, type, &array);
        return r < 0 ? r : add_member(o, key, array);
}

static int add_property(json_object *o, const Property *p, const void *object) {
        return p->kind == PROPERTY_ROWS ? add_rows(o, p->json, property_of_const(object, p), p->rows)
                                        : add_value(o, p, object);
}

/* Members in the order of the table. */
static int add_table(json_object *o, const Property *table, size_t n, const void *object) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = add_property(o, table + i, object);
        return r;
}

/* What a list shows of a job. */
static bool is_short(const Property *p) {
        static const char *const names[] = { "name",   "registry", "robot",       "state",
                                             "reason", "expires",  "next_attempt" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(names[i], p->json))
                        return true;
        return false;
}

static int job_object(const JobSnapshot *j, bool whole, usec_t now, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        const Property *properties;
        size_t n;
        int r;

        if (!o)
                return -ENOMEM;
        properties = job_snapshot_properties(&n);
        for (size_t i = 0; i < n; i++)
                if (whole || is_short(properties + i)) {
                        r = add_property(o, properties + i, j);
                        if (r < 0)
                                return r;
                }
        r = add_string(o, "path", j->path);
        if (r >= 0)
                r = add_u64(o, "left", life_left(j, now) / USEC_PER_SEC);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

static int jobs_array(const JobSnapshot *const *jobs, size_t n_jobs, bool whole, usec_t now,
                      json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();
        int r;

        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < n_jobs; i++) {
                json_object *item;

                r = job_object(jobs[i], whole, now, &item);
                if (r >= 0)
                        r = json_append(array, item);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(array);
        return 0;
}

/* The text of a tree, with a newline. Consumes the tree. */
static int print(json_object *o, JsonMode mode, char **ret) {
        _cleanup_json_ json_object *owned = o;
        _cleanup_free_ char *text = NULL;
        int r;

        r = json_print(owned, mode == JSON_PRETTY, &text);
        return r < 0 ? r : text_format(ret, "%s\n", text);
}

static const JobSnapshot *const *all_jobs(const Snapshot *s) {
        return (const JobSnapshot *const *) s->jobs;
}

int render_json_list(const Snapshot *s, JsonMode mode, usec_t now, char **ret) {
        json_object *array;
        int r;

        r = jobs_array(all_jobs(s), s->n_jobs, /* whole= */ false, now, &array);
        return r < 0 ? r : print(array, mode, ret);
}

int render_json_status(const JobSnapshot *const *jobs, size_t n_jobs, JsonMode mode, usec_t now,
                       char **ret) {
        json_object *array;
        int r;

        r = jobs_array(jobs, n_jobs, /* whole= */ true, now, &array);
        return r < 0 ? r : print(array, mode, ret);
}

int render_json_summary(const Snapshot *s, JsonMode mode, usec_t now, char **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *array;
        int r;

        if (!o)
                return -ENOMEM;
        r = add_string(o, "version", s->version);
        if (r >= 0)
                r = json_put(o, "ready", json_object_new_boolean(s->ready));
        if (r >= 0)
                r = jobs_array(all_jobs(s), s->n_jobs, /* whole= */ true, now, &array);
        if (r >= 0)
                r = add_member(o, "jobs", array);
        if (r >= 0)
                r = add_rows(o, "configuration_messages", (const Rows *) &s->configuration_messages,
                             &shown_message_type);
        return r < 0 ? r : print(TAKE_PTR(o), mode, ret);
}

int render_json_rows(const void *rows, const RowType *type, JsonMode mode, char **ret) {
        json_object *array;
        int r;

        r = rows_array(rows, type, &array);
        return r < 0 ? r : print(array, mode, ret);
}

int render_json_test(const TestSteps *steps, const TestFailure *failure, JsonMode mode, char **ret) {
        _cleanup_json_ json_object *o = json_object_new_object(), *f = NULL;
        const Property *table;
        size_t n;
        int r;

        table = test_failure_properties(&n);
        r = o ? add_rows(o, "steps", (const Rows *) steps, &test_step_type) : -ENOMEM;
        if (r >= 0 && (!isempty(failure->reason) || !isempty(failure->message))) {
                f = json_object_new_object();
                r = f ? add_table(f, table, n, failure) : -ENOMEM;
        }
        if (r >= 0)
                r = add_member(o, "failure", TAKE_PTR(f));
        return r < 0 ? r : print(TAKE_PTR(o), mode, ret);
}

/* One entry of a plan, for the table. */
typedef struct FederationRow {
        const char *change, *issuer, *subject;
        char **audiences;
} FederationRow;

static const Property federation_members[] = {
        { NULL, "change", PROPERTY_STRING, offsetof(FederationRow, change), NULL },
        { NULL, "issuer", PROPERTY_STRING, offsetof(FederationRow, issuer), NULL },
        { NULL, "subject", PROPERTY_STRING, offsetof(FederationRow, subject), NULL },
        { NULL, "audiences", PROPERTY_STRINGS, offsetof(FederationRow, audiences), NULL },
};

static const RowType federation_type = { "", sizeof(FederationRow), federation_members,
                                         ELEMENTSOF(federation_members) };

static int add_entries(json_object *o, const FederationPlan *p) {
        size_t n = p->entries.n_items;
        _cleanup_free_ FederationRow *rows = calloc(n + 1, sizeof(*rows));

        if (!rows)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                rows[i] = (FederationRow){
                        .change = federation_change_to_string(p->changes[i]),
                        .issuer = p->entries.items[i].issuer,
                        .subject = p->entries.items[i].subject,
                        .audiences = p->entries.items[i].audiences,
                };
        return add_rows(o, "entries", &(Rows){ rows, n }, &federation_type);
}

int render_json_federation(const ShownFederation *f, JsonMode mode, char **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        r = o ? add_string(o, "name", f->name) : -ENOMEM;
        if (r >= 0)
                r = add_string(o, "registry", f->registry);
        if (r >= 0)
                r = add_string(o, "robot", f->robot);
        if (r >= 0)
                r = add_string(o, "issuer", f->own->issuer);
        if (r >= 0)
                r = add_string(o, "subject", f->own->subject);
        if (r >= 0)
                r = add_strings(o, "audience", f->own->audiences);
        if (r >= 0)
                r = json_put(o, "differs", json_object_new_boolean(f->plan->differs));
        if (r >= 0)
                r = json_put(o, "applied", json_object_new_boolean(f->applied));
        if (r >= 0)
                r = add_entries(o, f->plan);
        return r < 0 ? r : print(TAKE_PTR(o), mode, ret);
}

int render_json_news(const JsonNews *news, usec_t now, char **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        const Property *table;
        json_object *job;
        size_t n;
        int r;

        r = o ? add_time(o, "time", now) : -ENOMEM;
        if (r >= 0)
                r = add_string(o, "event", news->event);
        if (r >= 0 && news->job)
                r = add_string(o, "name", news->job->name);
        if (r >= 0 && news->signal) {
                table = job_event_properties(news->signal->name, &n);
                r = add_table(o, table, n, news->signal);
        }
        if (r >= 0 && news->job && news->whole) {
                r = job_object(news->job, /* whole= */ true, now, &job);
                if (r >= 0)
                        r = add_member(o, "job", job);
        }
        return r < 0 ? r : print(TAKE_PTR(o), JSON_SHORT, ret);
}
