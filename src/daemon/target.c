/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Read, decide, merge, replace: one target file.
 *
 * Owns the decision which keys are ours to write and to remove (with the store), and the sentences about
 * files that cannot be read or written. The merge itself is model/auth-file, the replacing base/file-
 * replace.
 *
 * Refuses to touch a file that it does not understand, one that is no regular file, and one in a
 * directory where others could play with names. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/account.h"
#include "base/file-replace.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/target-directory.h"
#include "daemon/target.h"
#include "model/auth-file.h"

/* Others may write at the same time, without a lock. Each round starts from what they wrote. */
#define ROUNDS_MAX 5

struct Target {
        const TargetConfig *config;
        const char *id; /* the path as it is configured: what the store knows the file by */
        StateStore *store;
        char *path;
        const char *root; /* below one, files are ours, not root's */
        /* A replacing failed, perhaps in its last step: what stands might not after a crash. */
        bool unsettled;
};

/* The file as it was found. */
typedef struct Found {
        TargetDirectory directory;
        int fd; /* -EBADF: there is no file, or a link */
        bool link;
        struct stat st;
        Secret *text;
} Found;

static void found_done(Found *f) {
        target_directory_done(&f->directory);
        closep(&f->fd);
        f->text = secret_free(f->text);
        f->fd = -EBADF;
}

int target_new(const char *root, const TargetConfig *config, const char *path, StateStore *store,
               Target **ret) {
        _cleanup_(target_freep) Target *t = NULL;
        int r;

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->config = config;
        t->id = path;
        t->store = store;
        t->root = root;
        r = target_directory_resolve(root, path, &t->path);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

Target *target_free(Target *t) {
        if (!t)
                return NULL;
        free(t->path);
        free(t);
        return NULL;
}

const char *target_path(const Target *t) {
        return t->path;
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
        default:
                return strerrordesc_np(-error) ?: "unknown error";
        }
}

