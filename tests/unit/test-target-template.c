/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the specifiers of a target's template stand for. */

#include "unit.h"

#include <errno.h>

#include "base/text.h"
#include "codec/base64.h"
#include "model/target-template.h"

typedef struct Example {
        const char *key, *job, *plain;
        int64_t issued, expires;
} Example;

static const Example examples[] = {
        { "q.example/b", "two", "b+r:s\"2", 1700000000, 1700003600 },
        { "q.example-x/a", "three", "c+r:s3", 1700000000, 1700003601 },
        { "q.example/a/x", "one", "a+r:s:1", 0, 1893456000 },
        { "q.example", "one", "a+r:s:1", 0, 1893456000 },
        { "q.example:8443/a", "four", "d+r:s4", 0, 1 },
        { "[::1]", "four", "d+r:s4", 0, 1 },
};

/* Returns what target_template_render() did, with the first `n` of `from`. */
static int render(const char *text, QuotingLanguage language, const Example *from, size_t n,
                  char *const *variables, Secret **ret, TemplateError *reterr) {
        _cleanup_(template_freep) Template *t = NULL;
        TargetEntry entries[ELEMENTSOF(examples)];
        Secret *plain[ELEMENTSOF(examples)] = {};
        int r;

        assert_ok(template_parse(text, strlen(text), language, &t, reterr));
        for (size_t i = 0; i < n; i++) {
                assert_ok(secret_new_string(from[i].plain, plain + i));
                entries[i] =
                        (TargetEntry){ from[i].key, from[i].job, plain[i], from[i].issued, from[i].expires };
        }
        r = target_template_render(t, entries, n, variables, ret, reterr);
        for (size_t i = 0; i < n; i++)
                secret_free(plain[i]);
        return r;
}

static void letters_stand_for_values(void **state) {
        static const struct {
                size_t from, n;
                const char *text;
                const char *made;
        } rows[] = {
                { 0, 4, "%[%k %#|%]", "q.example 0|q.example/a/x 1|q.example/b 2|q.example-x/a 3|" },
                { 0, 4, "%(%r%|,%)", "q.example,q.example-x" },
                { 1, 3, "%(%h %u %#%|,%)", "q.example a+r 0,q.example-x c+r 1" },
                { 4, 2, "%(%h %r%|,%)", "[::1] [::1],q.example q.example:8443" },
                { 0, 1, "%k %r %n %u %s %a %j", "q.example/b q.example b b+r s\"2 YityOnMiMg== two" },
                { 0, 1, "%i %I %e %E", "1700000000 2023-11-14T22:13:20Z 1700003600 2023-11-14T23:13:20Z" },
                { 2, 2, "%r %u %s %j %e", "q.example a+r s:1 one 1893456000" },
                { 0, 0, "%[%k%]%(%r%)", "" },
                { 0, 0, "%B", "eyJhdXRocyI6e319" },
                { 0, 1, "%{name:x} %{empty:x}y", "web y" },
        };
        char *variables[] = { (char *) "name=web", (char *) "names=z", (char *) "empty=", NULL };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_secret_ Secret *made = NULL;
                TemplateError error;
                int r;

                /* A variable that is empty cannot be written where nothing is quoted. */
                r = render(rows[i].text, strstr(rows[i].text, "empty") ? QUOTING_SHELL : QUOTING_PLAIN,
                           examples + rows[i].from, rows[i].n, variables, &made, &error);
                if (r != 0)
                        fail_msg("'%s': %d: %s: %s", rows[i].text, r, error.which, error.what);
                assert_string_equal(secret_peek(made).iov_base,
                                    strstr(rows[i].text, "empty") ? "web y" : rows[i].made);
        }
}

static void a_whole_file_is_a_value(void **state) {
        _cleanup_secret_ Secret *plain = NULL, *encoded = NULL, *decoded = NULL;
        TemplateError error;

        assert_ok(render("%A", QUOTING_SHELL, examples, 0, NULL, &plain, &error));
        assert_string_equal(secret_peek(plain).iov_base, "\\{\\\"auths\\\":\\{\\}\\}");
        assert_ok(render("%B", QUOTING_PLAIN, examples, 2, NULL, &encoded, &error));
        assert_ok(base64_decode(secret_peek(encoded).iov_base, secret_size(encoded), &decoded));
        assert_non_null(strstr(secret_peek(decoded).iov_base, "\"q.example-x/a\""));
        assert_non_null(strstr(secret_peek(decoded).iov_base, "\"YityOnMiMg==\""));
}

static void one_place_takes_no_two_values(void **state) {
        static const struct {
                size_t from, n;
                const char *text;
                int error;
                const char *what;
        } rows[] = {
                { 0, 2, "%s", -EBADMSG, "several" },
                { 2, 2, "%k", -EBADMSG, "several" },
                { 0, 0, "%s", -ENODATA, "" },
                { 0, 0, "%x", -EBADMSG, "no such specifier outside" },
                { 0, 1, "%#", -EBADMSG, "no such specifier outside" },
                { 0, 4, "%(%s%)", -EBADMSG, "several" },
                { 0, 1, "%(%x%)", -EBADMSG, "no such specifier in this loop" },
                { 0, 1, "%[%x%]", -EBADMSG, "no such specifier in this loop" },
                { 0, 1, "%{nix}", -EBADMSG, "no such variable" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                TemplateError error;
                Secret *made = NULL;

                assert_int_equal(render(rows[i].text, QUOTING_PLAIN, examples + rows[i].from, rows[i].n,
                                        NULL, &made, &error),
                                 rows[i].error);
                assert_null(made);
                if (!strstr(error.what, rows[i].what))
                        fail_msg("'%s': %s", rows[i].text, error.what);
        }
}

static void what_is_no_auth_is_refused(void **state) {
        static const Example wrong[] = { { "q.example", "one", "nocolon", 0, 1 } };
        TemplateError error;
        Secret *made = NULL;

        assert_int_equal(render("%B", QUOTING_PLAIN, wrong, 1, NULL, &made, &error), -EBADMSG);
        assert_string_equal(error.what, "");
        assert_null(made);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(letters_stand_for_values),
                cmocka_unit_test(a_whole_file_is_a_value),
                cmocka_unit_test(one_place_takes_no_two_values),
                cmocka_unit_test(what_is_no_auth_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
