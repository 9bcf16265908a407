/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files of one kind over the three places: precedence, drop-ins, masks, and files that are not to be
 * believed. */

#include "unit.h"

#include "base/text.h"
#include "io/conf-tree.h"

static ConfTree *load(const char *root, Conf *messages, size_t *ret_n) {
        ConfTree *trees = NULL;

        assert_ok(conf_tree_load(root, &(ConfKind){ "jobs", ".job" }, messages, &trees, ret_n));
        return trees;
}

static const char *last_value(const Conf *c, const char *key) {
        const char *value = NULL;

        for (size_t i = 0; i < c->n_assignments; i++)
                if (streq(c->assignments[i].key, key))
                        value = c->assignments[i].value;
        return value;
}

static void nothing_is_no_error(void **state) {
        _cleanup_conf_ Conf *messages = NULL;
        ConfTree *t;
        size_t n;

        assert_ok(conf_new(&messages));
        t = load(*state, messages, &n);
        conf_tree_free_many(t, n);
        assert_int_equal(n, 0);
        assert_int_equal(messages->n_messages, 0);
}

static void higher_places_win_and_masks_hide(void **state) {
        _cleanup_conf_ Conf *messages = NULL;
        char path[256];
        ConfTree *t;
        size_t n;

        assert_ok(conf_new(&messages));
        write_file(*state, "usr/lib/pullauth/jobs/a.job", "[Job]\nK=usr\n");
        write_file(*state, "run/pullauth/jobs/a.job", "[Job]\nK=run\n");
        write_file(*state, "etc/pullauth/jobs/a.job", "[Job]\nK=etc\n");
        write_file(*state, "usr/lib/pullauth/jobs/b.job", "[Job]\nK=usr\n");
        write_file(*state, "usr/lib/pullauth/jobs/c.job", "[Job]\nK=usr\n");
        snprintf(path, sizeof(path), "%s/etc/pullauth/jobs/c.job", (char *) *state);
        assert_int_equal(symlink("/dev/null", path), 0);
        t = load(*state, messages, &n);
        assert_int_equal(n, 2);
        assert_string_equal(t[0].name, "a");
        assert_string_equal(last_value(t[0].conf, "K"), "etc");
        assert_int_equal(t[0].conf->n_assignments, 1);
        assert_string_equal(t[1].name, "b");
        conf_tree_free_many(t, n);
}

static void drop_ins_follow_in_the_order_of_their_names(void **state) {
        _cleanup_conf_ Conf *messages = NULL;
        char path[256];
        ConfTree *t;
        size_t n;

        assert_ok(conf_new(&messages));
        write_file(*state, "etc/pullauth/jobs/a.job", "[Job]\nK=main\n");
        write_file(*state, "etc/pullauth/jobs/a.job.d/10-x.conf", "[Job]\nK=ten\n");
        write_file(*state, "usr/lib/pullauth/jobs/a.job.d/20-x.conf", "[Job]\nK=twenty-usr\n");
        write_file(*state, "run/pullauth/jobs/a.job.d/20-x.conf", "[Job]\nK=twenty-run\n");
        write_file(*state, "usr/lib/pullauth/jobs/a.job.d/30-x.conf", "[Job]\nK=thirty\n");
        write_file(*state, "etc/pullauth/jobs/a.job.d/README", "[Job]\nK=no\n");
        snprintf(path, sizeof(path), "%s/etc/pullauth/jobs/a.job.d/30-x.conf", (char *) *state);
        assert_int_equal(symlink("/dev/null", path), 0);
        t = load(*state, messages, &n);
        assert_int_equal(n, 1);
        assert_string_equal(last_value(t[0].conf, "K"), "twenty-run");
        assert_int_equal(t[0].conf->n_assignments, 3);
        assert_int_equal(strv_length(t[0].conf->files), 3);
        conf_tree_free_many(t, n);
}

