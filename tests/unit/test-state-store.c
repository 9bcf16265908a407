/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The state store: what is saved is found again, and what cannot be understood is set aside, not lost. */

#include "unit.h"

#include "base/text.h"
#include "daemon/state-store.h"

#define SALT "\"00112233445566778899aabbccddeeff\""

static StateStore *open_store(const char *directory, char **reterr) {
        StateStore *s = NULL;

        assert_ok(state_store_open(directory, &s, reterr));
        return s;
}

static Fingerprint print_of(StateStore *s, const char *text) {
        Fingerprint f;

        state_data_fingerprint(state_store_data(s), text, strlen(text), &f);
        return f;
}

static void everything_survives_a_restart(void **state) {
        _cleanup_free_ char *problem = NULL;
        _cleanup_(state_store_freep) StateStore *s = open_store(*state, &problem), *again = NULL;
        Fingerprint one = print_of(s, "one"), two = print_of(s, "two");
        uint8_t salt[STATE_SALT_SIZE];
        const OwnedKey *k;
        JobRecord *j;

        assert_null(problem);
        memcpy(salt, state_store_data(s)->salt, sizeof(salt));
        assert_ok(state_data_own_key(state_store_data(s), "/etc/containers/auth.json", "q.example/a", "edge",
                                     &one, NULL));
        assert_ok(state_data_own_key(state_store_data(s), "/etc/containers/auth.json", "q.example/a", "edge",
                                     &two, NULL));
        assert_ok(state_data_own_key(state_store_data(s), "/run/containers/0/auth.json", "q.example/b",
                                     "other", &one, NULL));
        j = state_data_job(state_store_data(s), "edge", true);
        j->issued = 1700000000;
        j->expires = 1700003600;
        j->due_boot = UINT64_MAX;
        state_data_touch(state_store_data(s));
        assert_ok(state_store_save(s));

        again = open_store(*state, &problem);
        assert_null(problem);
        assert_memory_equal(state_store_data(again)->salt, salt, sizeof(salt));
        k = state_data_find_key(state_store_data(again), "/etc/containers/auth.json", "q.example/a");
        assert_non_null(k);
        assert_string_equal(k->job, "edge");
        assert_memory_equal(&k->written.current, &two, sizeof(two));
        assert_memory_equal(&k->written.previous, &one, sizeof(one));
        assert_null(
                state_data_find_key(state_store_data(again), "/run/containers/0/auth.json", "q.example/a"));
        assert_non_null(
                state_data_find_key(state_store_data(again), "/run/containers/0/auth.json", "q.example/b"));
        j = state_data_job(state_store_data(again), "edge", false);
        assert_int_equal(j->issued, 1700000000);
        assert_int_equal(j->expires, 1700003600);
        assert_true(j->due_boot == UINT64_MAX);
        assert_null(state_data_job(state_store_data(again), "nobody", false));
}

static void units_to_be_told_survive_a_restart(void **state) {
        static const uint8_t boots[][16] = { { 1, 2 }, { 3, 4 } };
        _cleanup_strv_ char **units = NULL;

        assert_ok(strv_append(&units, "app@a\\x2db.service"));
        assert_ok(strv_append(&units, "other.socket"));
        for (size_t i = 0; i < 4; i++) {
                _cleanup_free_ char *problem = NULL;
                _cleanup_(state_store_freep) StateStore *s = open_store(*state, &problem);
                StateData *d = state_store_data(s);

                assert_null(problem);
                assert_int_equal(strv_length(d->reload_units), i == 1 || i == 2 ? 2 : 0);
                if (i == 3)
                        break;
                if (i > 0) {
                        assert_true(strv_equal(d->reload_units, units));
                        assert_memory_equal(d->reload_boot, boots[i - 1], sizeof(boots[0]));
                        assert_false(d->changed);
                        assert_ok(state_data_note_reloads(d, units, boots[i - 1]));
                        assert_false(d->changed);
                }
                assert_ok(state_data_note_reloads(d, i < 2 ? units : NULL, boots[i < 2 ? i : 1]));
                assert_true(d->changed);
                assert_ok(state_store_save(s));
        }
}

