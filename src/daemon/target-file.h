/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One file of a target: opened safely, replaced or removed as a whole. */

#include <sys/stat.h>

#include "base/failure.h"
#include "base/secret.h"
#include "daemon/target-directory.h"
#include "model/target-config.h"

typedef enum TargetOutcome {
        TARGET_UNCHANGED,
        TARGET_WRITTEN,
        TARGET_REFUSED,
} TargetOutcome;

typedef struct TargetFile {
        const TargetConfig *config;
        const char *id; /* the path as it is configured: what the store knows the file by */
        char *path;
        const char *root; /* below one, files are ours, not root's */
        /* A replacing failed, perhaps in its last step: what stands might not after a crash. */
        bool unsettled;
        bool in_line;
        struct stat left; /* if in line: as it stands then, for stat_same_bytes(); all zero: it does not */
} TargetFile;

/* As target_new(). */
int target_file_init(const char *root, const TargetConfig *config, const char *path, TargetFile *ret);
void target_file_done(TargetFile *t);

/* The file as it was found. */
typedef struct TargetFound {
        TargetDirectory directory;
        int fd; /* -EBADF: there is no file, or a link */
        bool link;
        struct stat st;
        Secret *text;
        /* Of a target with bases; daemon/target fills it in. */
        bool whole;      /* all of it is ours */
        bool from_base;  /* what stands there does not count, but what we would hide by it: */
        Secret *base;    /* NULL: nothing */
        char *base_path; /* for messages */
        /* A link on the way to a place that is done without then; NULL: none. */
        char *passed_by;
} TargetFound;

#define TARGET_FOUND_NONE ((TargetFound){ .directory = TARGET_DIRECTORY_NONE, .fd = -EBADF })
void target_found_done(TargetFound *f);

/* What the directory is opened for. */
typedef enum TargetPurpose {
        TO_ADD,    /* it is made if that is for us to do */
        TO_REMOVE, /* where it is missing, there is nothing to remove */
        TO_SHOW,   /* one that would be made is as good as an empty one */
} TargetPurpose;

/* `is_ours`: something in the file is. Returns 1; 0 if there is no directory and that is no trouble;
 * TARGET_REFUSED (> 1) with a failure, -ENOMEM. */
int target_file_open_directory(const TargetFile *t, TargetFound *f, TargetPurpose purpose, bool is_ours,
                               Failure **reterr);
/* In the directory that was opened. `is_ours`: we wrote it before. Returns 0, TARGET_REFUSED with a failure,
 * -EAGAIN if the file changed while it was looked at, -ENOMEM. */
int target_file_open(const TargetFile *t, TargetFound *f, bool is_ours, Failure **reterr);

/* The three return a TargetOutcome, with a failure if that is TARGET_REFUSED; -EAGAIN if the file is not as
 * it was found any more; -ENOMEM. */
int target_file_replace(TargetFile *t, const TargetFound *f, const Secret *text, Failure **reterr);
int target_file_remove(TargetFile *t, const TargetFound *f, Failure **reterr);
/* The file is as it should be. Is that for good? */
int target_file_settle(TargetFile *t, const TargetFound *f, Failure **reterr);
/* True if the file was in line, and nobody has changed it since: there is no need to read it. Two writes
 * within a tick of the kernel's clock that leave the same size would look like one. */
bool target_file_is_as_left(const TargetFile *t);

/* "The target file … cannot be DOING: …". Returns TARGET_REFUSED with a failure, or -ENOMEM. */
int target_file_fail(const TargetFile *t, int error, const char *doing, Failure **reterr);
