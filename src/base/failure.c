/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Failures: the closed list of reasons with the class and the remedy of each, and the object that carries
 * one from where it happened to the journal, the bus and the schedule. Owns the texts of a failure, all
 * of them cleaned. It refuses to hold bytes as they came from outside, and it logs nothing: who gets a
 * failure at last does. */

#include <assert.h>
#include <stdarg.h>

#include "base/failure.h"
#include "base/text.h"

static const char *const class_names[] = {
        [FAILURE_TRANSPORT] = "transport",
        [FAILURE_TLS] = "tls",
        [FAILURE_CLOCK] = "clock",
        [FAILURE_RATE_LIMIT] = "rate-limit",
        [FAILURE_REGISTRY] = "registry",
        [FAILURE_REJECTED] = "rejected",
        [FAILURE_IDENTITY_UNAVAILABLE] = "identity-unavailable",
        [FAILURE_IDENTITY_UNUSABLE] = "identity-unusable",
        [FAILURE_PUBLISH] = "publish",
        [FAILURE_CONFIGURATION] = "configuration",
};
static_assert(ELEMENTSOF(class_names) == _FAILURE_CLASS_MAX, "each class has a name");

static const char *const step_names[] = {
        [STEP_CONFIGURATION] = "configuration", [STEP_IDENTITY] = "identity",
        [STEP_EXCHANGE] = "exchange",           [STEP_VERIFICATION] = "verification",
        [STEP_PUBLICATION] = "publication",
};
static_assert(ELEMENTSOF(step_names) == _STEP_MAX, "each step has a name");

typedef struct ReasonInfo {
        const char *name;
        FailureClass class;
} ReasonInfo;

