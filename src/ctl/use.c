/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whose credential is it that a tool takes, and what to do if it is not the one that it should be.
 *
 * A key is a job's if the job's robot stands under it in a file that the job publishes to. Owns the wording
 * of reasons, ctl/use-hint that of advice; nothing of an entry but the name of its user passes through. */

#include <string.h>

#include "base/text.h"
#include "ctl/life.h"
#include "ctl/use-hint.h"
#include "ctl/use.h"
#include "model/image-reference.h"

#define MEMBER(type, json_name, kind_of, member) \
        { .json = json_name, .kind = kind_of, .offset = offsetof(type, member) }

static const Property use_members[] = {
        MEMBER(ShownUse, "tool", PROPERTY_STRING, tool),
        MEMBER(ShownUse, "image", PROPERTY_STRING, image),
        MEMBER(ShownUse, "result", PROPERTY_STRING, result),
        MEMBER(ShownUse, "user", PROPERTY_STRING, user),
        MEMBER(ShownUse, "job", PROPERTY_STRING, job),
        MEMBER(ShownUse, "key", PROPERTY_STRING, key),
        MEMBER(ShownUse, "file", PROPERTY_STRING, file),
        MEMBER(ShownUse, "expires", PROPERTY_TIME, expires),
        MEMBER(ShownUse, "left", PROPERTY_SPAN, left),
        MEMBER(ShownUse, "message", PROPERTY_STRING, message),
        MEMBER(ShownUse, "hint", PROPERTY_STRING, hint),
        MEMBER(ShownUse, "sources", PROPERTY_STRINGS, sources),
};
const RowType shown_use_type = { "", sizeof(ShownUse), use_members, ELEMENTSOF(use_members) };

static const Property file_members[] = {
        MEMBER(ShownFile, "path", PROPERTY_STRING, path),
        MEMBER(ShownFile, "state", PROPERTY_STRING, state),
        MEMBER(ShownFile, "keys", PROPERTY_U32, keys),
        MEMBER(ShownFile, "own", PROPERTY_U32, own),
        MEMBER(ShownFile, "message", PROPERTY_STRING, message),
};
static const RowType file_type = { "", sizeof(ShownFile), file_members, ELEMENTSOF(file_members) };

static const Property tool_members[] = {
        MEMBER(ShownTool, "name", PROPERTY_STRING, name),
        MEMBER(ShownTool, "description", PROPERTY_STRING, description),
        MEMBER(ShownTool, "installed", PROPERTY_BOOL, installed),
        MEMBER(ShownTool, "named_by", PROPERTY_STRING, named_by),
        MEMBER(ShownTool, "helpers", PROPERTY_STRINGS, helpers),
        { .json = "files", .kind = PROPERTY_ROWS, .offset = offsetof(ShownTool, files), .rows = &file_type },
        { .json = "jobs",
          .kind = PROPERTY_ROWS,
          .offset = offsetof(ShownTool, jobs),
          .rows = &shown_use_type },
        MEMBER(ShownTool, "others", PROPERTY_U32, others),
};
const RowType shown_tool_type = { "", sizeof(ShownTool), tool_members, ELEMENTSOF(tool_members) };

/* A row of zeroes more, to be counted once it is whole. NULL without memory. */
static void *grow(void *rows, const RowType *type) {
        Rows *l = rows;
        char *grown = reallocarray(l->items, l->n_items + 1, type->size);

        if (!grown)
                return NULL;
        l->items = grown;
        for (size_t i = 0; i < type->size; i++)
                grown[l->n_items * type->size + i] = '\0';
        return grown + l->n_items * type->size;
}

static bool owns(const JobSnapshot *j, const char *path, const char *key, const char *user) {
        /* A target for hosts alone has the registry as its key. */
        return streq(j->robot, user) && (strv_contains(j->scopes, key) || streq(j->registry, key)) &&
               job_publishes_to(j, path);
}

