/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings of a job that callers may give, and the files that they become. Pure. */

#include "base/clock.h"
#include "base/macro.h"
#include "codec/conf.h"

typedef enum JobKey {
        JOB_KEY_REGISTRY,
        JOB_KEY_ROBOT,
        JOB_KEY_IDENTITY,
        JOB_KEY_SCOPES,
        JOB_KEY_TARGETS,
        JOB_KEY_MINIMUM_REMAINING,
        JOB_KEY_ON_EXPIRY,
        JOB_KEY_ON_REMOVE,
        JOB_KEY_TAKE_OVER,
        JOB_KEY_WAKE_SYSTEM,
        _JOB_KEY_SETTING_MAX, /* up to here: what callers may name */
        JOB_KEY_ENABLED = _JOB_KEY_SETTING_MAX,
        _JOB_KEY_MAX,
        _JOB_KEY_INVALID = -EINVAL,
} JobKey;

typedef enum JobKeyType {
        JOB_KEY_STRING, /* "s" */
        JOB_KEY_LIST,   /* "as" */
        JOB_KEY_BOOL,   /* "b" */
        JOB_KEY_SPAN,   /* "t", µs */
        _JOB_KEY_TYPE_MAX,
        _JOB_KEY_TYPE_INVALID = -EINVAL,
} JobKeyType;

/* "Registry" … */
const char *job_key_to_string(JobKey k);
JobKey job_key_from_string(const char *s);
JobKeyType job_key_type(JobKey k);

/* A set of keys with values. A key that is not in it is left as it is. */
typedef struct JobEdit {
        bool has[_JOB_KEY_MAX];
        char **values[_JOB_KEY_MAX]; /* words as a file has them; none: back to the default */
} JobEdit;
void job_edit_done(JobEdit *e);

/* Each takes a value as the bus has it; an empty string, an empty list and a span of 0 mean the default.
 * All return 0, -EINVAL for a value that no line of a file may have (blanks, control characters, what is
 * not ASCII), -E2BIG for more or longer words than any key takes, -ENOMEM. */
int job_edit_set_string(JobEdit *e, JobKey k, const char *value);
int job_edit_add_word(JobEdit *e, JobKey k, const char *word); /* to a list that job_edit_set_list() began */
void job_edit_set_list(JobEdit *e, JobKey k);
int job_edit_set_bool(JobEdit *e, JobKey k, bool value);
int job_edit_set_span(JobEdit *e, JobKey k, usec_t value);

/* The value of a key that has one word; "" for the default, and if it is not in the set. */
const char *job_edit_get(const JobEdit *e, JobKey k);
bool job_edit_is_empty(const JobEdit *e);
/* Takes over what `more` has. Returns 0 or -ENOMEM. */
int job_edit_merge(JobEdit *e, const JobEdit *more);
/* Takes out the keys that `keys` has. */
void job_edit_subtract(JobEdit *e, const JobEdit *keys);

/* Are the values right, each for itself? Returns 0; 1 with a sentence that says which is not, and what
 * would be; -ENOMEM. */
int job_edit_check(const JobEdit *e, char **reterr);

typedef enum JobEditForm {
        JOB_EDIT_MAIN,    /* a file of its own */
        JOB_EDIT_DROP_IN, /* on top of others */
        _JOB_EDIT_FORM_MAX,
        _JOB_EDIT_FORM_INVALID = -EINVAL,
} JobEditForm;

/* The text of a file that says so: read again, it says exactly this, or -EINVAL. */
int job_edit_print(const JobEdit *e, JobEditForm form, char **ret);
/* Reads a drop-in of job_edit_print(). Returns 1; 0 if somebody else wrote it, or changed as much as a
 * blank. */
int job_edit_read(const char *text, JobEdit *ret);
