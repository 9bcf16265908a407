/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From settings that somebody asks for to the text of a file, and back.
 *
 * Owns the list of keys that callers may set, and the form of the files that are made of them. What a value
 * means is for model/job-config to say, which reads these files like any other; so nothing can be set here
 * that an administrator could not write, and much less: no path, no URL, no command.
 *
 * Refuses whatever could be read as anything but the one value it is: words are printable ASCII without
 * blanks and backslashes, and what was printed is parsed again and compared before it is given out. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/job-config.h"
#include "model/job-edit.h"

#define SECTION "Job"
/* Beyond what any key takes, so that these are the last limits anybody meets. */
#define WORDS_MAX 128
#define WORD_MAX 512

#define HEADER "# Made by pullauthd for a caller of its D-Bus interface, org.pullauth1(5).\n"
#define DROP_IN_HEADER \
        HEADER "# It is replaced with the next change; write your own into a drop-in of another name.\n"

static const struct {
        const char *name;
        JobKeyType type;
} keys[_JOB_KEY_MAX] = {
        [JOB_KEY_REGISTRY] = { "Registry", JOB_KEY_STRING },
        [JOB_KEY_ROBOT] = { "Robot", JOB_KEY_STRING },
        [JOB_KEY_IDENTITY] = { "Identity", JOB_KEY_STRING },
        [JOB_KEY_SCOPES] = { "Scopes", JOB_KEY_LIST },
        [JOB_KEY_TARGETS] = { "Targets", JOB_KEY_LIST },
        [JOB_KEY_MINIMUM_REMAINING] = { "MinimumRemaining", JOB_KEY_SPAN },
        [JOB_KEY_ON_EXPIRY] = { "OnExpiry", JOB_KEY_STRING },
        [JOB_KEY_ON_REMOVE] = { "OnRemove", JOB_KEY_STRING },
        [JOB_KEY_TAKE_OVER] = { "TakeOver", JOB_KEY_BOOL },
        [JOB_KEY_WAKE_SYSTEM] = { "WakeSystem", JOB_KEY_BOOL },
        [JOB_KEY_ENABLED] = { "Enabled", JOB_KEY_BOOL },
};

const char *job_key_to_string(JobKey k) {
        return k >= 0 && k < _JOB_KEY_MAX ? keys[k].name : NULL;
}

JobKey job_key_from_string(const char *s) {
        for (JobKey k = 0; k < _JOB_KEY_MAX; k++)
                if (streq_ptr(s, keys[k].name))
                        return k;
        return _JOB_KEY_INVALID;
}

JobKeyType job_key_type(JobKey k) {
        return keys[k].type;
}

void job_edit_done(JobEdit *e) {
        for (JobKey k = 0; k < _JOB_KEY_MAX; k++)
                e->values[k] = strv_free(e->values[k]);
        *e = (JobEdit){};
}

static void clear(JobEdit *e, JobKey k) {
        e->values[k] = strv_free(e->values[k]);
        e->has[k] = true;
}

void job_edit_set_list(JobEdit *e, JobKey k) {
        clear(e, k);
}

int job_edit_add_word(JobEdit *e, JobKey k, const char *word) {
        if (strlen(word) > WORD_MAX || strv_length(e->values[k]) >= WORDS_MAX)
                return -E2BIG;
        /* A backslash at the end of a line continues it. */
        if (isempty(word) || !text_is_token(word) || strchr(word, '\\'))
                return -EINVAL;
        return strv_append(&e->values[k], word);
}

int job_edit_set_string(JobEdit *e, JobKey k, const char *value) {
        clear(e, k);
        return isempty(value) ? 0 : job_edit_add_word(e, k, value);
}

int job_edit_set_bool(JobEdit *e, JobKey k, bool value) {
        return job_edit_set_string(e, k, value ? "yes" : "no");
}

int job_edit_set_span(JobEdit *e, JobKey k, usec_t value) {
        static const struct {
                usec_t size;
                const char *unit;
        } units[] = {
                { USEC_PER_DAY, "d" },
                { USEC_PER_HOUR, "h" },
                { USEC_PER_MINUTE, "min" },
                { USEC_PER_SEC, "s" },
                { 1, "us" },
        };
        char text[32];
        size_t i = 0;

        if (value == 0)
                return job_edit_set_string(e, k, "");
        while (value % units[i].size != 0)
                i++;
        (void) snprintf(text, sizeof(text), "%" PRIu64 "%s", value / units[i].size, units[i].unit);
        return job_edit_set_string(e, k, text);
}

const char *job_edit_get(const JobEdit *e, JobKey k) {
        return e->values[k] && e->values[k][0] ? e->values[k][0] : "";
}

bool job_edit_is_empty(const JobEdit *e) {
        for (JobKey k = 0; k < _JOB_KEY_MAX; k++)
                if (e->has[k])
                        return false;
        return true;
}