/* The job with the longest scope that covers it, or NULL; of several the first by name, as the daemon. */
static const JobSnapshot *find_job(const Snapshot *s, const char *repository) {
        const JobSnapshot *best = NULL;
        size_t longest = 0;

        for (size_t i = 0; s && i < s->n_jobs; i++)
                STRV_FOREACH(scope, s->jobs[i]->scopes)
                        if (scope_covers(*scope, repository) && strlen(*scope) > longest) {
                                longest = strlen(*scope);
                                best = s->jobs[i];
                        }
        return best;
}

static const JobSnapshot *find_owner(const Snapshot *s, const JobSnapshot *likely, const char *path,
                                     const char *key, const char *user) {
        if (likely && owns(likely, path, key, user))
                return likely;
        for (size_t i = 0; s && i < s->n_jobs; i++)
                if (owns(s->jobs[i], path, key, user))
                        return s->jobs[i];
        return NULL;
}

static int none_message(const Tool *t, const ConsumerAnswer *a, char **ret) {
        if (a->found.kind == FOUND_EMPTY)
                return text_format(ret, "There is no credential under this key, and no other is looked at");
        for (size_t i = 0; i < t->n_files; i++)
                if (t->files[i].state == SOURCE_READ)
                        return text_format(
                                ret, t->consumer->order == ORDER_EACH || t->n_files == 1
                                             ? "No key in its files covers it"
                                             : "No key in it covers it, and tools of today read no other");
        return text_format(ret, "None of its files is there");
}

static const char *broken_words(const ToolFile *f) {
        return f->error == -EBADMSG && streq(f->at.what, JSON_DUPLICATE_KEY)
                       ? "Tools take one of two that are the same, or fail"
                       : "It fails, whatever the image";
}

static int use_message(const Tool *t, const ConsumerAnswer *a, char **ret) {
        _cleanup_free_ char *problem = NULL;
        int r;

        switch (a->kind) {
        case ANSWER_NONE:
                return none_message(t, a, ret);
        case ANSWER_CREDENTIAL:
                return text_format(ret, "%s", a->found.rule);
        case ANSWER_HELPER:
                return text_format(ret, "%s is asked: %s", a->found.helper, a->found.rule);
        case ANSWER_BROKEN:
                if (a->found.kind == FOUND_BROKEN)
                        return text_format(ret, "What stands under this key is no credential: it fails");
                r = tool_file_problem(t->files + a->source, &problem);
                return r < 0 ? r : text_format(ret, "%s: %s", broken_words(t->files + a->source), problem);
        case ANSWER_UNKNOWN:
                r = tool_file_problem(t->files + a->source, &problem);
                return r < 0 ? r : text_format(ret, "It depends on this file: %s", problem);
        case _ANSWER_KIND_MAX:
        case _ANSWER_KIND_INVALID:
                break;
        }
        return -EINVAL;
}

/* What a credential helper knows is a host. The job that docker-credential-pullauth(1) takes for it: the one
 * that is for all of it, else the only one; NULL: none, or several. */
static const JobSnapshot *find_for_host(const Snapshot *s, const char *repository) {
        const JobSnapshot *found = NULL;
        _cleanup_free_ char *host = strndup(repository, strcspn(repository, "/"));
        size_t n = 0;

        for (size_t i = 0; s && host && i < s->n_jobs; i++) {
                const JobSnapshot *j = s->jobs[i];

                if (!j->enabled || !streq(j->registry, host))
                        continue;
                if (strv_contains(j->scopes, host))
                        return j;
                n++;
                found = j;
        }
        return n == 1 ? found : NULL;
}

/* Strings of an answer that are there. */
static int copy(ShownUse *u, const Tool *t, const char *repository, const ConsumerAnswer *a) {
        int r;

        r = free_and_strdup(&u->tool, t->consumer->name);
        if (r >= 0)
                r = free_and_strdup(&u->image, repository);
        if (r >= 0)
                r = free_and_strdup(&u->result, answer_kind_to_string(a->kind));
        if (r >= 0 && a->found.user)
                r = free_and_strdup(&u->user, a->found.user);
        if (r >= 0 && a->found.key)
                r = free_and_strdup(&u->key, a->found.key);
        if (r >= 0 && a->source >= 0)
                r = free_and_strdup(&u->file, t->files[a->source].path);
        return r < 0 ? r : 0;
}

