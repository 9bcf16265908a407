/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the state reads on disk: JSON with a version, printed member by member (ten thousand jobs would
 * make a large tree), parsed through codec/json.
 *
 * Refuses what it does not understand whole: a newer version may mean something else by the same words. */

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "daemon/state-file.h"
#include "model/unit-peer.h"

static void print_hex(FILE *f, const uint8_t *bytes, size_t n) {
        static const char digits[] = "0123456789abcdef";

        putc_unlocked('"', f);
        for (size_t i = 0; i < n; i++) {
                putc_unlocked(digits[bytes[i] >> 4], f);
                putc_unlocked(digits[bytes[i] & 15], f);
        }
        putc_unlocked('"', f);
}

/* Names were validated at the door: they need no escapes. */
static void print_name(FILE *f, const char *s) {
        putc_unlocked('"', f);
        fputs(s, f);
        putc_unlocked('"', f);
}

/* Paths are what somebody chose. */
static void print_path(FILE *f, const char *s) {
        putc_unlocked('"', f);
        for (; *s; s++) {
                if ((unsigned char) *s < ' ') {
                        fprintf(f, "\\u%04x", (unsigned) *s);
                        continue;
                }
                if (*s == '"' || *s == '\\')
                        putc_unlocked('\\', f);
                putc_unlocked(*s, f);
        }
        putc_unlocked('"', f);
}

typedef struct Printer {
        FILE *file;
        bool first;
} Printer;

static void print_separator(Printer *p, const char *indentation) {
        fputs(p->first ? "\n" : ",\n", p->file);
        fputs(indentation, p->file);
        p->first = false;
}

static void print_written(FILE *f, const Written *w) {
        fputs("\"current\": ", f);
        print_hex(f, w->current.bytes, sizeof(w->current.bytes));
        fputs(", \"previous\": ", f);
        print_hex(f, w->previous.bytes, sizeof(w->previous.bytes));
}

static void print_key(const void *node, VISIT which, void *closure) {
        const OwnedKey *k = *(OwnedKey *const *) node;
        Printer *p = closure;

        if (which != postorder && which != leaf)
                return;
        print_separator(p, "   ");
        print_name(p->file, k->key);
        fputs(": {\"job\": ", p->file);
        print_name(p->file, k->job);
        fputs(", ", p->file);
        print_written(p->file, &k->written);
        fputc('}', p->file);
}

static void print_file(const StateTarget *t, FILE *f) {
        Printer keys = { .file = f, .first = true };

        print_path(f, t->name);
        fputs(": {", f);
        if (t->whole) {
                fputs("\"whole\": {", f);
                print_written(f, &t->all);
                fputs("}, ", f);
        }
        fputs("\"keys\": {", f);
        twalk_r(t->keys, print_key, &keys);
        fputs("}}", f);
}

static void print_job(const void *node, VISIT which, void *closure) {
        const JobRecord *j = *(JobRecord *const *) node;
        Printer *p = closure;

        if (which != postorder && which != leaf)
                return;
        print_separator(p, "  ");
        print_name(p->file, j->job);
        fputs(": {\"boot_id\": ", p->file);
        print_hex(p->file, j->boot_id, sizeof(j->boot_id));
        fprintf(p->file,
                ", \"issued\": %" PRIu64 ", \"expires\": %" PRIu64 ", \"obtained_boot\": %" PRIu64
                ", \"due_boot\": %" PRIu64 ", \"expires_boot\": %" PRIu64
                ", \"estimated\": %s, \"obtained_real\": %" PRIu64 ", \"last_success_real\": %" PRIu64 "}",
                j->issued, j->expires, j->obtained_boot, j->due_boot, j->expires_boot,
                j->estimated ? "true" : "false", j->obtained_real, j->last_success_real);
}

