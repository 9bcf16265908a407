/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two tables from errors to sentences and advice, pullauthd's own and those of others.
 *
 * Owns the wording of everything that can go wrong between a tool and the daemon. Error texts of others are
 * shown where they say more than we know, cleaned, and never as the only thing said. */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "client/bus-error.h"

#define FOREIGN_TEXT_MAX 1024

#define START_IT \
        "'systemctl status pullauthd.service' says why; 'systemctl enable --now pullauthd.service' starts it"
#define LIST_THEM "'pullauthctl list' shows all jobs"
#define OTHER_VERSION                                                      \
        "pullauthd is of another version than this tool: restart it with " \
        "'systemctl restart pullauthd.service'"

typedef struct Row {
        const char *name; /* a final '.' means: whatever begins with it */
        BusProblemKind kind;
        const char *what; /* NULL: the sender's own words alone */
        bool with_words;  /* add them in parentheses */
        const char *advice;
} Row;

static const Row rows[] = {
        { SD_BUS_ERROR_SERVICE_UNKNOWN, PROBLEM_NOT_RUNNING, "pullauthd is not running", false, START_IT },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER, PROBLEM_NOT_RUNNING, "pullauthd is not running", false, START_IT },
        { "org.freedesktop.DBus.Error.Spawn.", PROBLEM_NOT_RUNNING, "pullauthd could not be started", true,
          START_IT },
        { "org.freedesktop.systemd1.", PROBLEM_NOT_RUNNING, "pullauthd could not be started", true,
          START_IT },
        { SD_BUS_ERROR_NO_REPLY, PROBLEM_NO_ANSWER, "pullauthd did not answer", true,
          "'systemctl status pullauthd.service' says whether it ended or hangs" },
        { SD_BUS_ERROR_TIMEOUT, PROBLEM_NO_ANSWER, "pullauthd did not answer in time", false,
          "'systemctl status pullauthd.service' says whether it ended or hangs" },
        { "org.freedesktop.DBus.Error.TimedOut", PROBLEM_NO_ANSWER, "pullauthd did not answer in time",
          false, "'systemctl status pullauthd.service' says whether it ended or hangs" },
        { SD_BUS_ERROR_DISCONNECTED, PROBLEM_NO_BUS, "The connection to the system bus was lost", false,
          NULL },
        { SD_BUS_ERROR_LIMITS_EXCEEDED, PROBLEM_BUSY, "Too many requests at once", true,
          "Try again in a moment" },
        /* One that this tool does not know yet. */
        { "org.pullauth1.Error.", PROBLEM_REFUSED, NULL, false, NULL },
        { SD_BUS_ERROR_UNKNOWN_METHOD, PROBLEM_OTHER_VERSION, "pullauthd does not know this request", true,
          OTHER_VERSION },
        { SD_BUS_ERROR_UNKNOWN_INTERFACE, PROBLEM_OTHER_VERSION, "pullauthd does not know this request",
          true, OTHER_VERSION },
        { SD_BUS_ERROR_UNKNOWN_PROPERTY, PROBLEM_OTHER_VERSION, "pullauthd does not know this request", true,
          OTHER_VERSION },
        { SD_BUS_ERROR_INVALID_ARGS, PROBLEM_OTHER_VERSION, "pullauthd does not know this request", true,
          OTHER_VERSION },
        { SD_BUS_ERROR_UNKNOWN_OBJECT, PROBLEM_NO_SUCH_JOB, "The job is gone", false, LIST_THEM },
};

/* Those of pullauthd itself, which say in their text what is the matter. */
static const struct {
        BusProblemKind kind;
        const char *advice;
} api_rows[] = {
        [API_ERROR_INVALID_NAME] = { PROBLEM_NO_SUCH_JOB, LIST_THEM },
        [API_ERROR_INVALID_ARGUMENT] = { PROBLEM_REFUSED, NULL },
        [API_ERROR_NO_SUCH_JOB] = { PROBLEM_NO_SUCH_JOB, LIST_THEM },
        [API_ERROR_JOB_DISABLED] = { PROBLEM_ATTENTION, NULL },
        [API_ERROR_NO_SUCH_IDENTITY] = { PROBLEM_NO_SUCH_JOB, NULL },
        [API_ERROR_NO_SUCH_TARGET] = { PROBLEM_NO_SUCH_JOB, NULL },
        [API_ERROR_JOB_EXISTS] = { PROBLEM_REFUSED, NULL },
        [API_ERROR_NOT_CHANGEABLE] = { PROBLEM_REFUSED, NULL },
        [API_ERROR_FILE_FAILED] = { PROBLEM_REFUSED, NULL },
        [API_ERROR_CONFIGURATION_INVALID] = { PROBLEM_ATTENTION,
                                              "Correct its files, then run 'pullauthctl reload'" },
        [API_ERROR_NO_CREDENTIAL] = { PROBLEM_ATTENTION, NULL },
        [API_ERROR_TARGET_FAILED] = { PROBLEM_REFUSED, NULL },
        [API_ERROR_IDENTITY_FAILED] = { PROBLEM_ATTENTION, NULL },
        [API_ERROR_SEVERAL_JOBS] = { PROBLEM_ATTENTION, NULL },
        [API_ERROR_ROBOT_NOT_ALLOWED] = { PROBLEM_ATTENTION, NULL },
        [API_ERROR_EXCHANGE_FAILED] = { PROBLEM_ATTENTION, NULL },
};
static_assert(ELEMENTSOF(api_rows) == _API_ERROR_MAX, "each error has a row");

