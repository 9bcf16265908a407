/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is in a memory file can be read by whoever has it, and changed by nobody. */

#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/memory-file.h"
#include "child.h"

static const char text[] = "{\"auths\":{}}";

static int make(void) {
        int fd = -EBADF;

        assert_int_equal(memory_file_new("test", text, strlen(text), &fd), 0);
        return fd;
}

static void it_is_read_from_its_start(void **state) {
        _cleanup_close_ int fd = make();
        char buffer[64];

        assert_int_equal(read(fd, buffer, sizeof(buffer)), strlen(text));
        assert_memory_equal(buffer, text, strlen(text));
        assert_int_equal(read(fd, buffer, sizeof(buffer)), 0);
}

static void it_can_be_opened_by_its_path(void **state) {
        _cleanup_close_ int fd = make(), again = -EBADF;
        char path[64], buffer[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%i", fd);
        again = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(again >= 0);
        assert_int_equal(read(again, buffer, sizeof(buffer)), strlen(text));
}

static void nobody_can_change_it(void **state) {
        _cleanup_close_ int fd = make();
        int seals = fcntl(fd, F_GET_SEALS);

        assert_int_equal(seals & (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE),
                         F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
        assert_int_equal(pwrite(fd, "x", 1, 0), -1);
        assert_int_equal(ftruncate(fd, 0), -1);
        assert_int_equal(ftruncate(fd, 4096), -1);
        assert_ptr_equal(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
}

static void it_stays_within_this_process_unless_it_is_passed_on(void **state) {
        _cleanup_close_ int fd = make();

        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void it_may_be_empty_or_large(void **state) {
        _cleanup_close_ int empty = -EBADF, large = -EBADF;
        static char data[3 * 1024 * 1024];
        struct stat st;

        assert_int_equal(memory_file_new("test", "", 0, &empty), 0);
        assert_int_equal(fstat(empty, &st), 0);
        assert_int_equal(st.st_size, 0);
        data[sizeof(data) - 1] = 'x';
        assert_int_equal(memory_file_new("test", data, sizeof(data), &large), 0);
        assert_int_equal(fstat(large, &st), 0);
        assert_int_equal(st.st_size, sizeof(data));
}

static int make_without(void *argument) {
        const int *call = argument;
        int fd = -EBADF;

        if (inject_errno(*call, ENOSYS) < 0)
                return 2;
        return memory_file_new("test", text, strlen(text), &fd) == -ENOSYS && fd == -EBADF ? 0 : 1;
}

static void what_cannot_be_made_whole_is_not_made(void **state) {
        static const int calls[] = { SYS_memfd_create, SYS_pwrite64, SYS_fcntl };

        for (size_t i = 0; i < ELEMENTSOF(calls); i++)
                assert_int_equal(exit_of_child(make_without, (void *) (calls + i)), 0);
}

static void a_sealed_file_is_read_as_a_whole(void **state) {
        _cleanup_close_ int fd = make();
        _cleanup_secret_ Secret *s = NULL;

        assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
        assert_int_equal(memory_file_read(fd, strlen(text), &s), 0);
        assert_string_equal(secret_peek(s).iov_base, text);
}

static void what_could_change_or_is_too_large_is_not_read(void **state) {
        _cleanup_close_ int sealed = make(), loose = memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING),
                            file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        Secret *s = NULL;

        assert_int_equal(memory_file_read(sealed, strlen(text) - 1, &s), -EBADMSG);
        assert_int_equal(memory_file_read(loose, 64, &s), -EBADMSG);
        assert_int_equal(fcntl(loose, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), 0);
        assert_int_equal(memory_file_read(loose, 64, &s), -EBADMSG);
        assert_int_equal(memory_file_read(file, 64, &s), -EBADMSG);
        assert_int_equal(memory_file_read(-EBADF, 64, &s), -EBADMSG);
        assert_null(s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_is_read_from_its_start),
                cmocka_unit_test(it_can_be_opened_by_its_path),
                cmocka_unit_test(nobody_can_change_it),
                cmocka_unit_test(it_stays_within_this_process_unless_it_is_passed_on),
                cmocka_unit_test(it_may_be_empty_or_large),
                cmocka_unit_test(what_cannot_be_made_whole_is_not_made),
                cmocka_unit_test(a_sealed_file_is_read_as_a_whole),
                cmocka_unit_test(what_could_change_or_is_too_large_is_not_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
