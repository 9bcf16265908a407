/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A Failure tells people, D-Bus callers and the schedule why an attempt ended without a fresh credential.
 *
 * It is made once, where the cause is known, and crosses the private door as data. Its class alone selects
 * the pace of the next attempts, its reason is one of a closed list. None of its texts may hold a secret;
 * the setters clean what comes from outside. */

#include "base/clock.h"
#include "base/macro.h"

typedef enum FailureClass {
        FAILURE_TRANSPORT,            /* name resolution, connect, timeout, worker died */
        FAILURE_TLS,                  /* certificate not trusted, wrong host, protocol */
        FAILURE_CLOCK,                /* dates do not fit and a clock is in doubt */
        FAILURE_RATE_LIMIT,           /* 429, 503 with Retry-After */
        FAILURE_REGISTRY,             /* 5xx, closed connection, answers that make no sense */
        FAILURE_REJECTED,             /* the registry said no to this robot or identity */
        FAILURE_IDENTITY_UNAVAILABLE, /* no JWT to be had */
        FAILURE_IDENTITY_UNUSABLE,    /* a JWT, but none that the registry can take */
        FAILURE_PUBLISH,              /* credential fetched, a target could not be written */
        FAILURE_CONFIGURATION,        /* this job's files cannot work as they are */
        _FAILURE_CLASS_MAX,
        _FAILURE_CLASS_INVALID = -EINVAL,
} FailureClass;

/* A set of classes: bits 1 << class. */
typedef unsigned FailureClasses;

/* Where in an attempt it happened. */
typedef enum FailureStep {
        STEP_CONFIGURATION,
        STEP_IDENTITY,     /* getting and checking the JWT */
        STEP_EXCHANGE,     /* JWT → credential at the registry */
        STEP_VERIFICATION, /* trying the credential at the registry's token endpoint */
        STEP_PUBLICATION,  /* fragment and targets */
        _STEP_MAX,
        _STEP_INVALID = -EINVAL,
} FailureStep;

/* The closed list of reasons; the string form ("robot-unknown", …) is API: D-Bus property Reason, journal
 * field PULLAUTH_REASON=, documented in pullauthd.service(8). Sorted by class. */
