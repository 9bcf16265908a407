/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one place where a caller's right is decided.
 *
 * Owns the questions that are under way (first whose connection it is, io/caller; then polkit: may it), and
 * with each a reference to the message that waits for the answer. An answer is used once: the message is put
 * back into the queue, its handler runs anew, finds the finished question and consumes it. Nothing that a
 * handler looked up survives the wait, and nothing here blocks. An answer that no handler comes for, since
 * its object or job is gone, is dropped once the queue is empty.
 *
 * Refuses by default: no row, no reply, an error, a vanished caller, no polkit at all mean no. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/text.h"
#include "io/authorize.h"

#define QUESTIONS_MAX 16
#define QUESTIONS_PER_UID_MAX 4
/* A dialog may take a while; without one polkit answers from its rules. */
#define TIMEOUT_INTERACTIVE_USEC (5 * 60 * UINT64_C(1000000))
#define TIMEOUT_USEC (20 * UINT64_C(1000000))

typedef enum Verdict {
        VERDICT_OPEN,
        VERDICT_YES,
        VERDICT_NO,
        VERDICT_CHALLENGE, /* yes after a dialog, which the caller did not allow */
        VERDICT_CROWDED,   /* too many questions of this caller's, or of all */
} Verdict;

typedef struct Question {
        struct Authorizer *authorizer;
        struct Question *next;
        sd_bus_message *message;
        const AuthorizeRule *rule;
        char **details;
        Caller *caller;
        Verdict verdict;
        uint64_t id;       /* polkit's cancellation id */
        sd_bus_slot *call; /* to polkit */
} Question;

struct Authorizer {
        sd_bus *bus;
        sd_event_source *sweep;
        Callers *callers;
        const AuthorizeRule *rules;
        size_t n_rules;
        Question *questions;
        uint64_t last_id;
};

static Question *question_free(Question *q) {
        if (!q)
                return NULL;
        if (q->authorizer)
                for (Question **p = &q->authorizer->questions; *p; p = &(*p)->next)
                        if (*p == q) {
                                *p = q->next;
                                break;
                        }
        sd_bus_slot_unref(q->call);
        caller_free(q->caller);
        sd_bus_message_unref(q->message);
        strv_free(q->details);
        free(q);
        return NULL;
}
DEFINE_CLEANUP(Question *, question_free)

/* Comes after all that waits to be read. */
static int on_sweep(sd_event_source *source, void *userdata) {
        Authorizer *a = userdata;

        for (Question *q = a->questions, *next; q; q = next) {
                next = q->next;
                if (q->verdict != VERDICT_OPEN)
                        question_free(q);
        }
        return 0;
}

static int add_sweep(Authorizer *a) {
        int r;

        r = sd_event_add_defer(sd_bus_get_event(a->bus), &a->sweep, on_sweep, a);
        if (r >= 0)
                r = sd_event_source_set_priority(a->sweep, SD_EVENT_PRIORITY_IDLE);
        return r < 0 ? r : sd_event_source_set_enabled(a->sweep, SD_EVENT_OFF);
}

int authorizer_new(sd_bus *bus, Callers *callers, const AuthorizeRule *rules, size_t n_rules,
                   Authorizer **ret) {
        _cleanup_(authorizer_freep) Authorizer *a = NULL;
        int r;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->bus = sd_bus_ref(bus);
        a->callers = callers;
        a->rules = rules;
        a->n_rules = n_rules;
        r = add_sweep(a);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(a);
        return 0;
}

Authorizer *authorizer_free(Authorizer *a) {
        if (!a)
                return NULL;
        while (a->questions)
                question_free(a->questions);
        sd_event_source_disable_unref(a->sweep);
        sd_bus_unref(a->bus);
        free(a);
        return NULL;
}

static const AuthorizeRule *find_rule(const Authorizer *a, sd_bus_message *m) {
        for (size_t i = 0; i < a->n_rules; i++)
                if (streq_ptr(a->rules[i].interface, sd_bus_message_get_interface(m)) &&
                    streq_ptr(a->rules[i].member, sd_bus_message_get_member(m)))
                        return a->rules + i;
        return NULL;
}

static Question *find_question(const Authorizer *a, const sd_bus_message *m) {
        for (Question *q = a->questions; q; q = q->next)
                if (q->message == m)
                        return q;
        return NULL;
}

static int refuse(sd_bus_error *reterror, const AuthorizeRule *rule) {
        return sd_bus_error_setf(reterror, SD_BUS_ERROR_ACCESS_DENIED,
                                 "Not authorized: polkit does not grant the action '%s' to this caller",
                                 rule ? rule->action : "(none)");
}

/* The handler of the message runs again, now with a verdict. */
static void settle(Question *q, Verdict verdict) {
        q->verdict = verdict;
        q->call = sd_bus_slot_unref(q->call);
        (void) sd_event_source_set_enabled(q->authorizer->sweep, SD_EVENT_ONESHOT);
        if (sd_bus_enqueue_for_read(q->authorizer->bus, q->message) < 0)
                question_free(q);
}

static Verdict read_verdict(sd_bus_message *reply) {
        int authorized, challenge;

        if (sd_bus_message_is_method_error(reply, NULL) ||
            sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
            sd_bus_message_read(reply, "bb", &authorized, &challenge) < 0)
                return VERDICT_NO;
        if (authorized)
                return VERDICT_YES;
        return challenge ? VERDICT_CHALLENGE : VERDICT_NO;
}

static int on_polkit_reply(sd_bus_message *reply, void *userdata, sd_bus_error *reterror) {
        settle(userdata, read_verdict(reply));
        return 0;
}

