/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is read off a file's layout, level by level, and what is not. */

#include "unit.h"

#include "base/text.h"
#include "model/auth-style.h"

static AuthStyle detect(const char *text) {
        JsonMembers top = {}, entries = {};
        const JsonMember *auths;
        AuthStyle s = {};

        assert_ok(json_text_check(text, strlen(text), NULL));
        assert_ok(json_text_members(text, json_text_root(text, strlen(text)), &top));
        auths = json_members_find(&top, "auths");
        if (auths)
                assert_ok(json_text_members(text, auths->value, &entries));
        assert_int_equal(auth_style_detect(&s, text, &top, auths ? &entries : NULL), 0);
        json_members_done(&top);
        json_members_done(&entries);
        return s;
}

static void assert_level(const AuthObjectStyle *s, const char *open, const char *colon, const char *close) {
        assert_string_equal(s->open, open);
        assert_string_equal(s->colon, colon);
        assert_string_equal(s->close, close);
}

static void an_empty_file_gets_the_style_of_podman(void **state) {
        AuthStyle s = detect("{}");

        assert_level(&s.top, "\n\t", ": ", "\n");
        assert_level(&s.entries, "\n\t\t", ": ", "\n\t");
        assert_level(&s.entry, "\n\t\t\t", ": ", "\n\t\t");
}

static void the_top_level_tells_the_unit_of_indentation(void **state) {
        AuthStyle s = detect("{\r\n   \"z\" :1\r\n}");

        assert_level(&s.top, "\r\n   ", " :", "\r\n");
        assert_level(&s.entries, "\r\n      ", " :", "\r\n   ");
        assert_level(&s.entry, "\r\n         ", " :", "\r\n      ");
}

static void one_line_stays_one_line(void **state) {
        AuthStyle s = detect("{ \"auths\":{} }");

        assert_level(&s.top, " ", ":", " ");
        assert_level(&s.entries, "", ":", "");
        assert_level(&s.entry, "", ":", "");
}

static void entries_tell_more_than_the_top(void **state) {
        AuthStyle s = detect("{\"auths\":{\n    \"x\": null\n}}");

        assert_level(&s.top, "", ":", "");
        assert_level(&s.entries, "\n    ", ": ", "\n");
        assert_level(&s.entry, "\n      ", ": ", "\n    ");
}

static void the_last_entry_with_something_in_it_tells_most(void **state) {
        AuthStyle s =
                detect("{\n\t\"auths\": {\n\t\t\"w\": {\"auth\": \"\"},\n\t\t\"x\": { \"a\" :1, \"b\"\t:2 },"
                       "\n\t\t\"y\": {},\n\t\t"
                       "\"z\": [{\"auth\":1}]\n\t}\n}");

        assert_level(&s.entries, "\n\t\t", ": ", "\n\t");
        assert_level(&s.entry, " ", "\t:", " ");
}

static void only_the_last_line_of_blanks_is_indentation(void **state) {
        AuthStyle s = detect("{\n\n  \n  \"auths\": {}\n}");

        assert_level(&s.top, "\n\n  \n  ", ": ", "\n");
        assert_level(&s.entries, "\n    ", ": ", "\n  ");
}

static void absurd_blanks_are_nobody_s_style(void **state) {
        char text[512] = "{\n\t\"auths\":";
        AuthStyle s;

        memset(text + strlen(text), ' ', AUTH_BLANKS_MAX + 1);
        strcat(text, "{");
        memset(text + strlen(text), '\t', AUTH_BLANKS_MAX + 1);
        strcat(text, "\"x\": {\"auth\":\"\"}}}");
        s = detect(text);
        assert_level(&s.top, "\n\t", ": ", "");
        assert_level(&s.entries, "\n\t\t", ": ", "");
        assert_level(&s.entry, "", ":", "");
}

static void deep_indentation_fits(void **state) {
        char text[512] = "{\n", open[256] = "\n";
        AuthStyle s;

        memset(text + 2, '\t', AUTH_BLANKS_MAX - 1);
        strcat(text, "\"z\":1}");
        s = detect(text);
        memset(open + 1, '\t', (size_t) 3 * (AUTH_BLANKS_MAX - 1));
        assert_string_equal(s.entry.open, open);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_file_gets_the_style_of_podman),
                cmocka_unit_test(the_top_level_tells_the_unit_of_indentation),
                cmocka_unit_test(one_line_stays_one_line),
                cmocka_unit_test(entries_tell_more_than_the_top),
                cmocka_unit_test(the_last_entry_with_something_in_it_tells_most),
                cmocka_unit_test(only_the_last_line_of_blanks_is_indentation),
                cmocka_unit_test(absurd_blanks_are_nobody_s_style),
                cmocka_unit_test(deep_indentation_fits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
