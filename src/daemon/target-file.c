/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One file of a target as something that is opened, replaced and removed.
 *
 * Owns the sentences about files that cannot be read or written, and the checks that make it safe to do so.
 * What the file says and shall say is daemon/target's.
 *
 * Refuses to touch one that is no regular file, and one in a directory where others could play with
 * names. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/account.h"
#include "base/file-replace.h"
#include "base/file.h"
#include "base/text.h"
#include "daemon/target-file.h"
#include "model/auth-file.h"

int target_file_init(const char *root, const TargetConfig *config, const char *path, TargetFile *ret) {
        *ret = (TargetFile){ .config = config, .id = path, .root = root };
        return target_directory_resolve(root, path, &ret->path);
}

void target_file_done(TargetFile *t) {
        free(TAKE_PTR(t->path));
}

void target_found_done(TargetFound *f) {
        target_directory_done(&f->directory);
        closep(&f->fd);
        f->text = secret_free(f->text);
        f->base = secret_free(f->base);
        free(TAKE_PTR(f->base_path));
        free(TAKE_PTR(f->passed_by));
        f->fd = -EBADF;
}

static Reason reason_of_errno(int error) {
        switch (-error) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
                return REASON_TARGET_FULL;
        case ELOOP:
        case EISDIR:
        case ENOTDIR:
        case EMEDIUMTYPE:
                return REASON_TARGET_UNSAFE;
        default:
                return REASON_TARGET_UNWRITABLE;
        }
}

static const char *errno_text(int error) {
        switch (-error) {
        case ELOOP:
                return "it is a symbolic link";
        case EISDIR:
                return "it is a directory";
        case EMEDIUMTYPE:
                return "it is no regular file";
        case EBUSY:
                return "it is a mount point of its own, mount its directory instead";
        case EXDEV: /* in a home */
                return "it is a mount point of its own, take the mount away";
        default:
                return strerrordesc_np(-error) ?: "unknown error";
        }
}

/* Returns 0 or -ENOMEM. */
static int advise(const TargetFile *t, int error, Failure *f) {
        if (error == -ENOENT)
                return failure_set_hint(
                        f, "Make the directory, or install the tool that has it, and restart "
                           "pullauthd.service, which can write only where something was when it started");
        if (error == -EROFS && t->id[0] == '~')
                return failure_set_hint(
                        f,
                        "Make the directory and restart pullauthd.service; for homes of others than root, "
                        "link /usr/share/pullauth/pullauthd.service.d/homes.conf as a drop-in of it");
        if (error == -ESRCH || error == -ENXIO)
                return failure_set_hint(f, "Make the user with a home, or take the target out of Targets=");
        if (error == -EROFS)
                return failure_set_hint(
                        f, "If the directory is newer than the service, restart pullauthd.service; one that "
                           "its unit does not name needs ReadWritePaths= in a drop-in (pullauth.target(5))");
        return 0;
}

int target_file_fail(const TargetFile *t, int error, const char *doing, Failure **reterr) {
        int r;

        if (error == -ENOMEM)
                return error;
        r = failure_new(reterr, STEP_PUBLICATION, reason_of_errno(error),
                        "The target file %s cannot be %s: %s", t->path, doing, errno_text(error));
        if (r >= 0)
                r = advise(t, error, *reterr);
        return r < 0 ? r : TARGET_REFUSED;
}

static int fail_directory(const TargetFile *t, int error, const char *component, Failure **reterr) {
        const char *where = component ?: t->path;
        int r;

        if (error == -ENOMEM)
                return error;
        if (error == -ESRCH || error == -ENXIO)
                r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_UNWRITABLE,
                                "The target file %s cannot be made: %s", t->id,
                                error == -ESRCH ? "there is no such user" : "that user has no home");
        else if (error == -EXDEV)
                r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_UNSAFE,
                                "The directory %s is on another file system than the home it is in", where);
        else if (error == -EPERM)
                r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_UNSAFE,
                                "The directory %s does not belong to %s or can be written by others", where,
                                t->id[0] == '~' ? "its user, or to root," : "root");
        else
                r = failure_new(reterr, STEP_PUBLICATION, reason_of_errno(error),
                                "The directory %s cannot be used: %s", where, errno_text(error));
        if (r >= 0)
                r = advise(t, error, *reterr);
        return r < 0 ? r : TARGET_REFUSED;
}

