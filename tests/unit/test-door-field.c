/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Structures as dictionaries: what goes in comes out, and what is wrong in any way is refused. */

#include "base/text.h"
#include "door-fixture.h"
#include "model/door-field.h"

typedef struct Things {
        char *string, *pem;
        char **strings, **pairs;
        Secret *secret;
        NamedSecrets secrets;
        uint64_t u64;
        int64_t i64;
        int i;
        bool b;
} Things;

typedef struct Other {
        uint64_t number;
} Other;

static const DoorField fields[] = {
        { "String", FIELD_STRING, 0, offsetof(Things, string), 8 },
        { "Strings", FIELD_STRINGS, 0, offsetof(Things, strings), 3 },
        { "Pairs", FIELD_PAIRS, 0, offsetof(Things, pairs), 3 },
        { "Secrets", FIELD_SECRETS, 0, offsetof(Things, secrets), 3 },
        { "Secret", FIELD_SECRET, 0, offsetof(Things, secret), 8 },
        { "Pem", FIELD_PEM, 0, offsetof(Things, pem), 8 },
        { "U64", FIELD_U64, 0, offsetof(Things, u64), 0 },
        { "I64", FIELD_I64, 0, offsetof(Things, i64), 0 },
        { "Int", FIELD_INT, 0, offsetof(Things, i), 0 },
        { "Bool", FIELD_BOOL, 0, offsetof(Things, b), 0 },
        { "Number", FIELD_U64, 1, offsetof(Other, number), 0 },
};

static void things_done(Things *t) {
        free(t->string);
        free(t->pem);
        strv_free(t->strings);
        strv_free(t->pairs);
        named_secrets_done(&t->secrets);
        secret_free(t->secret);
}

static int read_things(sd_bus_message *m, Things *things, Other *other, unsigned *ret_parts) {
        void *const parts[DOOR_PARTS_MAX] = { things, other };

        return door_read_fields(m, fields, ELEMENTSOF(fields), parts, ret_parts);
}

/* Appends an a{sv} of one entry with the given signature and string content, or of two. */
static int read_text(void **state, const char *key, const char *value, unsigned times) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(state);
        _cleanup_(things_done) Things t = {};
        Other o = {};
        unsigned parts;

        assert_ok(sd_bus_message_open_container(m, 'a', "{sv}"));
        for (unsigned i = 0; i < times; i++)
                assert_ok(sd_bus_message_append(m, "{sv}", key, "s", value));
        assert_ok(sd_bus_message_close_container(m));
        seal(m);
        return read_things(m, &t, &o, &parts);
}

static int read_bytes(void **state, const char *key, const char *value, size_t size) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(state);
        _cleanup_(things_done) Things t = {};
        Other o = {};
        unsigned parts;

        assert_ok(sd_bus_message_open_container(m, 'a', "{sv}"));
        assert_ok(sd_bus_message_open_container(m, 'e', "sv"));
        assert_ok(sd_bus_message_append_basic(m, 's', key));
        assert_ok(sd_bus_message_open_container(m, 'v', "ay"));
        assert_ok(sd_bus_message_append_array(m, 'y', value, size));
        assert_ok(sd_bus_message_close_container(m));
        assert_ok(sd_bus_message_close_container(m));
        assert_ok(sd_bus_message_close_container(m));
        seal(m);
        return read_things(m, &t, &o, &parts);
}

/* A dictionary of one entry whose value is another one, with these names as keys. */
static int read_names(void **state, const char *key, const char *type, size_t n, const char *const *names) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(state);
        _cleanup_(things_done) Things t = {};
        Other o = {};
        unsigned parts;
        int r;

        assert_ok(sd_bus_message_open_container(m, 'a', "{sv}"));
        assert_ok(sd_bus_message_open_container(m, 'e', "sv"));
        assert_ok(sd_bus_message_append(m, "s", key));
        assert_ok(sd_bus_message_open_container(m, 'v', type));
        assert_ok(sd_bus_message_open_container(m, 'a', streq(type, "a{ss}") ? "{ss}" : "{say}"));
        for (size_t i = 0; i < n; i++)
                assert_ok(streq(type, "a{ss}") ? sd_bus_message_append(m, "{ss}", names[i], names[i])
                                               : sd_bus_message_append(m, "{say}", names[i], 1, 'x'));
        for (unsigned i = 0; i < 4; i++)
                assert_ok(sd_bus_message_close_container(m));
        seal(m);
        r = read_things(m, &t, &o, &parts);
        if (r >= 0) {
                assert_int_equal(strv_length(t.pairs) / 2 + t.secrets.n_items, n);
                for (size_t i = 0; i < n; i++)
                        assert_string_equal(t.pairs ? t.pairs[2 * i] : t.secrets.items[i].name, names[i]);
        }
        return r;
}

