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

static const char *const json_mode_table[_JSON_MODE_MAX] = {
        [JSON_OFF] = "off",
        [JSON_SHORT] = "short",
        [JSON_PRETTY] = "pretty",
};

JsonMode json_mode_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(json_mode_table); i++)
                if (streq_ptr(s, json_mode_table[i]))
                        return (JsonMode) i;
        return _JSON_MODE_INVALID;
}

/* Consumes the value. NULL is the JSON null; a value that could not be made has to be caught before. */
static int add_member(json_object *o, const char *key, json_object *value) {
        if (json_object_object_add(o, key, value) == 0)
                return 0;
        json_object_put(value);
        return -ENOMEM;
}

static int add_string(json_object *o, const char *key, const char *s) {
        json_object *v = json_object_new_string(s);

        return v ? add_member(o, key, v) : -ENOMEM;
}

static int add_u64(json_object *o, const char *key, uint64_t n) {
        json_object *v = json_object_new_uint64(n);

        return v ? add_member(o, key, v) : -ENOMEM;
}

/* Consumes the value. */
static int add_item(json_object *array, json_object *value) {
        if (value && json_object_array_add(array, value) == 0)
                return 0;
        json_object_put(value);
        return -ENOMEM;
}

static int add_strings(json_object *o, const char *key, char *const *l) {
        _cleanup_json_ json_object *array = json_object_new_array();
        int r;

        if (!array)
                return -ENOMEM;
        STRV_FOREACH(i, l) {
                r = add_item(array, json_object_new_string(*i));
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

static int message_object(const ShownMessage *m, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        if (!o)
                return -ENOMEM;
        r = add_string(o, "severity", m->severity);
        if (r >= 0)
                r = add_string(o, "file", m->file);
        if (r >= 0)
                r = add_u64(o, "line", m->line);
        if (r >= 0)
                r = add_string(o, "text", m->text);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

static int messages_array(const ShownMessages *l, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();
        int r;

        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < l->n_items; i++) {
                json_object *item;

                r = message_object(l->items + i, &item);
                if (r >= 0)
                        r = add_item(array, item);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(array);
        return 0;
}

static int add_messages(json_object *o, const char *key, const ShownMessages *l) {
        json_object *array;
        int r;

        r = messages_array(l, &array);
        return r < 0 ? r : add_member(o, key, array);
}

static int target_object(const ShownTarget *t, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        if (!o)
                return -ENOMEM;
        r = add_string(o, "target", t->target);
        if (r >= 0)
                r = add_string(o, "path", t->path);
        if (r >= 0)
                r = add_string(o, "state", t->state);
        if (r >= 0)
                r = add_string(o, "message", t->message);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

static int add_targets(json_object *o, const char *key, const ShownTargets *l) {
        _cleanup_json_ json_object *array = json_object_new_array();
        int r;

        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < l->n_items; i++) {
                json_object *item;

                r = target_object(l->items + i, &item);
                if (r >= 0)
                        r = add_item(array, item);
                if (r < 0)
                        return r;
        }
        return add_member(o, key, TAKE_PTR(array));
}

static int add_property(json_object *o, const Property *p, const JobSnapshot *j) {
        const void *v = (const char *) j + p->offset;

        switch (p->kind) {
        case PROPERTY_STRING:
                return add_string(o, p->json, *(char *const *) v);
        case PROPERTY_STRINGS:
                return add_strings(o, p->json, *(char **const *) v);
        case PROPERTY_BOOL:
                return add_member(o, p->json, json_object_new_boolean(*(const int *) v));
        case PROPERTY_U32:
                return add_u64(o, p->json, *(const uint32_t *) v);
        case PROPERTY_U64:
                return add_u64(o, p->json, *(const uint64_t *) v);
        case PROPERTY_I64:
                return add_member(o, p->json, json_object_new_int64(*(const int64_t *) v));
        case PROPERTY_TIME:
                return add_time(o, p->json, *(const usec_t *) v);
        case PROPERTY_MESSAGES:
                return add_messages(o, p->json, v);
        case PROPERTY_TARGETS:
                return add_targets(o, p->json, v);
        case _PROPERTY_KIND_MAX:
        case _PROPERTY_KIND_INVALID:
                break;
        }
        return -EINVAL;
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
                        r = add_item(array, item);
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
                r = add_member(o, "ready", json_object_new_boolean(s->ready));
        if (r >= 0)
                r = jobs_array(all_jobs(s), s->n_jobs, /* whole= */ true, now, &array);
        if (r >= 0)
                r = add_member(o, "jobs", array);
        if (r >= 0)
                r = add_messages(o, "configuration_messages", &s->configuration_messages);
        return r < 0 ? r : print(TAKE_PTR(o), mode, ret);
}

int render_json_attempts(const Attempts *l, JsonMode mode, char **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();
        int r = 0;

        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < l->n_items; i++) {
                _cleanup_json_ json_object *o = json_object_new_object();

                r = o ? add_string(o, "name", l->items[i].name) : -ENOMEM;
                if (r >= 0)
                        r = add_u64(o, "attempt", l->items[i].number);
                if (r >= 0)
                        r = add_item(array, TAKE_PTR(o));
                if (r < 0)
                        return r;
        }
        return print(TAKE_PTR(array), mode, ret);
}

int render_json_messages(const ShownMessages *l, JsonMode mode, char **ret) {
        json_object *array;
        int r;

        r = messages_array(l, &array);
        return r < 0 ? r : print(array, mode, ret);
}
