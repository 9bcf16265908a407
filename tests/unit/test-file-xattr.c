/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Extended attributes of the old file stand on the new one: ACLs, labels, notes; but not what belongs to
 * its bytes. */

#include <endian.h>
#include <errno.h>
#include <sys/xattr.h>

#include "base/file-xattr.h"
#include "child.h"
#include "unit.h"

#define ACL "system.posix_acl_access"
#define DEFAULT_ACL "system.posix_acl_default"
#define STRANGER 4242

/* The form of linux/posix_acl_xattr.h: version 2, then tag, permissions, id; little endian. */
typedef struct AclEntry {
        uint16_t tag;
        uint16_t permissions;
        uint32_t id;
} AclEntry;

typedef struct Acl {
        uint32_t version;
        AclEntry entries[5];
} Acl;

static Acl acl_with_reader(uint32_t uid) {
        return (Acl){
                htole32(2),
                {
                        { htole16(0x01), htole16(6), UINT32_MAX },   /* owner rw */
                        { htole16(0x02), htole16(4), htole32(uid) }, /* a named user r */
                        { htole16(0x04), htole16(0), UINT32_MAX },   /* group - */
                        { htole16(0x10), htole16(4), UINT32_MAX },   /* mask r */
                        { htole16(0x20), htole16(0), UINT32_MAX },   /* others - */
                },
        };
}

typedef struct Pair {
        char *directory;
        int from;
        int to;
} Pair;

