/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A target file against what jobs want: the rules of ownership, and files that must be left alone. */

#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/file-replace.h"
#include "base/text.h"
#include "codec/base64.h"
#include "daemon/target.h"

#define KEY "q.example/acme"
#define PATH "/etc/auth.json"

typedef struct Fixture {
        char *root;
        StateStore *store;
        Target *target;
        TargetConfig config;
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));
        char *problem = NULL, directory[300];

        if (setup_scratch((void **) &f->root) < 0)
                return -1;
        snprintf(directory, sizeof(directory), "%s/state", f->root);
        if (state_store_open(directory, &f->store, &problem) < 0)
                return -1;
        f->config = (TargetConfig){ .name = (char *) "t", .mode = 0600, .directory_mode = 0700 };
        *state = f;
        return target_new(f->root, &f->config, PATH, f->store, &f->target);
}

static int teardown(void **state) {
        Fixture *f = *state;
        void *root = f->root;

        target_free(f->target);
        state_store_free(f->store);
        free(f);
        return teardown_scratch(&root);
}

static char *content(const Fixture *f) {
        char path[300], *text;
        FILE *file;
        size_t n;

        snprintf(path, sizeof(path), "%s/etc/auth.json", f->root);
        file = fopen(path, "re");
        if (!file)
                return strdup("(none)");
        text = calloc(1, 65536);
        n = fread(text, 1, 65535, file);
        text[n] = '\0';
        fclose(file);
        return text;
}

/* The secret that stands under the key, or "(none)". */
static char *standing(const Fixture *f) {
        _cleanup_free_ char *text = content(f), *encoded = NULL;
        _cleanup_secret_ Secret *plain = NULL;
        char *at = strstr(text, KEY);

        at = at ? strstr(at, "\"auth\"") : NULL;
        at = at ? strchr(at + 6, '"') : NULL;
        if (!at)
                return strdup("(none)");
        encoded = strndup(at + 1, strcspn(at + 1, "\""));
        assert_ok(base64_decode(encoded, strlen(encoded), &plain));
        return strndup(secret_peek(plain).iov_base, secret_size(plain));
}

static Secret *auth_of(const char *text) {
        Secret *auth = NULL;

        assert_ok(base64_encode(text, strlen(text), &auth));
        return auth;
}

/* Synchronises with one wish, or none; returns the reason of what failed. */
static Reason sync_one(Fixture *f, const char *plain, bool take_over) {
        _cleanup_secret_ Secret *user_pass = NULL;
        _cleanup_failure_ Failure *failure = NULL;
        Wanted w = { .key = KEY, .job = "edge", .robot = "acme+edge", .take_over = take_over };
        Reason reason;
        int r;

        if (plain)
                assert_ok(secret_new_string(plain, &user_pass));
        w.user_pass = user_pass;
        r = target_sync(f->target, &w, plain ? 1 : 0, &failure);
        assert_ok(r);
        assert_int_equal(r == TARGET_REFUSED, failure != NULL);
        reason = failure ? failure->reason : w.failure ? w.failure->reason : REASON_NONE;
        failure_free(w.failure);
        return reason;
}

static void expect(const Fixture *f, const char *expected) {
        _cleanup_free_ char *found = standing(f);

        assert_string_equal(found, expected);
}

static void a_file_is_made_and_its_entry_replaced_and_removed(void **state) {
        Fixture *f = *state;

        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        expect(f, "acme+edge:one");
        assert_int_equal(sync_one(f, "acme+edge:two", false), REASON_NONE);
        expect(f, "acme+edge:two");
        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        expect(f, "(none)");
        assert_null(state_data_find_key(state_store_data(f->store), PATH, KEY));
}

static void nothing_wanted_makes_no_file(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *text = NULL;

        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        text = content(f);
        assert_string_equal(text, "(none)");
}

static void a_second_sync_writes_nothing(void **state) {
        Fixture *f = *state;
        struct stat before, after;
        char path[300];

        snprintf(path, sizeof(path), "%s/etc/auth.json", f->root);
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        assert_int_equal(stat(path, &before), 0);
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
}

static void what_we_left_is_known_until_somebody_changes_it(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *text = NULL;
        char path[300], other[300];

        assert_false(target_is_as_left(f->target));
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        assert_true(target_is_as_left(f->target));
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        assert_true(target_is_as_left(f->target));
        /* The same bytes, but another file. */
        text = content(f);
        write_file(f->root, "etc/new.json", text);
        snprintf(path, sizeof(path), "%s/etc/auth.json", f->root);
        snprintf(other, sizeof(other), "%s/etc/new.json", f->root);
        assert_int_equal(rename(other, path), 0);
        assert_false(target_is_as_left(f->target));
        write_file(f->root, "etc/auth.json", "{\"auths\":");
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_TARGET_MALFORMED);
        assert_false(target_is_as_left(f->target));
        assert_int_equal(unlink(path), 0);
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        assert_true(target_is_as_left(f->target));
        assert_int_equal(unlink(path), 0);
        assert_false(target_is_as_left(f->target));
}