BusProblem *bus_problem_free(BusProblem *p) {
        if (!p)
                return NULL;
        free(p->what);
        free(p->advice);
        free(p);
        return NULL;
}

static int new_problem(BusProblemKind kind, const char *what, const char *words, const char *advice,
                       BusProblem **ret) {
        _cleanup_(bus_problem_freep) BusProblem *p = NULL;
        int r;

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->kind = kind;
        p->error = _API_ERROR_INVALID;
        if (isempty(words))
                r = text_format(&p->what, "%s", what ?: "pullauthd refused without saying why");
        else if (!what)
                r = text_format(&p->what, "%s", words);
        else
                r = text_format(&p->what, "%s (%s)", what, words);
        if (r >= 0)
                r = free_and_strdup(&p->advice, advice);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

/* Three parties can say no, and the way out differs. */
static int new_denied(const char *sender, const char *action, const char *words, BusProblem **ret) {
        _cleanup_free_ char *what = NULL, *advice = NULL;
        int r;

        if (streq_ptr(sender, "org.freedesktop.DBus"))
                return new_problem(
                        PROBLEM_DENIED, "The system bus does not allow this call", words,
                        "Its policy in /usr/share/dbus-1/system.d/org.pullauth1.conf is missing or was "
                        "changed: install pullauthd again, then 'systemctl reload dbus.service'",
                        ret);
        if (!action)
                return new_problem(PROBLEM_DENIED, "Not allowed", words, NULL, ret);
        r = text_format(&what, "Not allowed: polkit did not grant %s", action);
        if (r >= 0)
                r = text_format(&advice,
                                "Run this as root, or let a polkit rule grant %s to you (polkit(8))",
                                action);
        return r < 0 ? r : new_problem(PROBLEM_DENIED, what, NULL, advice, ret);
}

static int new_unasked(const char *action, BusProblem **ret) {
        _cleanup_free_ char *what = NULL, *advice = NULL;
        int r;

        r = text_format(&what, "%s needs an administrator's password, and there is nobody to ask",
                        action ?: "This request");
        if (r >= 0)
                r = text_format(
                        &advice,
                        "Run this as root, on a terminal without --no-ask-password, or let a polkit rule "
                        "grant %s to you (polkit(8))",
                        action ?: "it");
        return r < 0 ? r : new_problem(PROBLEM_UNASKED, what, NULL, advice, ret);
}

static const Row *find_row(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (endswith(rows[i].name, ".") ? startswith(name, rows[i].name) != NULL
                                                : streq(name, rows[i].name))
                        return rows + i;
        return NULL;
}

int bus_problem_new(const sd_bus_error *error, const char *sender, const char *action, BusProblem **ret) {
        _cleanup_free_ char *words = NULL, *name = NULL, *what = NULL;
        const char *text = strempty(error->message);
        const Row *row;
        ApiError api;
        int r;

        r = text_clean(text, strlen(text), FOREIGN_TEXT_MAX, &words);
        if (r >= 0)
                r = text_clean(strempty(error->name), strlen(strempty(error->name)), FOREIGN_TEXT_MAX,
                               &name);
        if (r < 0)
                return r;
        if (streq(name, SD_BUS_ERROR_ACCESS_DENIED))
                return new_denied(sender, action, words, ret);
        if (streq(name, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
                return new_unasked(action, ret);
        api = api_error_from_string(name);
        /* It is the job as it would be that cannot work, the files are as they were. */
        if (api == API_ERROR_CONFIGURATION_INVALID && streq_ptr(action, "org.pullauth1.manage-jobs"))
                return new_problem(api_rows[api].kind, NULL, words, "Nothing was changed", ret);
        if (api >= 0) {
                r = new_problem(api_rows[api].kind, NULL, words, api_rows[api].advice, ret);
                if (r >= 0)
                        (*ret)->error = api;
                return r;
        }
        row = find_row(name);
        if (row)
                return new_problem(row->kind, row->what, !row->what || row->with_words ? words : NULL,
                                   row->advice, ret);
        r = text_format(&what, "The request failed with %s", isempty(name) ? "an unnamed error" : name);
        return r < 0 ? r
                     : new_problem(PROBLEM_OTHER, what, words,
                                   "'journalctl --unit=pullauthd.service' may say more", ret);
}

int bus_problem_new_local(int error, BusProblem **ret) {
        _cleanup_free_ char *what = NULL;
        int r;

        errno = error < 0 ? -error : error;
        r = text_format(&what, "Cannot talk to the system bus: %m");
        return r < 0 ? r
                     : new_problem(PROBLEM_NO_BUS, what, NULL,
                                   "'systemctl status dbus.service' says whether it runs", ret);
}
