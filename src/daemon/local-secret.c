/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the local files that a request needs, at each attempt anew: a cached proof of identity that expired
 * would stand in the way of its own renewal.
 *
 * Owns the rules of which files are safe to believe and the sentences about those that are not. Never says
 * anything of their content. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "daemon/local-secret.h"
#include "model/door.h"

/* How each kind of file fails. */
typedef struct FileKind {
        const char *what;
        FailureStep step;
        Reason missing, unreadable, unsafe;
} FileKind;

static const FileKind token_file = { "token file", STEP_IDENTITY, REASON_TOKEN_FILE_MISSING,
                                     REASON_TOKEN_FILE_UNREADABLE, REASON_TOKEN_FILE_UNSAFE };
static const FileKind ca_file = { "CA file", STEP_CONFIGURATION, REASON_CA_UNREADABLE, REASON_CA_UNREADABLE,
                                  REASON_CA_UNREADABLE };

static int explain(const FileKind *kind, const char *path, int error, Failure **reterr) {
        int r;

        switch (-error) {
        case ENOMEM:
                return -ENOMEM;
        case ENOENT:
                r = failure_new(reterr, kind->step, kind->missing, "The %s %s does not exist", kind->what,
                                path);
                break;
        case EPERM:
                r = failure_new(reterr, kind->step, kind->unsafe,
                                "The %s %s must belong to root and not be writable by group or others",
                                kind->what, path);
                break;
        case EISDIR:
        case EMEDIUMTYPE:
                r = failure_new(reterr, kind->step, kind->unsafe, "The %s %s is no regular file", kind->what,
                                path);
                break;
        case EFBIG:
                r = failure_new(reterr, kind->step, kind->unsafe, "The %s %s is too large to be one",
                                kind->what, path);
                break;
        case EBADMSG:
                r = failure_new(reterr, kind->step, kind->unsafe, "The %s %s holds NUL bytes", kind->what,
                                path);
                break;
        default:
                r = failure_new(reterr, kind->step, kind->unreadable, "The %s %s cannot be read: %s",
                                kind->what, path, strerrordesc_np(-error) ?: "unknown error");
        }
        return r < 0 ? r : 1;
}

static int read_rooted(const char *root, const char *path, size_t max, Secret **ret) {
        _cleanup_free_ char *full = NULL;
        int r;

        r = text_format(&full, "%s%s", root, path);
        if (r < 0)
                return r;
        return file_read(AT_FDCWD, full, max, FILE_READ_FOLLOW | FILE_READ_OWNED, ret, NULL);
}

int local_token_read(const char *root, const char *path, Secret **ret, Failure **reterr_failure) {
        _cleanup_secret_ Secret *token = NULL;
        struct iovec bytes;
        int r;

        r = read_rooted(root, path, DOOR_TOKEN_MAX, &token);
        if (r < 0)
                return explain(&token_file, path, r, reterr_failure);
        bytes = secret_peek(token);
        while (bytes.iov_len > 0 && strchr(WHITESPACE, ((const char *) bytes.iov_base)[bytes.iov_len - 1]))
                bytes.iov_len--;
        secret_truncate(token, bytes.iov_len);
        *ret = TAKE_PTR(token);
        return 0;
}

int local_ca_read(const char *root, const char *path, char **ret, Failure **reterr_failure) {
        _cleanup_secret_ Secret *pem = NULL;
        struct iovec bytes;
        char *copy;
        int r;

        r = read_rooted(root, path, DOOR_CA_MAX, &pem);
        if (r < 0)
                return explain(&ca_file, path, r, reterr_failure);
        bytes = secret_peek(pem);
        if (!memmem(bytes.iov_base, bytes.iov_len, "-----BEGIN", 10)) {
                r = failure_new(reterr_failure, STEP_CONFIGURATION, REASON_CA_UNREADABLE,
                                "The CA file %s holds no PEM certificate", path);
                return r < 0 ? r : 1;
        }
        copy = strndup(bytes.iov_base, bytes.iov_len);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}
