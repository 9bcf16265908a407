/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Readers of what methods answer, most of them one row of a table.
 *
 * Owns no connection and prints nothing. A credential comes as a sealed memory file: it is read once, from
 * the descriptor, after its seals were seen, so that it cannot change meanwhile. */

#include <errno.h>
#include <string.h>

#include "base/memory-file.h"
#include "base/text.h"
#include "client/answer.h"

/* An auth.json of one job. */
#define CREDENTIAL_MAX (1024 * 1024)

#define MEMBER(type, dbus, json_name, kind_of, member) \
        { .name = dbus, .json = json_name, .kind = kind_of, .offset = offsetof(type, member) }
#define ROW_TYPE(of, members_of, type) \
        { .signature = of, .size = sizeof(type), .members = members_of, .n_members = ELEMENTSOF(members_of) }

static const Property message_members[] = {
        MEMBER(ShownMessage, NULL, "severity", PROPERTY_STRING, severity),
        MEMBER(ShownMessage, NULL, "line", PROPERTY_U32, line),
        MEMBER(ShownMessage, NULL, "file", PROPERTY_STRING, file),
        MEMBER(ShownMessage, NULL, "text", PROPERTY_STRING, text),
};
const RowType shown_message_type = ROW_TYPE("suss", message_members, ShownMessage);

static const Property target_members[] = {
        MEMBER(ShownTarget, NULL, "target", PROPERTY_STRING, target),
        MEMBER(ShownTarget, NULL, "path", PROPERTY_STRING, path),
        MEMBER(ShownTarget, NULL, "state", PROPERTY_STRING, state),
        MEMBER(ShownTarget, NULL, "message", PROPERTY_STRING, message),
};
const RowType shown_target_type = ROW_TYPE("ssss", target_members, ShownTarget);

static const Property attempt_members[] = {
        MEMBER(Attempt, NULL, "name", PROPERTY_STRING, name),
        MEMBER(Attempt, NULL, "attempt", PROPERTY_U64, number),
};
const RowType attempt_type = ROW_TYPE("st", attempt_members, Attempt);

static const Property awaited_members[] = {
        MEMBER(Awaited, NULL, "name", PROPERTY_STRING, name),
        MEMBER(Awaited, NULL, "state", PROPERTY_STRING, state),
        MEMBER(Awaited, NULL, "reason", PROPERTY_STRING, reason),
};
const RowType awaited_type = ROW_TYPE("sss", awaited_members, Awaited);

static const Property registry_members[] = {
        MEMBER(ServedRegistry, NULL, "registry", PROPERTY_STRING, registry),
        MEMBER(ServedRegistry, NULL, "job", PROPERTY_STRING, job),
        MEMBER(ServedRegistry, NULL, "user", PROPERTY_STRING, user),
};
static const RowType registry_type = ROW_TYPE("sss", registry_members, ServedRegistry);

static const Property test_step_members[] = {
        MEMBER(TestStep, NULL, "step", PROPERTY_STRING, step),
        MEMBER(TestStep, NULL, "result", PROPERTY_STRING, result),
        MEMBER(TestStep, NULL, "time_usec", PROPERTY_U64, span),
        MEMBER(TestStep, NULL, "detail", PROPERTY_STRING, detail),
};
const RowType test_step_type = ROW_TYPE("ssts", test_step_members, TestStep);

static const Property claims_table[] = {
        MEMBER(Claims, NULL, "name", PROPERTY_STRING, name),
        MEMBER(Claims, "Issuer", "issuer", PROPERTY_STRING, issuer),
        MEMBER(Claims, "Subject", "subject", PROPERTY_STRING, subject),
        MEMBER(Claims, "Audience", "audience", PROPERTY_STRINGS, audience),
        MEMBER(Claims, "Algorithm", "algorithm", PROPERTY_STRING, algorithm),
        MEMBER(Claims, "KeyID", "key_id", PROPERTY_STRING, key_id),
        MEMBER(Claims, "Issued", "issued", PROPERTY_TIME, issued),
        MEMBER(Claims, "Expires", "expires", PROPERTY_TIME, expires),
        MEMBER(Claims, "Problem", "problem", PROPERTY_STRING, problem),
        MEMBER(Claims, "Hint", "hint", PROPERTY_STRING, hint),
        MEMBER(Claims, "Discovery", "discovery", PROPERTY_LINES, discovery),
        MEMBER(Claims, "KeySet", "key_set", PROPERTY_LINES, key_set),
};

/* Not on the bus, which tells of one identity at a time. */
const RowType claims_type = ROW_TYPE("", claims_table, Claims);

