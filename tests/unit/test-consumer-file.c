/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which key of a file is taken for an image, by the rules of each family of tools. (Against the real skopeo
 * and podman: tests/quay/test_which.py.) */

#include "unit.h"

#include "base/text.h"
#include "model/consumer-file.h"

#define A "{\"auth\":\"YTpzZWNyZXQ=\"}" /* a:secret */
#define B "{\"auth\":\"YjpzZWNyZXQ=\"}"
#define C "{\"auth\":\"YzpzZWNyZXQ=\"}"

/* "KIND key user" */
static void check(const char *text, ConsumerMatch match, bool legacy, const char *image,
                  const char *expected) {
        _cleanup_(consumer_file_freep) ConsumerFile *f = NULL;
        static const char *const kinds[_FOUND_KIND_MAX] = { "nothing", "credential", "empty", "helper",
                                                            "broken" };
        _cleanup_free_ char *shown = NULL;
        JsonError error;
        Found found;

        assert_int_equal(consumer_file_new(text, strlen(text), legacy, &f, &error), 0);
        assert_int_equal(consumer_file_find(f, match, image, &found), 0);
        assert_int_equal(text_format(&shown, "%s%s%s%s%s", kinds[found.kind], found.key ? " " : "",
                                     strempty(found.key), found.user || found.helper ? " " : "",
                                     strempty(found.user ?: found.helper)),
                         0);
        assert_string_equal(shown, expected);
        assert_int_equal(!found.rule, found.kind == FOUND_NOTHING);
        found_done(&found);
}

static void check_path(const char *auths, const char *image, const char *expected) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(text_format(&text, "{\"auths\":{%s}}", auths), 0);
        check(text, MATCH_PATH, false, image, expected);
}

static void the_longest_path_of_whole_components_wins(void **state) {
        const char *all = "\"q.io\":" A ",\"q.io/acme\":" B ",\"q.io/acme/app\":" C;

        check_path(all, "q.io/acme/app", "credential q.io/acme/app c");
        check_path(all, "q.io/acme/apples", "credential q.io/acme b");
        check_path(all, "q.io/acmes/app", "credential q.io a");
        check_path(all, "q.io:443/acme/app", "nothing");
        check_path("\"q.io/acme/app/x\":" A, "q.io/acme/app", "nothing");
        check_path("\"q.io/acm\":" A, "q.io/acme/app", "nothing");
}

static void an_entry_without_a_credential_stops_the_search(void **state) {
        check_path("\"q.io\":" A ",\"q.io/acme\":{}", "q.io/acme/app", "empty q.io/acme");
        check_path("\"q.io\":" A ",\"q.io/acme\":null", "q.io/acme/app", "empty q.io/acme");
        check_path("\"q.io\":{\"auth\":\"\"}", "q.io/acme/app", "empty q.io");
        /* "nocolon" and ":" */
        check_path("\"q.io\":{\"auth\":\"bm9jb2xvbg==\"}", "q.io/acme/app", "empty q.io");
        check_path("\"q.io\":{\"auth\":\"Og==\"}", "q.io/acme/app", "empty q.io");
        check_path("\"q.io\":{\"username\":\"a\",\"password\":\"b\"}", "q.io/acme/app", "empty q.io");
        check_path("\"q.io\":{\"auth\":\"%\"}", "q.io/acme/app", "broken q.io");
}

static void keys_as_docker_writes_them_come_last(void **state) {
        check_path("\"https://q.io/v1/\":" A, "q.io/acme/app", "credential https://q.io/v1/ a");
        check_path("\"http://q.io\":" A ",\"q.io\":" B, "q.io/acme/app", "credential q.io b");
        check_path("\"https://index.docker.io/v1/\":" A, "docker.io/library/busybox",
                   "credential https://index.docker.io/v1/ a");
        check_path("\"q.io/v1/\":" A, "q.io/acme/app", "nothing");
}

static void a_program_comes_before_the_keys_of_its_file(void **state) {
        const char *text = "{\"auths\":{\"q.io/acme\":" A "},\"credHelpers\":{\"q.io\":\"x\"}}";

        check(text, MATCH_PATH, false, "q.io/acme/app", "helper docker-credential-x");
        check(text, MATCH_HOST, false, "q.io/acme/app", "helper docker-credential-x");
        check(text, MATCH_GLOB, false, "q.io/acme/app", "credential q.io/acme a");
        check(text, MATCH_PATH, false, "r.io/acme/app", "nothing");
        text = "{\"credsStore\":\"s\"}";
        check(text, MATCH_HOST, false, "q.io/acme/app", "helper docker-credential-s");
        check(text, MATCH_PATH, false, "q.io/acme/app", "nothing");
}

