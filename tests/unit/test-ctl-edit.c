/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an editor is given and gives back, and a file as it would be among the others. */

#include "base/text.h"
#include "ctl/edit-text.h"
#include "ctl/offline.h"
#include "ctl/render.h"
#include "unit.h"

static void round_trip(const char *text, const char *expected) {
        const EditShown shown[] = { { "/etc/a.job", "[Job]\n\nRobot=a+b" }, { "/etc/b.conf", "" } };
        _cleanup_free_ char *made = NULL, *taken = NULL;

        assert_int_equal(edit_text_make("/etc/x.conf", text, shown, ELEMENTSOF(shown), &made), 0);
        assert_non_null(strstr(made, "\n### /etc/a.job\n# [Job]\n#\n# Robot=a+b\n"));
        assert_int_equal(edit_text_take(made, &taken), 0);
        assert_string_equal(taken, expected);
}

static void what_goes_in_comes_out(void **state) {
        round_trip("", "");
        round_trip("[Job]\nRobot=a+b\n", "[Job]\nRobot=a+b\n");
        round_trip("[Job]\nRobot=a+b", "[Job]\nRobot=a+b\n");
        round_trip("\n\n  # x\n\n[Job]\n\n\n", "# x\n\n[Job]\n");
}

static void explanations_that_are_gone_are_not_missed(void **state) {
        _cleanup_free_ char *a = NULL, *b = NULL, *c = NULL;

        assert_int_equal(edit_text_take("[Job]\nRobot=a+b", &a), 0);
        assert_string_equal(a, "[Job]\nRobot=a+b\n");
        assert_int_equal(edit_text_take("### Everything from this line on is thrown away; x\n[Job]\n", &b),
                         0);
        assert_string_equal(b, "");
        assert_int_equal(edit_text_take("### What stands from here on becomes /x", &c), 0);
        assert_string_equal(c, "");
}

static void templates_are_for_kinds(void **state) {
        assert_non_null(startswith(strstr(edit_text_template(".job"), "[Job]"), "[Job]\nRegistry=\n"));
        assert_non_null(strstr(edit_text_template(".identity"), "[Identity]\n"));
        assert_string_equal(edit_text_template(".other"), "");
}

static void a_definition_is_called_in_two_ways(void **state) {
        static const struct {
                const char *text, *name, *file;
                ConfigurationKind kind;
        } rows[] = {
                { "edge", "edge", "edge.job", CONFIGURATION_JOBS },
                { "edge.job", "edge", "edge.job", CONFIGURATION_JOBS },
                { "node.identity", "node", "node.identity", CONFIGURATION_IDENTITIES },
                { "a.b", "a.b", "a.b.job", CONFIGURATION_JOBS },
        };
        static const char *const wrong[] = { "", ".job", "-x", "../x", "a/b", ".identity", "a b" };
        DefinitionName n;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(definition_name_parse(&n, rows[i].text), 0);
                assert_string_equal(n.name, rows[i].name);
                assert_string_equal(n.file, rows[i].file);
                assert_int_equal(n.kind, rows[i].kind);
                definition_name_done(&n);
        }
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_int_equal(definition_name_parse(&n, wrong[i]), -EINVAL);
}

/* The scopes of the job "edge" in a tree where a file holds `data`. */
static char *scopes_with(const char *root, const char *path, const char *data, bool drop_in) {
        DefinitionName name = { CONFIGURATION_JOBS, (char *) "edge", (char *) "edge.job" };
        const OfflineChange change = { &name, path, data, strlen(data), drop_in };
        _cleanup_(configuration_freep) Configuration *c = NULL;
        char *joined = NULL;

        assert_ok(offline_load(root, &change, &c));
        assert_int_equal(c->n_jobs, 1);
        assert_ok(strv_join(c->jobs[0].config->scopes, " ", &joined));
        return joined;
}

