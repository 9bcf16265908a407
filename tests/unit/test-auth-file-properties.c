/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What holds for any file and any wishes: no foreign byte is lost, ours say what was asked for, what was
 * added can be taken out again without a trace. */

#include "auth-fixture.h"
#include "draw.h"

#define N_KEYS 8

static const char *const key_spellings[N_KEYS] = { "k0", "k1", "quay.io\\/a", "\\u006b3",
                                                   "k4", "k5", "k6",          "k7" };
static const char *const key_meanings[N_KEYS] = { "k0", "k1", "quay.io/a", "k3", "k4", "k5", "k6", "k7" };
static const char *const auths[] = { "QQ==", "Qg==", "QUFB", "", "Q/+8" };

static char *put_blanks(Draw *d, char *p) {
        static const char *const blanks[] = { "", "", " ", "\n", "\n\t", "\r\n  ", "  ", "\t \n\n    " };

        return stpcpy(p, blanks[draw_below(d, ELEMENTSOF(blanks))]);
}

/* An object in random blanks. */
static char *put_object(Draw *d, char *p, const char *const *keys, const char *const *values, size_t n) {
        *p++ = '{';
        for (size_t i = 0; i < n; i++) {
                p = put_blanks(d, stpcpy(p, i > 0 ? "," : ""));
                p = put_blanks(d, p + sprintf(p, "\"%s\"", keys[i]));
                *p++ = ':';
                p = put_blanks(d, stpcpy(put_blanks(d, p), values[i]));
        }
        if (n == 0)
                p = put_blanks(d, p);
        return stpcpy(p, "}");
}

/* Entries with random keys out of N_KEYS, in random order. */
static char *put_auths(Draw *d, char *p) {
        static const char *const values[] = {
                "{\"auth\":\"QQ==\"}",
                "{ \"auth\" : \"Qg==\" }",
                "{}",
                "{\"auth\":\"QQ==\",\"identitytoken\":\"t}\"}",
                "null",
                "[1.50e+2, {\"a\":\"]\"}]",
                "\"\\\"},{\"",
                "{\n\t\"email\": \"\xc3\xa9\"\n}",
                "{\"auth\":\"Q\\/+8\"}",
        };
        const char *keys[N_KEYS], *chosen[N_KEYS];
        size_t n = 0, start = draw_below(d, N_KEYS);

        for (size_t i = 0; i < N_KEYS; i++)
                if (draw_below(d, 2) == 1) {
                        keys[n] = key_spellings[(start + i) % N_KEYS];
                        chosen[n++] = values[draw_below(d, ELEMENTSOF(values))];
                }
        return put_object(d, p, keys, chosen, n);
}

static void make_file(Draw *d, char *text) {
        static char entries[8192];
        const char *keys[4], *values[4];
        size_t n = 0;
        char *p;

        *put_auths(d, entries) = '\0';
        if (draw_below(d, 2) == 1) {
                keys[n] = "credHelpers";
                values[n++] = "{\"x\": \"y\"}";
        }
        if (draw_below(d, 8) > 0) {
                keys[n] = draw_below(d, 4) > 0 ? "auths" : "\\u0061uths";
                values[n++] = entries;
        }
        if (draw_below(d, 2) == 1) {
                keys[n] = "z";
                values[n++] = "[\"auths\", 1.0]";
        }
        p = put_object(d, put_blanks(d, text), keys, values, n);
        *put_blanks(d, p) = '\0';
}

/* Random wishes with different keys, some of which the file has. Returns how many. */
static size_t make_wishes(Draw *d, AuthEntry *entries) {
        size_t n = 0, start = draw_below(d, N_KEYS);

        for (size_t i = 0; i < N_KEYS; i++) {
                Secret *user_pass = NULL;

                if (draw_below(d, 3) > 0)
                        continue;
                if (draw_below(d, 3) > 0)
                        user_pass = user_pass_of(auths[draw_below(d, ELEMENTSOF(auths))]);
                entries[n++] = (AuthEntry){ key_meanings[(start + i) % N_KEYS], user_pass };
        }
        return n;
}