static void what_is_unsafe_or_unreadable_is_an_error_of_its_own(void **state) {
        static const char *const names[] = { "dir", "fifo", "open", "good" };
        _cleanup_conf_ Conf *messages = NULL;
        char path[256];
        ConfTree *t;
        size_t n;

        assert_ok(conf_new(&messages));
        write_file(*state, "etc/pullauth/jobs/good.job", "[Job]\nK=1\n");
        write_file(*state, "etc/pullauth/jobs/open.job", "[Job]\nK=1\n");
        snprintf(path, sizeof(path), "%s/etc/pullauth/jobs/open.job", (char *) *state);
        assert_int_equal(chmod(path, 0666), 0);
        snprintf(path, sizeof(path), "%s/etc/pullauth/jobs/dir.job", (char *) *state);
        assert_int_equal(mkdir(path, 0755), 0);
        snprintf(path, sizeof(path), "%s/etc/pullauth/jobs/fifo.job", (char *) *state);
        assert_int_equal(mkfifo(path, 0644), 0);
        t = load(*state, messages, &n);
        assert_int_equal(n, ELEMENTSOF(names));
        for (size_t i = 0; i < n; i++) {
                bool good = streq(t[i].name, "good");

                assert_int_equal(conf_has_error(t[i].conf), !good);
                if (!good)
                        assert_non_null(strstr(t[i].conf->messages[0].file, t[i].name));
        }
        conf_tree_free_many(t, n);
}

static void files_that_belong_to_nothing_are_warned_about(void **state) {
        _cleanup_conf_ Conf *messages = NULL;
        ConfTree *t;
        size_t n;

        assert_ok(conf_new(&messages));
        write_file(*state, "etc/pullauth/jobs/-x.job", "[Job]\n");
        write_file(*state, "etc/pullauth/jobs/lost.job.d/10-x.conf", "[Job]\n");
        t = load(*state, messages, &n);
        conf_tree_free_many(t, n);
        assert_int_equal(n, 0);
        assert_int_equal(messages->n_messages, 2);
        assert_int_equal(messages->messages[0].severity, CONF_WARNING);
}

static int note(size_t kind, const char *name, Conf *conf, void *userdata) {
        _cleanup_conf_ Conf *owned = conf;
        char *seen = userdata;

        snprintf(seen + strlen(seen), 64, "%zu %s %s;", kind, name, strempty(last_value(conf, "K")));
        return streq(name, "stop") ? -ECANCELED : 0;
}

static void several_kinds_are_handed_over_one_after_the_other(void **state) {
        const ConfKind kinds[] = { { "identities", ".identity" }, { "jobs", ".job" } };
        _cleanup_conf_ Conf *messages = NULL;
        char seen[256] = "";

        assert_ok(conf_new(&messages));
        write_file(*state, "etc/pullauth/jobs/a.job", "[Job]\nK=1\n");
        write_file(*state, "etc/pullauth/identities/z.identity", "[Identity]\nK=2\n");
        write_file(*state, "etc/pullauth/identities/x.job", "[Job]\n");
        assert_int_equal(conf_tree_load_kinds(*state, kinds, 2, messages, note, seen), 0);
        assert_string_equal(seen, "0 z 2;1 a 1;");
        write_file(*state, "etc/pullauth/identities/stop.identity", "[Identity]\n");
        seen[0] = '\0';
        assert_int_equal(conf_tree_load_kinds(*state, kinds, 2, messages, note, seen), -ECANCELED);
        assert_string_equal(seen, "0 stop ;");
}

static void one_file_has_places_and_drop_ins_and_may_be_missing(void **state) {
        const ConfKind kinds[] = { { NULL, "d.conf" }, { "jobs", ".job" } };
        _cleanup_conf_ Conf *none = NULL, *some = NULL, *masked = NULL, *messages = NULL;
        char seen[256] = "", path[256];

        assert_ok(conf_tree_load_file(*state, "d.conf", &none));
        assert_int_equal(none->n_assignments + none->n_messages, 0);
        write_file(*state, "run/pullauth/d.conf.d/20-b.conf", "[M]\nK=run\n");
        write_file(*state, "usr/lib/pullauth/d.conf.d/10-a.conf", "[M]\nK=vendor\n");
        write_file(*state, "usr/lib/pullauth/d.conf", "[M]\nK=below\nL=below\n");
        write_file(*state, "etc/pullauth/d.conf", "[M]\nK=above\n");
        write_file(*state, "etc/pullauth/other.conf", "[M]\nK=other\n");
        assert_ok(conf_tree_load_file(*state, "d.conf", &some));
        assert_int_equal(some->n_assignments, 3);
        assert_string_equal(some->assignments[0].value, "above");
        assert_string_equal(some->assignments[1].value, "vendor");
        assert_string_equal(last_value(some, "K"), "run");
        assert_string_equal(some->files[0] + strlen(*state), "/etc/pullauth/d.conf");
        assert_ok(conf_new(&messages));
        assert_int_equal(conf_tree_load_kinds(*state, kinds, 2, messages, note, seen), 0);
        assert_string_equal(seen, "0 d.conf run;");
        snprintf(path, sizeof(path), "%s/etc/pullauth/d.conf", (char *) *state);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("/dev/null", path), 0);
        assert_ok(conf_tree_load_file(*state, "d.conf", &masked));
        assert_int_equal(masked->n_assignments, 2);
        assert_int_equal(masked->n_messages, 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup_scratch, teardown_scratch)

