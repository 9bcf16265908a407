/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What methods of pullauthd answer, as plain values. Each has its table (client/table.h). No string is NULL;
 * vectors may be. */

#include "base/macro.h"
#include "base/secret.h"
#include "client/rows.h"
#include "client/table.h"

/* One line about configuration files. */
typedef struct ShownMessage {
        char *severity; /* "warning", "error" */
        uint32_t line;  /* 0: the file as a whole */
        char *file;
        char *text;
} ShownMessage;

typedef struct ShownMessages {
        ShownMessage *items;
        size_t n_items;
} ShownMessages;

typedef struct ShownTarget {
        char *target;
        char *path;
        char *state; /* "published", "withdrawn", "pending", "failed" */
        char *message;
} ShownTarget;

typedef struct ShownTargets {
        ShownTarget *items;
        size_t n_items;
} ShownTargets;

/* What the token of an identity says of this host. */
typedef struct Claims {
        char *name; /* of the identity; no member of the answer */
        char *issuer, *subject, *algorithm, *key_id, *problem, *hint;
        char **audience;
        usec_t issued, expires;
        char *discovery, *key_set; /* what an issuer of one's own publishes, else empty */
} Claims;

typedef struct ClaimsList {
        Claims *items;
        size_t n_items;
} ClaimsList;

typedef struct TestStep {
        char *step, *result; /* "ok", "failed", "skipped" */
        usec_t span;
        char *detail;
} TestStep;

typedef struct TestSteps {
        TestStep *items;
        size_t n_items;
} TestSteps;

/* All of it is empty if nothing failed. */
typedef struct TestFailure {
        char *reason, *step, *message, *registry_words, *hint;
        uint32_t http_status;
} TestFailure;

/* What came of one method; the others stay empty. */
typedef struct Answer {
        Attempts attempts;
        ShownMessages messages;
        AwaitedJobs awaited;
        ServedRegistries registries;
        Claims claims;
        TestSteps steps;
        TestFailure failure;
        char *text;         /* RenderTarget, GetMetrics: lines */
        char *name, *scope; /* GetCredentialForImage, …ForRegistry, FindJobForImage */
        Secret *credential; /* an auth.json */
        usec_t expires;     /* of the credential */
} Answer;

int answer_init(Answer *a);
void answer_done(Answer *a);

/* For rendering: how these look in JSON. */
extern const RowType shown_message_type, shown_target_type, attempt_type, awaited_type, test_step_type,
        claims_type;
const Property *test_failure_properties(size_t *ret_n);

/* Readers of whole answers, for client/method.h. */
int answer_read_attempts(Answer *a, sd_bus_message *m);
int answer_read_messages(Answer *a, sd_bus_message *m);
int answer_read_awaited(Answer *a, sd_bus_message *m);
int answer_read_claims(Answer *a, sd_bus_message *m);
int answer_read_test(Answer *a, sd_bus_message *m);
int answer_read_registries(Answer *a, sd_bus_message *m);
int answer_read_text(Answer *a, sd_bus_message *m);
int answer_read_credential(Answer *a, sd_bus_message *m);
int answer_read_image_credential(Answer *a, sd_bus_message *m);

bool shown_messages_have_error(const ShownMessages *l);
