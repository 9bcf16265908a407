/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the bus to a set of settings, in which nothing is left that could be wrong by itself.
 *
 * Owns the words for what is wrong with them. Refuses keys that it does not know
 * rather than passing them over: who sets something wants it to count. */

#include <errno.h>
#include <inttypes.h>

#include "base/text.h"
#include "daemon/bus-setting.h"

/* Enough of a wrong word to recognise it by. */
#define SHOWN_MAX 64

static const char *const signatures[_JOB_KEY_TYPE_MAX] = {
        [JOB_KEY_STRING] = "s",
        [JOB_KEY_LIST] = "as",
        [JOB_KEY_BOOL] = "b",
        [JOB_KEY_SPAN] = "t",
};

static int refuse_value(JobKey k, int r, sd_bus_error *reterror) {
        if (r == -EINVAL)
                return bus_error(reterror, API_ERROR_INVALID_ARGUMENT,
                                 "%s= is printable ASCII without blanks and backslashes, or empty",
                                 job_key_to_string(k));
        if (r == -E2BIG)
                return bus_error(reterror, API_ERROR_INVALID_ARGUMENT, "%s= is longer than it may be",
                                 job_key_to_string(k));
        return r;
}

static int read_list(sd_bus_message *m, JobKey k, JobEdit *e) {
        const char *word;
        int r;

        job_edit_set_list(e, k);
        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "s", &word)) > 0) {
                r = job_edit_add_word(e, k, word);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_value(sd_bus_message *m, JobKey k, JobEdit *e) {
        const char *text;
        uint64_t span;
        int r, yes;

        switch (job_key_type(k)) {
        case JOB_KEY_STRING:
                r = sd_bus_message_read(m, "s", &text);
                return r < 0 ? r : job_edit_set_string(e, k, text);
        case JOB_KEY_LIST:
                return read_list(m, k, e);
        case JOB_KEY_BOOL:
                r = sd_bus_message_read(m, "b", &yes);
                return r < 0 ? r : job_edit_set_bool(e, k, yes);
        case JOB_KEY_SPAN:
                r = sd_bus_message_read(m, "t", &span);
                return r < 0 ? r : job_edit_set_span(e, k, span);
        case _JOB_KEY_TYPE_MAX:
        case _JOB_KEY_TYPE_INVALID:
                break;
        }
        return -EINVAL;
}

static int refuse_key(const char *key, sd_bus_error *reterror) {
        _cleanup_free_ char *known = NULL, *shown = NULL;
        const char *names[_JOB_KEY_SETTING_MAX + 1] = {};
        int r;

        if (streq(key, job_key_to_string(JOB_KEY_ENABLED)))
                return bus_error(reterror, API_ERROR_INVALID_ARGUMENT,
                                 "Enabled= is set by EnableJob() and DisableJob()");
        for (JobKey k = 0; k < _JOB_KEY_SETTING_MAX; k++)
                names[k] = job_key_to_string(k);
        r = strv_join((char *const *) names, ", ", &known);
        if (r >= 0)
                r = text_clean(key, strlen(key), SHOWN_MAX, &shown);
        if (r < 0)
                return r;
        return bus_error(
                reterror, API_ERROR_INVALID_ARGUMENT,
                "There is no setting '%s' for callers, only %s; all else is for files (pullauth.job(5))",
                shown, known);
}

static int read_setting(sd_bus_message *m, JobEdit *e, sd_bus_error *reterror) {
        const char *key, *contents, *wanted;
        JobKey k;
        int r;

        r = sd_bus_message_read(m, "s", &key);
        if (r < 0)
                return r;
        k = job_key_from_string(key);
        if (k < 0 || k >= _JOB_KEY_SETTING_MAX)
                return refuse_key(key, reterror);
        if (e->has[k])
                return bus_error(reterror, API_ERROR_INVALID_ARGUMENT, "%s= is given twice", key);
        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0)
                return r;
        wanted = signatures[job_key_type(k)];
        if (!streq(contents, wanted))
                return bus_error(reterror, API_ERROR_INVALID_ARGUMENT,
                                 "%s= is of the D-Bus type '%s', not '%s'", key, wanted, contents);
        r = sd_bus_message_enter_container(m, 'v', wanted);
        if (r < 0)
                return r;
        r = read_value(m, k, e);
        if (r < 0)
                return refuse_value(k, r, reterror);
        return sd_bus_message_exit_container(m);
}

static int read_all(sd_bus_message *m, JobEdit *e, sd_bus_error *reterror) {
        int r;

        /* As many as there are keys: the first unknown and the first doubled one end it. */
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_setting(m, e, reterror);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int bus_read_settings(sd_bus_message *message, JobEdit *ret, sd_bus_error *reterror) {
        _cleanup_(job_edit_done) JobEdit e = {};
        _cleanup_free_ char *sentence = NULL;
        int r;

        r = read_all(message, &e, reterror);
        if (r >= 0)
                r = job_edit_check(&e, &sentence);
        if (r < 0)
                return r;
        if (r > 0)
                return bus_error(reterror, API_ERROR_INVALID_ARGUMENT, "%s", sentence);
        *ret = e;
        e = (JobEdit){};
        return 0;
}

int bus_read_change_flags(sd_bus_message *message, BusChangeFlags *ret, sd_bus_error *reterror) {
        uint64_t flags;
        int r;

        r = sd_bus_message_read(message, "t", &flags);
        if (r < 0)
                return r;
        if (flags & ~(uint64_t) _BUS_CHANGE_ALL)
                return bus_error(reterror, API_ERROR_INVALID_ARGUMENT,
                                 "There is no flag but 1 (until the next boot), these are %#" PRIx64, flags);
        *ret = (BusChangeFlags) flags;
        return 0;
}