/* A file that is not the first of its target is for users of a home that not each host has. */
static bool may_be_missing(const TargetFile *t, int error, TargetPurpose purpose) {
        if (error == -ENXIO || error == -ESRCH)
                return purpose == TO_REMOVE || !streq(t->id, t->config->paths[0]);
        return error == -ENOENT &&
               (purpose == TO_REMOVE || (purpose == TO_SHOW && t->config->directory_mode));
}

/* Root has its settings somewhere else, as some do who keep them under version control. No link is followed
 * in a home; but what is first, and read by services, works without the second place. */
static bool is_spare(const TargetFile *t, int error) {
        return error == -ELOOP && startswith(t->id, "~root/") && !streq(t->id, t->config->paths[0]);
}

int target_file_open_directory(const TargetFile *t, TargetFound *f, TargetPurpose purpose, bool is_ours,
                               Failure **reterr) {
        _cleanup_free_ char *component = NULL;
        int r;

        r = target_directory_open(t->root, t->id, purpose == TO_ADD ? t->config->directory_mode : 0,
                                  &f->directory, &component);
        if (r >= 0)
                return 1;
        if (!is_ours && is_spare(t, r)) {
                f->passed_by = TAKE_PTR(component);
                return 0;
        }
        return may_be_missing(t, r, purpose) ? 0 : fail_directory(t, r, component, reterr);
}

/* A link that was there before us is the administrator's, and refused. One that came into the place of a
 * file that we wrote is somebody's rewriting: what it leads to is read, and a file put in its place. */
static int open_link(TargetFound *f) {
        int r;

        if (fstatat(f->directory.fd, f->directory.name, &f->st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? -EAGAIN : -errno;
        r = file_read(f->directory.fd, f->directory.name, AUTH_FILE_MAX, FILE_READ_FOLLOW | FILE_READ_OWNED,
                      &f->text, NULL);
        if (r < 0 && r != -ENOENT)
                return r == -ENOMEM ? r : -ELOOP;
        f->link = true;
        return 0;
}

int target_file_open(const TargetFile *t, TargetFound *f, bool is_ours, Failure **reterr) {
        int r;

        r = target_directory_read_file(&f->directory, AUTH_FILE_MAX, &f->text, &f->st, &f->fd);
        if (r == -ELOOP && is_ours && !f->directory.home)
                r = open_link(f);
        if (r == -ENOENT || r == -EAGAIN || f->link)
                return r == -ENOENT ? 0 : r;
        if (r == -EBADMSG) {
                r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_MALFORMED,
                                "The target file %s is no text, it holds NUL bytes", t->path);
                return r < 0 ? r : TARGET_REFUSED;
        }
        if (r < 0)
                return target_file_fail(t, r, "read", reterr);
        if (f->directory.home && (f->st.st_uid != f->directory.uid || f->st.st_nlink != 1)) {
                r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_UNSAFE,
                                "The target file %s belongs to somebody else, or has a second name",
                                t->path);
                if (r >= 0)
                        r = failure_set_hint(*reterr, "Remove it, or let its owner have it as a file alone");
                return r < 0 ? r : TARGET_REFUSED;
        }
        return 0;
}

static bool is_unchanged(const TargetFound *f) {
        struct stat st;
        int r;

        r = target_directory_look(&f->directory, &st);
        if (r < 0)
                return r == -ENOENT && f->fd < 0;
        return (f->fd >= 0 || f->link) && stat_same_content(&st, &f->st);
}