/* Returns 0 or -ENOMEM. */
static int advise(const Target *t, int error, Failure *f) {
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

static int fail(const Target *t, int error, const char *doing, Failure **reterr) {
        int r;

        if (error == -ENOMEM)
                return error;
        r = failure_new(reterr, STEP_PUBLICATION, reason_of_errno(error),
                        "The target file %s cannot be %s: %s", t->path, doing, errno_text(error));
        if (r >= 0)
                r = advise(t, error, *reterr);
        return r < 0 ? r : TARGET_REFUSED;
}

static int fail_directory(const Target *t, int error, const char *component, Failure **reterr) {
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

/* What the directory is opened for. */
typedef enum Purpose {
        TO_ADD,    /* it is made if that is for us to do */
        TO_REMOVE, /* where it is missing, there is nothing to remove */
        TO_SHOW,   /* one that would be made is as good as an empty one */
} Purpose;

/* A file that is not the first of its target is for users of a home that not each host has. */
static bool may_be_missing(const Target *t, int error, Purpose purpose) {
        if (error == -ENXIO || error == -ESRCH)
                return purpose == TO_REMOVE || !streq(t->id, t->config->paths[0]);
        return error == -ENOENT &&
               (purpose == TO_REMOVE || (purpose == TO_SHOW && t->config->directory_mode));
}

/* Returns 1; 0 if there is none and that is no trouble; TARGET_REFUSED (> 1) with a failure, -ENOMEM. */
static int open_directory(const Target *t, Found *f, Purpose purpose, Failure **reterr) {
        _cleanup_free_ char *component = NULL;
        int r;

        r = target_directory_open(t->root, t->id, purpose == TO_ADD ? t->config->directory_mode : 0,
                                  &f->directory, &component);
        if (r >= 0)
                return 1;
        return may_be_missing(t, r, purpose) ? 0 : fail_directory(t, r, component, reterr);
}

static void count_key(const OwnedKey *k, void *userdata) {
        size_t *n = userdata;

        (*n)++;
}

/* A link that was there before us is the administrator's, and refused. One that came into the place of a
 * file that we wrote is somebody's rewriting: what it leads to is read, and a file put in its place. */
static int open_link(const Target *t, Found *f) {
        size_t n_owned = 0;
        int r;

        state_data_each_key(state_store_data(t->store), t->id, count_key, &n_owned);
        if (n_owned == 0)
                return -ELOOP;
        if (fstatat(f->directory.fd, f->directory.name, &f->st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? -EAGAIN : -errno;
        r = file_read(f->directory.fd, f->directory.name, AUTH_FILE_MAX, FILE_READ_FOLLOW | FILE_READ_OWNED,
                      &f->text, NULL);
        if (r < 0 && r != -ENOENT)
                return r == -ENOMEM ? r : -ELOOP;
        f->link = true;
        return 0;
}

/* Returns 0, TARGET_REFUSED with a failure, -EAGAIN if the file changed while it was looked at, -ENOMEM. */
static int open_file(const Target *t, Found *f, Failure **reterr) {
        struct stat st;
        int r;

        r = file_read(f->directory.fd, f->directory.name, AUTH_FILE_MAX, 0, &f->text, &f->st);
        if (r == -ELOOP && !f->directory.home)
                r = open_link(t, f);
        if (r == -ENOENT || r == -EAGAIN || f->link)
                return r == -ENOENT ? 0 : r;
        if (r == -EBADMSG) {
                r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_MALFORMED,
                                "The target file %s is no text, it holds NUL bytes", t->path);
                return r < 0 ? r : TARGET_REFUSED;
        }
        if (r < 0)
                return fail(t, r, "read", reterr);
        if (f->directory.home && (f->st.st_uid != f->directory.uid || f->st.st_nlink != 1)) {
                r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_UNSAFE,
                                "The target file %s belongs to somebody else, or has a second name",
                                t->path);
                if (r >= 0)
                        r = failure_set_hint(*reterr, "Remove it, or let its owner have it as a file alone");
                return r < 0 ? r : TARGET_REFUSED;
        }
        f->fd = openat(f->directory.fd, f->directory.name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (f->fd < 0 || fstat(f->fd, &st) < 0 || !stat_same_content(&st, &f->st))
                return -EAGAIN;
        return 0;
}

static bool is_unchanged(const Found *f) {
        struct stat st;

        if (fstatat(f->directory.fd, f->directory.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT && f->fd < 0;
        return (f->fd >= 0 || f->link) && stat_same_content(&st, &f->st);
}

/* Whose a file is that was not there before. Returns 0, TARGET_REFUSED with a failure, -ENOMEM. */
static int find_owner(const Target *t, FileReplace *ret, Failure **reterr) {
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

static int replace(Target *t, const Found *f, const Secret *text, Failure **reterr) {
        struct iovec bytes = secret_peek(text);
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
        return r < 0 ? fail(t, r, "written", reterr) : TARGET_WRITTEN;
}

/* The file is as it should be. Is that for good? */
static int settle(Target *t, const Found *f, Failure **reterr) {
        if (t->unsettled && target_path_is_persistent(t->id) && f->directory.fd >= 0 &&
            fsync(f->directory.fd) < 0 && errno != EINVAL)
                return fail(t, -errno, "written", reterr);
        t->unsettled = false;
        return TARGET_UNCHANGED;
}

static int fail_malformed(const Target *t, const JsonError *error, Failure **reterr) {
        int r;

        r = failure_new(
                reterr, STEP_PUBLICATION, REASON_TARGET_MALFORMED,
                "The target file %s is not valid JSON and was left untouched: line %zu, column %zu: %s",
                t->path, error->line, error->column, error->what);
        return r < 0 ? r : TARGET_REFUSED;
}

/* `*ret` stays NULL if nothing has to change. Returns 0, TARGET_REFUSED with a failure, -ENOMEM. */
static int merge(const Target *t, const Found *f, const TargetPlan *plan, Secret **ret, Failure **reterr) {
        struct iovec old = secret_peek(f->text);
        JsonError error = {};
        int r;

        r = auth_file_merge(old.iov_base, old.iov_len, plan->entries, plan->n_entries, ret, &error);
        if (r == -EBADMSG)
                return fail_malformed(t, &error, reterr);
        if (r == -EFBIG)
                return fail(t, r, "written", reterr);
        return r < 0 ? r : 0;
}

static int merge_and_replace(Target *t, const Found *f, TargetPlan *plan, Failure **reterr) {
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = merge(t, f, plan, &text, reterr);
        if (r != 0)
                return r;
        /* Ours from here on, whatever happens to us before the file is written. A state that cannot be saved
         * is no reason to let a credential die. */
        r = target_plan_own(plan, state_store_data(t->store), t->id);
        if (r < 0)
                return r;
        if (state_store_save(t->store) < 0)
                log_debug("Cannot save the state before writing %s, going on", t->path);
        r = text ? replace(t, f, text, reterr) : settle(t, f, reterr);
        if (r < 0 || r == TARGET_REFUSED)
                return r;
        target_plan_disown(plan, state_store_data(t->store), t->id);
        return r;
}

/* Returns 0, TARGET_REFUSED with a failure, -ENOMEM. */
static int plan_for(const Target *t, const Found *f, Wanted *wanted, size_t n_wanted, TargetPlan *ret,
                    Failure **reterr) {
        const TargetView view = { state_store_data(t->store), t->id, t->path, f->text };
        JsonError error = {};
        int r;

        r = target_plan_make(&view, wanted, n_wanted, ret, &error);
        return r == -EBADMSG ? fail_malformed(t, &error, reterr) : r;
}

static bool adds_any(const Wanted *wanted, size_t n_wanted) {
        for (size_t i = 0; i < n_wanted; i++)
                if (wanted[i].auth)
                        return true;
        return false;
}

static int sync_once(Target *t, Wanted *wanted, size_t n_wanted, Failure **reterr) {
        _cleanup_(found_done) Found f = { .directory = TARGET_DIRECTORY_NONE, .fd = -EBADF };
        _cleanup_(target_plan_done) TargetPlan plan = {};
        int r;

        r = open_directory(t, &f, adds_any(wanted, n_wanted) ? TO_ADD : TO_REMOVE, reterr);
        /* Nothing to be done in a home that is not there. */
        if (r == 0 && adds_any(wanted, n_wanted))
                return TARGET_UNCHANGED;
        if (r == 1)
                r = open_file(t, &f, reterr);
        if (r == 0)
                r = plan_for(t, &f, wanted, n_wanted, &plan, reterr);
        if (r != 0)
                return r;
        /* Nothing to say and no file: do not make one that says nothing. */
        if (plan.n_entries == 0) {
                r = settle(t, &f, reterr);
                if (r == TARGET_UNCHANGED)
                        target_plan_disown(&plan, state_store_data(t->store), t->id);
                return r;
        }
        return merge_and_replace(t, &f, &plan, reterr);
}

int target_sync(Target *t, Wanted *wanted, size_t n_wanted, Failure **reterr_failure) {
        int r = -EAGAIN;

        for (unsigned round = 0; r == -EAGAIN && round < ROUNDS_MAX; round++)
                r = sync_once(t, wanted, n_wanted, reterr_failure);
        if (r != -EAGAIN)
                return r;
        r = failure_new(reterr_failure, STEP_PUBLICATION, REASON_TARGET_UNWRITABLE,
                        "The target file %s is being rewritten by another program all the time", t->path);
        return r < 0 ? r : TARGET_REFUSED;
}

int target_preview(const Target *t, Wanted *wanted, size_t n_wanted, Secret **ret, Failure **reterr) {
        _cleanup_(found_done) Found f = { .directory = TARGET_DIRECTORY_NONE, .fd = -EBADF };
        _cleanup_(target_plan_done) TargetPlan plan = {};
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = open_directory(t, &f, TO_SHOW, reterr);
        if (r == 1)
                r = open_file(t, &f, reterr);
        /* It is being replaced right now; what it holds is told as well as anything. */
        if (r == -EAGAIN)
                r = 0;
        if (r == 0)
                r = plan_for(t, &f, wanted, n_wanted, &plan, reterr);
        if (r == 0 && plan.n_entries > 0)
                r = merge(t, &f, &plan, &text, reterr);
        if (r < 0 || r == TARGET_REFUSED)
                return r;
        if (text)
                *ret = TAKE_PTR(text);
        else if (f.text)
                *ret = TAKE_PTR(f.text);
        else
                return secret_new("", 0, ret);
        return 0;
}

void target_sweep(Target *t) {
        _cleanup_(target_directory_done) TargetDirectory d = TARGET_DIRECTORY_NONE;
        int r;

        if (target_directory_open(t->root, t->id, 0, &d, NULL) < 0)
                return;
        r = file_replace_sweep(d.fd, d.name);
        if (r > 0)
                log_info("Removed %d temporary files that a killed writer left beside %s", r, t->path);
}