static void a_foreign_entry_is_taken_only_when_told_to(void **state) {
        Fixture *f = *state;
        static const char foreign[] = "{\"auths\":{\"" KEY "\":{\"auth\":\"c29tZWJvZHk6cGFzc3dvcmQ=\"}}}";
        _cleanup_free_ char *text = NULL;

        write_file(f->root, "etc/auth.json", foreign);
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_TARGET_CONFLICT);
        text = content(f);
        assert_string_equal(text, foreign);
        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        expect(f, "somebody:password");
        assert_int_equal(sync_one(f, "acme+edge:one", true), REASON_NONE);
        expect(f, "acme+edge:one");
}

static void a_token_of_the_same_robot_is_ours_after_all(void **state) {
        Fixture *f = *state;
        /* Header and payload {"sub":"acme+edge","exp":1700000000} of a token that a registry could have
         * made. */
        _cleanup_secret_ Secret *auth = auth_of("acme+edge:eyJhbGciOiJSUzI1NiJ9."
                                                "eyJzdWIiOiJhY21lK2VkZ2UiLCJleHAiOjE3MDAwMDAwMDB9.c2ln");
        _cleanup_free_ char *text = NULL;

        assert_ok(text_format(&text, "{\"auths\":{\"" KEY "\":{\"auth\":\"%s\"}}}",
                              (const char *) secret_peek(auth).iov_base));
        write_file(f->root, "etc/auth.json", text);
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        expect(f, "acme+edge:one");
}

/* Payloads {"iss":"i","sub":"s","exp":1700000000}, the same with another end, and with another
 * subject. */
#define OF_IDENTITY "acme+edge:e30.eyJpc3MiOiJpIiwic3ViIjoicyIsImV4cCI6MTcwMDAwMDAwMH0.c2ln"
#define OF_IDENTITY_LATER "acme+edge:e30.eyJpc3MiOiJpIiwic3ViIjoicyIsImV4cCI6MTgwMDAwMDAwMH0.c2ln"
#define OF_ANOTHER "acme+edge:e30.eyJpc3MiOiJpIiwic3ViIjoidCIsImV4cCI6MTcwMDAwMDAwMH0.c2ln"

static void a_token_of_the_same_identity_is_ours_after_all(void **state) {
        static const struct {
                const char *standing;
                Reason reason;
        } rows[] = { { OF_IDENTITY, REASON_NONE }, { OF_ANOTHER, REASON_TARGET_CONFLICT } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_secret_ Secret *auth = auth_of(rows[i].standing);
                _cleanup_free_ char *text = NULL;
                Fixture *f = *state;

                assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
                assert_ok(text_format(&text, "{\"auths\":{\"" KEY "\":{\"auth\":\"%s\"}}}",
                                      (const char *) secret_peek(auth).iov_base));
                write_file(f->root, "etc/auth.json", text);
                assert_int_equal(sync_one(f, OF_IDENTITY_LATER, false), rows[i].reason);
        }
}

static void what_somebody_put_in_our_place_is_not_removed(void **state) {
        Fixture *f = *state;

        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        write_file(f->root, "etc/auth.json",
                   "{\"auths\":{\"" KEY "\":{\"auth\":\"c29tZWJvZHk6cGFzc3dvcmQ=\"}}}");
        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        expect(f, "somebody:password");
}

static void what_somebody_put_in_our_place_is_replaced_while_we_have_better(void **state) {
        Fixture *f = *state;

        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        write_file(f->root, "etc/auth.json",
                   "{\"auths\":{\"" KEY "\":{\"auth\":\"c29tZWJvZHk6cGFzc3dvcmQ=\"}}}");
        assert_int_equal(sync_one(f, "acme+edge:two", false), REASON_NONE);
        expect(f, "acme+edge:two");
}

static void a_crash_between_saving_and_writing_leaves_no_entry_without_owner(void **state) {
        Fixture *f = *state;
        _cleanup_secret_ Secret *next = NULL;
        Fingerprint print;

        assert_ok(secret_new_string("acme+edge:two", &next));
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        /* As if killed when the state said "two" and the file still held "one". */
        assert_ok(state_data_fingerprint_entry(state_store_data(f->store), next, &print));
        assert_ok(state_data_own_key(state_store_data(f->store), PATH, KEY, "edge", &print, NULL));
        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        expect(f, "(none)");
}