static void docker_looks_for_the_registry_alone(void **state) {
        const char *text = "{\"auths\":{\"q.io\":" A ",\"q.io/acme\":" B ",\"r.io/acme\":" C
                           ",\"https://index.docker.io/v1/\":" C ",\"s.io\":{\"username\":\"u\"}}}";

        check(text, MATCH_HOST, false, "q.io/acme/app", "credential q.io a");
        check(text, MATCH_HOST, false, "r.io/other/app", "credential r.io/acme c");
        check(text, MATCH_HOST, false, "docker.io/library/a", "credential https://index.docker.io/v1/ c");
        check(text, MATCH_HOST, false, "s.io/a", "credential s.io u");
        check(text, MATCH_HOST, false, "t.io/a", "nothing");
}

static void the_kubelet_takes_patterns_and_beginnings(void **state) {
        const char *text = "{\"auths\":{\"*.q.io\":" A ",\"q.io\":" B ",\"q.io/acme\":" C
                           ",\"https://r.io/v1/\":" A ",\"s.io:5000\":" B "}}";

        check(text, MATCH_GLOB, false, "q.io/acme/app", "credential q.io/acme c");
        check(text, MATCH_GLOB, false, "q.io/acmes/app", "credential q.io/acme c");
        check(text, MATCH_GLOB, false, "q.io/other/app", "credential q.io b");
        check(text, MATCH_GLOB, false, "x.q.io/other/app", "credential *.q.io a");
        check(text, MATCH_GLOB, false, "x.y.q.io/other/app", "nothing");
        check(text, MATCH_GLOB, false, "r.io/app", "credential https://r.io/v1/ a");
        check(text, MATCH_GLOB, false, "s.io/app", "nothing");
        check(text, MATCH_GLOB, false, "s.io:5000/app", "credential s.io:5000 b");
}

static void the_old_format_knows_hosts_alone(void **state) {
        const char *text = "{\"q.io\":" A ",\"q.io/acme\":" B ",\"r.io/v1/\":" C "}";

        check(text, MATCH_PATH, true, "q.io/acme/app", "credential q.io a");
        check(text, MATCH_PATH, true, "r.io/acme/app", "credential r.io/v1/ c");
}

static void what_is_no_such_file_is_refused(void **state) {
        static const struct {
                const char *text, *what;
                size_t line, column;
        } rows[] = {
                { "", "empty", 1, 1 },
                { "[]", "not an object", 1, 1 },
                { "{\n \"auths\": 1}", "\"auths\" is not an object", 2, 11 },
                { "{\"auths\":{\"a\":\"b\"}}", "an entry is not an object", 1, 15 },
                { "{\"auths\":{\"a\":{\"auth\":null},\"b\":{\"auth\":5}}}", "not a string", 1, 41 },
                { "{\"auths\":{\"a\":{\"x\":1,\"identitytoken\":[]}}}", "not a string", 1, 38 },
                { "{\"credHelpers\":{\"a\":null,\"b\":{}}}", "the name of a program is not a string", 1,
                  30 },
                { "{\"credHelpers\":[]}", "\"credHelpers\" is not an object", 1, 16 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ConsumerFile *f = NULL;
                JsonError error = {};

                assert_int_equal(consumer_file_new(rows[i].text, strlen(rows[i].text), false, &f, &error),
                                 -EBADMSG);
                assert_string_equal(error.what, rows[i].what);
                assert_int_equal(error.line, rows[i].line);
                assert_int_equal(error.column, rows[i].column);
        }
}

static void users_are_told_and_secrets_are_not(void **state) {
        const char *text = "{\"auths\":{\"q.io\":" A ",\"r.io\":{}}}";
        _cleanup_(consumer_file_freep) ConsumerFile *f = NULL;
        _cleanup_free_ char *user = NULL;
        JsonError error;

        assert_int_equal(consumer_file_new(text, strlen(text), false, &f, &error), 0);
        assert_int_equal(consumer_file_size(f), 2);
        assert_int_equal(consumer_file_user(f, "q.io", &user), 1);
        assert_string_equal(user, "a");
        assert_int_equal(consumer_file_user(f, "r.io", &user), 0);
        assert_int_equal(consumer_file_user(f, "s.io", &user), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_longest_path_of_whole_components_wins),
                cmocka_unit_test(an_entry_without_a_credential_stops_the_search),
                cmocka_unit_test(keys_as_docker_writes_them_come_last),
                cmocka_unit_test(a_program_comes_before_the_keys_of_its_file),
                cmocka_unit_test(docker_looks_for_the_registry_alone),
                cmocka_unit_test(the_kubelet_takes_patterns_and_beginnings),
                cmocka_unit_test(the_old_format_knows_hosts_alone),
                cmocka_unit_test(what_is_no_such_file_is_refused),
                cmocka_unit_test(users_are_told_and_secrets_are_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