static void units_are_noted_until_they_were_told(void **state) {
        static const uint8_t boot[16] = { 1 }, next[16] = { 2 };
        _cleanup_strv_ char **two = NULL;
        StateData d = {};

        assert_ok(strv_append(&two, "a.service"));
        assert_ok(strv_append(&two, "b.service"));
        state_data_begin_boot(&d, boot);
        assert_ok(state_data_want_reloads(&d, NULL));
        assert_false(d.changed);
        assert_ok(state_data_want_reloads(&d, two));
        assert_true(d.changed);
        d.changed = false;
        assert_ok(state_data_want_reloads(&d, two + 1));
        assert_ok(state_data_forget_reload(&d, "c.service"));
        state_data_begin_boot(&d, boot);
        assert_false(d.changed);
        assert_true(strv_equal(d.reload_units, two));
        assert_ok(state_data_forget_reload(&d, "a.service"));
        assert_true(d.changed);
        assert_true(strv_equal(d.reload_units, two + 1));
        assert_ok(state_data_forget_reload(&d, "b.service"));
        assert_int_equal(strv_length(d.reload_units), 0);
        assert_ok(state_data_want_reloads(&d, two));
        d.changed = false;
        state_data_begin_boot(&d, next);
        assert_true(d.changed);
        assert_int_equal(strv_length(d.reload_units), 0);
        assert_memory_equal(d.reload_boot, next, sizeof(next));
        state_data_clear(&d);
}

static void any_path_survives_a_restart(void **state) {
        static const char path[] = "/etc/a\tb\nc\"d\\e\x01.json";
        _cleanup_free_ char *problem = NULL;
        _cleanup_(state_store_freep) StateStore *s = open_store(*state, &problem), *again = NULL;
        Fingerprint one = print_of(s, "one");

        assert_ok(state_data_own_key(state_store_data(s), path, "q.example/a", "edge", &one, NULL));
        assert_ok(state_store_save(s));
        again = open_store(*state, &problem);
        assert_null(problem);
        assert_non_null(state_data_find_key(state_store_data(again), path, "q.example/a"));
}

static void what_would_be_too_large_to_read_is_not_saved(void **state) {
        _cleanup_free_ char *problem = NULL;
        _cleanup_(state_store_freep) StateStore *s = open_store(*state, &problem), *again = NULL;
        Fingerprint one = print_of(s, "one");

        assert_ok(state_data_own_key(state_store_data(s), "/t", "first", "edge", &one, NULL));
        assert_ok(state_store_save(s));
        for (unsigned i = 0; i < 100000; i++) {
                char key[64];

                (void) snprintf(key, sizeof(key), "quay.example.com/acme/%u", i);
                assert_ok(state_data_own_key(state_store_data(s), "/t", key, "edge", &one, NULL));
        }
        assert_int_equal(state_store_save(s), -EFBIG);
        again = open_store(*state, &problem);
        assert_null(problem);
        assert_non_null(state_data_find_key(state_store_data(again), "/t", "first"));
}

static void a_file_is_known_that_held_keys_once(void **state) {
        _cleanup_free_ char *problem = NULL;
        _cleanup_(state_store_freep) StateStore *s = open_store(*state, &problem), *again = NULL;
        Fingerprint one = print_of(s, "one");

        assert_ok(state_data_own_key(state_store_data(s), "/a \"quoted\\\" one", "q.example/a", "edge", &one,
                                     NULL));
        state_data_disown_key(state_store_data(s), "/a \"quoted\\\" one", "q.example/a");
        assert_ok(state_store_save(s));
        again = open_store(*state, &problem);
        assert_null(problem);
        assert_int_equal(state_store_data(again)->n_targets, 1);
        assert_string_equal(state_store_data(again)->targets[0].name, "/a \"quoted\\\" one");
        assert_null(state_store_data(again)->targets[0].keys);
}

#define HEX(c) c c c c c c c c
#define PRINT(c) "\"" HEX(HEX(c)) "\""
#define WRITTEN(a, b) "\"current\": " PRINT(a) ", \"previous\": " PRINT(b)
#define A_AFTER_B WRITTEN("a", "b")
#define C_AFTER_D WRITTEN("c", "d")
#define NOTHING WRITTEN("0", "0")