static void a_change_counts_where_its_file_would(void **state) {
        const char *root = *state;
        static const struct {
                const char *path, *data, *scopes;
                bool drop_in;
        } rows[] = {
                { "/etc/pullauth/jobs/edge.job", "[Job]\nRegistry=r\nRobot=a+b\nScopes=a/main\n",
                  "r/a/main r/a/10 r/a/30", false },
                { "/etc/pullauth/jobs/edge.job.d/20-x.conf", "[Job]\nScopes=a/20\n",
                  "q/a/usr q/a/10 q/a/20 q/a/30", true },
                { "/etc/pullauth/jobs/edge.job.d/00-x.conf", "[Job]\nScopes=\n", "q/a/10 q/a/30", true },
                { "/etc/pullauth/jobs/edge.job.d/90-x.conf", "[Job]\nScopes=\nScopes=a/90\n", "q/a/90",
                  true },
                /* in the place of one of the same name */
                { "/etc/pullauth/jobs/edge.job.d/10-x.conf", "[Job]\nScopes=a/new\n",
                  "q/a/usr q/a/new q/a/30", true },
        };

        write_file(root, "usr/lib/pullauth/jobs/edge.job", "[Job]\nRegistry=q\nRobot=a+b\nScopes=a/usr\n");
        write_file(root, "usr/lib/pullauth/jobs/edge.job.d/10-x.conf", "[Job]\nScopes=a/10\n");
        write_file(root, "etc/pullauth/jobs/edge.job.d/30-x.conf", "[Job]\nScopes=a/30\n");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *path = NULL, *scopes = NULL;

                assert_ok(text_format(&path, "%s%s", root, rows[i].path));
                scopes = scopes_with(root, path, rows[i].data, rows[i].drop_in);
                assert_string_equal(scopes, rows[i].scopes);
        }
}

static void a_definition_that_is_not_there_yet_is_added(void **state) {
        _cleanup_free_ char *scopes =
                scopes_with(*state, "/x/edge.job", "[Job]\nRegistry=q\nRobot=a+b\n", /* drop_in= */ false);

        assert_string_equal(scopes, "q/a");
}

static void findings_have_the_form_of_compilers(void **state) {
        static const Style style = { .utf8 = true, .legend = true }, bare = { .utf8 = true };
        ShownMessage items[] = {
                { (char *) "error", 3, (char *) "/a.job", (char *) "Bad" },
                { (char *) "warning", 0, (char *) "/b.job", (char *) "Odd" },
        };
        const ShownMessages l = { items, ELEMENTSOF(items) }, none = {};
        char *text = NULL;

        assert_int_equal(render_findings(&l, 7, &style, &text), 0);
        assert_string_equal(text,
                            "/a.job:3: error: Bad\n/b.job: warning: Odd\n7 files, 1 error, 1 warning\n");
        free(text);
        assert_int_equal(render_findings(&none, 1, &style, &text), 0);
        assert_string_equal(text, "1 file, nothing is wrong\n");
        free(text);
        assert_int_equal(render_findings(&none, 0, &style, &text), 0);
        assert_string_equal(text, "There are no files\n");
        free(text);
        assert_int_equal(render_findings(&none, 7, &bare, &text), 0);
        assert_string_equal(text, "");
        free(text);
}

static void the_same_message_is_shown_once_and_clean(void **state) {
        const ConfMessage m = { CONF_ERROR, (char *) "/a\033.job", 3, (char *) "x\ny" };
        ShownMessages l = {};

        assert_int_equal(shown_messages_add(&l, &m), 0);
        assert_int_equal(shown_messages_add(&l, &m), 0);
        assert_int_equal(l.n_items, 1);
        assert_string_equal(l.items[0].file, "/a .job");
        assert_string_equal(l.items[0].text, "x y");
        assert_string_equal(l.items[0].severity, "error");
        shown_messages_done(&l);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_goes_in_comes_out),
                cmocka_unit_test(explanations_that_are_gone_are_not_missed),
                cmocka_unit_test(templates_are_for_kinds),
                cmocka_unit_test(a_definition_is_called_in_two_ways),
                cmocka_unit_test_setup_teardown(a_change_counts_where_its_file_would, setup_scratch,
                                                teardown_scratch),
                cmocka_unit_test_setup_teardown(a_definition_that_is_not_there_yet_is_added, setup_scratch,
                                                teardown_scratch),
                cmocka_unit_test(findings_have_the_form_of_compilers),
                cmocka_unit_test(the_same_message_is_shown_once_and_clean),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
