/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which file of several decides what a tool takes. */

#include "unit.h"

#include "base/text.h"
#include "model/consumer-answer.h"
#include "model/registries.h"

#define A "{\"auth\":\"YTpzZWNyZXQ=\"}" /* a:secret */
#define B "{\"auth\":\"YjpzZWNyZXQ=\"}"

/* Which of several files decides: "-" absent, "!" broken, "?" unknown, else a document; `user` is a program
 * if it is one of `helpers`. */
static void check_asked(const Consumer *c, char *const *helpers, const char *const *texts, AnswerKind kind,
                        ssize_t source, const char *user) {
        ConsumerSource sources[3] = {};
        ConsumerFile *files[3] = {};
        ConsumerAnswer a;
        JsonError error;

        for (size_t i = 0; i < ELEMENTSOF(sources); i++) {
                const char *text = texts[i];

                sources[i].state = streq(text, "-")   ? SOURCE_ABSENT
                                   : streq(text, "!") ? SOURCE_BROKEN
                                   : streq(text, "?") ? SOURCE_UNKNOWN
                                                      : SOURCE_READ;
                if (sources[i].state == SOURCE_READ)
                        assert_int_equal(consumer_file_new(text, strlen(text), false, files + i, &error), 0);
                sources[i].file = files[i];
        }
        assert_int_equal(consumer_answer(c, helpers, sources, ELEMENTSOF(sources), "q.io/acme/app", &a), 0);
        assert_string_equal(answer_kind_to_string(a.kind), answer_kind_to_string(kind));
        assert_int_equal(a.source, source);
        assert_string_equal(a.found.user ?: strempty(a.found.helper), user);
        consumer_answer_done(&a);
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                consumer_file_free(files[i]);
}

static void check_order(ConsumerOrder order, const char *const *texts, AnswerKind kind, ssize_t source,
                        const char *user) {
        const Consumer c = { .match = MATCH_PATH, .order = order };

        check_asked(&c, NULL, texts, kind, source, user);
}

#define FILES(...) ((const char *const[]){ __VA_ARGS__ })
#define FULL_A "{\"auths\":{\"q.io\":" A "}}"
#define FULL_B "{\"auths\":{\"q.io/acme\":" B "}}"
#define EMPTY "{\"auths\":{\"q.io/acme\":{}}}"

static void each_file_is_asked_until_one_has_an_answer(void **state) {
        /* The first file wins, although the key of the second one is longer. */
        check_order(ORDER_EACH, FILES(FULL_A, FULL_B, "-"), ANSWER_CREDENTIAL, 0, "a");
        check_order(ORDER_EACH, FILES("-", "{}", FULL_B), ANSWER_CREDENTIAL, 2, "b");
        check_order(ORDER_EACH, FILES(EMPTY, "-", FULL_A), ANSWER_CREDENTIAL, 2, "a");
        check_order(ORDER_EACH, FILES(EMPTY, "{}", "-"), ANSWER_NONE, 0, "");
        check_order(ORDER_EACH, FILES("-", "{}", "-"), ANSWER_NONE, -1, "");
        check_order(ORDER_EACH, FILES("{}", "!", FULL_A), ANSWER_BROKEN, 1, "");
        check_order(ORDER_EACH, FILES(FULL_A, "!", "?"), ANSWER_CREDENTIAL, 0, "a");
        check_order(ORDER_EACH, FILES(EMPTY, "?", FULL_A), ANSWER_UNKNOWN, 1, "");
}

static void the_first_file_is_taken_whole(void **state) {
        check_order(ORDER_FIRST, FILES("-", FULL_A, FULL_B), ANSWER_CREDENTIAL, 1, "a");
        check_order(ORDER_FIRST, FILES("{}", FULL_A, FULL_B), ANSWER_NONE, 0, "");
        check_order(ORDER_FIRST, FILES("!", FULL_A, FULL_B), ANSWER_BROKEN, 0, "");
        check_order(ORDER_FIRST, FILES("?", FULL_A, FULL_B), ANSWER_UNKNOWN, 0, "");
        check_order(ORDER_FIRST, FILES("-", "-", "-"), ANSWER_NONE, -1, "");
}

static void the_first_file_that_can_be_read_is_taken(void **state) {
        check_order(ORDER_FIRST_VALID, FILES("!", FULL_A, FULL_B), ANSWER_CREDENTIAL, 1, "a");
        check_order(ORDER_FIRST_VALID, FILES("-", "{}", FULL_B), ANSWER_NONE, 1, "");
        check_order(ORDER_FIRST_VALID, FILES("!", "-", "!"), ANSWER_NONE, -1, "");
}

#define HELPERS(...) ((char *const[]){ __VA_ARGS__, NULL })

static void programs_of_registries_conf_are_asked_in_their_order(void **state) {
        const Consumer c = { .match = MATCH_PATH, .order = ORDER_EACH, .mirrors = true },
                       first = { .match = MATCH_PATH, .order = ORDER_FIRST, .mirrors = true },
                       other = { .match = MATCH_PATH, .order = ORDER_EACH };
        char files[] = HELPER_FILES, x[] = "x", y[] = "y\nz";

        check_asked(&c, HELPERS(files), FILES(FULL_A, "-", "-"), ANSWER_CREDENTIAL, 0, "a");
        check_asked(&c, HELPERS(files, x), FILES(FULL_A, "-", "-"), ANSWER_CREDENTIAL, 0, "a");
        check_asked(&c, HELPERS(files, x), FILES("{}", "-", "-"), ANSWER_HELPER, -1, "docker-credential-x");
        check_asked(&c, HELPERS(files, x), FILES(EMPTY, "-", "-"), ANSWER_HELPER, -1, "docker-credential-x");
        check_asked(&c, HELPERS(files, x), FILES("!", "-", "-"), ANSWER_BROKEN, 0, "");
        check_asked(&c, HELPERS(x, files), FILES(FULL_A, "-", "-"), ANSWER_HELPER, -1,
                    "docker-credential-x");
        check_asked(&c, HELPERS(y), FILES(FULL_A, "-", "-"), ANSWER_HELPER, -1, "docker-credential-y z");
        check_asked(&other, HELPERS(x), FILES(FULL_A, "-", "-"), ANSWER_CREDENTIAL, 0, "a");
        /* bootc goes without credentials where it has no file. */
        check_asked(&first, HELPERS(x), FILES("-", "-", "-"), ANSWER_NONE, -1, "");
        check_asked(&first, HELPERS(x), FILES("-", "{}", "-"), ANSWER_HELPER, -1, "docker-credential-x");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_file_is_asked_until_one_has_an_answer),
                cmocka_unit_test(the_first_file_is_taken_whole),
                cmocka_unit_test(the_first_file_that_can_be_read_is_taken),
                cmocka_unit_test(programs_of_registries_conf_are_asked_in_their_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