static int say(ShownUse *u, const Tool *t, const char *repository, const ConsumerAnswer *a,
               const Snapshot *s, const JobSnapshot *job, usec_t now) {
        const JobSnapshot *owner = NULL;
        char *message = NULL, *hint = NULL;
        int r;

        r = use_message(t, a, &message);
        if (r < 0)
                return r;
        free(u->message);
        u->message = message;
        if (a->kind == ANSWER_CREDENTIAL && a->source >= 0)
                owner = find_owner(s, job, u->file, a->found.key, a->found.user);
        else if (answer_is_our_helper(a))
                owner = find_for_host(s, repository);
        if (owner) {
                u->left = life_left(owner, now);
                u->expires = owner->expires;
                r = free_and_strdup(&u->job, owner->name);
                /* A longer key of another job is what was asked for. Our helper may have nothing. */
                if (r < 0 || !answer_is_our_helper(a) || u->left > 0)
                        return r < 0 ? r : 0;
                r = text_format(&hint, "pullauthctl status %s", owner->name);
        } else if (!s &&
                   (a->kind == ANSWER_NONE || a->kind == ANSWER_CREDENTIAL || a->kind == ANSWER_HELPER))
                return 0;
        else
                r = use_hint(t, a, repository, job, &hint);
        if (r < 0 || !hint)
                return r;
        free(u->hint);
        u->hint = hint;
        return 0;
}

static int use_find(const Tool *t, const char *repository, const Snapshot *s, const JobSnapshot *job,
                    usec_t now, ShownUse *u) {
        ConsumerAnswer a;
        int r;

        r = table_init(u, use_members, ELEMENTSOF(use_members));
        if (r < 0)
                return r;
        r = tool_answer(t, repository, &a);
        if (r < 0)
                return r;
        r = copy(u, t, repository, &a);
        if (r >= 0)
                r = say(u, t, repository, &a, s, job, now);
        consumer_answer_done(&a);
        return r;
}

static int uses_add(ShownUses *l, const Tool *t, const char *repository, const Snapshot *s,
                    const JobSnapshot *job, usec_t now) {
        ShownUse *u = grow(l, &shown_use_type);

        if (!u)
                return -ENOMEM;
        l->n_items++;
        return use_find(t, repository, s, job, now, u);
}

/* With the places that registries.conf names. */
static int add_pulled(ShownUses *l, const Tool *t, const char *repository, const Snapshot *s, usec_t now) {
        _cleanup_strv_ char **sources = NULL;
        const char *place = repository;
        ShownUse *u;
        int r = 0;

        if (t->consumer->mirrors)
                r = registries_sources(&t->registries, repository, &sources);
        if (r < 0)
                return r;
        if (sources)
                place = sources[strv_length(sources) - 1];
        r = uses_add(l, t, place, s, find_job(s, place), now);
        if (r < 0)
                return r;
        u = l->items + l->n_items - 1;
        u->sources = TAKE_PTR(sources);
        r = free_and_strdup(&u->image, repository);
        return r < 0 ? r : 0;
}

int uses_find(const Tools *tools, const char *repository, const Snapshot *s, usec_t now, ShownUses *ret) {
        ShownUses l = {};
        int r = 0;

        for (size_t i = 0; i < tools->n_items && r >= 0; i++)
                r = add_pulled(&l, tools->items + i, repository, s, now);
        if (r < 0) {
                uses_done(&l);
                return r;
        }
        *ret = l;
        return 0;
}

void uses_done(ShownUses *l) {
        rows_done((Rows *) l, &shown_use_type);
}

/* Whether a key of a file is the job's, which publishes there. Returns 1, 0, -ENOMEM. */
static int is_own(const ToolFile *f, const JobSnapshot *j, const char *key) {
        _cleanup_free_ char *user = NULL;
        int r;

        r = consumer_file_user(f->file, key, &user);
        return r < 0 ? r : r > 0 && streq(user, j->robot);
}