static const ReasonInfo reasons[] = {
        [REASON_NONE] = { "", _FAILURE_CLASS_INVALID },
        [REASON_NAME_RESOLUTION] = { "name-resolution", FAILURE_TRANSPORT },
        [REASON_CONNECTION_FAILED] = { "connection-failed", FAILURE_TRANSPORT },
        [REASON_CONNECTION_LOST] = { "connection-lost", FAILURE_TRANSPORT },
        [REASON_TIMEOUT] = { "timeout", FAILURE_TRANSPORT },
        [REASON_WORKER_UNAVAILABLE] = { "worker-unavailable", FAILURE_TRANSPORT },
        [REASON_TLS_UNTRUSTED] = { "tls-untrusted", FAILURE_TLS },
        [REASON_TLS_HOST_MISMATCH] = { "tls-host-mismatch", FAILURE_TLS },
        [REASON_TLS_FAILED] = { "tls-failed", FAILURE_TLS },
        [REASON_TLS_CERTIFICATE_DATES] = { "tls-certificate-dates", FAILURE_CLOCK },
        [REASON_CLOCK_SKEW] = { "clock-skew", FAILURE_CLOCK },
        [REASON_RATE_LIMITED] = { "rate-limited", FAILURE_RATE_LIMIT },
        [REASON_REGISTRY_ERROR] = { "registry-error", FAILURE_REGISTRY },
        [REASON_REGISTRY_CLOSED] = { "registry-closed", FAILURE_REGISTRY },
        [REASON_REGISTRY_READ_ONLY] = { "registry-read-only", FAILURE_REGISTRY },
        [REASON_REGISTRY_REDIRECTED] = { "registry-redirected", FAILURE_REGISTRY },
        [REASON_ANSWER_MALFORMED] = { "answer-malformed", FAILURE_REGISTRY },
        [REASON_ANSWER_TOO_LARGE] = { "answer-too-large", FAILURE_REGISTRY },
        [REASON_TOKEN_NOT_USABLE] = { "token-not-usable", FAILURE_REGISTRY },
        [REASON_ROBOT_NAME_INVALID] = { "robot-name-invalid", FAILURE_REJECTED },
        [REASON_ROBOT_UNKNOWN] = { "robot-unknown", FAILURE_REJECTED },
        [REASON_FEDERATION_NOT_CONFIGURED] = { "federation-not-configured", FAILURE_REJECTED },
        [REASON_ISSUER_NOT_ACCEPTED] = { "issuer-not-accepted", FAILURE_REJECTED },
        [REASON_SUBJECT_NOT_ACCEPTED] = { "subject-not-accepted", FAILURE_REJECTED },
        [REASON_AUDIENCE_NOT_ACCEPTED] = { "audience-not-accepted", FAILURE_REJECTED },
        [REASON_SIGNATURE_NOT_ACCEPTED] = { "signature-not-accepted", FAILURE_REJECTED },
        [REASON_IDENTITY_REJECTED] = { "identity-rejected", FAILURE_REJECTED },
        [REASON_NOT_FOUND] = { "not-found", FAILURE_REJECTED },
        [REASON_CREDENTIAL_REFUSED] = { "credential-refused", FAILURE_REJECTED },
        [REASON_REJECTED] = { "rejected", FAILURE_REJECTED },
        [REASON_TOKEN_FILE_MISSING] = { "token-file-missing", FAILURE_IDENTITY_UNAVAILABLE },
        [REASON_TOKEN_FILE_UNREADABLE] = { "token-file-unreadable", FAILURE_IDENTITY_UNAVAILABLE },
        [REASON_IDENTITY_FILE_UNREADABLE] = { "identity-file-unreadable", FAILURE_IDENTITY_UNAVAILABLE },
        [REASON_IDENTITY_SOURCE_FAILED] = { "identity-source-failed", FAILURE_IDENTITY_UNAVAILABLE },
        [REASON_IDENTITY_FILE_UNSAFE] = { "identity-file-unsafe", FAILURE_IDENTITY_UNUSABLE },
        [REASON_IDENTITY_SOURCE_REFUSED] = { "identity-source-refused", FAILURE_IDENTITY_UNUSABLE },
        [REASON_TOKEN_FILE_UNSAFE] = { "token-file-unsafe", FAILURE_IDENTITY_UNUSABLE },
        [REASON_TOKEN_EMPTY] = { "token-empty", FAILURE_IDENTITY_UNUSABLE },
        [REASON_TOKEN_MALFORMED] = { "token-malformed", FAILURE_IDENTITY_UNUSABLE },
        [REASON_TOKEN_EXPIRED] = { "token-expired", FAILURE_IDENTITY_UNUSABLE },
        [REASON_TOKEN_ALGORITHM] = { "token-algorithm", FAILURE_IDENTITY_UNUSABLE },
        [REASON_TOKEN_CLAIM_MISSING] = { "token-claim-missing", FAILURE_IDENTITY_UNUSABLE },
        [REASON_TOKEN_ISSUER] = { "token-issuer", FAILURE_IDENTITY_UNUSABLE },
        [REASON_TOKEN_AUDIENCE] = { "token-audience", FAILURE_IDENTITY_UNUSABLE },
        [REASON_TOKEN_TOO_LONG] = { "token-too-long", FAILURE_IDENTITY_UNUSABLE },
        [REASON_TARGET_MALFORMED] = { "target-malformed", FAILURE_PUBLISH },
        [REASON_TARGET_UNSAFE] = { "target-unsafe", FAILURE_PUBLISH },
        [REASON_TARGET_UNWRITABLE] = { "target-unwritable", FAILURE_PUBLISH },
        [REASON_TARGET_FULL] = { "target-full", FAILURE_PUBLISH },
        [REASON_TARGET_CONFLICT] = { "target-conflict", FAILURE_PUBLISH },
        [REASON_TARGET_UNREACHABLE] = { "target-unreachable", FAILURE_PUBLISH },
        [REASON_TARGET_REFUSED] = { "target-refused", FAILURE_PUBLISH },
        [REASON_CONFIGURATION_INVALID] = { "configuration-invalid", FAILURE_CONFIGURATION },
        [REASON_IDENTITY_MISSING] = { "identity-missing", FAILURE_CONFIGURATION },
        [REASON_TARGET_MISSING] = { "target-missing", FAILURE_CONFIGURATION },
        [REASON_SCOPE_CONFLICT] = { "scope-conflict", FAILURE_CONFIGURATION },
        [REASON_CA_UNREADABLE] = { "ca-unreadable", FAILURE_CONFIGURATION },
        [REASON_EXPIRED] = { "expired", FAILURE_TRANSPORT },
        [REASON_INTERNAL] = { "internal", FAILURE_TRANSPORT },
};
static_assert(ELEMENTSOF(reasons) == _REASON_MAX, "each reason has a row");