/* Whose a file is that was not there before. Returns 0, TARGET_REFUSED with a failure, -ENOMEM. */
static int find_owner(const TargetFile *t, FileReplace *ret, Failure **reterr) {
        const TargetConfig *c = t->config;
        Account account = {};
        int r = 0, k = 0;

        if (c->owner)
                r = account_find(c->owner, &account);
        ret->uid = account.uid;
        ret->gid = account.gid;
        account_done(&account);
        if (r >= 0 && c->group)
                k = account_find_group(c->group, &ret->gid);
        if (r == -ENOMEM || k == -ENOMEM)
                return -ENOMEM;
        if (r >= 0 && k >= 0)
                return 0;
        r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_UNWRITABLE,
                        "The target file %s cannot be made: there is no %s '%s'", t->path,
                        r < 0 ? "user" : "group", r < 0 ? c->owner : c->group);
        if (r >= 0)
                r = failure_set_hint(
                        *reterr, "Make that account, or change Owner= and Group= of target '%s'", c->name);
        return r < 0 ? r : TARGET_REFUSED;
}

int target_file_replace(TargetFile *t, const TargetFound *f, const Secret *text, Failure **reterr) {
        struct iovec bytes = secret_peek(text);
        struct stat placed = {};
        FileReplace replace = {
                .dir_fd = f->directory.fd,
                .name = f->directory.name,
                .data = bytes.iov_base,
                .size = bytes.iov_len,
                .old_fd = f->fd,
                .mode = t->config->mode,
                .uid = f->directory.home ? f->directory.uid : (uid_t) -1,
                .gid = f->directory.home ? f->directory.gid : (gid_t) -1,
                .flags = FILE_REPLACE_KEEP | (target_path_is_persistent(t->id) ? FILE_REPLACE_SYNC : 0),
                .expected = &f->st,
                .ret_placed = &placed,
        };
        int r;

        if (!is_unchanged(f))
                return -EAGAIN;
        r = f->directory.home || !isempty(t->root) || f->fd >= 0 ? 0 : find_owner(t, &replace, reterr);
        if (r != 0)
                return r;
        r = file_replace(&replace);
        if (r == -EAGAIN)
                return r;
        t->unsettled = r < 0;
        if (r < 0)
                return target_file_fail(t, r, "written", reterr);
        t->in_line = true;
        t->left = placed;
        return TARGET_WRITTEN;
}

int target_file_remove(TargetFile *t, const TargetFound *f, Failure **reterr) {
        int r;

        if (f->directory.fd < 0)
                return TARGET_UNCHANGED;
        if (!is_unchanged(f))
                return -EAGAIN;
        if (unlinkat(f->directory.fd, f->directory.name, 0) < 0 && errno != ENOENT)
                return target_file_fail(t, -errno, "removed", reterr);
        t->unsettled = true;
        r = target_file_settle(t, f, reterr);
        return r == TARGET_UNCHANGED ? TARGET_WRITTEN : r;
}

int target_file_settle(TargetFile *t, const TargetFound *f, Failure **reterr) {
        if (t->unsettled && target_path_is_persistent(t->id) && f->directory.fd >= 0 &&
            fsync(f->directory.fd) < 0 && errno != EINVAL)
                return target_file_fail(t, -errno, "written", reterr);
        t->unsettled = false;
        t->in_line = true;
        t->left = f->fd >= 0 ? f->st : (struct stat){};
        return TARGET_UNCHANGED;
}

bool target_file_is_as_left(const TargetFile *t) {
        _cleanup_(target_directory_done) TargetDirectory d = TARGET_DIRECTORY_NONE;
        struct stat st;
        int r;

        if (!t->in_line)
                return false;
        r = target_directory_open(t->root, t->id, 0, &d, NULL);
        /* A file that is missing is another matter when there is a place for it. */
        if (t->left.st_ino == 0)
                return r == -ENOENT || r == -ENXIO || r == -ESRCH;
        return r >= 0 && target_directory_look(&d, &st) >= 0 && stat_same_bytes(&st, &t->left);
}