static void free_wishes(AuthEntry *entries, size_t n) {
        for (size_t i = 0; i < n; i++)
                (void) secret_free((Secret *) entries[i].user_pass);
}

static const AuthEntry *find_wish(const AuthEntry *entries, size_t n, const char *key) {
        for (size_t i = 0; i < n; i++)
                if (streq(entries[i].key, key))
                        return entries + i;
        return NULL;
}

static void assert_same(const char *a, const JsonMember *x, const char *b, const JsonMember *y) {
        size_t size = x->value.offset + x->value.size - x->key.offset;

        assert_string_equal(x->name, y->name);
        assert_int_equal(y->value.offset + y->value.size - y->key.offset, size);
        assert_memory_equal(a + x->key.offset, b + y->key.offset, size);
}

static JsonMembers members_of(const char *text, size_t size, const char *name) {
        JsonMembers top = {}, inner = {};
        const JsonMember *m;

        assert_ok(json_text_check(text, size, NULL));
        assert_ok(json_text_members(text, json_text_root(text, size), &top));
        if (!name)
                return top;
        m = json_members_find(&top, name);
        if (m)
                assert_ok(json_text_members(text, m->value, &inner));
        json_members_done(&top);
        return inner;
}

/* Foreign members are all there, in their order, with their bytes; ours follow or stand where they stood. */
static void check_members(const char *old, size_t old_size, const char *new, size_t new_size,
                          const AuthEntry *entries, size_t n) {
        JsonMembers before = members_of(old, old_size, "auths"), after = members_of(new, new_size, "auths");
        size_t k = 0;

        for (size_t i = 0; i < before.n_items; i++) {
                const AuthEntry *wish = find_wish(entries, n, before.items[i].name);

                if (wish && !wish->user_pass)
                        continue;
                assert_true(k < after.n_items);
                if (wish)
                        assert_string_equal(before.items[i].name, after.items[k].name);
                else
                        assert_same(old, before.items + i, new, after.items + k);
                k++;
        }
        for (size_t i = 0; i < n; i++) {
                if (!entries[i].user_pass || json_members_find(&before, entries[i].key))
                        continue;
                assert_true(k < after.n_items);
                assert_string_equal(after.items[k++].name, entries[i].key);
        }
        assert_int_equal(k, after.n_items);
        json_members_done(&before);
        json_members_done(&after);
}

static void check_top(const char *old, size_t old_size, const char *new, size_t new_size) {
        JsonMembers before = members_of(old, old_size, NULL), after = members_of(new, new_size, NULL);

        for (size_t i = 0; i < before.n_items; i++)
                if (!streq(before.items[i].name, "auths"))
                        assert_same(old, before.items + i, new, after.items + i);
        assert_int_equal(after.n_items, before.n_items + (json_members_find(&before, "auths") ? 0 : 1));
        json_members_done(&before);
        json_members_done(&after);
}

static void check_wishes(const char *new, size_t size, const AuthEntry *entries, size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_secret_ Secret *found = NULL;

                assert_int_equal(auth_file_has(new, size, entries[i].key), entries[i].user_pass != NULL);
                assert_int_equal(auth_file_lookup(new, size, entries[i].key, &found),
                                 entries[i].user_pass != NULL);
                assert_true(secret_equal(found, entries[i].user_pass));
        }
}