static void limit_file_size(rlim_t size) {
        struct rlimit limit;

        assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
        limit.rlim_cur = size;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void credentials_that_could_not_be_written_leave_what_stands_ours(void **state) {
        Fixture *f = *state;

        assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        limit_file_size(5);
        assert_int_equal(sync_one(f, "acme+edge:two", false), REASON_TARGET_FULL);
        assert_int_equal(sync_one(f, "acme+edge:three", false), REASON_TARGET_FULL);
        assert_int_equal(sync_one(f, NULL, false), REASON_TARGET_FULL);
        limit_file_size(RLIM_INFINITY);
        expect(f, "acme+edge:one");
        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        expect(f, "(none)");
}

/* Somebody puts another file there between our reading and our replacing: it is merged, not lost. */
static void a_writer_in_the_last_instant_loses_nothing(void **state) {
        Fixture *f = *state;
        struct stat stale = { .st_dev = 1, .st_ino = 1, .st_size = 2 };
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *text = NULL;
        FileReplace r = { .name = "auth.json",
                          .data = "{}",
                          .size = 2,
                          .old_fd = -EBADF,
                          .mode = 0600,
                          .uid = (uid_t) -1,
                          .gid = (gid_t) -1,
                          .expected = &stale };
        char path[300];

        write_file(f->root, "etc/auth.json", "theirs");
        snprintf(path, sizeof(path), "%s/etc", f->root);
        fd = open(path, O_RDONLY | O_DIRECTORY);
        r.dir_fd = fd;
        assert_int_equal(file_replace(&r), -EAGAIN);
        stale = (struct stat){};
        assert_int_equal(file_replace(&r), -EAGAIN);
        text = content(f);
        assert_string_equal(text, "theirs");
        assert_int_equal(fstatat(fd, "auth.json", &stale, 0), 0);
        assert_ok(file_replace(&r));
        assert_int_equal(file_replace_sweep(fd, "auth.json"), 0);
}

static void what_is_not_understood_is_left_alone(void **state) {
        static const char *const texts[] = { "{", "[]", "{\"auths\":[]}", "{\"a\":1,\"a\":2}", "{} x" };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *after = NULL;

                write_file(f->root, "etc/auth.json", texts[i]);
                assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_TARGET_MALFORMED);
                after = content(f);
                assert_string_equal(after, texts[i]);
        }
}

static void links_directories_and_open_directories_are_refused(void **state) {
        Fixture *f = *state;
        char path[300];

        write_file(f->root, "etc/other.json", "{}");
        snprintf(path, sizeof(path), "%s/etc/auth.json", f->root);
        assert_int_equal(symlink("other.json", path), 0);
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_TARGET_UNSAFE);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkdir(path, 0755), 0);
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_TARGET_UNSAFE);
        assert_int_equal(rmdir(path), 0);
        snprintf(path, sizeof(path), "%s/etc", f->root);
        assert_int_equal(chmod(path, 0777), 0);
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_TARGET_UNSAFE);
        assert_int_equal(chmod(path, 0755), 0);
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
}

static void expect_text(const Fixture *f, const char *expected) {
        _cleanup_free_ char *text = content(f);

        assert_string_equal(text, expected);
}

#define OURS "{\n\t\"auths\": {\n\t\t\"" KEY "\": {\n\t\t\t\"auth\": \"YWNtZStlZGdlOm9uZQ==\"\n\t\t}\n\t}\n}"

static void a_file_of_its_own_has_no_room_for_others(void **state) {
        Fixture *f = *state;

        f->config.policy = TARGET_POLICY_OWN;
        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        expect_text(f, "(none)");
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        expect_text(f, OURS);
        write_file(f->root, "etc/auth.json", "{\"auths\":{\"docker.io\":{}},\"x\":1}");
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        expect_text(f, OURS);
        write_file(f->root, "etc/auth.json", "HANDS=off");
        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        expect_text(f, "{}");
        assert_null(state_data_find_key(state_store_data(f->store), PATH, KEY));
}

