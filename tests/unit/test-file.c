/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading files whole and checked, and opening directories without following a link, with openat2(2) and
 * without. */

#include <dirent.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/text.h"
#include "child.h"
#include "draw.h"

#define STRANGER 4242

static int open_scratch(void **state) {
        int fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static int read_name(int dir_fd, const char *name, size_t max, FileReadFlags flags) {
        _cleanup_secret_ Secret *s = NULL;
        int r = file_read(dir_fd, name, max, flags, &s, NULL);

        assert_true((r < 0) == (s == NULL));
        return r;
}

static void content_comes_whole_up_to_the_limit_and_not_beyond(void **state) {
        _cleanup_close_ int dir_fd = open_scratch(state);
        static const size_t sizes[] = { 0, 1, 4094, 4095, 4096, 4097, 8192, 65536, 100001 };
        Draw d = { 1 };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_free_ char *data = malloc(sizes[i] + 1);
                _cleanup_secret_ Secret *s = NULL;
                _cleanup_close_ int fd = openat(dir_fd, "f", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                struct stat st, real;

                for (size_t k = 0; k < sizes[i]; k++)
                        data[k] = (char) (1 + draw_below(&d, 255));
                assert_int_equal(write(fd, data, sizes[i]), sizes[i]);
                assert_int_equal(fstat(fd, &real), 0);
                assert_int_equal(file_read(dir_fd, "f", sizes[i], 0, &s, &st), 0);
                assert_int_equal(secret_size(s), sizes[i]);
                assert_memory_equal(secret_peek(s).iov_base, data, sizes[i]);
                assert_int_equal(st.st_ino, real.st_ino);
                assert_int_equal(st.st_size, sizes[i]);
                assert_int_equal(read_name(dir_fd, "f", sizes[i] + 1, 0), 0);
                assert_int_equal(read_name(dir_fd, "f", SIZE_MAX, 0), 0);
                if (sizes[i] > 0)
                        assert_int_equal(read_name(dir_fd, "f", sizes[i] - 1, 0), -EFBIG);
        }
}

/* Files of /proc say that they are empty; only reading tells. */
static void a_file_larger_than_it_says_is_read_whole_or_refused(void **state) {
        _cleanup_secret_ Secret *s = NULL;
        struct stat st;

        assert_int_equal(file_read(AT_FDCWD, "/proc/cpuinfo", 1 << 20, 0, &s, &st), 0);
        assert_int_equal(st.st_size, 0);
        assert_true(secret_size(s) > 100);
        assert_int_equal(read_name(AT_FDCWD, "/proc/cpuinfo", SIZE_MAX, 0), 0);
        assert_int_equal(read_name(AT_FDCWD, "/proc/cpuinfo", 100, 0), -EFBIG);
        assert_int_equal(read_name(AT_FDCWD, "/proc/cpuinfo", secret_size(s) - 1, 0), -EFBIG);
}

static void a_file_too_large_for_a_secret_is_refused(void **state) {
        _cleanup_close_ int dir_fd = open_scratch(state), fd = openat(dir_fd, "f", O_WRONLY | O_CREAT, 0600);

        assert_int_equal(ftruncate(fd, 17 << 20), 0);
        assert_int_equal(read_name(dir_fd, "f", SIZE_MAX, FILE_READ_ALLOW_NUL), -E2BIG);
}

static void only_regular_files_are_read_and_nothing_hangs(void **state) {
        _cleanup_close_ int dir_fd = open_scratch(state),
                            listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", (char *) *state);
        assert_int_equal(bind(listener, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(mkfifoat(dir_fd, "fifo", 0600), 0);
        assert_int_equal(mkdirat(dir_fd, "directory", 0700), 0);

        assert_int_equal(read_name(dir_fd, "missing", 10, 0), -ENOENT);
        assert_int_equal(read_name(dir_fd, "socket", 10, 0), -EMEDIUMTYPE);
        assert_int_equal(read_name(dir_fd, "fifo", 10, 0), -EMEDIUMTYPE);
        assert_int_equal(read_name(dir_fd, "directory", 10, 0), -EISDIR);
        assert_int_equal(read_name(AT_FDCWD, "/dev/zero", 10, 0), -EMEDIUMTYPE);
}

static void links_are_followed_on_request_only(void **state) {
        _cleanup_close_ int dir_fd = open_scratch(state);

        write_file(*state, "real", "x");
        assert_int_equal(symlinkat("real", dir_fd, "link"), 0);
        assert_int_equal(symlinkat("nowhere", dir_fd, "dangling"), 0);
        assert_int_equal(symlinkat("circle", dir_fd, "circle"), 0);
        assert_int_equal(symlinkat("/dev/null", dir_fd, "device"), 0);

        assert_int_equal(read_name(dir_fd, "link", 10, 0), -ELOOP);
        assert_int_equal(read_name(dir_fd, "dangling", 10, 0), -ELOOP);
        assert_int_equal(read_name(dir_fd, "link", 10, FILE_READ_FOLLOW), 0);
        assert_int_equal(read_name(dir_fd, "dangling", 10, FILE_READ_FOLLOW), -ENOENT);
        assert_int_equal(read_name(dir_fd, "circle", 10, FILE_READ_FOLLOW), -ELOOP);
        assert_int_equal(read_name(dir_fd, "device", 10, FILE_READ_FOLLOW), -EMEDIUMTYPE);
}

static void a_nul_byte_is_refused_unless_allowed(void **state) {
        _cleanup_close_ int dir_fd = open_scratch(state),
                            fd = openat(dir_fd, "nul", O_WRONLY | O_CREAT, 0600);
        _cleanup_secret_ Secret *s = NULL;

        assert_int_equal(write(fd, "a\0b", 3), 3);
        assert_int_equal(read_name(dir_fd, "nul", 10, 0), -EBADMSG);
        assert_int_equal(file_read(dir_fd, "nul", 10, FILE_READ_ALLOW_NUL, &s, NULL), 0);
        assert_memory_equal(secret_peek(s).iov_base, "a\0b", 3);
}

static void only_the_owner_may_be_able_to_write_an_owned_file(void **state) {
        _cleanup_close_ int dir_fd = open_scratch(state);

        write_file(*state, "f", "x");
        for (mode_t mode = 0; mode <= 0777; mode++) {
                mode_t readable = mode | 0400;

                assert_int_equal(fchmodat(dir_fd, "f", readable, 0), 0);
                assert_int_equal(read_name(dir_fd, "f", 10, FILE_READ_OWNED), mode & 0022 ? -EPERM : 0);
                assert_int_equal(read_name(dir_fd, "f", 10, 0), 0);
        }
        assert_int_equal(symlinkat("f", dir_fd, "link"), 0);
        assert_int_equal(read_name(dir_fd, "link", 10, FILE_READ_FOLLOW | FILE_READ_OWNED), -EPERM);
}

static int read_as_stranger(void *argument) {
        int dir_fd = *(int *) argument;

        if (geteuid() == 0 && seteuid(STRANGER) < 0)
                return 1;
        if (read_name(dir_fd, "of-stranger", 10, FILE_READ_OWNED) != 0)
                return 2;
        if (read_name(dir_fd, "of-root", 10, FILE_READ_OWNED) != 0)
                return 3;
        if (read_name(dir_fd, "of-another", 10, FILE_READ_OWNED) != -EPERM)
                return 4;
        return 0;
}

static void an_owned_file_belongs_to_root_or_to_us(void **state) {
        _cleanup_close_ int dir_fd = open_scratch(state);

        if (geteuid() != 0)
                skip(); /* needs files of three owners */
        assert_int_equal(fchmod(dir_fd, 0755), 0);
        write_file(*state, "of-root", "x");
        write_file(*state, "of-stranger", "x");
        write_file(*state, "of-another", "x");
        assert_int_equal(fchownat(dir_fd, "of-stranger", STRANGER, STRANGER, 0), 0);
        assert_int_equal(fchownat(dir_fd, "of-another", STRANGER + 1, STRANGER + 1, 0), 0);
        assert_int_equal(read_name(dir_fd, "of-stranger", 10, FILE_READ_OWNED), -EPERM);
        assert_int_equal(exit_of_child(read_as_stranger, &dir_fd), 0);
}

/* What one path gives: the result, and on failure the component that stopped it, both below the scratch
 * directory unless the path begins with "!". */
typedef struct PathCase {
        const char *path;
        int result;
        const char *component;
} PathCase;

static const PathCase path_cases[] = {
        { "/safe/name", 0, NULL },
        { "/safe//.///name", 0, NULL },
        { "/safe/deep/name with blanks", 0, NULL },
        { "/safe/missing/name", -ENOENT, "/safe/missing" },
        { "/missing/deep/name", -ENOENT, "/missing" },
        { "/safe/file/name", -ENOTDIR, "/safe/file" },
        { "/link/name", -ELOOP, "/link" },
        { "/link/deep/name", -ELOOP, "/link" },
        { "/safe/deep/up/name", -ELOOP, "/safe/deep/up" },
        { "/dangling/name", -ELOOP, "/dangling" },
        { "/open/name", -EPERM, "/open" },
        { "/group/name", -EPERM, "/group" },
        { "/open/inner/name", 0, NULL },
        { "/safe/../safe/name", -EINVAL, NULL },
        { "/safe/..", -EINVAL, NULL },
        { "/safe/.", -EINVAL, NULL },
        { "/safe/", -EINVAL, NULL },
        { "/safe/..name", 0, NULL },
        { "!safe/name", -EINVAL, NULL },
        { "!", -EINVAL, NULL },
        { "!/", -EINVAL, NULL },
        { "!/proc/self/cwd/name", -ELOOP, "/proc/self" },
        { "!/proc/1/root/name", -ELOOP, "/proc/1/root" },
};

/* Returns true if all is as it should be. Without assertions, for it also runs in children. */
static bool path_case_holds(const char *scratch, const PathCase *c) {
        _cleanup_free_ char *path = NULL, *component = NULL, *wanted = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *name = NULL;
        DIR *d;
        int r;

        if (text_format(&path, "%s%s", c->path[0] == '!' ? "" : scratch, c->path + (c->path[0] == '!')) <
                    0 ||
            text_format(&wanted, "%s%s", c->path[0] == '!' ? "" : scratch, strempty(c->component)) < 0)
                return false;
        r = dir_open_trusted(path, &fd, &name, &component);
        if (r != c->result || (r < 0) != (fd < 0) || (r < 0) != !name)
                return false;
        if (r < 0)
                return c->component ? component && streq(component, wanted) : !component;
        /* The name points into the path, the directory can be synced and listed. */
        if (component || name != strrchr(path, '/') + 1 || fsync(fd) < 0 ||
            !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
                return false;
        d = fdopendir(TAKE_FD(fd));
        return d && readdir(d) && closedir(d) == 0;
}

static void make_paths(void **state) {
        _cleanup_close_ int dir_fd = open_scratch(state);

        write_file(*state, "safe/file", "x");
        assert_int_equal(mkdirat(dir_fd, "safe/deep", 0755), 0);
        assert_int_equal(mkdirat(dir_fd, "open", 0700), 0);
        assert_int_equal(mkdirat(dir_fd, "open/inner", 0700), 0);
        assert_int_equal(fchmodat(dir_fd, "open", 01777, 0), 0);
        assert_int_equal(mkdirat(dir_fd, "group", 0700), 0);
        assert_int_equal(fchmodat(dir_fd, "group", 0770, 0), 0);
        assert_int_equal(symlinkat("safe", dir_fd, "link"), 0);
        assert_int_equal(symlinkat("..", dir_fd, "safe/deep/up"), 0);
        assert_int_equal(symlinkat("nowhere", dir_fd, "dangling"), 0);
}

static void directories_open_without_any_link_and_errors_name_the_place(void **state) {
        make_paths(state);
        for (size_t i = 0; i < ELEMENTSOF(path_cases); i++)
                if (!path_case_holds(*state, path_cases + i))
                        fail_msg("'%s'", path_cases[i].path);
}

typedef struct Without {
        const char *scratch;
        int error;
} Without;

/* 0, or 1 + the number of the case that does not hold. */
static int paths_without_openat2(void *argument) {
        const Without *w = argument;

        if (inject_errno(SYS_openat2, w->error) < 0)
                return 254;
        /* Valgrind before 3.20 answers ENOSYS itself. */
        if (syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0) >= 0 || (errno != w->error && errno != ENOSYS))
                return 253;
        for (size_t i = 0; i < ELEMENTSOF(path_cases); i++)
                if (!path_case_holds(w->scratch, path_cases + i))
                        return (int) i + 1;
        return 0;
}

static void an_old_kernel_opens_the_same_directories(void **state) {
        make_paths(state);
        assert_int_equal(exit_of_child(paths_without_openat2, &(Without){ *state, ENOSYS }), 0);
}

static void a_sandbox_that_forbids_openat2_changes_nothing(void **state) {
        make_paths(state);
        assert_int_equal(exit_of_child(paths_without_openat2, &(Without){ *state, EPERM }), 0);
}

static void the_root_directory_is_a_parent_like_any_other(void **state) {
        _cleanup_close_ int fd = -EBADF;
        const char *name;
        struct stat ours, root;

        assert_int_equal(dir_open_trusted("/name", &fd, &name, NULL), 0);
        assert_string_equal(name, "name");
        assert_int_equal(fstat(fd, &ours), 0);
        assert_int_equal(stat("/", &root), 0);
        assert_int_equal(ours.st_ino, root.st_ino);
}

static int open_as_stranger(void *argument) {
        static const PathCase cases[] = {
                { "/of-stranger/name", 0, NULL },
                { "/of-root/name", 0, NULL },
                { "/of-another/name", -EPERM, "/of-another" },
                { "/closed/name", -EACCES, "/closed" },
                { "/closed/deep/name", -EACCES, "/closed/deep" },
        };

        if (seteuid(STRANGER) < 0)
                return 100;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (!path_case_holds(argument, cases + i))
                        return (int) i + 1;
        return 0;
}

static void a_directory_belongs_to_root_or_to_us(void **state) {
        _cleanup_close_ int dir_fd = open_scratch(state);

        if (geteuid() != 0)
                skip(); /* needs directories of three owners */
        assert_int_equal(fchmod(dir_fd, 0755), 0);
        assert_int_equal(mkdirat(dir_fd, "of-root", 0755), 0);
        assert_int_equal(mkdirat(dir_fd, "of-stranger", 0755), 0);
        assert_int_equal(mkdirat(dir_fd, "of-another", 0755), 0);
        assert_int_equal(mkdirat(dir_fd, "closed", 0700), 0);
        assert_int_equal(mkdirat(dir_fd, "closed/deep", 0700), 0);
        assert_int_equal(fchownat(dir_fd, "of-stranger", STRANGER, STRANGER, 0), 0);
        assert_int_equal(fchownat(dir_fd, "of-another", STRANGER + 1, STRANGER + 1, 0), 0);
        assert_int_equal(exit_of_child(open_as_stranger, *state), 0);
}

static size_t open_descriptors(void) {
        DIR *d = opendir("/proc/self/fd");
        size_t n = 0;

        assert_non_null(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

static void no_outcome_leaves_a_descriptor_open(void **state) {
        _cleanup_close_ int dir_fd = open_scratch(state);
        size_t before;

        make_paths(state);
        before = open_descriptors();
        for (size_t i = 0; i < ELEMENTSOF(path_cases); i++)
                assert_true(path_case_holds(*state, path_cases + i));
        assert_int_equal(read_name(dir_fd, "safe/file", 1, 0), 0);
        assert_int_equal(read_name(dir_fd, "safe/file", 0, 0), -EFBIG);
        assert_int_equal(read_name(dir_fd, "open", 1, 0), -EISDIR);
        assert_int_equal(open_descriptors(), before);
}

#define in_scratch(f) cmocka_unit_test_setup_teardown(f, setup_scratch, teardown_scratch)

int main(void) {
        const struct CMUnitTest tests[] = {
                in_scratch(content_comes_whole_up_to_the_limit_and_not_beyond),
                cmocka_unit_test(a_file_larger_than_it_says_is_read_whole_or_refused),
                in_scratch(a_file_too_large_for_a_secret_is_refused),
                in_scratch(only_regular_files_are_read_and_nothing_hangs),
                in_scratch(links_are_followed_on_request_only),
                in_scratch(a_nul_byte_is_refused_unless_allowed),
                in_scratch(only_the_owner_may_be_able_to_write_an_owned_file),
                in_scratch(an_owned_file_belongs_to_root_or_to_us),
                in_scratch(directories_open_without_any_link_and_errors_name_the_place),
                in_scratch(an_old_kernel_opens_the_same_directories),
                in_scratch(a_sandbox_that_forbids_openat2_changes_nothing),
                cmocka_unit_test(the_root_directory_is_a_parent_like_any_other),
                in_scratch(a_directory_belongs_to_root_or_to_us),
                in_scratch(no_outcome_leaves_a_descriptor_open),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
