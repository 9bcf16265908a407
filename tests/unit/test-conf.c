/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Configuration text to assignments and messages, and assignments to a table of keys. */

#include "draw.h"

#include "base/text.h"
#include "codec/conf.h"

#define FILE_NAME "/etc/pullauth/jobs/x.job"

static Conf *parse_bytes(const char *text, size_t size) {
        Conf *c = NULL;

        assert_ok(conf_new(&c));
        assert_int_equal(conf_parse(c, FILE_NAME, text, size), 0);
        return c;
}

static Conf *parse(const char *text) {
        return parse_bytes(text, strlen(text));
}

static void assert_assignment(const Conf *c, size_t i, unsigned line, const char *section, const char *key,
                              const char *value) {
        const ConfAssignment *a = c->assignments + i;

        assert_true(i < c->n_assignments);
        assert_string_equal(a->section, section);
        assert_string_equal(a->key, key);
        assert_string_equal(a->value, value);
        assert_string_equal(a->file, FILE_NAME);
        assert_int_equal(a->line, line);
}

static void assert_message(const Conf *c, size_t i, ConfSeverity severity, unsigned line, const char *text) {
        const ConfMessage *m = c->messages + i;

        assert_true(i < c->n_messages);
        assert_int_equal(m->severity, severity);
        assert_int_equal(m->line, line);
        assert_string_equal(m->file, FILE_NAME);
        assert_string_equal(m->text, text);
}

static void assignments_come_in_order_with_file_and_line(void **state) {
        _cleanup_conf_ Conf *c = parse("# comment\n[Job]\nA=1\n\n  B = two  words \t\n;x=y\n"
                                       "\t# indented comment\n[X-Other]\nA=\nA==a=b\n");

        assert_int_equal(c->n_messages, 0);
        assert_false(conf_has_error(c));
        assert_int_equal(c->n_assignments, 4);
        assert_assignment(c, 0, 3, "Job", "A", "1");
        assert_assignment(c, 1, 5, "Job", "B", "two  words");
        assert_assignment(c, 2, 9, "X-Other", "A", "");
        assert_assignment(c, 3, 10, "X-Other", "A", "=a=b");
        assert_null(c->files);
}

static void nothing_is_eaten_from_values(void **state) {
        _cleanup_conf_ Conf *c =
                parse("[S]\nA=a ; b # c\nB=\"quoted\"\nC='x\nJ=%i \\ \\n\nE=[x]\nF=\xc3\xa9\xe2\x82\xac\n");

        assert_int_equal(c->n_messages, 0);
        assert_assignment(c, 0, 2, "S", "A", "a ; b # c");
        assert_assignment(c, 1, 3, "S", "B", "\"quoted\"");
        assert_assignment(c, 2, 4, "S", "C", "'x");
        assert_assignment(c, 3, 5, "S", "J", "%i \\ \\n");
        assert_assignment(c, 4, 6, "S", "E", "[x]");
        assert_assignment(c, 5, 7, "S", "F", "\xc3\xa9\xe2\x82\xac");
}

static void a_backslash_at_the_end_continues_the_line(void **state) {
        _cleanup_conf_ Conf *c = parse("[S]\nA=1\\\n2\\\n  3\nB=x \\\n# comment \\\n ; another\n y\n"
                                       "C=a\\\\\nJ=b\\\\\\\nc\nE=e\\\n\nF=f\\ \nG=g\\");

        assert_int_equal(c->n_messages, 0);
        assert_int_equal(c->n_assignments, 7);
        assert_assignment(c, 0, 2, "S", "A", "1 2   3");
        assert_assignment(c, 1, 5, "S", "B", "x   y");
        assert_assignment(c, 2, 9, "S", "C", "a\\\\");
        assert_assignment(c, 3, 10, "S", "J", "b\\\\ c");
        assert_assignment(c, 4, 12, "S", "E", "e");
        assert_assignment(c, 5, 14, "S", "F", "f\\");
        assert_assignment(c, 6, 15, "S", "G", "g");
}

static void a_comment_is_never_continued(void **state) {
        _cleanup_conf_ Conf *c = parse("[S]\n# comment \\\nA=1\n");

        assert_int_equal(c->n_assignments, 1);
        assert_assignment(c, 0, 3, "S", "A", "1");
}

