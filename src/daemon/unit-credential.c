/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From what a unit asks for to what it gets.
 *
 * Owns the names that credentials have for units, the rule of what is worth waiting for, and the words about
 * it in the journal. Looks at all jobs anew each time, for between two looks each of them may be gone.
 *
 * Refuses to give nothing: a file of no bytes breaks every pull, "{}" leaves those of public images be. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/unit-credential.h"
#include "daemon/wanted.h"
#include "model/auth-file.h"
#include "model/message-id.h"

#define ALL_JOBS "auth.json"
#define ONE_JOB_SUFFIX ".json"
#define NOTHING "{}"

UnitCredential *unit_credential_free(UnitCredential *c) {
        if (!c)
                return NULL;
        secret_free(c->text);
        strv_free(c->given);
        strv_free(c->missing);
        free(c);
        return NULL;
}

static bool is_asked_for(const Job *j, const char *credential) {
        const char *rest = startswith(credential, j->name);

        return streq(credential, ALL_JOBS) || (rest && streq(rest, ONE_JOB_SUFFIX));
}

static bool is_allowed(const Job *j, const char *unit) {
        STRV_FOREACH(pattern, j->config->units)
                if (unit_pattern_matches(*pattern, unit))
                        return j->config->enabled;
        return false;
}

static bool is_meant(const Job *j, const UnitPeer *peer) {
        return j->config->units && is_asked_for(j, peer->credential) && is_allowed(j, peer->unit);
}

/* Not an attempt that takes long already: a unit that starts several processes asks for each of them. */
static bool is_coming(const Job *j) {
        usec_t now = now_boot();

        if (job_has_valid_credential(j) || !job_may_attempt(j))
                return false;
        if (job_is_attempting(j))
                return now < usec_add(j->last_attempt_boot, UNIT_CREDENTIAL_PATIENCE);
        return j->next_attempt_boot < usec_add(now, UNIT_CREDENTIAL_PATIENCE);
}

bool unit_credential_is_coming(Job *const *jobs, size_t n_jobs, const UnitPeer *peer) {
        for (size_t i = 0; i < n_jobs; i++)
                if (is_meant(jobs[i], peer) && is_coming(jobs[i]))
                        return true;
        return false;
}

static int note(char ***names, size_t *n, const Job *j) {
        return ++*n > UNIT_CREDENTIAL_NAMED_MAX ? 0 : strv_append(names, j->name);
}

static int note_all(UnitCredential *c, Job *const *jobs, size_t n_jobs, const UnitPeer *peer) {
        int r = 0;

        for (size_t i = 0; i < n_jobs && r >= 0; i++)
                if (is_meant(jobs[i], peer))
                        r = job_has_valid_credential(jobs[i]) ? note(&c->given, &c->n_given, jobs[i])
                                                              : note(&c->missing, &c->n_missing, jobs[i]);
        return r;
}

static size_t room_for(Job *const *jobs, size_t n_jobs, const UnitPeer *peer) {
        size_t room = 1;

        for (size_t i = 0; i < n_jobs; i++)
                if (is_meant(jobs[i], peer))
                        room += strv_length(jobs[i]->config->scopes);
        return room;
}

/* Jobs that share no target may have the same scope. As in targets, the first by name has it, and jobs whose
 * files are wrong come last. */
