/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Journal entries about jobs, with fields that people filter by.
 *
 * Owns the sentences and nothing else; what is secret is not within its reach. */

#include "base/log.h"
#include "base/scalar.h"
#include "base/text.h"
#include "daemon/job-log.h"
#include "model/message-id.h"

static void log_job(const Job *j, int level, const char *message_id, const Failure *f, const char *target,
                    const char *text) {
        const LogField fields[] = {
                { "PULLAUTH_JOB", j->name },
                { "PULLAUTH_REGISTRY", j->config->registry },
                { "PULLAUTH_ROBOT", j->config->robot },
                { "PULLAUTH_STEP", f ? failure_step_to_string(f->step) : NULL },
                { "PULLAUTH_REASON", f ? reason_to_string(f->reason) : NULL },
                { "PULLAUTH_REGISTRY_WORDS", f ? f->words : NULL },
                { "PULLAUTH_HINT", f ? failure_hint(f) : NULL },
                { "PULLAUTH_TARGET", target },
        };

        log_full(level, 0, message_id, fields, ELEMENTSOF(fields), "Job '%s': %s", j->name, text);
}

void job_log_refreshed(const Job *j) {
        _cleanup_free_ char *text = NULL;
        char left[SPAN_MAX], next[SPAN_MAX];

        if (text_format(&text, "credential refreshed, lives %s, next refresh in %s",
                        format_span(left, job_remaining(j)),
                        format_span(next, usec_sub(j->next_attempt_boot, now_boot()))) >= 0)
                log_job(j, LOG_INFO, MESSAGE_ID_REFRESHED, NULL, NULL, text);
}

void job_log_failed(const Job *j, const Failure *f) {
        _cleanup_free_ char *text = NULL;

        if (text_format(&text, "%s failed (%s): %s%s%s%s. %s", failure_step_to_string(f->step),
                        reason_to_string(f->reason), f->message, f->words ? ": '" : "", strempty(f->words),
                        f->words ? "'" : "", failure_hint(f)) >= 0)
                log_job(j, LOG_WARNING, MESSAGE_ID_REFRESH_FAILED, f, NULL, text);
}

void job_log_expired(const Job *j) {
        log_job(j, LOG_ERR, MESSAGE_ID_EXPIRED, job_failure(j), NULL,
                j->credential ? "the credential ended and is left in its targets (OnExpiry=retain)"
                              : "the credential ended and is withdrawn from its targets");
}

void job_log_target(const Job *j, const JobTarget *t) {
        _cleanup_free_ char *text = NULL;

        if (t->failure) {
                if (text_format(&text, "target '%s': %s. %s", t->name, t->failure->message,
                                failure_hint(t->failure)) >= 0)
                        log_job(j, LOG_WARNING, MESSAGE_ID_TARGET_FAILED, t->failure, t->name, text);
        } else if (text_format(&text, "target '%s' can be written again", t->name) >= 0)
                log_job(j, LOG_INFO, MESSAGE_ID_TARGET_RECOVERED, NULL, t->name, text);
}