static void what_a_file_of_its_own_would_lose_keeps_it_from_being_one(void **state) {
        static const struct {
                const char *before;
                Reason reason;
        } rows[] = {
                { "", REASON_NONE },
                { " \n", REASON_NONE },
                { "{}", REASON_NONE },
                { "{\"auths\":{}}", REASON_NONE },
                { "{\"auths\":{\"docker.io\":{}}}", REASON_TARGET_CONFLICT },
                { "{\"auths\":{},\"credHelpers\":{}}", REASON_TARGET_CONFLICT },
                { "{\"auths\":{\"" KEY "\":{\"auth\":\"c29tZWJvZHk6cGFzc3dvcmQ=\"}}}",
                  REASON_TARGET_CONFLICT },
                { "HANDS=off", REASON_TARGET_MALFORMED },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Fixture *f = *state;

                f->config.policy = TARGET_POLICY_OWN;
                write_file(f->root, "etc/auth.json", rows[i].before);
                assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
                expect_text(f, rows[i].before);
                assert_int_equal(sync_one(f, "acme+edge:one", false), rows[i].reason);
                expect_text(f, rows[i].reason == REASON_NONE ? OURS : rows[i].before);
                state_data_disown_file(state_store_data(f->store), PATH);
                state_data_disown_key(state_store_data(f->store), PATH, KEY);
        }
}

/* Of a file that others have a part in, and that shall become ours alone, our part does not die in it. */
static void what_is_ours_in_a_file_that_cannot_be_ours_alone_is_kept_in_line(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *text = NULL;

        write_file(f->root, "etc/auth.json", "{\"auths\":{\"docker.io\":{}}}");
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        f->config.policy = TARGET_POLICY_OWN;
        assert_int_equal(sync_one(f, "acme+edge:two", false), REASON_TARGET_CONFLICT);
        expect(f, "acme+edge:two");
        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        expect(f, "(none)");
        text = content(f);
        assert_non_null(strstr(text, "docker.io"));
        assert_int_equal(sync_one(f, "acme+edge:three", false), REASON_TARGET_CONFLICT);
        expect(f, "(none)");
}

static void a_file_that_was_ours_alone_is_shared_again(void **state) {
        Fixture *f = *state;

        f->config.policy = TARGET_POLICY_OWN;
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        f->config.policy = TARGET_POLICY_MERGE;
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        expect_text(f, OURS);
        assert_null(state_data_find_file(state_store_data(f->store), PATH));
        write_file(f->root, "etc/auth.json", "{\"auths\":{\"docker.io\":{}}}");
        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        expect_text(f, "{\"auths\":{\"docker.io\":{}}}");
}

/* Nothing of ours stays behind in it, whatever it was. */
static void a_file_that_was_ours_alone_ends_as_an_empty_object(void **state) {
        Fixture *f = *state;

        f->config.policy = TARGET_POLICY_OWN;
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        f->config.policy = TARGET_POLICY_MERGE;
        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        expect_text(f, "{}");
        assert_false(state_data_owns_any(state_store_data(f->store), PATH));
}

static void a_file_that_was_ours_alone_goes_with_its_target(void **state) {
        Fixture *f = *state;

        f->config.policy = TARGET_POLICY_OWN;
        assert_int_equal(sync_one(f, "acme+edge:one", false), REASON_NONE);
        f->config = (TargetConfig){ .name = (char *) PATH, .mode = 0600 };
        assert_int_equal(sync_one(f, NULL, false), REASON_NONE);
        expect_text(f, "(none)");
        assert_false(state_data_owns_any(state_store_data(f->store), PATH));
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                test(a_file_is_made_and_its_entry_replaced_and_removed),
                test(nothing_wanted_makes_no_file),
                test(a_second_sync_writes_nothing),
                test(what_we_left_is_known_until_somebody_changes_it),
                test(a_foreign_entry_is_taken_only_when_told_to),
                test(a_token_of_the_same_robot_is_ours_after_all),
                test(a_token_of_the_same_identity_is_ours_after_all),
                test(what_somebody_put_in_our_place_is_not_removed),
                test(what_somebody_put_in_our_place_is_replaced_while_we_have_better),
                test(a_crash_between_saving_and_writing_leaves_no_entry_without_owner),
                test(credentials_that_could_not_be_written_leave_what_stands_ours),
                test(a_writer_in_the_last_instant_loses_nothing),
                test(what_is_not_understood_is_left_alone),
                test(links_directories_and_open_directories_are_refused),
                test(a_file_of_its_own_has_no_room_for_others),
                test(what_a_file_of_its_own_would_lose_keeps_it_from_being_one),
                test(what_is_ours_in_a_file_that_cannot_be_ours_alone_is_kept_in_line),
                test(a_file_that_was_ours_alone_is_shared_again),
                test(a_file_that_was_ours_alone_ends_as_an_empty_object),
                test(a_file_that_was_ours_alone_goes_with_its_target),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