static int collect(Job *const *jobs, size_t n_jobs, const UnitPeer *peer, Wanted **ret, size_t *ret_n) {
        static const TargetConfig unit = { .keys = TARGET_KEYS_SCOPES };
        _cleanup_free_ Wanted *wanted = calloc(room_for(jobs, n_jobs, peer), sizeof(*wanted));
        size_t n = 0;
        int r;

        if (!wanted)
                return -ENOMEM;
        for (int broken = 0; broken < 2; broken++)
                for (size_t i = 0; i < n_jobs; i++)
                        if (!jobs[i]->configuration_failure == !broken && is_meant(jobs[i], peer) &&
                            job_has_valid_credential(jobs[i]))
                                n += wanted_of_job(jobs[i], &unit, jobs[i]->user_pass, wanted + n);
        r = wanted_settle(wanted, &n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(wanted);
        *ret_n = n;
        return 0;
}

static int print(UnitCredential *c, const Wanted *wanted, size_t n) {
        _cleanup_free_ AuthEntry *entries = NULL;
        _cleanup_secret_ Secret *text = NULL;
        JsonError error;
        int r;

        entries = calloc(n + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                entries[i] = (AuthEntry){ .key = wanted[i].key, .user_pass = wanted[i].user_pass };
        r = n > 0 ? auth_file_merge(NULL, 0, entries, n, &text, &error) : 0;
        c->too_large = r == -EFBIG || secret_size(text) > UNIT_CREDENTIAL_MAX;
        if (r < 0 && r != -EFBIG)
                return r;
        if (n == 0 || c->too_large)
                return secret_new_string(NOTHING, &c->text);
        c->text = TAKE_PTR(text);
        return 0;
}

int unit_credential_new(Job *const *jobs, size_t n_jobs, const UnitPeer *peer, UnitCredential **ret) {
        _cleanup_(unit_credential_freep) UnitCredential *c = NULL;
        _cleanup_free_ Wanted *wanted = NULL;
        size_t n;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        r = note_all(c, jobs, n_jobs, peer);
        if (r >= 0)
                r = collect(jobs, n_jobs, peer, &wanted, &n);
        if (r >= 0)
                r = print(c, wanted, n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

/* "a b" or "a b c d e f g h and 12 more". */
static int list(char *const *names, size_t n, char **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = strv_join(names, " ", &text);
        if (r < 0 || n <= UNIT_CREDENTIAL_NAMED_MAX) {
                *ret = TAKE_PTR(text);
                return r < 0 ? r : 0;
        }
        return text_format(ret, "%s and %zu more", text, n - UNIT_CREDENTIAL_NAMED_MAX);
}

/* Returns 0 with a sentence about what the unit did not get; "" if it got all. */
static int describe_missing(const UnitCredential *c, char **ret) {
        _cleanup_free_ char *names = NULL;
        int r;

        if (c->too_large)
                return text_format(ret,
                                   ": it would have more than %d bytes, which the service manager does not "
                                   "take. Allow the unit fewer jobs",
                                   UNIT_CREDENTIAL_MAX);
        if (c->n_given == 0 && c->n_missing == 0)
                return text_format(ret, ": no such job has the unit in Units=, see pullauth.job(5)");
        if (c->n_missing == 0)
                return text_format(ret, "%s", "");
        r = list(c->missing, c->n_missing, &names);
        return r < 0 ? r
                     : text_format(ret, "%s%s no credential at present, 'pullauthctl status' says why: %s",
                                   c->n_given > 0 ? "; " : ": ",
                                   c->n_missing == 1 ? "a job has" : "jobs have", names);
}

static int describe(const UnitCredential *c, const UnitPeer *peer, char **ret) {
        _cleanup_free_ char *names = NULL, *missing = NULL;
        int r;

        r = describe_missing(c, &missing);
        if (r < 0)
                return r;
        if (c->n_given == 0 || c->too_large)
                return text_format(ret, "Unit '%s' got an empty '%s'%s", peer->unit, peer->credential,
                                   missing);
        r = list(c->given, c->n_given, &names);
        return r < 0 ? r
                     : text_format(ret, "Unit '%s' got '%s' with the credential%s of: %s%s", peer->unit,
                                   peer->credential, c->n_given == 1 ? "" : "s", names, missing);
}

void unit_credential_log(const UnitCredential *c, const UnitPeer *peer) {
        LogField fields[2 + UNIT_CREDENTIAL_NAMED_MAX] = {
                { "PULLAUTH_UNIT", peer->unit },
                { "PULLAUTH_CREDENTIAL", peer->credential },
        };
        bool served = c->n_given > 0 && !c->too_large;
        _cleanup_free_ char *text = NULL;
        size_t n = 2;

        if (describe(c, peer, &text) < 0)
                return;
        STRV_FOREACH(name, served ? c->given : c->missing)
                fields[n++] = (LogField){ "PULLAUTH_JOB", *name };
        log_full(!served            ? LOG_WARNING
                 : c->n_missing > 0 ? LOG_NOTICE
                                    : LOG_INFO,
                 0, served ? MESSAGE_ID_UNIT_SERVED : MESSAGE_ID_UNIT_EMPTY, fields, n, "%s", text);
}