static void named_values_are_few_and_have_different_names(void **state) {
        static const char *const types[] = { "a{ss}", "a{say}" };
        static const char *const keys[] = { "Pairs", "Secrets" };

        for (size_t i = 0; i < 2; i++) {
                const char *const names[] = { "a", "b", "c", "d" }, *const doubled[] = { "a", "b", "a" };

                assert_int_equal(read_names(state, keys[i], types[i], 0, names), 0);
                assert_int_equal(read_names(state, keys[i], types[i], 3, names), 0);
                assert_int_equal(read_names(state, keys[i], types[i], 4, names), -EBADMSG);
                assert_int_equal(read_names(state, keys[i], types[i], 3, doubled), -EBADMSG);
                assert_int_equal(read_names(state, keys[i], types[1 - i], 1, names), -EBADMSG);
        }
}

static void every_kind_of_field_comes_out_as_it_went_in(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(state);
        char *words[] = { (char *) "one", (char *) "", (char *) "drei", NULL };
        _cleanup_secret_ Secret *secret = NULL;
        Other other = { 7 }, o = {};
        _cleanup_(things_done) Things t = {};
        unsigned parts;

        assert_int_equal(secret_new("a\0b\xff", 4, &secret), 0);
        Things things = {
                .string = (char *) "text",
                .pem = (char *) "\xe4\xf6",
                .strings = words,
                .secret = secret,
                .u64 = UINT64_MAX,
                .i64 = INT64_MIN,
                .i = -3,
                .b = true,
        };
        const void *const written[DOOR_PARTS_MAX] = { &things, &other };

        assert_ok(door_append_fields(m, fields, ELEMENTSOF(fields), written));
        seal(m);
        assert_int_equal(read_things(m, &t, &o, &parts), 0);
        assert_int_equal(parts, 3);
        assert_string_equal(t.string, "text");
        assert_string_equal(t.pem, "\xe4\xf6");
        assert_true(strv_equal(t.strings, words));
        assert_true(secret_equal(t.secret, secret));
        assert_true(t.u64 == UINT64_MAX && t.i64 == INT64_MIN && t.i == -3 && t.b);
        assert_int_equal(o.number, 7);
}

static void what_is_not_there_is_left_out(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(state);
        const Other other = { 7 };
        const void *const written[DOOR_PARTS_MAX] = { NULL, &other };
        _cleanup_(things_done) Things t = {};
        Other o = {};
        unsigned parts;

        assert_ok(door_append_fields(m, fields, ELEMENTSOF(fields), written));
        seal(m);
        assert_int_equal(read_things(m, &t, &o, &parts), 0);
        assert_int_equal(parts, 2);
        assert_null(t.string);
        assert_int_equal(o.number, 7);
}

static void empty_values_are_values(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(state);
        _cleanup_secret_ Secret *secret = NULL;
        _cleanup_(things_done) Things t = {};
        Other o = {};
        unsigned parts;

        assert_int_equal(secret_new("", 0, &secret), 0);
        Things things = { .string = (char *) "", .secret = secret };
        const void *const written[DOOR_PARTS_MAX] = { &things };

        assert_ok(door_append_fields(m, fields, ELEMENTSOF(fields), written));
        seal(m);
        assert_int_equal(read_things(m, &t, &o, &parts), 0);
        assert_string_equal(t.string, "");
        assert_non_null(t.secret);
        assert_int_equal(secret_size(t.secret), 0);
}

static void keys_of_another_version_are_skipped(void **state) {
        assert_int_equal(read_text(state, "Tomorrow", "x", 2), 0);
        assert_int_equal(read_bytes(state, "Tomorrow", "x", 1), 0);
}