/* For whoever administers the host and cannot see the registry's log: each names the setting, the file or
 * the place to look at. */
static const char *const hints[] = {
        [REASON_NONE] = "Nothing needs to be done",
        [REASON_NAME_RESOLUTION] = "Check the host name in Registry= and the name servers of this host",
        [REASON_CONNECTION_FAILED] =
                "Check that this host may reach the registry (route, firewall, Proxy=) and that the port "
                "in Registry= is right",
        [REASON_CONNECTION_LOST] =
                "Check the network between this host and the registry; it will be tried again",
        [REASON_TIMEOUT] =
                "Check the network to the registry, and that the registry reaches the issuer of this "
                "host's tokens, which it asks in each exchange",
        [REASON_WORKER_UNAVAILABLE] =
                "Check 'systemctl status pullauth-worker.socket pullauth-worker.service'",
        [REASON_TLS_UNTRUSTED] =
                "Add the registry's certificate authority to the trust store of this host, or name its "
                "file in CAFile=",
        [REASON_TLS_HOST_MISMATCH] =
                "Use a host name in Registry= that stands in the registry's certificate",
        [REASON_TLS_FAILED] =
                "Check that the registry speaks TLS 1.2 or newer on this port, and that no proxy stands "
                "between",
        [REASON_TLS_CERTIFICATE_DATES] =
                "Check the clock of this host first ('timedatectl'), then the dates of the registry's "
                "certificate",
        [REASON_CLOCK_SKEW] =
                "Check that the clocks of this host, the token issuer and the registry agree to 30 "
                "seconds ('timedatectl')",
        [REASON_RATE_LIMITED] =
                "Wait; if it lasts, ask the registry's administrator for the limits that hosts behind one "
                "address share",
        [REASON_REGISTRY_ERROR] =
                "Check that this host's token is signed with an RSA key (RS256 or RS384) which its issuer "
                "publishes, for Quay answers 500 otherwise; if it is, ask the registry's administrator",
        [REASON_REGISTRY_CLOSED] =
                "Check that the registry can reach the token issuer and trusts its certificate: Quay asks "
                "the issuer in each exchange and drops the connection if it cannot",
        [REASON_REGISTRY_READ_ONLY] =
                "Wait until the registry's maintenance is over; it refuses exchanges while it is "
                "read-only",
        [REASON_REGISTRY_REDIRECTED] =
                "Put the registry's final host name into Registry=; redirections are not followed",
        [REASON_ANSWER_MALFORMED] =
                "Check that Registry= names a Quay registry and that no proxy or portal answers in its "
                "place",
        [REASON_ANSWER_TOO_LARGE] =
                "Check that Registry= names a Quay registry and that no proxy or portal answers in its "
                "place",
        [REASON_TOKEN_NOT_USABLE] =
                "Check the clock of the registry: the token it gave is expired, not yet valid or ends "
                "before the present one",
        [REASON_ROBOT_NAME_INVALID] =
                "Write the full name of the robot account into Robot=, as in organization+robot",
        [REASON_ROBOT_UNKNOWN] =
                "Check Robot= (upper and lower case matter) and that this robot account exists in that "
                "organization",
        [REASON_FEDERATION_NOT_CONFIGURED] =
                "Add this host's issuer and subject to the robot account's federation in the registry, by "
                "hand or with 'pullauthctl federate'",
        [REASON_ISSUER_NOT_ACCEPTED] =
                "Make the issuer in the robot account's federation equal to the token's 'iss' claim, to "
                "the last character (a trailing '/' counts)",
        [REASON_SUBJECT_NOT_ACCEPTED] =
                "Add the token's 'sub' claim as a subject to the robot account's federation in the "
                "registry",
        [REASON_AUDIENCE_NOT_ACCEPTED] =
                "Make the token's 'aud' claim one of the audiences in the robot account's federation",
        [REASON_SIGNATURE_NOT_ACCEPTED] =
                "Check that the token comes from the issuer it names and that this issuer publishes the "
                "key it signs with",
        [REASON_IDENTITY_REJECTED] =
                "Compare the token's claims with the registry's words and mend its source",
        [REASON_NOT_FOUND] =
                "Check that Registry= names a Quay registry of version 3.13 or newer; older ones have no "
                "robot federation",
        [REASON_CREDENTIAL_REFUSED] =
                "Check that the organization of the robot account is not disabled and that the registry "
                "does not forbid robot accounts",
        [REASON_REJECTED] =
                "Check Registry=, Robot= and what stands between this host and the registry; the "
                "registry's words say more",
        [REASON_TOKEN_FILE_MISSING] =
                "Check TokenFile= and that the program which writes this file is running",
        [REASON_TOKEN_FILE_UNREADABLE] =
                "Check the file named in TokenFile=, its directories and the disk it is on",
        [REASON_IDENTITY_FILE_UNREADABLE] =
                "Check the file that the identity names, its directories and the disk it is on",
        [REASON_IDENTITY_SOURCE_FAILED] = "Check that the source of this identity is running and reachable",
        [REASON_IDENTITY_FILE_UNSAFE] =
                "Make the file a regular file of root or pullauth that nobody else can write ('chown root', "
                "'chmod go-w')",
        [REASON_IDENTITY_SOURCE_REFUSED] =
                "Check what the source of this identity knows of this host; its own words say more",
        [REASON_TOKEN_FILE_UNSAFE] =
                "Make the token file a regular file of root or pullauth that nobody else can write "
                "('chown root', 'chmod go-w')",
        [REASON_TOKEN_EMPTY] = "Check the program which writes the token file: it left it empty",
        [REASON_TOKEN_MALFORMED] =
                "Put exactly one JWT in compact form (three parts with dots between) into the token file, "
                "and replace the file as a whole",
        [REASON_TOKEN_EXPIRED] =
                "Check that the program which renews this host's token is running, and the clock "
                "('timedatectl')",
        [REASON_TOKEN_ALGORITHM] =
                "Let the issuer sign with an RSA key and RS256 or RS384; Quay takes no other algorithm",
        [REASON_TOKEN_CLAIM_MISSING] =
                "Let the issuer put 'kid' into the token's header and 'iss', 'sub', 'iat', 'exp' and "
                "'aud' into its claims",
        [REASON_TOKEN_ISSUER] = "Use an issuer with an https:// address; Quay asks no other",
        [REASON_TOKEN_AUDIENCE] =
                "Request the token with the audience that Audience= of the identity names, or correct "
                "Audience=",
        [REASON_TOKEN_TOO_LONG] =
                "Let the issuer leave out claims: Quay refuses a token of more than about 6 KB",
        [REASON_TARGET_MALFORMED] =
                "Repair the target by hand, or move it away: it is not a JSON object, and it will not be "
                "overwritten",
        [REASON_TARGET_UNSAFE] =
                "Make the target a regular file in a directory that nobody but root can write, with no "
                "symbolic link on its way",
        [REASON_TARGET_UNWRITABLE] =
                "Check the target's directory and its file system, and that the sandbox of "
                "pullauthd.service allows to write there (ReadWritePaths=)",
        [REASON_TARGET_FULL] = "Make room on the file system of the target, or raise its quota",
        [REASON_TARGET_CONFLICT] =
                "Remove the entry from the target if nobody needs it, or set TakeOver=yes in the job",
        [REASON_TARGET_UNREACHABLE] =
                "Check that the cluster of the target is well and that this host may reach it (route, "
                "firewall, Proxy=)",
        [REASON_TARGET_REFUSED] =
                "Check section [Kubernetes] of the target, and what its account may do in the cluster",
        [REASON_CONFIGURATION_INVALID] =
                "Correct the files of this job, which the message names, and run 'pullauthctl reload'",
        [REASON_IDENTITY_MISSING] =
                "Create the identity that Identity= of this job names, in /etc/pullauth/identities/",
        [REASON_TARGET_MISSING] = "Name only targets in Targets= that exist, as 'system' and 'podman' do",
        [REASON_SCOPE_CONFLICT] =
                "Give the jobs different Scopes= or different Targets=: one key in one file can hold one "
                "credential",
        [REASON_CA_UNREADABLE] =
                "Check that the file named in CAFile= exists, is safe and holds certificates in PEM form",
        [REASON_EXPIRED] = "See why the last attempts failed; the credential ran out before one succeeded",
        [REASON_INTERNAL] =
                "Look at 'journalctl -u pullauthd -u pullauth-worker' and at the memory of this host",
};
static_assert(ELEMENTSOF(hints) == _REASON_MAX, "each reason has a hint");

