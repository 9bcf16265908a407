/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers of one corner of Quay's REST API, as one table.
 *
 * Status and shape decide; words of the registry are shown, and only one of them is looked for: Quay says
 * 400 for a robot account that it does not know. What goes wrong with any registry is worded where it is
 * worded for all (worker/http-failure). */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "model/name.h"
#include "worker/federation/answer.h"
#include "worker/http-failure.h"

#define ANY_SHAPE _WORDS_SHAPE_MAX

typedef struct Row {
        int status;
        WordsShape shape;
        const char *words; /* somewhere in the registry's words, in any case; NULL: whatever they are */
        Reason reason;
        const char *before, *after; /* the registry or the robot account */
        bool names_robot;
        const char *hint; /* NULL: that of the reason */
} Row;

static const Row rows[] = {
        { 400, ANY_SHAPE, "could not find robot", REASON_ROBOT_UNKNOWN,
          "The registry knows no robot account ", "", true, NULL },
        { 400, ANY_SHAPE, NULL, REASON_REJECTED, "The registry does not take this federation for ", "", true,
          "Compare the registry's words with the entries: an issuer is a URL, and no entry may be there "
          "twice" },
        { 401, ANY_SHAPE, NULL, REASON_REJECTED, "", " does not accept the OAuth token", false,
          "Generate a token in the web interface: organization, Applications, an application, Generate "
          "Token, with 'Administer Organization' (scope org:admin); check that it is of this registry, was "
          "copied whole and was not revoked" },
        { 403, ANY_SHAPE, NULL, REASON_REJECTED, "The OAuth token does not give the right to change ", "",
          true,
          "Generate it with 'Administer Organization' (scope org:admin), as a user who administers the "
          "organization before the '+'. Where that is the name of a user, set the federation in the web "
          "interface" },
        { 404, WORDS_MESSAGE, NULL, REASON_ROBOT_UNKNOWN, "The registry knows no robot account ", "", true,
          NULL },
        { 404, WORDS_ERROR, NULL, REASON_ROBOT_UNKNOWN, "The registry knows no robot account ", "", true,
          NULL },
        { 404, ANY_SHAPE, NULL, REASON_NOT_FOUND, "", " knows no federation of robot accounts", false,
          NULL },
        { 405, ANY_SHAPE, NULL, REASON_NOT_FOUND, "", " knows no federation of robot accounts", false,
          NULL },
};

int federation_url(const FederationRequest *q, char **ret) {
        _cleanup_free_ char *organization = NULL;
        int r;

        r = robot_namespace(q->robot, &organization);
        if (r < 0)
                return r;
        return text_format(ret, "https://%s/api/v1/organization/%s/robots/%s/federation", q->registry,
                           organization, strchr(q->robot, '+') + 1);
}

static const Row *find_row(const HttpAnswer *a, const Words *w) {
        for (const Row *row = rows; row < rows + ELEMENTSOF(rows); row++)
                if (row->status == a->status && (row->shape == ANY_SHAPE || row->shape == w->shape) &&
                    (!row->words || (w->text && strcasestr(w->text, row->words))))
                        return row;
        return NULL;
}

static int failure_of_row(const FederationRequest *q, const Row *row, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_free_ char *message = NULL;
        int r;

        r = text_format(&message, "%s%s%s (status %i)", row->before,
                        row->names_robot ? q->robot : q->registry, row->after, row->status);
        if (r >= 0)
                r = failure_new(&f, STEP_CONFIGURATION, row->reason, "%s", message);
        if (r >= 0 && row->hint)
                r = failure_set_hint(f, "%s", row->hint);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

/* What the reasons advise in an exchange is not what helps here. */
static int set_own_hint(Failure *f) {
        if (f->reason == REASON_REGISTRY_ERROR || f->reason == REASON_REGISTRY_CLOSED)
                return failure_set_hint(f, "Try again; if it lasts, ask the registry's administrator, whose "
                                           "log says more");
        if (f->reason == REASON_TIMEOUT)
                return failure_set_hint(f, "Check the network to the registry, or give it more time with "
                                           "--timeout=");
        if (f->reason == REASON_CONNECTION_LOST)
                return failure_set_hint(f, "Check the network between this host and the registry, and try "
                                           "again");
        return 0;
}

static int judge_refusal(const FederationRequest *q, const HttpAnswer *a, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_(words_done) Words w = {};
        const Row *row;
        int r;

        r = words_read(a, (const Secret *const[]){ q->token }, 1, &w);
        if (r < 0)
                return r;
        row = find_row(a, &w);
        if (row) {
                r = failure_of_row(q, row, &f);
                if (r >= 0)
                        r = http_failure_complete(f, a, &w);
        } else {
                r = http_failure_of_status(a, STEP_CONFIGURATION, q->registry, &w, &f);
                if (r >= 0)
                        r = set_own_hint(f);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

static int judge_problem(const FederationRequest *q, const HttpAnswer *a, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = http_failure_of_problem(a, STEP_CONFIGURATION, q->registry, &f);
        if (r >= 0)
                r = set_own_hint(f);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

static int malformed(const FederationRequest *q, const HttpAnswer *a, const char *why, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = failure_new(&f, STEP_CONFIGURATION, REASON_ANSWER_MALFORMED,
                        "What %s answered for the federation %s", q->registry, why);
        if (r < 0)
                return r;
        f->http_status = a->status;
        *ret = TAKE_PTR(f);
        return 0;
}

int federation_answer_judge(const FederationRequest *q, const HttpAnswer *a, Federation *ret,
                            Failure **reterr) {
        struct iovec body = secret_peek(a->body);
        const char *why;
        int r;

        if (a->problem != HTTP_OK)
                r = judge_problem(q, a, reterr);
        else if (a->status != 200 && a->status != 201)
                r = judge_refusal(q, a, reterr);
        else {
                r = federation_parse(body.iov_base, body.iov_len, ret, &why);
                if (r != -EBADMSG)
                        return r;
                r = malformed(q, a, why, reterr);
        }
        return r < 0 ? r : 1;
}

int federation_changed_meanwhile(const FederationRequest *q, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = failure_new(&f, STEP_CONFIGURATION, REASON_REJECTED,
                        "Somebody else changed the federation of %s meanwhile, nothing was changed",
                        q->robot);
        if (r >= 0)
                r = failure_set_hint(f, "Run the command again and look at the difference anew");
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

int federation_not_kept(const FederationRequest *q, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = failure_new(&f, STEP_CONFIGURATION, REASON_REJECTED,
                        "The registry took the federation of %s, but has another one behind that", q->robot);
        if (r >= 0)
                r = failure_set_hint(f, "Somebody else may have changed it at the same moment: run the "
                                        "command again and look at the difference");
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

int federation_leave_open(Failure *f, bool taken) {
        _cleanup_free_ char *hint = NULL;
        int r;

        /* A clear no of the registry leaves nothing open. */
        if (!taken && f->http_status >= 300 && f->http_status < 500)
                return 0;
        r = text_format(&hint, "%s", failure_hint(f));
        if (r < 0)
                return r;
        return failure_set_hint(
                f, "It may be set all the same: run the command again, it shows what is there. %s", hint);
}