/* An older daemon passes over it. */
static void print_reloads(const StateData *s, FILE *f) {
        Printer units = { .file = f, .first = true };

        fputs(",\n \"reload\": {\"boot_id\": ", f);
        print_hex(f, s->reload_boot, sizeof(s->reload_boot));
        fputs(", \"units\": [", f);
        STRV_FOREACH(unit, s->reload_units) {
                print_separator(&units, "  ");
                print_path(f, *unit);
        }
        fputs("]}", f);
}

int state_file_print(const StateData *s, char **ret, size_t *ret_size) {
        Printer files = { .first = true }, jobs = { .first = true };
        _cleanup_free_ char *text = NULL;
        bool failed;
        FILE *f;

        f = open_memstream(&text, ret_size);
        if (!f)
                return -ENOMEM;
        files.file = jobs.file = f;
        fprintf(f, "{\n \"version\": %d,\n \"salt\": ", STATE_VERSION);
        print_hex(f, s->salt, sizeof(s->salt));
        fputs(",\n \"files\": {", f);
        for (size_t i = 0; i < s->n_targets; i++) {
                print_separator(&files, "  ");
                print_file(s->targets + i, f);
        }
        fputs("},\n \"jobs\": {", f);
        twalk_r(s->jobs, print_job, &jobs);
        fputs("}", f);
        if (strv_length(s->reload_units) > 0)
                print_reloads(s, f);
        fputs("\n}\n", f);
        failed = ferror(f);
        if (fclose(f) != 0 || failed)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int get_hex(json_object *o, const char *key, uint8_t *ret, size_t n) {
        const char *s;

        if (json_get_string(o, key, &s) <= 0 || strlen(s) != 2 * n)
                return -EBADMSG;
        for (size_t i = 0; i < n; i++) {
                int high = hex_digit(s[2 * i]), low = hex_digit(s[2 * i + 1]);

                if (high < 0 || low < 0)
                        return -EBADMSG;
                ret[i] = (uint8_t) (high << 4 | low);
        }
        return 0;
}

static int parse_written(json_object *o, Written *ret) {
        if (!json_object_is_type(o, json_type_object) ||
            get_hex(o, "current", ret->current.bytes, sizeof(ret->current.bytes)) < 0 ||
            get_hex(o, "previous", ret->previous.bytes, sizeof(ret->previous.bytes)) < 0)
                return -EBADMSG;
        return 0;
}

static int parse_key(StateData *s, const char *path, const char *key, json_object *o) {
        const char *job;
        Written w;
        int r;

        if (parse_written(o, &w) < 0 || json_get_string(o, "job", &job) <= 0)
                return -EBADMSG;
        /* In the order in which they came to be. */
        r = state_data_own_key(s, path, key, job, &w.previous, NULL);
        return r < 0 ? r : state_data_own_key(s, path, key, job, &w.current, NULL);
}

static int parse_whole(StateData *s, const char *path, json_object *o) {
        Written w;
        int r;

        if (parse_written(o, &w) < 0)
                return -EBADMSG;
        r = state_data_own_file(s, path, &w.previous, NULL);
        return r < 0 ? r : state_data_own_file(s, path, &w.current, NULL);
}

static int parse_keys(StateData *s, const char *path, json_object *keys) {
        int r;

        if (!json_object_is_type(keys, json_type_object))
                return -EBADMSG;
        r = state_data_know_target(s, path);
        if (r < 0)
                return r;
        json_object_object_foreach(keys, key, value) {
                /* In version 1 the whole was a key without a name. */
                r = isempty(key) ? parse_whole(s, path, value) : parse_key(s, path, key, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_files(StateData *s, json_object *files) {
        json_object_object_foreach(files, path, file) {
                json_object *keys, *whole;
                int r;

                if (!json_object_is_type(file, json_type_object) ||
                    json_get_object(file, "keys", &keys) <= 0)
                        return -EBADMSG;
                r = parse_keys(s, path, keys);
                if (r >= 0 && json_object_object_get_ex(file, "whole", &whole))
                        r = parse_whole(s, path, whole);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Where targets were that had a name alone before files could define any. */
static const char *path_of(const char *target) {
        if (streq(target, "system"))
                return "/etc/containers/auth.json";
        return streq(target, "podman") ? "/run/containers/0/auth.json" : target;
}

/* Some files that are ours as a whole stood by themselves in version 1. */
static int parse_wholes(StateData *s, json_object *files) {
        if (!json_object_is_type(files, json_type_object))
                return -EBADMSG;
        json_object_object_foreach(files, path, value) {
                int r = parse_whole(s, path, value);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_targets(StateData *s, json_object *targets) {
        json_object_object_foreach(targets, target, keys) {
                int r = streq(target, "files") ? parse_wholes(s, keys)
                                               : parse_keys(s, path_of(target), keys);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_job(StateData *s, const char *name, json_object *o) {
        JobRecord *j;

        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;
        j = state_data_job(s, name, /* create= */ true);
        if (!j)
                return -ENOMEM;
        if (get_hex(o, "boot_id", j->boot_id, sizeof(j->boot_id)) < 0 ||
            json_get_u64(o, "issued", &j->issued) <= 0 || json_get_u64(o, "expires", &j->expires) < 0 ||
            json_get_u64(o, "obtained_boot", &j->obtained_boot) <= 0 ||
            json_get_u64(o, "due_boot", &j->due_boot) <= 0 ||
            json_get_u64(o, "expires_boot", &j->expires_boot) < 0 ||
            json_get_bool(o, "estimated", &j->estimated) < 0 ||
            json_get_u64(o, "obtained_real", &j->obtained_real) <= 0 ||
            json_get_u64(o, "last_success_real", &j->last_success_real) <= 0)
                return -EBADMSG;
        return 0;
}

static int parse_jobs(StateData *s, json_object *jobs) {
        json_object_object_foreach(jobs, name, value) {
                int r = parse_job(s, name, value);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_reloads(StateData *s, json_object *o) {
        _cleanup_strv_ char **units = NULL;
        uint8_t boot[sizeof(s->reload_boot)];
        json_object *list;
        int r = 0;

        if (!json_object_is_type(o, json_type_object) || json_get_array(o, "units", &list) <= 0 ||
            get_hex(o, "boot_id", boot, sizeof(boot)) < 0)
                return -EBADMSG;
        for (size_t i = 0; r >= 0 && i < json_object_array_length(list); i++) {
                json_object *unit = json_object_array_get_idx(list, i);

                if (!json_object_is_type(unit, json_type_string) ||
                    !unit_name_is_valid(json_object_get_string(unit)))
                        return -EBADMSG;
                r = strv_append(&units, json_object_get_string(unit));
        }
        return r < 0 ? r : state_data_note_reloads(s, units, boot);
}

int state_file_parse(const char *text, size_t size, StateData *s, const char **reterr) {
        _cleanup_json_ json_object *root = NULL;
        json_object *files, *jobs, *reloads;
        JsonError error = {};
        uint64_t version;
        int r;

        r = json_parse(text, size, &root, &error);
        if (r == -EBADMSG)
                *reterr = error.what;
        if (r < 0)
                return r;
        *reterr = "it is no state file";
        if (!json_object_is_type(root, json_type_object) || json_get_u64(root, "version", &version) <= 0)
                return -EBADMSG;
        if (version != 1 && version != STATE_VERSION) {
                *reterr = "it is of another version";
                return -EBADMSG;
        }
        if (get_hex(root, "salt", s->salt, sizeof(s->salt)) < 0 ||
            json_get_object(root, version == 1 ? "targets" : "files", &files) <= 0 ||
            json_get_object(root, "jobs", &jobs) <= 0)
                return -EBADMSG;
        r = version == 1 ? parse_targets(s, files) : parse_files(s, files);
        if (r >= 0)
                r = parse_jobs(s, jobs);
        if (r >= 0 && json_object_object_get_ex(root, "reload", &reloads))
                r = parse_reloads(s, reloads);
        if (r >= 0)
                s->changed = false;
        return r;
}