const char *failure_class_to_string(FailureClass c) {
        return c >= 0 && c < _FAILURE_CLASS_MAX ? class_names[c] : NULL;
}

FailureClass failure_class_from_string(const char *s) {
        for (FailureClass c = 0; s && c < _FAILURE_CLASS_MAX; c++)
                if (streq(class_names[c], s))
                        return c;
        return _FAILURE_CLASS_INVALID;
}

const char *failure_step_to_string(FailureStep s) {
        return s >= 0 && s < _STEP_MAX ? step_names[s] : NULL;
}

FailureStep failure_step_from_string(const char *s) {
        for (FailureStep step = 0; s && step < _STEP_MAX; step++)
                if (streq(step_names[step], s))
                        return step;
        return _STEP_INVALID;
}

static const ReasonInfo *reason_info(Reason r) {
        return r >= 0 && r < _REASON_MAX ? reasons + r : NULL;
}

const char *reason_to_string(Reason r) {
        const ReasonInfo *info = reason_info(r);

        return info ? info->name : NULL;
}

Reason reason_from_string(const char *s) {
        for (Reason r = 0; s && r < _REASON_MAX; r++)
                if (streq(reasons[r].name, s))
                        return r;
        return _REASON_INVALID;
}

FailureClass reason_class(Reason r) {
        const ReasonInfo *info = reason_info(r);

        return info ? info->class : _FAILURE_CLASS_INVALID;
}