int job_edit_merge(JobEdit *e, const JobEdit *more) {
        for (JobKey k = 0; k < _JOB_KEY_MAX; k++) {
                char **copy;
                int r;

                if (!more->has[k])
                        continue;
                r = strv_copy(more->values[k], &copy);
                if (r < 0)
                        return r;
                clear(e, k);
                e->values[k] = copy;
        }
        return 0;
}

void job_edit_subtract(JobEdit *e, const JobEdit *subtrahend) {
        for (JobKey k = 0; k < _JOB_KEY_MAX; k++)
                if (subtrahend->has[k]) {
                        clear(e, k);
                        e->has[k] = false;
                }
}

/* One line for each word: a line has a limit, a list of words needs none. What files before this one have
 * in a list is dropped first, as the value of anything else is. */
static void print_key(FILE *f, const JobEdit *e, JobEditForm form, JobKey k) {
        bool resets = keys[k].type == JOB_KEY_LIST && form == JOB_EDIT_DROP_IN;

        if (resets || !e->values[k] || !e->values[k][0])
                (void) fprintf(f, "%s=\n", keys[k].name);
        STRV_FOREACH(word, e->values[k])
                (void) fprintf(f, "%s=%s\n", keys[k].name, *word);
}

static int print_lines(const JobEdit *e, JobEditForm form, char **ret) {
        char *text = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        (void) fprintf(f, "%s[" SECTION "]\n", form == JOB_EDIT_MAIN ? HEADER : DROP_IN_HEADER);
        for (JobKey k = 0; k < _JOB_KEY_MAX; k++)
                if (e->has[k])
                        print_key(f, e, form, k);
        if (fclose(f) != 0) {
                free(text);
                return -ENOMEM;
        }
        *ret = text;
        return 0;
}

/* Returns 1, 0 for an assignment that is not of our making, -ENOMEM. */
static int take(JobEdit *e, const ConfAssignment *a) {
        JobKey k = job_key_from_string(a->key);
        int r;

        if (!streq(a->section, SECTION) || k < 0)
                return 0;
        if (isempty(a->value)) {
                clear(e, k);
                return 1;
        }
        e->has[k] = true;
        r = job_edit_add_word(e, k, a->value);
        return r == -ENOMEM ? r : r == 0;
}

/* Returns 1, 0 if something in it is not of our making, -ENOMEM. */
static int parse(const char *text, JobEdit *ret) {
        _cleanup_(job_edit_done) JobEdit e = {};
        _cleanup_conf_ Conf *c = NULL;
        int r;

        r = conf_new(&c);
        if (r >= 0)
                r = conf_parse(c, "", text, strlen(text));
        if (r < 0)
                return r;
        if (c->n_messages > 0)
                return 0;
        for (size_t i = 0; i < c->n_assignments; i++) {
                r = take(&e, c->assignments + i);
                if (r <= 0)
                        return r;
        }
        *ret = e;
        e = (JobEdit){};
        return 1;
}

static bool equal(const JobEdit *a, const JobEdit *b) {
        for (JobKey k = 0; k < _JOB_KEY_MAX; k++)
                if (a->has[k] != b->has[k] || !strv_equal(a->values[k], b->values[k]))
                        return false;
        return true;
}

int job_edit_print(const JobEdit *e, JobEditForm form, char **ret) {
        _cleanup_(job_edit_done) JobEdit again = {};
        _cleanup_free_ char *text = NULL;
        int r;

        r = print_lines(e, form, &text);
        if (r >= 0)
                r = parse(text, &again);
        if (r < 0)
                return r;
        if (r == 0 || !equal(e, &again))
                return -EINVAL;
        *ret = TAKE_PTR(text);
        return 0;
}

int job_edit_read(const char *text, JobEdit *ret) {
        _cleanup_(job_edit_done) JobEdit e = {};
        _cleanup_free_ char *ours = NULL;
        int r;

        r = parse(text, &e);
        if (r > 0)
                r = print_lines(&e, JOB_EDIT_DROP_IN, &ours);
        if (r < 0 || !ours || !streq(ours, text))
                return r < 0 ? r : 0;
        *ret = e;
        e = (JobEdit){};
        return 1;
}

int job_edit_check(const JobEdit *e, char **reterr) {
        _cleanup_(job_config_freep) JobConfig *c = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_conf_ Conf *conf = NULL;
        int r;

        r = print_lines(e, JOB_EDIT_DROP_IN, &text);
        if (r >= 0)
                r = conf_new(&conf);
        if (r >= 0)
                r = conf_parse(conf, "", text, strlen(text));
        if (r >= 0)
                r = job_config_new("check", conf, NULL, &c);
        /* What is said of no line is about what is not among these keys. */
        for (size_t i = 0; r >= 0 && i < conf->n_messages; i++)
                if (conf->messages[i].line > 0) {
                        *reterr = strdup(conf->messages[i].text);
                        return *reterr ? 1 : -ENOMEM;
                }
        return r;
}