static void a_key_given_twice_is_refused(void **state) {
        assert_int_equal(read_text(state, "String", "x", 1), 0);
        assert_int_equal(read_text(state, "String", "x", 2), -EBADMSG);
}

static void a_value_of_another_type_is_refused(void **state) {
        for (size_t i = 1; i < ELEMENTSOF(fields); i++)
                assert_int_equal(read_text(state, fields[i].key, "x", 1), -EBADMSG);
        assert_int_equal(read_bytes(state, "String", "x", 1), -EBADMSG);
}

static void what_is_too_long_is_refused(void **state) {
        assert_int_equal(read_text(state, "String", "12345678", 1), 0);
        assert_int_equal(read_text(state, "String", "123456789", 1), -EBADMSG);
        assert_int_equal(read_bytes(state, "Secret", "12345678", 8), 0);
        assert_int_equal(read_bytes(state, "Secret", "123456789", 9), -EBADMSG);
        assert_int_equal(read_bytes(state, "Pem", "12345678", 8), 0);
        assert_int_equal(read_bytes(state, "Pem", "123456789", 9), -EBADMSG);
}

static void a_certificate_is_text(void **state) {
        assert_int_equal(read_bytes(state, "Pem", "a\0b", 3), -EBADMSG);
        assert_int_equal(read_bytes(state, "Pem", "", 0), -EBADMSG);
}

static int read_list(void **state, unsigned n, size_t entry_size) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(state);
        _cleanup_free_ char *entry = calloc(1, entry_size + 1);
        _cleanup_(things_done) Things t = {};
        Other o = {};
        unsigned parts;

        assert_non_null(entry);
        for (size_t i = 0; i < entry_size; i++)
                entry[i] = 'e';
        assert_ok(sd_bus_message_open_container(m, 'a', "{sv}"));
        assert_ok(sd_bus_message_open_container(m, 'e', "sv"));
        assert_ok(sd_bus_message_append_basic(m, 's', "Strings"));
        assert_ok(sd_bus_message_open_container(m, 'v', "as"));
        assert_ok(sd_bus_message_open_container(m, 'a', "s"));
        for (unsigned i = 0; i < n; i++)
                assert_ok(sd_bus_message_append_basic(m, 's', entry));
        for (unsigned i = 0; i < 4; i++)
                assert_ok(sd_bus_message_close_container(m));
        seal(m);
        return read_things(m, &t, &o, &parts);
}

static void lists_have_a_limit_and_so_have_their_entries(void **state) {
        assert_int_equal(read_list(state, 0, 1), 0);
        assert_int_equal(read_list(state, 3, 1), 0);
        assert_int_equal(read_list(state, 4, 1), -EBADMSG);
        assert_int_equal(read_list(state, 1, DOOR_TEXT_MAX), 0);
        assert_int_equal(read_list(state, 1, DOOR_TEXT_MAX + 1), -EBADMSG);
}

static void a_message_that_is_no_dictionary_is_refused(void **state) {
        static const char *const types[] = { "s", "as", "a{ss}", "" };

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(state);
                _cleanup_(things_done) Things t = {};
                Other o = {};
                unsigned parts;

                if (i == 0)
                        assert_ok(sd_bus_message_append(m, "s", "x"));
                else if (i == 1)
                        assert_ok(sd_bus_message_append(m, "as", 1, "x"));
                else if (i == 2)
                        assert_ok(sd_bus_message_append(m, "a{ss}", 1, "String", "x"));
                seal(m);
                assert_int_equal(read_things(m, &t, &o, &parts), -EBADMSG);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(named_values_are_few_and_have_different_names),
                cmocka_unit_test(every_kind_of_field_comes_out_as_it_went_in),
                cmocka_unit_test(what_is_not_there_is_left_out),
                cmocka_unit_test(empty_values_are_values),
                cmocka_unit_test(keys_of_another_version_are_skipped),
                cmocka_unit_test(a_key_given_twice_is_refused),
                cmocka_unit_test(a_value_of_another_type_is_refused),
                cmocka_unit_test(what_is_too_long_is_refused),
                cmocka_unit_test(a_certificate_is_text),
                cmocka_unit_test(lists_have_a_limit_and_so_have_their_entries),
                cmocka_unit_test(a_message_that_is_no_dictionary_is_refused),
        };

        return cmocka_run_group_tests(tests, setup_bus, teardown_bus);
}