static void one_definition_as_it_would_be(void **state) {
        static const ConfKind jobs = { "jobs", ".job" };
        char main[256], drop_in[256], other[256];
        const ConfOverlay overlays[] = { { drop_in, "[Job]\nK=new\n" }, { main, NULL }, { other, NULL } };
        Conf *c = NULL;

        snprintf(main, sizeof(main), "%s/etc/pullauth/jobs/a.job", (char *) *state);
        snprintf(drop_in, sizeof(drop_in), "%s/etc/pullauth/jobs/a.job.d/50-x.conf", (char *) *state);
        snprintf(other, sizeof(other), "%s/run/pullauth/jobs/a.job.d/60-x.conf", (char *) *state);
        assert_int_equal(conf_tree_load_one(*state, &jobs, "a", NULL, 0, &c), 0);
        write_file(*state, "etc/pullauth/jobs/a.job", "[Job]\nK=main\n");
        write_file(*state, "run/pullauth/jobs/a.job.d/60-x.conf", "[Job]\nK=sixty\n");
        assert_int_equal(conf_tree_load_one(*state, &jobs, "a", NULL, 0, &c), 1);
        assert_string_equal(last_value(c, "K"), "sixty");
        c = conf_free(c);
        /* One more file, in a directory that is not there, in its place among the others. */
        assert_int_equal(conf_tree_load_one(*state, &jobs, "a", overlays, 1, &c), 1);
        assert_string_equal(last_value(c, "K"), "sixty");
        assert_int_equal(c->n_assignments, 3);
        assert_string_equal(c->files[1], drop_in);
        c = conf_free(c);
        /* Without the main file there is no definition; without the last file what stands before it
         * counts. */
        assert_int_equal(conf_tree_load_one(*state, &jobs, "a", overlays, 2, &c), 0);
        assert_int_equal(conf_tree_load_one(*state, &jobs, "a",
                                            (const ConfOverlay[]){ overlays[0], overlays[2] }, 2, &c),
                         1);
        assert_string_equal(last_value(c, "K"), "new");
        c = conf_free(c);
        /* A file that is replaced is read once, and as it would be. */
        write_file(*state, "etc/pullauth/jobs/a.job.d/50-x.conf", "[Job]\nK=old\n");
        assert_int_equal(conf_tree_load_one(*state, &jobs, "a", overlays, 1, &c), 1);
        assert_int_equal(c->n_assignments, 3);
        assert_string_equal(c->assignments[1].value, "new");
        c = conf_free(c);
        /* Of two places the higher one has it. */
        write_file(*state, "usr/lib/pullauth/jobs/a.job", "[Job]\nK=usr\n");
        assert_int_equal(conf_tree_load_one(*state, &jobs, "a", overlays + 1, 1, &c), 1);
        assert_string_equal(c->assignments[0].value, "usr");
        conf_free(c);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                test(nothing_is_no_error),
                test(higher_places_win_and_masks_hide),
                test(drop_ins_follow_in_the_order_of_their_names),
                test(what_is_unsafe_or_unreadable_is_an_error_of_its_own),
                test(files_that_belong_to_nothing_are_warned_about),
                test(several_kinds_are_handed_over_one_after_the_other),
                cmocka_unit_test_setup_teardown(one_definition_as_it_would_be, setup_scratch,
                                                teardown_scratch),
                test(one_file_has_places_and_drop_ins_and_may_be_missing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