/* How many of the keys of a file are those of jobs. */
static int count_own(const ToolFile *f, const Snapshot *s, uint32_t *ret) {
        for (size_t i = 0; s && i < s->n_jobs; i++) {
                const JobSnapshot *j = s->jobs[i];
                int r = 0;

                if (!job_publishes_to(j, f->path))
                        continue;
                if (!strv_contains(j->scopes, j->registry))
                        r = is_own(f, j, j->registry);
                for (size_t k = 0; j->scopes && j->scopes[k] && r >= 0; k++) {
                        *ret += (uint32_t) r;
                        r = is_own(f, j, j->scopes[k]);
                }
                if (r < 0)
                        return r;
                *ret += (uint32_t) r;
        }
        return 0;
}

static int add_file(ShownFiles *l, const ToolFile *f, const Snapshot *s) {
        static const char *const states[_SOURCE_STATE_MAX] = {
                [SOURCE_ABSENT] = "absent",
                [SOURCE_READ] = "read",
                [SOURCE_BROKEN] = "broken",
                [SOURCE_UNKNOWN] = "unknown",
        };
        ShownFile *shown = grow(l, &file_type);
        _cleanup_free_ char *problem = NULL;
        int r;

        if (!shown)
                return -ENOMEM;
        l->n_items++;
        r = table_init(shown, file_members, ELEMENTSOF(file_members));
        if (r >= 0)
                r = free_and_strdup(&shown->path, f->path);
        if (r >= 0)
                r = free_and_strdup(&shown->state, states[f->state]);
        if (r >= 0 && (f->state == SOURCE_BROKEN || f->state == SOURCE_UNKNOWN)) {
                r = tool_file_problem(f, &problem);
                if (r >= 0)
                        r = free_and_strdup(&shown->message, problem);
        }
        if (r < 0 || f->state != SOURCE_READ)
                return r < 0 ? r : 0;
        shown->keys = (uint32_t) consumer_file_size(f->file);
        return count_own(f, s, &shown->own);
}

static int fill_tool(ShownTool *shown, const Tool *t, const Snapshot *s, usec_t now) {
        int r;

        r = table_init(shown, tool_members, ELEMENTSOF(tool_members));
        if (r >= 0)
                r = free_and_strdup(&shown->name, t->consumer->name);
        if (r >= 0)
                r = free_and_strdup(&shown->description, t->consumer->description);
        shown->installed = t->installed;
        if (r >= 0)
                r = free_and_strdup(&shown->named_by, strempty(t->named_by));
        if (r >= 0 && t->helpers)
                r = strv_copy(t->helpers, &shown->helpers);
        for (size_t i = 0; i < t->n_files && r >= 0; i++)
                r = add_file(&shown->files, t->files + i, s);
        for (size_t i = 0; s && i < s->n_jobs && r >= 0; i++) {
                if (!s->jobs[i]->enabled)
                        continue;
                if (!job_reaches(s->jobs[i], t)) {
                        shown->others++;
                        continue;
                }
                for (char **scope = s->jobs[i]->scopes; scope && *scope && r >= 0; scope++)
                        r = uses_add(&shown->jobs, t, *scope, s, s->jobs[i], now);
        }
        return r < 0 ? r : 0;
}

int shown_tools_find(const Tools *tools, const Snapshot *s, usec_t now, ShownTools *ret) {
        ShownTools l = {};
        int r = 0;

        for (size_t i = 0; i < tools->n_items && r >= 0; i++) {
                ShownTool *shown = grow(&l, &shown_tool_type);

                if (shown) {
                        l.n_items++;
                        r = fill_tool(shown, tools->items + i, s, now);
                } else
                        r = -ENOMEM;
        }
        if (r < 0) {
                shown_tools_done(&l);
                return r;
        }
        *ret = l;
        return 0;
}

void shown_tools_done(ShownTools *l) {
        rows_done((Rows *) l, &shown_tool_type);
}

bool use_is_well(const ShownUse *u) {
        return (streq(u->result, "credential") || (streq(u->result, "helper") && !isempty(u->job))) &&
               isempty(u->hint);
}