static void files_of_other_editors_are_read(void **state) {
        _cleanup_conf_ Conf *c = parse("\xef\xbb\xbf[S]\r\nA=1\\\r\n2\r\n\r\nB=3"), *empty = parse("");

        assert_int_equal(c->n_messages, 0);
        assert_assignment(c, 0, 2, "S", "A", "1 2");
        assert_assignment(c, 1, 5, "S", "B", "3");
        assert_int_equal(empty->n_messages + empty->n_assignments, 0);
}

static void lines_that_cannot_be_read_are_errors_and_the_rest_goes_on(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *message;
                size_t n_assignments;
        } rows[] = {
                { "[S]\nnonsense\nA=1\n", 2, "There is no '=' in this line, write Key=Value", 1 },
                { "[S]\n=1\nA=1\n", 2, "There is no key before the '=', write Key=Value", 1 },
                { "A=1\n[S]\nA=1\n", 1, "This line stands before the first [Section]", 1 },
                { "[S]\nA=\xff\nB=1\n", 2, "This line is not UTF-8", 1 },
                { "[S]\nA=\xc3\nB=1\n", 2, "This line is not UTF-8", 1 },
                { "[S]\nA=a\x1b[0m\nB=1\n", 2, "There are control characters in this line", 1 },
                { "[S]\nA=a\x7f\nB=1\n", 2, "There are control characters in this line", 1 },
                { "[S]\nA=a\xc2\x9b\nB=1\n", 2, "There are control characters in this line", 1 },
                { "[S]\nA=a\rb\nB=1\n", 2, "There are control characters in this line", 1 },
                { "[S]\nA=1\\\n\xff\\\n3\nB=1\n", 2, "This line is not UTF-8", 1 },
                { "[S\nA=1\n[T]\nB=1\n", 1, "This is no section header, write [Section]", 1 },
                { "[]\nA=1\n[T]\nB=1\n", 1, "This is no section header, write [Section]", 1 },
                { "[S] x\n[T]\nB=1\n", 1, "This is no section header, write [Section]", 1 },
                { "[S]]\n[T]\nB=1\n", 1, "This is no section header, write [Section]", 1 },
                { "[[S]\n[T]\nB=1\n", 1, "This is no section header, write [Section]", 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_conf_ Conf *c = parse(rows[i].text);

                assert_int_equal(c->n_messages, 1);
                assert_message(c, 0, CONF_ERROR, rows[i].line, rows[i].message);
                assert_true(conf_has_error(c));
                assert_int_equal(c->n_assignments, rows[i].n_assignments);
        }
}

static void a_null_byte_is_a_control_character(void **state) {
        _cleanup_conf_ Conf *c = parse_bytes("[S]\nA=1\0002\nB=1\n\0\n#\0\n", 18);

        assert_int_equal(c->n_messages, 2);
        assert_message(c, 0, CONF_ERROR, 2, "There are control characters in this line");
        assert_message(c, 1, CONF_ERROR, 4, "There are control characters in this line");
        assert_int_equal(c->n_assignments, 1);
}

static void keys_behind_an_unreadable_header_belong_to_no_section(void **state) {
        _cleanup_conf_ Conf *c = parse("[S]\nA=1\n[Broken\nA=2\nA=3\n");

        assert_int_equal(c->n_messages, 1);
        assert_int_equal(c->n_assignments, 1);
}

static void lines_are_bounded(void **state) {
        for (unsigned continued = 0; continued < 2; continued++)
                for (int more = -1; more <= 1; more++) {
                        char *text = malloc(CONF_LINE_MAX + 64), *p = text;
                        _cleanup_conf_ Conf *c = NULL;

                        p = stpcpy(p, "[S]\nA=");
                        memset(p, 'x', CONF_LINE_MAX);
                        p += (int) CONF_LINE_MAX - 2 + more;
                        /* A backslash and a newline become one blank. */
                        if (continued) {
                                memcpy(p - 100, "\\\n", 2);
                                p++;
                        }
                        p = stpcpy(p, "\nB=1\n");
                        c = parse_bytes(text, (size_t) (p - text));
                        free(text);
                        assert_int_equal(c->n_messages, more > 0 ? 1 : 0);
                        assert_int_equal(c->n_assignments, more > 0 ? 1 : 2);
                        if (more > 0)
                                assert_message(c, 0, CONF_ERROR, 2,
                                               "This line is too long, the limit is 16 KiB");
                        assert_assignment(c, c->n_assignments - 1, continued ? 4 : 3, "S", "B", "1");
                }
}