static const Property failure_table[] = {
        MEMBER(TestFailure, "Step", "step", PROPERTY_STRING, step),
        MEMBER(TestFailure, "Reason", "reason", PROPERTY_STRING, reason),
        MEMBER(TestFailure, "Message", "message", PROPERTY_STRING, message),
        MEMBER(TestFailure, "RegistryWords", "registry_words", PROPERTY_STRING, registry_words),
        MEMBER(TestFailure, "Hint", "hint", PROPERTY_STRING, hint),
        MEMBER(TestFailure, "HTTPStatus", "http_status", PROPERTY_U32, http_status),
};

const Property *test_failure_properties(size_t *ret_n) {
        *ret_n = ELEMENTSOF(failure_table);
        return failure_table;
}

/* All that is not a secret, of an answer as a whole. */
static const Property answer_table[] = {
        { .kind = PROPERTY_ROWS, .offset = offsetof(Answer, attempts), .rows = &attempt_type },
        { .kind = PROPERTY_ROWS, .offset = offsetof(Answer, messages), .rows = &shown_message_type },
        { .kind = PROPERTY_ROWS, .offset = offsetof(Answer, awaited), .rows = &awaited_type },
        { .kind = PROPERTY_ROWS, .offset = offsetof(Answer, registries), .rows = &registry_type },
        { .kind = PROPERTY_ROWS, .offset = offsetof(Answer, steps), .rows = &test_step_type },
        { .kind = PROPERTY_STRING, .offset = offsetof(Answer, text) },
        { .kind = PROPERTY_STRING, .offset = offsetof(Answer, name) },
        { .kind = PROPERTY_STRING, .offset = offsetof(Answer, scope) },
};

int answer_init(Answer *a) {
        int r;

        *a = (Answer){};
        r = table_init(a, answer_table, ELEMENTSOF(answer_table));
        if (r >= 0)
                r = table_init(&a->claims, claims_table, ELEMENTSOF(claims_table));
        if (r >= 0)
                r = table_init(&a->failure, failure_table, ELEMENTSOF(failure_table));
        return r;
}

void answer_done(Answer *a) {
        table_done(a, answer_table, ELEMENTSOF(answer_table));
        table_done(&a->claims, claims_table, ELEMENTSOF(claims_table));
        table_done(&a->failure, failure_table, ELEMENTSOF(failure_table));
        secret_free(a->credential);
        *a = (Answer){};
}

/* RefreshJob answers with a bare number; the job is the one that was named. */
int answer_read_attempts(Answer *a, sd_bus_message *m) {
        Attempt *one;
        int r;

        if (sd_bus_message_has_signature(m, "t") <= 0)
                return rows_read((Rows *) &a->attempts, &attempt_type, m);
        one = calloc(1, sizeof(*one));
        if (!one)
                return -ENOMEM;
        a->attempts = (Attempts){ one, 1 };
        r = free_and_strdup(&one->name, a->name);
        return r < 0 ? r : sd_bus_message_read_basic(m, 't', &one->number);
}

int answer_read_messages(Answer *a, sd_bus_message *m) {
        return rows_read((Rows *) &a->messages, &shown_message_type, m);
}

int answer_read_awaited(Answer *a, sd_bus_message *m) {
        return rows_read((Rows *) &a->awaited, &awaited_type, m);
}

int answer_read_claims(Answer *a, sd_bus_message *m) {
        return table_read(&a->claims, claims_table, ELEMENTSOF(claims_table), m);
}

int answer_read_test(Answer *a, sd_bus_message *m) {
        int r;

        r = rows_read((Rows *) &a->steps, &test_step_type, m);
        return r < 0 ? r : table_read(&a->failure, failure_table, ELEMENTSOF(failure_table), m);
}

int answer_read_registries(Answer *a, sd_bus_message *m) {
        return rows_read((Rows *) &a->registries, &registry_type, m);
}

int answer_read_text(Answer *a, sd_bus_message *m) {
        return lines_read(&a->text, m);
}

/* The descriptor stays the message's. */
int answer_read_credential(Answer *a, sd_bus_message *m) {
        int fd, r;

        r = sd_bus_message_read_basic(m, 'h', &fd);
        if (r >= 0)
                r = memory_file_read(fd, CREDENTIAL_MAX, &a->credential);
        return r < 0 ? r : sd_bus_message_read_basic(m, 't', &a->expires);
}

int answer_read_image_credential(Answer *a, sd_bus_message *m) {
        int r;

        r = string_read(&a->name, m);
        if (r >= 0)
                r = string_read(&a->scope, m);
        return r < 0 ? r : answer_read_credential(a, m);
}

bool shown_messages_have_error(const ShownMessages *l) {
        for (size_t i = 0; i < l->n_items; i++)
                if (streq(l->items[i].severity, "error"))
                        return true;
        return false;
}