/* That a file is ours as a whole was a key without a name in version 1, or stood by itself. */
static void a_state_of_version_1_is_understood(void **state) {
        static const char text[] = "{\"version\": 1, \"salt\": " SALT ", \"targets\": {"
                                   "\"system\": {\"q/a\": {\"job\": \"edge\", " A_AFTER_B "}},"
                                   "\"/t\": {\"\": {\"job\": \"*\", " NOTHING "}},"
                                   "\"files\": {\"/b\": {\"job\": \"-\", " C_AFTER_D "}}},"
                                   "\"jobs\": {}}";
        _cleanup_(state_store_freep) StateStore *s = NULL;
        _cleanup_free_ char *problem = NULL;
        const OwnedKey *k;
        const Written *w;

        write_file(*state, "state.json", text);
        s = open_store(*state, &problem);
        assert_null(problem);
        k = state_data_find_key(state_store_data(s), "/etc/containers/auth.json", "q/a");
        assert_non_null(k);
        assert_int_equal(k->written.current.bytes[0], 0xaa);
        assert_int_equal(k->written.previous.bytes[0], 0xbb);
        assert_null(state_data_find_file(state_store_data(s), "/etc/containers/auth.json"));
        w = state_data_find_file(state_store_data(s), "/t");
        assert_non_null(w);
        assert_true(fingerprint_is_none(&w->current));
        w = state_data_find_file(state_store_data(s), "/b");
        assert_non_null(w);
        assert_int_equal(w->current.bytes[0], 0xcc);
        assert_int_equal(w->previous.bytes[0], 0xdd);
        assert_null(state_data_find_file(state_store_data(s), "files"));
}

static void what_is_ours_as_a_whole_is_kept(void **state) {
        _cleanup_free_ char *problem = NULL;
        _cleanup_(state_store_freep) StateStore *s = open_store(*state, &problem), *again = NULL;
        Fingerprint one = print_of(s, "one"), two = print_of(s, "two"), none = {};
        StateData *data = state_store_data(s);
        const Written *w;

        assert_ok(state_data_own_file(data, "/hashed", &one, NULL));
        assert_ok(state_data_own_file(data, "/hashed", &two, &one));
        assert_ok(state_data_own_file(data, "/claimed", &none, &none));
        assert_ok(state_data_own_file(data, "/gone", &one, NULL));
        state_data_disown_file(data, "/gone");
        assert_false(state_data_owns_any(data, "/gone"));
        assert_ok(state_store_save(s));
        again = open_store(*state, &problem);
        assert_null(problem);
        data = state_store_data(again);
        w = state_data_find_file(data, "/hashed");
        assert_non_null(w);
        assert_true(written_is(w, &one) && written_is(w, &two) && !written_is(w, &none));
        w = state_data_find_file(data, "/claimed");
        assert_non_null(w);
        assert_true(fingerprint_is_none(&w->current));
        assert_true(state_data_owns_any(data, "/claimed"));
        assert_null(state_data_find_file(data, "/gone"));
}

static void fingerprints_are_salted(void **state) {
        _cleanup_free_ char *problem = NULL, *other = NULL;
        _cleanup_(state_store_freep) StateStore *a = open_store(*state, &problem), *b = NULL;
        Fingerprint one = print_of(a, "same"), two;

        assert_int_equal(asprintf(&other, "%s/other", (char *) *state) > 0, 1);
        b = open_store(other, &problem);
        two = print_of(b, "same");
        assert_memory_not_equal(&one, &two, sizeof(one));
}