static int setup(void **state) {
        Pair *p = calloc(1, sizeof(Pair));
        int dir_fd;

        if (!p || setup_scratch((void **) &p->directory) < 0)
                return -1;
        dir_fd = open(p->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        p->from = openat(dir_fd, "from", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        p->to = openat(dir_fd, "to", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        close(dir_fd);
        *state = p;
        return p->from < 0 || p->to < 0 ? -1 : 0;
}

static int teardown(void **state) {
        Pair *p = *state;
        int r = teardown_scratch((void **) &p->directory);

        close(p->from);
        close(p->to);
        free(p);
        return r;
}

static bool has(int fd, const char *name, const void *value, size_t size) {
        char present[65536];

        return fgetxattr(fd, name, present, sizeof(present)) == (ssize_t) size &&
               memcmp(present, value, size) == 0;
}

static void files_without_attributes_need_nothing(void **state) {
        const Pair *p = *state;
        char names[256];

        assert_int_equal(file_copy_xattrs(p->from, p->to), 0);
        assert_int_equal(flistxattr(p->to, names, sizeof(names)), flistxattr(p->from, names, sizeof(names)));
}

static void notes_of_users_are_copied_whatever_their_size(void **state) {
        const Pair *p = *state;
        char large[2000];

        for (size_t i = 0; i < sizeof(large); i++)
                large[i] = (char) i;
        assert_int_equal(fsetxattr(p->from, "user.empty", "", 0, 0), 0);
        assert_int_equal(fsetxattr(p->from, "user.nul", "a\0b", 3, 0), 0);
        assert_int_equal(fsetxattr(p->from, "user.large", large, sizeof(large), 0), 0);
        assert_int_equal(fsetxattr(p->to, "user.nul", "other", 5, 0), 0);
        assert_int_equal(file_copy_xattrs(p->from, p->to), 0);
        assert_true(has(p->to, "user.empty", "", 0));
        assert_true(has(p->to, "user.nul", "a\0b", 3));
        assert_true(has(p->to, "user.large", large, sizeof(large)));
        assert_int_equal(file_copy_xattrs(p->from, p->to), 0);
}

static void the_acl_of_the_old_file_is_copied(void **state) {
        const Pair *p = *state;
        const Acl acl = acl_with_reader(STRANGER);
        struct stat st;

        assert_int_equal(fsetxattr(p->from, ACL, &acl, sizeof(acl), 0), 0);
        assert_int_equal(file_copy_xattrs(p->from, p->to), 0);
        assert_true(has(p->to, ACL, &acl, sizeof(acl)));
        assert_int_equal(fstat(p->to, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        /* What file_replace() does next changes nothing. */
        assert_int_equal(fchmod(p->to, 0640), 0);
        assert_true(has(p->to, ACL, &acl, sizeof(acl)));
}

static void an_acl_inherited_from_the_directory_does_not_widen_access(void **state) {
        const Pair *p = *state;
        const Acl acl = acl_with_reader(STRANGER);
        char path[256];
        int fd;

        assert_int_equal(setxattr(p->directory, DEFAULT_ACL, &acl, sizeof(acl), 0), 0);
        snprintf(path, sizeof(path), "%s/inheriting", p->directory);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_true(fgetxattr(fd, ACL, NULL, 0) > 0);
        assert_int_equal(file_copy_xattrs(p->from, fd), 0);
        assert_int_equal(fgetxattr(fd, ACL, NULL, 0), -1);
        assert_int_equal(errno, ENODATA);
        close(fd);
}

static void labels_are_copied_but_not_what_belongs_to_the_bytes(void **state) {
        /* VFS_CAP_REVISION_2, nothing permitted */
        const uint32_t capability[5] = { htole32(0x02000000) };
        const Pair *p = *state;

        if (geteuid() != 0)
                skip(); /* only root sets attributes under "security." and "trusted." */
        assert_int_equal(fsetxattr(p->from, "security.capability", capability, sizeof(capability), 0), 0);
        assert_int_equal(fsetxattr(p->from, "security.label", "a:b:c", 6, 0), 0);
        assert_int_equal(fsetxattr(p->from, "trusted.note", "x", 1, 0), 0);
        assert_int_equal(file_copy_xattrs(p->from, p->to), 0);
        assert_true(has(p->to, "security.label", "a:b:c", 6));
        assert_true(has(p->to, "trusted.note", "x", 1));
        assert_int_equal(fgetxattr(p->to, "security.capability", NULL, 0), -1);
}

static int copy_as_stranger(void *argument) {
        const Pair *p = argument;

        if (seteuid(STRANGER) < 0)
                return 255;
        return -file_copy_xattrs(p->from, p->to);
}

static void a_label_that_may_not_be_set_is_tolerated(void **state) {
        const Pair *p = *state;

        if (geteuid() != 0)
                skip(); /* needs an attribute under "security." */
        assert_int_equal(fsetxattr(p->from, "security.label", "a:b:c", 6, 0), 0);
        assert_int_equal(fchown(p->to, STRANGER, STRANGER), 0);
        assert_int_equal(exit_of_child(copy_as_stranger, (void *) p), 0);
        /* One that stands there already needs not to be set. */
        assert_int_equal(fsetxattr(p->to, "security.label", "a:b:c", 6, 0), 0);
        assert_int_equal(exit_of_child(copy_as_stranger, (void *) p), 0);
}

static void an_acl_that_may_not_be_set_is_an_error(void **state) {
        const Pair *p = *state;
        const Acl acl = acl_with_reader(STRANGER);

        if (geteuid() != 0)
                skip(); /* needs a file of another owner */
        assert_int_equal(fsetxattr(p->from, ACL, &acl, sizeof(acl), 0), 0);
        assert_int_equal(exit_of_child(copy_as_stranger, (void *) p), EPERM);
}

typedef struct Fault {
        const Pair *p;
        long number;
        int error;
} Fault;

static int copy_with_fault(void *argument) {
        const Fault *fault = argument;

        if (inject_errno(fault->number, fault->error) < 0)
                return 255;
        return -file_copy_xattrs(fault->p->from, fault->p->to);
}

static int fails_with(const Pair *p, long number, int error) {
        return exit_of_child(copy_with_fault, &(Fault){ p, number, error });
}

static void a_file_system_without_attributes_is_no_error(void **state) {
        const Pair *p = *state;

        assert_int_equal(fails_with(p, SYS_flistxattr, ENOTSUP), 0);
        assert_int_equal(fails_with(p, SYS_fremovexattr, ENOTSUP), 0);
        assert_int_equal(fails_with(p, SYS_fremovexattr, ENODATA), 0);
        assert_int_equal(fsetxattr(p->from, "user.note", "x", 1, 0), 0);
        assert_int_equal(fails_with(p, SYS_fsetxattr, ENOTSUP), 0);
}

static void other_errors_are_reported(void **state) {
        const Pair *p = *state;

        assert_int_equal(fsetxattr(p->from, "user.note", "x", 1, 0), 0);
        assert_int_equal(fails_with(p, SYS_flistxattr, EIO), EIO);
        assert_int_equal(fails_with(p, SYS_fgetxattr, EIO), EIO);
        assert_int_equal(fails_with(p, SYS_fsetxattr, ENOSPC), ENOSPC);
        assert_int_equal(fails_with(p, SYS_fsetxattr, EPERM), EPERM);
        assert_int_equal(fails_with(p, SYS_fremovexattr, EPERM), EPERM);
        /* Gone between listing and reading. */
        assert_int_equal(fails_with(p, SYS_fgetxattr, ENODATA), 0);
        /* Growing without end. */
        assert_int_equal(fails_with(p, SYS_flistxattr, ERANGE), ERANGE);
}

#define in_scratch(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                in_scratch(files_without_attributes_need_nothing),
                in_scratch(notes_of_users_are_copied_whatever_their_size),
                in_scratch(the_acl_of_the_old_file_is_copied),
                in_scratch(an_acl_inherited_from_the_directory_does_not_widen_access),
                in_scratch(labels_are_copied_but_not_what_belongs_to_the_bytes),
                in_scratch(a_label_that_may_not_be_set_is_tolerated),
                in_scratch(an_acl_that_may_not_be_set_is_an_error),
                in_scratch(a_file_system_without_attributes_is_no_error),
                in_scratch(other_errors_are_reported),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
