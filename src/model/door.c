/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Request and Answer on the wire: two tables that say what each key is called, where it goes in memory and
 * how long it may be, and the checks that no table can express.
 *
 * Believes neither side: a request is checked as if the daemon could be wrong, an answer as if the worker
 * had fallen. */

#include <string.h>

#include "base/text.h"
#include "codec/json-text.h"
#include "model/door-field.h"
#include "model/door.h"
#include "model/exchange-config.h"
#include "model/name.h"

#define NAME_MAX_SIZE 64
#define LIST_MAX 64
#define NOTICES_MAX 16
/* Far enough for any token, near enough that microseconds of it fit a usec_t. */
#define SECONDS_MAX (INT64_C(1) << 40)
#define TIMEOUT_MAX USEC_PER_HOUR

/* A dictionary is flat, what it describes is not: each key belongs to one of these structures. */
typedef enum Part {
        PART_MAIN, /* the Request, or the Answer itself */
        PART_CREDENTIAL,
        PART_FAILURE,
        PART_CLAIMS,
        PART_WIRE, /* of a request */
        PART_CLUSTER,
} Part;

/* A Failure makes its texts itself; this is how they travel. */
typedef struct FailureWire {
        char *reason, *step, *message, *words, *hint;
        int http_status;
        uint64_t retry_after;
} FailureWire;

static void failure_wire_done(FailureWire *w) {
        free(w->reason);
        free(w->step);
        free(w->message);
        free(w->words);
        free(w->hint);
}

/* What has a name on the wire and none in the structure. */
typedef struct RequestWire {
        char *kind, *action;
} RequestWire;

static void request_wire_done(RequestWire *w) {
        free(w->kind);
        free(w->action);
}

#define OF_CLUSTER(member) PART_CLUSTER, offsetof(ClusterSecret, member)

/* Wanted and found look alike. */
#define CLUSTER_FIELDS                                                                        \
        { "SecretName", FIELD_STRING, OF_CLUSTER(name), DOOR_TEXT_MAX },                      \
                { "SecretType", FIELD_STRING, OF_CLUSTER(type), DOOR_TEXT_MAX },              \
                { "UID", FIELD_STRING, OF_CLUSTER(uid), DOOR_TEXT_MAX },                      \
                { "ResourceVersion", FIELD_STRING, OF_CLUSTER(version), DOOR_TEXT_MAX },      \
                { "Labels", FIELD_PAIRS, OF_CLUSTER(labels), DOOR_SETTINGS_MAX },             \
                { "Annotations", FIELD_PAIRS, OF_CLUSTER(annotations), DOOR_SETTINGS_MAX }, { \
                "Data", FIELD_SECRET, OF_CLUSTER(data), CLUSTER_SECRET_MAX                    \
        }

static const DoorField request_fields[] = {
        { "Kind", FIELD_STRING, PART_WIRE, offsetof(RequestWire, kind), NAME_MAX_SIZE },
        { "Id", FIELD_U64, PART_MAIN, offsetof(Request, id), 0 },
        { "Job", FIELD_STRING, PART_MAIN, offsetof(Request, job), NAME_MAX_SIZE },
        { "Source", FIELD_STRING, PART_MAIN, offsetof(Request, source), NAME_MAX_SIZE },
        { "Audience", FIELD_STRING, PART_MAIN, offsetof(Request, audience), DOOR_TEXT_MAX },
        { "Token", FIELD_SECRET, PART_MAIN, offsetof(Request, token), DOOR_TOKEN_MAX },
        { "Settings", FIELD_PAIRS, PART_MAIN, offsetof(Request, settings), DOOR_SETTINGS_MAX },
        { "Secrets", FIELD_SECRETS, PART_MAIN, offsetof(Request, secrets), DOOR_SECRETS_MAX },
        { "Exchange", FIELD_STRING, PART_MAIN, offsetof(Request, exchange), NAME_MAX_SIZE },
        { "ExchangeSettings", FIELD_PAIRS, PART_MAIN, offsetof(Request, exchange_settings),
          DOOR_SETTINGS_MAX },
        { "ExchangeSecrets", FIELD_SECRETS, PART_MAIN, offsetof(Request, exchange_secrets),
          DOOR_SECRETS_MAX },
        { "Registry", FIELD_STRING, PART_MAIN, offsetof(Request, registry), DOOR_TEXT_MAX },
        { "Robot", FIELD_STRING, PART_MAIN, offsetof(Request, robot), DOOR_TEXT_MAX },
        { "Scopes", FIELD_STRINGS, PART_MAIN, offsetof(Request, scopes), LIST_MAX },
        { "CA", FIELD_PEM, PART_MAIN, offsetof(Request, ca), DOOR_CA_MAX },
        { "Proxy", FIELD_STRING, PART_MAIN, offsetof(Request, proxy), DOOR_TEXT_MAX },
        { "Timeout", FIELD_U64, PART_MAIN, offsetof(Request, timeout), 0 },
        { "Action", FIELD_STRING, PART_WIRE, offsetof(RequestWire, action), NAME_MAX_SIZE },
        CLUSTER_FIELDS,
};