static void a_file_that_is_no_text_does_not_flood(void **state) {
        char text[400] = "[S]\n";
        _cleanup_conf_ Conf *c = NULL;

        for (unsigned i = 0; i < 100; i++)
                strcat(text, "x\n");
        c = parse(text);
        assert_int_equal(c->n_messages, 65);
        assert_message(c, 63, CONF_ERROR, 65, "There is no '=' in this line, write Key=Value");
        assert_message(c, 64, CONF_ERROR, 0, "36 more lines cannot be read");
}

static void several_files_add_up(void **state) {
        _cleanup_conf_ Conf *c = NULL;

        assert_ok(conf_new(&c));
        assert_ok(conf_parse(c, "a", "[S]\nA=1\n", 8));
        assert_ok(conf_parse(c, "b", "A=2\n[S]\nA=3\n", 12));
        assert_int_equal(c->n_assignments, 2);
        assert_string_equal(c->assignments[1].file, "b");
        assert_int_equal(c->n_messages, 1);
        assert_string_equal(c->messages[0].file, "b");
}

static void messages_are_formatted_and_cleaned(void **state) {
        _cleanup_free_ char *with = NULL, *without = NULL;
        _cleanup_conf_ Conf *c = NULL;

        assert_ok(conf_new(&c));
        assert_ok(conf_add_message(c, CONF_WARNING, FILE_NAME, 12, "a %s\x1b[31m\n\xe2\x80\xae%d", "b", 5));
        assert_ok(conf_add_message(c, CONF_WARNING, FILE_NAME, 0, "whole"));
        assert_false(conf_has_error(c));
        assert_ok(conf_message_format(c->messages, &with));
        assert_string_equal(with, FILE_NAME ":12: a b [31m 5");
        assert_ok(conf_message_format(c->messages + 1, &without));
        assert_string_equal(without, FILE_NAME ": whole");
        assert_ok(conf_add_message(c, CONF_ERROR, FILE_NAME, 0, "x"));
        assert_true(conf_has_error(c));
}

typedef struct Taken {
        char log[256];
} Taken;

static int set_any(const ConfAssignment *a, void *userdata, char **reterr) {
        Taken *t = userdata;

        snprintf(t->log + strlen(t->log), sizeof(t->log) - strlen(t->log), "%s.%s=%s;", a->section, a->key,
                 a->value);
        if (streq(a->value, "bad")) {
                *reterr = strdup("This is bad, use good");
                return *reterr ? 1 : -ENOMEM;
        }
        return streq(a->value, "oom") ? -ENOMEM : 0;
}

static const ConfKey keys[] = {
        { "Job", "Registry", set_any }, { "Job", "Robot", set_any },       { "Job", "Scopes", set_any },
        { "Job", "CAFile", set_any },   { "Other", "TokenFile", set_any }, { "Other", "Robot", set_any },
};

static void assignments_reach_their_rows_in_order(void **state) {
        _cleanup_conf_ Conf *c =
                parse("[Job]\nRobot=a\nScopes=x\n[Other]\nRobot=b\n[Job]\nScopes=\nScopes=y\n");
        Taken t = {};

        assert_int_equal(conf_apply(c, keys, ELEMENTSOF(keys), &t), 0);
        assert_string_equal(t.log, "Job.Robot=a;Job.Scopes=x;Other.Robot=b;Job.Scopes=;Job.Scopes=y;");
        assert_int_equal(c->n_messages, 0);
}

static void what_a_row_refuses_is_an_error_with_its_line(void **state) {
        _cleanup_conf_ Conf *c = parse("[Job]\nRobot=a\n\nRobot=bad\nScopes=z\n"),
                            *oom = parse("[Job]\nRobot=oom\n");
        Taken t = {};

        assert_int_equal(conf_apply(c, keys, ELEMENTSOF(keys), &t), 0);
        assert_string_equal(t.log, "Job.Robot=a;Job.Robot=bad;Job.Scopes=z;");
        assert_int_equal(c->n_messages, 1);
        assert_message(c, 0, CONF_ERROR, 4, "This is bad, use good");
        assert_int_equal(conf_apply(oom, keys, ELEMENTSOF(keys), &t), -ENOMEM);
}