const char *reason_hint(Reason r) {
        return reason_info(r) ? hints[r] : "";
}

/* Formats and cleans; what was there before stays if memory is short. */
static int _printf_(2, 0) set_text(char **text, const char *format, va_list arguments) {
        char *clean;
        int r;

        r = text_format_clean(&clean, FAILURE_TEXT_MAX, format, arguments);
        if (r < 0)
                return r;
        free(*text);
        *text = clean;
        return 0;
}

int failure_new(Failure **ret, FailureStep step, Reason reason, const char *format, ...) {
        _cleanup_failure_ Failure *f = calloc(1, sizeof(Failure));
        va_list arguments;
        int r;

        if (!f)
                return -ENOMEM;
        f->reason = reason;
        f->step = step;
        va_start(arguments, format);
        r = set_text(&f->message, format, arguments);
        va_end(arguments);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

Failure *failure_free(Failure *f) {
        if (!f)
                return NULL;
        free(f->message);
        free(f->words);
        free(f->hint);
        free(f);
        return NULL;
}

int failure_dup(const Failure *f, Failure **ret) {
        _cleanup_failure_ Failure *copy = calloc(1, sizeof(Failure));

        if (!copy)
                return -ENOMEM;
        copy->reason = f->reason;
        copy->step = f->step;
        copy->http_status = f->http_status;
        copy->retry_after = f->retry_after;
        if (free_and_strdup(&copy->message, f->message) < 0 || free_and_strdup(&copy->words, f->words) < 0 ||
            free_and_strdup(&copy->hint, f->hint) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(copy);
        return 0;
}

bool failure_equal(const Failure *a, const Failure *b) {
        if (!a || !b)
                return a == b;
        return a->reason == b->reason && a->step == b->step && a->http_status == b->http_status &&
               a->retry_after == b->retry_after && streq_ptr(a->message, b->message) &&
               streq_ptr(a->words, b->words) && streq_ptr(a->hint, b->hint);
}

int failure_set_words(Failure *f, const void *data, size_t size) {
        char *clean;
        int r;

        r = text_clean(data, size, FAILURE_TEXT_MAX, &clean);
        if (r < 0)
                return r;
        free(f->words);
        f->words = clean;
        /* Nothing said is not the same as "". */
        if (isempty(f->words)) {
                free(f->words);
                f->words = NULL;
        }
        return 0;
}

int failure_set_hint(Failure *f, const char *format, ...) {
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = set_text(&f->hint, format, arguments);
        va_end(arguments);
        return r;
}

const char *failure_hint(const Failure *f) {
        return f->hint ?: reason_hint(f->reason);
}