static const DoorField answer_fields[] = {
        { "User", FIELD_STRING, PART_CREDENTIAL, offsetof(Credential, user), DOOR_TEXT_MAX },
        { "Secret", FIELD_SECRET, PART_CREDENTIAL, offsetof(Credential, secret), DOOR_TOKEN_MAX },
        { "Issued", FIELD_I64, PART_CREDENTIAL, offsetof(Credential, issued), 0 },
        { "Expires", FIELD_I64, PART_CREDENTIAL, offsetof(Credential, expires), 0 },
        { "ObtainedBoot", FIELD_U64, PART_CREDENTIAL, offsetof(Credential, obtained_boot), 0 },
        { "Reason", FIELD_STRING, PART_FAILURE, offsetof(FailureWire, reason), NAME_MAX_SIZE },
        { "Step", FIELD_STRING, PART_FAILURE, offsetof(FailureWire, step), NAME_MAX_SIZE },
        { "HTTPStatus", FIELD_INT, PART_FAILURE, offsetof(FailureWire, http_status), 0 },
        { "RetryAfter", FIELD_U64, PART_FAILURE, offsetof(FailureWire, retry_after), 0 },
        { "Message", FIELD_STRING, PART_FAILURE, offsetof(FailureWire, message), DOOR_TEXT_MAX },
        { "Words", FIELD_STRING, PART_FAILURE, offsetof(FailureWire, words), DOOR_TEXT_MAX },
        { "Hint", FIELD_STRING, PART_FAILURE, offsetof(FailureWire, hint), DOOR_TEXT_MAX },
        { "Issuer", FIELD_STRING, PART_CLAIMS, offsetof(IdentityClaims, issuer), DOOR_TOKEN_MAX },
        { "Subject", FIELD_STRING, PART_CLAIMS, offsetof(IdentityClaims, subject), DOOR_TOKEN_MAX },
        { "Algorithm", FIELD_STRING, PART_CLAIMS, offsetof(IdentityClaims, algorithm), DOOR_TOKEN_MAX },
        { "KeyId", FIELD_STRING, PART_CLAIMS, offsetof(IdentityClaims, key_id), DOOR_TOKEN_MAX },
        { "Audience", FIELD_STRINGS, PART_CLAIMS, offsetof(IdentityClaims, audience), LIST_MAX },
        { "IdentityIssued", FIELD_I64, PART_CLAIMS, offsetof(IdentityClaims, issued), 0 },
        { "IdentityExpires", FIELD_I64, PART_CLAIMS, offsetof(IdentityClaims, expires), 0 },
        { "Well", FIELD_BOOL, PART_MAIN, offsetof(Answer, well), 0 },
        { "Trace", FIELD_TRACE, PART_MAIN, offsetof(Answer, trace), 0 },
        { "Discovery", FIELD_STRING, PART_MAIN, offsetof(Answer, discovery), DOOR_TOKEN_MAX },
        { "KeySet", FIELD_STRING, PART_MAIN, offsetof(Answer, key_set), DOOR_TOKEN_MAX },
        { "Notices", FIELD_STRINGS, PART_MAIN, offsetof(Answer, notices), NOTICES_MAX },
        { "SkewKnown", FIELD_BOOL, PART_MAIN, offsetof(Answer, skew_known), 0 },
        { "Skew", FIELD_I64, PART_MAIN, offsetof(Answer, skew_usec), 0 },
        { "IdentityTime", FIELD_U64, PART_MAIN, offsetof(Answer, identity_usec), 0 },
        { "ExchangeTime", FIELD_U64, PART_MAIN, offsetof(Answer, exchange_usec), 0 },
        { "VerificationTime", FIELD_U64, PART_MAIN, offsetof(Answer, verification_usec), 0 },
        CLUSTER_FIELDS,
};

int door_append_request(sd_bus_message *m, const Request *r) {
        const RequestWire wire = {
                .kind = (char *) request_kind_to_string(r->kind),
                .action = r->cluster ? (char *) cluster_action_to_string(r->action) : NULL,
        };
        const void *const parts[DOOR_PARTS_MAX] = {
                [PART_MAIN] = r,
                [PART_WIRE] = &wire,
                [PART_CLUSTER] = r->cluster,
        };

        return door_append_fields(m, request_fields, ELEMENTSOF(request_fields), parts);
}