typedef enum Reason {
        REASON_NONE, /* "" */
        /* transport */
        REASON_NAME_RESOLUTION,
        REASON_CONNECTION_FAILED,
        REASON_CONNECTION_LOST,
        REASON_TIMEOUT,
        REASON_WORKER_UNAVAILABLE,
        /* tls */
        REASON_TLS_UNTRUSTED,
        REASON_TLS_HOST_MISMATCH,
        REASON_TLS_FAILED,
        /* clock */
        REASON_TLS_CERTIFICATE_DATES,
        REASON_CLOCK_SKEW,
        /* rate limit */
        REASON_RATE_LIMITED,
        /* registry */
        REASON_REGISTRY_ERROR,  /* 5xx */
        REASON_REGISTRY_CLOSED, /* closed without an answer, 502, 504: issuer unreachable from it? */
        REASON_REGISTRY_READ_ONLY,
        REASON_REGISTRY_REDIRECTED,
        REASON_ANSWER_MALFORMED, /* success status, but not the promised JSON or token */
        REASON_ANSWER_TOO_LARGE,
        REASON_TOKEN_NOT_USABLE, /* returned token expired, not yet valid, shorter than what stands */
        /* rejected */
        REASON_ROBOT_NAME_INVALID,
        REASON_ROBOT_UNKNOWN,
        REASON_FEDERATION_NOT_CONFIGURED,
        REASON_ISSUER_NOT_ACCEPTED,
        REASON_SUBJECT_NOT_ACCEPTED,
        REASON_AUDIENCE_NOT_ACCEPTED,
        REASON_SIGNATURE_NOT_ACCEPTED,
        REASON_IDENTITY_REJECTED,  /* any other "Invalid token: …" */
        REASON_NOT_FOUND,          /* 404/405: wrong URL, not Quay, or older than 3.13 */
        REASON_CREDENTIAL_REFUSED, /* exchange fine, /v2/auth says 401 */
        REASON_REJECTED,           /* any other 4xx */
        /* identity unavailable */
        REASON_TOKEN_FILE_MISSING,
        REASON_TOKEN_FILE_UNREADABLE,
        REASON_IDENTITY_FILE_UNREADABLE, /* any other file that the identity needs */
        REASON_IDENTITY_SOURCE_FAILED,
        /* identity unusable */
        REASON_IDENTITY_FILE_UNSAFE,
        REASON_IDENTITY_SOURCE_REFUSED, /* it answers, and says no to this host */
        REASON_TOKEN_FILE_UNSAFE,       /* not regular, wrong owner, writable by others */
        REASON_TOKEN_EMPTY,
        REASON_TOKEN_MALFORMED, /* not a JWT, torn */
        REASON_TOKEN_EXPIRED,
        REASON_TOKEN_ALGORITHM,
        REASON_TOKEN_CLAIM_MISSING, /* kid, iss, sub, iat, exp, aud */
        REASON_TOKEN_ISSUER,        /* issuer is not https */
        REASON_TOKEN_AUDIENCE,
        REASON_TOKEN_TOO_LONG,
        /* publish */
        REASON_TARGET_MALFORMED,
        REASON_TARGET_UNSAFE, /* not a regular file, directory writable by others */
        REASON_TARGET_UNWRITABLE,
        REASON_TARGET_FULL,
        REASON_TARGET_CONFLICT,    /* the key stands there already and is not ours */
        REASON_TARGET_UNREACHABLE, /* of a cluster, which gives no answer or is not well */
        REASON_TARGET_REFUSED,     /* of a cluster, which says no */
        /* configuration */
        REASON_CONFIGURATION_INVALID,
        REASON_IDENTITY_MISSING,
        REASON_TARGET_MISSING,
        REASON_SCOPE_CONFLICT, /* two jobs, one scope, one target */
        REASON_CA_UNREADABLE,
        /* not of a failure, but a job has them as well */
        REASON_EXPIRED,
        REASON_INTERNAL, /* out of memory and the like; class transport */
        _REASON_MAX,
        _REASON_INVALID = -EINVAL,
} Reason;

const char *failure_class_to_string(FailureClass c);
FailureClass failure_class_from_string(const char *s);
const char *failure_step_to_string(FailureStep s);
FailureStep failure_step_from_string(const char *s);
const char *reason_to_string(Reason r);
Reason reason_from_string(const char *s);
/* The class that a reason always has; _FAILURE_CLASS_INVALID for REASON_NONE. */
FailureClass reason_class(Reason r);
/* The hint shown when the maker of a failure has nothing more exact: one sentence saying what to do. */
const char *reason_hint(Reason r);

typedef struct Failure {
        Reason reason;
        FailureStep step;
        int http_status;    /* 0 if no answer was involved */
        usec_t retry_after; /* what the registry asked for, 0 if nothing */
        char *message;      /* what happened, one sentence without a final stop, no secret */
        char *words;        /* the registry's (or library's) own words, cleaned, or NULL */
        char *hint;         /* what to do, or NULL for reason_hint() */
} Failure;

#define FAILURE_TEXT_MAX 512

/* Makes a failure with a formatted message (cleaned and cut to FAILURE_TEXT_MAX). Returns 0 or -ENOMEM. */
int failure_new(Failure **ret, FailureStep step, Reason reason, const char *format, ...) _printf_(4, 5);
Failure *failure_free(Failure *f);
DEFINE_CLEANUP(Failure *, failure_free)
#define _cleanup_failure_ _cleanup_(failure_freep)
int failure_dup(const Failure *f, Failure **ret);
/* NULL equals only NULL. */
bool failure_equal(const Failure *a, const Failure *b);

/* Bytes from outside, cleaned with text_clean(). */
int failure_set_words(Failure *f, const void *data, size_t size);
int failure_set_hint(Failure *f, const char *format, ...) _printf_(2, 3);

static inline FailureClass failure_class(const Failure *f) {
        return reason_class(f->reason);
}
/* f->hint, else reason_hint(). Never NULL. */
const char *failure_hint(const Failure *f);