static void merging_loses_no_foreign_byte_and_does_what_was_asked(void **state) {
        unsigned n_changed = 0;
        Draw d = { 1979 };

        for (unsigned i = 0; i < 5000; i++) {
                _cleanup_secret_ Secret *new = NULL, *again = NULL;
                AuthEntry entries[N_KEYS];
                static char old[16384];
                struct iovec bytes;
                JsonError error;
                size_t n;
                int r;

                make_file(&d, old);
                n = make_wishes(&d, entries);
                r = auth_file_merge(old, strlen(old), entries, n, &new, &error);
                assert_ok(r);
                bytes = secret_peek(new);
                if (r == AUTH_FILE_UNCHANGED)
                        check_wishes(old, strlen(old), entries, n);
                else {
                        check_top(old, strlen(old), bytes.iov_base, bytes.iov_len);
                        check_members(old, strlen(old), bytes.iov_base, bytes.iov_len, entries, n);
                        check_wishes(bytes.iov_base, bytes.iov_len, entries, n);
                        assert_int_equal(
                                auth_file_merge(bytes.iov_base, bytes.iov_len, entries, n, &again, &error),
                                AUTH_FILE_UNCHANGED);
                        n_changed++;
                }
                free_wishes(entries, n);
        }
        assert_true(n_changed > 2500);
}

/* But for blanks in an empty "auths", and but for an "auths" that was not there. */
static void what_was_added_is_taken_out_without_a_trace(void **state) {
        unsigned n_checked = 0;
        Draw d = { 1980 };

        for (unsigned i = 0; i < 3000; i++) {
                _cleanup_secret_ Secret *user_pass = user_pass_of("QUFB"), *with = NULL, *without = NULL;
                AuthEntry entries[] = { { "new/1", NULL }, { "new/2", NULL } };
                static char old[16384];
                struct iovec bytes;
                JsonMembers before;
                JsonError error;
                bool had_entries;

                make_file(&d, old);
                before = members_of(old, strlen(old), "auths");
                had_entries = before.n_items > 0;
                json_members_done(&before);
                if (!had_entries)
                        continue;
                entries[0].user_pass = entries[1].user_pass = user_pass;
                assert_int_equal(auth_file_merge(old, strlen(old), entries, 2, &with, &error),
                                 AUTH_FILE_CHANGED);
                entries[0].user_pass = entries[1].user_pass = NULL;
                bytes = secret_peek(with);
                assert_int_equal(
                        auth_file_merge(bytes.iov_base, bytes.iov_len, entries, 2, &without, &error),
                        AUTH_FILE_CHANGED);
                bytes = secret_peek(without);
                assert_int_equal(bytes.iov_len, strlen(old));
                assert_memory_equal(bytes.iov_base, old, bytes.iov_len);
                n_checked++;
        }
        assert_true(n_checked > 1500);
}

/* One wish at a time, in any order, or all at once: the same entries. */
static void the_order_of_merges_does_not_matter_to_what_stands_there(void **state) {
        Draw d = { 1981 };

        for (unsigned i = 0; i < 3000; i++) {
                _cleanup_secret_ Secret *at_once = NULL, *one_by_one = NULL;
                AuthEntry entries[N_KEYS];
                static char old[16384];
                struct iovec a, b;
                JsonError error;
                size_t n;

                make_file(&d, old);
                n = make_wishes(&d, entries);
                assert_ok(auth_file_merge(old, strlen(old), entries, n, &at_once, &error));
                assert_ok(secret_new_string(old, &one_by_one));
                for (size_t k = 0; k < n; k++) {
                        _cleanup_secret_ Secret *next = NULL;
                        struct iovec now = secret_peek(one_by_one);

                        if (auth_file_merge(now.iov_base, now.iov_len, entries + k, 1, &next, &error) ==
                            AUTH_FILE_CHANGED) {
                                secret_free(one_by_one);
                                one_by_one = TAKE_PTR(next);
                        }
                }
                a = at_once ? secret_peek(at_once) : (struct iovec){ old, strlen(old) };
                b = secret_peek(one_by_one);
                check_wishes(b.iov_base, b.iov_len, entries, n);
                for (size_t k = 0; k < N_KEYS; k++)
                        assert_int_equal(auth_file_has(a.iov_base, a.iov_len, key_meanings[k]),
                                         auth_file_has(b.iov_base, b.iov_len, key_meanings[k]));
                free_wishes(entries, n);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(merging_loses_no_foreign_byte_and_does_what_was_asked),
                cmocka_unit_test(what_was_added_is_taken_out_without_a_trace),
                cmocka_unit_test(the_order_of_merges_does_not_matter_to_what_stands_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