static bool scope_is_valid(const char *scope, const char *registry) {
        const char *rest = startswith(scope, registry);

        return rest && (rest[0] == '\0' || (rest[0] == '/' && scope_path_is_valid(rest + 1)));
}

/* A worker that does not know the exchange says so itself. */
static bool user_fits(const Request *q) {
        ExchangeKind k = exchange_kind_from_string(q->exchange);

        return q->robot && (k < 0 ? user_is_valid(q->robot) : exchange_user_is_valid(k, q->robot));
}

/* What is to be changed has to be known, what is to be removed to the last bit. */
static bool cluster_request_is_valid(const Request *q) {
        const ClusterSecret *s = q->cluster;

        if (!s || !s->name || !cluster_name_is_valid(s->name) || !s->uid != !s->version)
                return false;
        switch (q->action) {
        case CLUSTER_READ:
                return true;
        case CLUSTER_APPLY:
                return s->data;
        case CLUSTER_PATCH:
                return s->data && s->uid;
        case CLUSTER_REMOVE:
                return s->uid;
        case _CLUSTER_ACTION_MAX:
        case _CLUSTER_ACTION_INVALID:
                break;
        }
        return false;
}

static bool request_is_valid(const Request *q) {
        if (!object_name_is_valid(q->source) || q->timeout == 0 || q->timeout > TIMEOUT_MAX)
                return false;
        if (q->kind == REQUEST_CLUSTER)
                return cluster_request_is_valid(q);
        /* What lies behind the identity is not asked for. */
        if (q->kind == REQUEST_EXPLAIN)
                return true;
        if (!object_name_is_valid(q->job) || !object_name_is_valid(q->exchange) ||
            !registry_is_valid(q->registry) || !user_fits(q) || (q->proxy && !text_is_token(q->proxy)))
                return false;
        STRV_FOREACH(scope, q->scopes)
                if (!scope_is_valid(*scope, q->registry))
                        return false;
        return true;
}

/* A daemon that says nothing of it wants what there was before there were kinds. */
static int take_wire(const RequestWire *wire, Request *q) {
        q->kind = wire->kind ? request_kind_from_string(wire->kind) : REQUEST_OBTAIN;
        q->action = wire->action ? cluster_action_from_string(wire->action) : CLUSTER_READ;
        return q->kind < 0 || q->action < 0 ? -EBADMSG : 0;
}

int door_read_request(sd_bus_message *m, Request **ret) {
        _cleanup_(request_wire_done) RequestWire wire = {};
        _cleanup_request_ Request *q = NULL;
        unsigned parts;
        int r;

        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        q->cluster = calloc(1, sizeof(*q->cluster));
        if (!q->cluster)
                return -ENOMEM;
        r = door_read_fields(m, request_fields, ELEMENTSOF(request_fields),
                             (void *const[DOOR_PARTS_MAX]){
                                     [PART_MAIN] = q,
                                     [PART_WIRE] = &wire,
                                     [PART_CLUSTER] = q->cluster,
                             },
                             &parts);
        if (r >= 0)
                r = take_wire(&wire, q);
        if (r < 0)
                return r;
        if (!(parts & 1U << PART_CLUSTER))
                q->cluster = cluster_secret_free(q->cluster);
        if (!request_is_valid(q))
                return -EBADMSG;
        *ret = TAKE_PTR(q);
        return 0;
}

int door_append_answer(sd_bus_message *m, const Answer *a) {
        FailureWire wire = {};
        const void *const parts[DOOR_PARTS_MAX] = {
                [PART_MAIN] = a,
                [PART_CREDENTIAL] = a->credential,
                [PART_FAILURE] = a->failure ? &wire : NULL,
                [PART_CLAIMS] = a->claims,
                [PART_CLUSTER] = a->cluster,
        };

        if (a->failure)
                wire = (FailureWire){
                        .reason = (char *) reason_to_string(a->failure->reason),
                        .step = (char *) failure_step_to_string(a->failure->step),
                        .message = a->failure->message,
                        .words = a->failure->words,
                        .hint = a->failure->hint,
                        .http_status = a->failure->http_status,
                        .retry_after = a->failure->retry_after,
                };
        return door_append_fields(m, answer_fields, ELEMENTSOF(answer_fields), parts);
}

/* The secret of a credential ends up in files that other programs parse: no blanks, no control characters,
 * nothing beyond ASCII. */