static void unknown_keys_are_warnings_that_name_a_near_key(void **state) {
        static const struct {
                const char *text, *message;
        } rows[] = {
                { "[Job]\nScope=1",
                  "Unknown key 'Scope' in section [Job] (did you mean 'Scopes'?), ignoring" },
                { "[Job]\nscopes=1",
                  "Unknown key 'scopes' in section [Job] (did you mean 'Scopes'?), ignoring" },
                { "[Job]\nSocpes=1",
                  "Unknown key 'Socpes' in section [Job] (did you mean 'Scopes'?), ignoring" },
                { "[Job]\nCaFile=1",
                  "Unknown key 'CaFile' in section [Job] (did you mean 'CAFile'?), ignoring" },
                { "[Job]\nRegistri=1",
                  "Unknown key 'Registri' in section [Job] (did you mean 'Registry'?), ignoring" },
                { "[Job]\nRegsitrie=1", "Unknown key 'Regsitrie' in section [Job], ignoring" },
                { "[Job]\nRobt=1", "Unknown key 'Robt' in section [Job] (did you mean 'Robot'?), ignoring" },
                { "[Job]\nTokenFile=1", "Unknown key 'TokenFile' in section [Job], ignoring" },
                { "[Job]\nColour=red", "Unknown key 'Colour' in section [Job], ignoring" },
                { "[Job]\nA=1", "Unknown key 'A' in section [Job], ignoring" },
                { "[job]\nRobot=1", "Unknown key 'Robot' in section [job] (did you mean [Job]?), ignoring" },
                { "[Jobs]\nRobot=1",
                  "Unknown key 'Robot' in section [Jobs] (did you mean [Job]?), ignoring" },
                { "[Unit]\nRobot=1", "Unknown key 'Robot' in section [Unit], ignoring" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_conf_ Conf *c = parse(rows[i].text);
                Taken t = {};

                assert_int_equal(conf_apply(c, keys, ELEMENTSOF(keys), &t), 0);
                assert_int_equal(c->n_messages, 1);
                assert_message(c, 0, CONF_WARNING, 2, rows[i].message);
                assert_string_equal(t.log, "");
                assert_false(conf_has_error(c));
        }
}

static void long_names_are_shown_in_part(void **state) {
        _cleanup_conf_ Conf *c = NULL;
        char text[3000] = "[Job]\n";
        Taken t = {};

        memset(text + 6, 'k', 2500);
        strcpy(text + 2506, "=1\n");
        c = parse(text);
        assert_int_equal(conf_apply(c, keys, ELEMENTSOF(keys), &t), 0);
        assert_int_equal(c->n_messages, 1);
        assert_in_range(strlen(c->messages[0].text), 64, 120);
        assert_non_null(endswith(c->messages[0].text, "\xe2\x80\xa6' in section [Job], ignoring"));
}

static void what_begins_with_x_is_free(void **state) {
        _cleanup_conf_ Conf *c = parse("[Job]\nX-Robot=1\n[X-Mine]\nanything=1\n");
        Taken t = {};

        assert_int_equal(conf_apply(c, keys, ELEMENTSOF(keys), &t), 0);
        assert_int_equal(c->n_messages, 0);
        assert_string_equal(t.log, "");
}

/* What was read, written again in the plainest form, reads the same. */
static void what_is_read_reads_the_same_when_written_again(void **state) {
        static const char *const pieces[] = { "[A]", "[B C]", "K", "=",  " ",        "\n",   "\n", "v",
                                              "\\",  "#",     ";", "\t", "\xc3\xa9", "\r\n", "]",  "[" };
        size_t n_assignments = 0;
        Draw d = { 11 };

        for (unsigned i = 0; i < 20000; i++) {
                _cleanup_conf_ Conf *c = NULL, *again = NULL;
                char text[256] = "[A]\n", copy[4096] = "";
                size_t n = 0;

                for (uint64_t k = draw_below(&d, 40); k > 0; k--)
                        strcat(text, pieces[draw_below(&d, ELEMENTSOF(pieces))]);
                c = parse(text);
                for (size_t k = 0; k < c->n_assignments; k++) {
                        const ConfAssignment *a = c->assignments + k;

                        /* An odd number of backslashes at the end continues the line: it ends in a blank
                         * then. */
                        n += (size_t) snprintf(copy + n, sizeof(copy) - n, "[%s]\n%s=%s \n", a->section,
                                               a->key, a->value);
                }
                again = parse(copy);
                assert_int_equal(again->n_messages, 0);
                assert_int_equal(again->n_assignments, c->n_assignments);
                for (size_t k = 0; k < c->n_assignments; k++)
                        assert_assignment(again, k, (unsigned) (2 * k + 2), c->assignments[k].section,
                                          c->assignments[k].key, c->assignments[k].value);
                n_assignments += c->n_assignments;
        }
        assert_true(n_assignments > 2000);
}

static void a_file_can_move_to_another_place(void **state) {
        _cleanup_conf_ Conf *from = NULL, *to = NULL;
        char text[64];

        assert_ok(conf_new(&from));
        assert_ok(conf_new(&to));
        for (int i = 0; i < 9; i++) {
                const char *file = i % 2 == 0 ? "even" : "odd";

                snprintf(text, sizeof(text), "[A]\nK=%d\nwrong\n", i);
                if (i < 2)
                        assert_ok(strv_append(&from->files, file));
                assert_ok(conf_parse(from, file, text, strlen(text)));
        }
        assert_ok(conf_move_file(from, "odd", to));
        assert_ok(conf_parse(to, "new", "[A]\nK=new\nwrong\n", 16));
        assert_ok(conf_move_file(from, "even", to));
        assert_ok(conf_move_file(from, "none", to));
        assert_int_equal(from->n_assignments, 0);
        assert_int_equal(from->n_messages, 0);
        assert_int_equal(to->n_assignments, 10);
        assert_int_equal(to->n_messages, 10);
        assert_string_equal(to->assignments[0].value, "1");
        assert_string_equal(to->assignments[4].value, "new");
        assert_string_equal(to->assignments[9].value, "8");
        assert_string_equal(to->messages[5].file, "even");
        assert_int_equal(strv_length(to->files), 2);
        assert_string_equal(to->files[0], "odd");
}

static void messages_of_one_file_can_be_taken_back(void **state) {
        _cleanup_conf_ Conf *c = NULL;

        assert_ok(conf_new(&c));
        assert_ok(conf_add_message(c, CONF_WARNING, "/a", 1, "one"));
        assert_ok(conf_add_message(c, CONF_ERROR, "/ab", 0, "two"));
        assert_ok(conf_add_message(c, CONF_ERROR, "/a", 0, "three"));
        conf_drop_messages(c, "/a");
        assert_int_equal(c->n_messages, 1);
        assert_string_equal(c->messages[0].text, "two");
        for (int i = 0; i < 20; i++)
                assert_ok(conf_add_message(c, CONF_ERROR, "/c", 0, "more"));
        conf_drop_messages(c, "/c");
        conf_drop_messages(c, "/ab");
        assert_int_equal(c->n_messages, 0);
        assert_ok(conf_add_message(c, CONF_ERROR, "/c", 0, "more"));
        assert_int_equal(c->n_messages, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(assignments_come_in_order_with_file_and_line),
                cmocka_unit_test(nothing_is_eaten_from_values),
                cmocka_unit_test(a_backslash_at_the_end_continues_the_line),
                cmocka_unit_test(a_comment_is_never_continued),
                cmocka_unit_test(files_of_other_editors_are_read),
                cmocka_unit_test(lines_that_cannot_be_read_are_errors_and_the_rest_goes_on),
                cmocka_unit_test(a_null_byte_is_a_control_character),
                cmocka_unit_test(keys_behind_an_unreadable_header_belong_to_no_section),
                cmocka_unit_test(lines_are_bounded),
                cmocka_unit_test(a_file_that_is_no_text_does_not_flood),
                cmocka_unit_test(several_files_add_up),
                cmocka_unit_test(messages_are_formatted_and_cleaned),
                cmocka_unit_test(assignments_reach_their_rows_in_order),
                cmocka_unit_test(what_a_row_refuses_is_an_error_with_its_line),
                cmocka_unit_test(unknown_keys_are_warnings_that_name_a_near_key),
                cmocka_unit_test(long_names_are_shown_in_part),
                cmocka_unit_test(what_begins_with_x_is_free),
                cmocka_unit_test(what_is_read_reads_the_same_when_written_again),
                cmocka_unit_test(a_file_can_move_to_another_place),
                cmocka_unit_test(messages_of_one_file_can_be_taken_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