static void cancel_at_polkit(Question *q) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char id[32];

        (void) snprintf(id, sizeof(id), "pullauth-%" PRIu64, q->id);
        if (sd_bus_message_new_method_call(q->authorizer->bus, &m, "org.freedesktop.PolicyKit1",
                                           "/org/freedesktop/PolicyKit1/Authority",
                                           "org.freedesktop.PolicyKit1.Authority",
                                           "CancelCheckAuthorization") < 0 ||
            sd_bus_message_append(m, "s", id) < 0 || sd_bus_message_set_expect_reply(m, 0) < 0)
                return;
        (void) sd_bus_send(q->authorizer->bus, m, NULL);
}

/* Whoever asked is gone: so is the question, and nobody is left to be told. */
static void on_gone(void *userdata) {
        Question *q = userdata;

        if (q->verdict == VERDICT_OPEN)
                cancel_at_polkit(q);
        question_free(q);
}

static int append_details(sd_bus_message *call, char *const *details) {
        int r;

        r = sd_bus_message_open_container(call, 'a', "{ss}");
        for (char *const *d = details; r >= 0 && d && d[0] && d[1]; d += 2)
                r = sd_bus_message_append(call, "{ss}", d[0], d[1]);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

static int ask_polkit(Question *q) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        sd_bus *bus = q->authorizer->bus;
        bool interactive = sd_bus_message_get_allow_interactive_authorization(q->message) > 0;
        char id[32];
        int r;

        (void) snprintf(id, sizeof(id), "pullauth-%" PRIu64, q->id);
        r = sd_bus_message_new_method_call(bus, &call, "org.freedesktop.PolicyKit1",
                                           "/org/freedesktop/PolicyKit1/Authority",
                                           "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
        if (r < 0)
                return r;
        /* The bus name as subject: a bare pid may be somebody else's by now (CVE-2013-4288). */
        r = sd_bus_message_append(call, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                  sd_bus_message_get_sender(q->message), q->rule->action);
        if (r < 0)
                return r;
        r = append_details(call, q->details);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "us", interactive ? UINT32_C(1) : UINT32_C(0), id);
        if (r < 0)
                return r;
        q->call = sd_bus_slot_unref(q->call);
        return sd_bus_call_async(bus, &q->call, call, on_polkit_reply, q,
                                 interactive ? TIMEOUT_INTERACTIVE_USEC : TIMEOUT_USEC);
}

static bool is_crowded(const Question *self) {
        size_t all = 0, same = 0;

        for (const Question *q = self->authorizer->questions; q; q = q->next) {
                if (q->verdict != VERDICT_OPEN || caller_uid(q->caller) == (uid_t) -1)
                        continue;
                all++;
                if (caller_uid(q->caller) == caller_uid(self->caller))
                        same++;
        }
        return same > QUESTIONS_PER_UID_MAX || all > QUESTIONS_MAX;
}

static void on_settled(int r, void *userdata) {
        Question *q = userdata;
        uid_t uid = caller_uid(q->caller);

        if (r < 0)
                settle(q, r == -EBUSY ? VERDICT_CROWDED : VERDICT_NO);
        /* Root works on hosts that have no polkit. */
        else if (uid == 0 || uid == geteuid())
                settle(q, VERDICT_YES);
        else if (is_crowded(q))
                settle(q, VERDICT_CROWDED);
        else if (ask_polkit(q) < 0)
                settle(q, VERDICT_NO);
}

static const CallerHandlers caller_handlers = { .settled = on_settled, .gone = on_gone };

static int start_question(Authorizer *a, const AuthorizeRule *rule, sd_bus_message *m,
                          char *const *details) {
        _cleanup_(question_freep) Question *q = NULL;
        Question *started;
        int r;

        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        q->message = sd_bus_message_ref(m);
        q->rule = rule;
        q->id = ++a->last_id;
        r = strv_copy(details, &q->details);
        if (r < 0)
                return r;
        q->authorizer = a;
        q->next = a->questions;
        a->questions = q;
        r = caller_new(a->callers, m, &caller_handlers, q, &q->caller);
        if (r < 0)
                return r;
        started = TAKE_PTR(q);
        if (r > 0)
                on_settled(0, started);
        return 0;
}

static int refuse_crowd(sd_bus_error *reterror) {
        return sd_bus_error_set(reterror, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "Too many requests wait for authorization, try again later");
}

static int conclude(Question *q, const AuthorizeRule *rule, sd_bus_error *reterror) {
        Verdict verdict = q->verdict;

        question_free(q);
        switch (verdict) {
        case VERDICT_YES:
                return 1;
        case VERDICT_CHALLENGE:
                return sd_bus_error_setf(reterror, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                         "Interactive authentication required for the action '%s'",
                                         rule->action);
        case VERDICT_CROWDED:
                return refuse_crowd(reterror);
        case VERDICT_OPEN: /* the message came back before its answer */
        case VERDICT_NO:
                break;
        }
        return refuse(reterror, rule);
}

int authorize(Authorizer *a, sd_bus_message *message, char *const *details, sd_bus_error *reterror) {
        const AuthorizeRule *rule = find_rule(a, message);
        Question *q;
        int r;

        if (!rule)
                return refuse(reterror, NULL);
        if (!rule->action)
                return 1;
        q = find_question(a, message);
        if (q && strv_equal(q->details, details))
                return conclude(q, rule, reterror);
        /* What the answer was about has changed meanwhile. */
        question_free(q);
        if (!sd_bus_message_get_sender(message))
                return refuse(reterror, rule);
        r = start_question(a, rule, message, details);
        return r == -EBUSY ? refuse_crowd(reterror) : r;
}