static bool credential_is_valid(const Credential *c) {
        struct iovec bytes = secret_peek(c->secret);

        for (size_t i = 0; i < bytes.iov_len; i++)
                if (((const char *) bytes.iov_base)[i] <= ' ' || ((const char *) bytes.iov_base)[i] >= 0x7f)
                        return false;
        return !isempty(c->user) && text_is_token(c->user) && !strchr(c->user, ':') && bytes.iov_len > 0 &&
               c->issued >= 0 && c->expires > c->issued && c->expires <= SECONDS_MAX;
}

static int failure_from_wire(const FailureWire *w, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        Reason reason = w->reason ? reason_from_string(w->reason) : _REASON_INVALID;
        FailureStep step = w->step ? failure_step_from_string(w->step) : _STEP_INVALID;
        int r;

        if (reason <= REASON_NONE || step < 0 || isempty(w->message) || w->http_status < 0 ||
            w->http_status > 999)
                return -EBADMSG;
        r = failure_new(&f, step, reason, "%s", w->message);
        if (r >= 0 && w->words)
                r = failure_set_words(f, w->words, strlen(w->words));
        if (r >= 0 && w->hint)
                r = failure_set_hint(f, "%s", w->hint);
        if (r < 0)
                return r;
        f->http_status = w->http_status;
        f->retry_after = w->retry_after;
        *ret = TAKE_PTR(f);
        return 0;
}

static int clean(char **p) {
        char *cleaned;
        int r;

        if (!*p)
                return 0;
        r = text_clean(*p, strlen(*p), FAILURE_TEXT_MAX, &cleaned);
        if (r < 0)
                return r;
        free(*p);
        *p = cleaned;
        return 0;
}

/* People put these onto a web site: nothing but JSON. */
static void drop_unless_json(char **p) {
        if (!*p || json_text_check(*p, strlen(*p), NULL) >= 0)
                return;
        free(*p);
        *p = NULL;
}

/* All of this goes to people's terminals and to the bus; dates beyond reason are as good as none. */
static int clean_knowledge(Answer *a) {
        int r = 0;

        drop_unless_json(&a->discovery);
        drop_unless_json(&a->key_set);
        if (a->claims) {
                char **texts[] = { &a->claims->issuer, &a->claims->subject, &a->claims->algorithm,
                                   &a->claims->key_id };

                for (size_t i = 0; r >= 0 && i < ELEMENTSOF(texts); i++)
                        r = clean(texts[i]);
                for (char **t = a->claims->audience; r >= 0 && t && *t; t++)
                        r = clean(t);
                if (a->claims->issued < 0 || a->claims->issued > SECONDS_MAX)
                        a->claims->issued = 0;
                if (a->claims->expires < 0 || a->claims->expires > SECONDS_MAX)
                        a->claims->expires = 0;
        }
        for (char **t = a->notices; r >= 0 && t && *t; t++)
                r = clean(t);
        return r;
}

/* What was found is told by its version, and that goes back into requests. */
static bool found_is_valid(const ClusterSecret *s) {
        return s->uid && s->version && text_is_token(s->uid) && text_is_token(s->version);
}

int door_read_answer(sd_bus_message *m, Answer **ret) {
        _cleanup_answer_ Answer *a = NULL;
        _cleanup_(failure_wire_done) FailureWire wire = {};
        unsigned parts;
        int r;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->credential = calloc(1, sizeof(*a->credential));
        a->claims = calloc(1, sizeof(*a->claims));
        a->cluster = calloc(1, sizeof(*a->cluster));
        if (!a->credential || !a->claims || !a->cluster)
                return -ENOMEM;
        r = door_read_fields(m, answer_fields, ELEMENTSOF(answer_fields),
                             (void *const[DOOR_PARTS_MAX]){
                                     [PART_MAIN] = a,
                                     [PART_CREDENTIAL] = a->credential,
                                     [PART_FAILURE] = &wire,
                                     [PART_CLAIMS] = a->claims,
                                     [PART_CLUSTER] = a->cluster,
                             },
                             &parts);
        if (r < 0)
                return r;
        if (!(parts & 1U << PART_CREDENTIAL))
                a->credential = credential_free(a->credential);
        if (!(parts & 1U << PART_CLAIMS))
                a->claims = identity_claims_free(a->claims);
        if (!(parts & 1U << PART_CLUSTER))
                a->cluster = cluster_secret_free(a->cluster);
        if (a->cluster && !found_is_valid(a->cluster))
                return -EBADMSG;
        if (!!(parts & 1U << PART_FAILURE) + !!a->credential + a->well != 1)
                return -EBADMSG;
        if (a->credential)
                r = credential_is_valid(a->credential) ? 0 : -EBADMSG;
        else if (!a->well)
                r = failure_from_wire(&wire, &a->failure);
        if (r >= 0)
                r = clean_knowledge(a);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(a);
        return 0;
}