static void a_file_that_makes_no_sense_is_set_aside(void **state) {
        static const char *const texts[] = {
                "",
                "{",
                "[]",
                "{\"version\": 3}",
                "{\"version\": 2}",
                "{\"version\": 3, \"salt\": " SALT ", \"files\": {}, \"jobs\": {}}",
                "{\"version\": 2, \"salt\": " SALT ", \"files\": {\"t\": {}}, \"jobs\": {}}",
                "{\"version\": 2, \"salt\": " SALT
                ", \"files\": {\"t\": {\"whole\": 1, \"keys\": {}}}, \"jobs\": {}}",
                "{\"version\": 2, \"salt\": " SALT ", \"files\": {}, \"jobs\": {}, \"reload\": []}",
                "{\"version\": 2, \"salt\": " SALT
                ", \"files\": {}, \"jobs\": {}, \"reload\": {\"boot_id\": "
                "" SALT ", \"units\": [\"app\"]}}",
                "{\"version\": 2, \"salt\": " SALT
                ", \"files\": {}, \"jobs\": {}, \"reload\": {\"boot_id\": "
                "" SALT ", \"units\": [1]}}",
                "{\"version\": 1, \"salt\": " SALT ", \"targets\": {\"files\": 1}, \"jobs\": {}}",
                "{\"version\": 1, \"salt\": \"00\", \"targets\": {}, \"jobs\": {}}",
                "{\"version\": 1, \"salt\": " SALT ", \"targets\": {\"t\": 1}, \"jobs\": {}}",
                "{\"version\": 1, \"salt\": " SALT ", \"targets\": {}, \"jobs\": {\"j\": {}}}",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *problem = NULL, *after = NULL;
                _cleanup_(state_store_freep) StateStore *s = NULL;
                char path[256];
                struct stat st;

                write_file(*state, "state.json", texts[i]);
                s = open_store(*state, &problem);
                assert_non_null(problem);
                assert_non_null(strstr(problem, "state.json.unusable"));
                snprintf(path, sizeof(path), "%s/state.json.unusable", (char *) *state);
                assert_int_equal(stat(path, &st), 0);
                assert_int_equal(st.st_size, strlen(texts[i]));
                assert_null(state_data_find_key(state_store_data(s), "t", "k"));
                assert_ok(state_store_save(s));
                s = state_store_free(s);
                s = open_store(*state, &after);
                assert_null(after);
        }
}

static void the_file_is_private_and_saved_only_when_changed(void **state) {
        _cleanup_free_ char *problem = NULL;
        _cleanup_(state_store_freep) StateStore *s = open_store(*state, &problem);
        struct stat before, after;
        char path[256];

        snprintf(path, sizeof(path), "%s/state.json", (char *) *state);
        assert_ok(state_store_save(s));
        assert_int_equal(stat(path, &before), 0);
        assert_int_equal(before.st_mode & 07777, 0600);
        state_data_disown_key(state_store_data(s), "nothing", "there");
        assert_ok(state_store_save(s));
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
}

static void count(const OwnedKey *k, void *userdata) {
        const char **last = userdata;

        assert_true(!*last || strcmp(*last, k->key) < 0);
        *last = k->key;
}

static void keys_are_listed_in_order(void **state) {
        static const char *const keys[] = { "m", "a", "z", "c" };
        _cleanup_free_ char *problem = NULL;
        _cleanup_(state_store_freep) StateStore *s = open_store(*state, &problem);
        Fingerprint f = print_of(s, "x");
        const char *last = NULL;

        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                assert_ok(state_data_own_key(state_store_data(s), "t", keys[i], "j", &f, NULL));
        state_data_each_key(state_store_data(s), "t", count, &last);
        assert_string_equal(last, "z");
        state_data_disown_key(state_store_data(s), "t", "z");
        last = NULL;
        state_data_each_key(state_store_data(s), "t", count, &last);
        assert_string_equal(last, "m");
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup_scratch, teardown_scratch)

int main(void) {
        const struct CMUnitTest tests[] = {
                test(everything_survives_a_restart),
                test(units_to_be_told_survive_a_restart),
                test(units_are_noted_until_they_were_told),
                test(any_path_survives_a_restart),
                test(what_would_be_too_large_to_read_is_not_saved),
                test(a_file_is_known_that_held_keys_once),
                test(a_state_of_version_1_is_understood),
                test(what_is_ours_as_a_whole_is_kept),
                test(fingerprints_are_salted),
                test(a_file_that_makes_no_sense_is_set_aside),
                test(the_file_is_private_and_saved_only_when_changed),
                test(keys_are_listed_in_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
