/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A token that AWS's token service (STS) issues to the role of this instance.
 *
 * Owns the way to it: a session at the metadata service (IMDSv2), the name of the role, its keys, the region
 * if the identity names none, and then GetWebIdentityToken at STS, signed with those keys. One request after
 * the other, each started by the answer to the one before; keys and session are erased with the run. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scalar.h"
#include "base/text.h"
#include "codec/form.h"
#include "worker/aws-answer.h"
#include "worker/identity/aws.h"
#include "worker/metadata.h"
#include "worker/source-failure.h"

#define ROLES "/latest/meta-data/iam/security-credentials/"
#define LIFETIME_DEFAULT (5 * USEC_PER_MINUTE)
#define LIFETIME_MAX USEC_PER_HOUR
#define SESSION_MAX 1024
#define WORD_MAX 128

typedef enum AwsStep {
        AWS_SESSION,
        AWS_ROLE,
        AWS_KEYS,
        AWS_REGION,
        AWS_TOKEN,
        _AWS_STEP_MAX,
} AwsStep;

typedef struct AwsRun {
        SourceQuestion question;
        AwsStep step;
        SourceCall *call;
        Secret *session, *role, *region;
        AwsKeys keys;
        Secret *token;
        SourceHandler handler;
        void *userdata;
} AwsRun;

static int ask(AwsRun *x);

static const char *setting(const AwsRun *x, const char *key) {
        return request_setting(x->question.request, key);
}

static const char *text_of(const Secret *s) {
        return secret_peek(s).iov_base;
}

static void aws_free(void *run) {
        AwsRun *x = run;

        if (!x)
                return;
        source_call_free(x->call);
        secret_free(x->session);
        secret_free(x->role);
        secret_free(x->region);
        secret_free(x->token);
        aws_keys_done(&x->keys);
        free(x);
}

/* "Name: value", to be erased. */
static int header_line(const char *name, const Secret *value, Secret **ret) {
        _cleanup_secret_ Secret *first = NULL;
        int r;

        r = secret_new_string(name, &first);
        return r < 0 ? r : secret_join((const Secret *const[]){ first, value }, 2, ret);
}

/* Returns 0, 1 with *reterr, or a negative errno. */
static int complain_status(AwsRun *x, const HttpAnswer *a, Failure **reterr) {
        const Secret *const sent[] = { x->session, x->keys.session };
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = source_failure_of_status(a, source_call_server(x->call), sent, ELEMENTSOF(sent), &f);
        if (r >= 0 && x->step == AWS_TOKEN)
                r = aws_explain_refusal(a->body, &x->keys, f);
        else if (r >= 0 && a->status == 404 && (x->step == AWS_ROLE || x->step == AWS_KEYS))
                r = failure_set_hint(f, "Attach an IAM role to this instance");
        else if (r >= 0 && a->status == 403)
                r = failure_set_hint(f, "Enable the metadata service of this instance (IMDSv2)");
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

static int read_body(AwsRun *x, const Secret *body) {
        switch (x->step) {
        case AWS_SESSION:
                return aws_read_word(body, SESSION_MAX, &x->session);
        case AWS_ROLE:
                return aws_read_word(body, WORD_MAX, &x->role);
        case AWS_KEYS:
                return aws_read_keys(body, &x->keys);
        case AWS_REGION:
                return aws_read_region(body, &x->region);
        case AWS_TOKEN:
                return aws_read_token(body, &x->token);
        case _AWS_STEP_MAX:
                break;
        }
        return -EINVAL;
}

/* Returns 0, 1 with *reterr, or a negative errno. */
static int read_answer(AwsRun *x, const HttpAnswer *a, Failure **reterr) {
        static const char *const missing[_AWS_STEP_MAX] = {
                [AWS_SESSION] = "its session token is none",     [AWS_ROLE] = "it names no role",
                [AWS_KEYS] = "it has no keys of the role",       [AWS_REGION] = "it names no region",
                [AWS_TOKEN] = "there is no token in its answer",
        };
        int r;

        if (a->status != 200)
                return complain_status(x, a, reterr);
        r = read_body(x, a->body);
        if (r != -EBADMSG)
                return r;
        r = source_failure_of_body(a, source_call_server(x->call), missing[x->step], reterr);
        return r < 0 ? r : 1;
}

static void on_answer(int r, const HttpAnswer *a, Failure *failure, void *userdata) {
        AwsRun *x = userdata;

        if (r == 0)
                r = read_answer(x, a, &failure);
        else if (r > 0 && x->step != AWS_TOKEN && metadata_explain_problem(failure) < 0)
                r = -ENOMEM;
        x->call = source_call_free(x->call);
        if (r == 0 && x->step != AWS_TOKEN) {
                x->step++;
                r = ask(x);
                if (r >= 0)
                        return;
        }
        if (r < 0)
                failure = failure_free(failure);
        x->handler(r, r == 0 ? TAKE_PTR(x->token) : NULL, failure, x->userdata);
}

/* One of the questions to the metadata service. */
static int ask_metadata(AwsRun *x, const char *method, const char *target, char *const *headers) {
        return metadata_call_start(&x->question, method, target, headers, on_answer, x, &x->call);
}

static int ask_with_session(AwsRun *x, const char *target) {
        _cleanup_secret_ Secret *line = NULL;
        int r;

        r = header_line("X-aws-ec2-metadata-token: ", x->session, &line);
        if (r < 0)
                return r;
        return ask_metadata(x, "GET", target, (char *const[]){ secret_writable(line).iov_base, NULL });
}

static int ask_keys(AwsRun *x) {
        _cleanup_secret_ Secret *role = NULL;
        _cleanup_free_ char *target = NULL;
        int r;

        r = form_escape(secret_peek(x->role), &role);
        if (r >= 0)
                r = text_format(&target, ROLES "%s", text_of(role));
        return r < 0 ? r : ask_with_session(x, target);
}

static int sts_url(const AwsRun *x, const char *region, char **ret) {
        const char *endpoint = setting(x, "STSEndpoint");

        if (endpoint)
                return text_format(ret, "%s%s", endpoint, endswith(endpoint, "/") ? "" : "/");
        return text_format(ret, "https://sts.%s.amazonaws.com%s/", region,
                           startswith(region, "cn-") ? ".cn" : "");
}

static int sts_body(const AwsRun *x, Secret **ret) {
        const char *lifetime = setting(x, "Lifetime");
        uint64_t life = LIFETIME_DEFAULT;
        char seconds[24];

        if (lifetime && parse_u64(lifetime, USEC_PER_SEC, LIFETIME_MAX, &life) < 0)
                return -EINVAL;
        (void) snprintf(seconds, sizeof(seconds), "%" PRIu64, life / USEC_PER_SEC);
        return form_encode(
                (const FormField[]){
                        { "Action", form_text("GetWebIdentityToken") },
                        { "Version", form_text("2011-06-15") },
                        { "Audience.member.1", form_text(x->question.request->audience) },
                        { "SigningAlgorithm", form_text("RS256") },
                        { "DurationSeconds", form_text(seconds) },
                },
                5, ret);
}

static int ask_sts(AwsRun *x) {
        const char *region = setting(x, "Region") ?: text_of(x->region);
        _cleanup_free_ char *url = NULL, *signature = NULL;
        _cleanup_secret_ Secret *line = NULL, *body = NULL;
        HttpTrust trust = source_call_trust(&x->question);
        int r;

        r = sts_url(x, region, &url);
        if (r >= 0)
                r = text_format(&signature, "aws:amz:%s:sts", region);
        if (r >= 0)
                r = header_line("X-Amz-Security-Token: ", x->keys.session, &line);
        if (r >= 0)
                r = sts_body(x, &body);
        if (r < 0)
                return r;
        return source_call_start(&x->question, &trust,
                                 &(HttpRequest){
                                         .method = "POST",
                                         .url = url,
                                         .user = text_of(x->keys.id),
                                         .password = x->keys.key,
                                         .signature = signature,
                                         .headers = (char *const[]){ secret_writable(line).iov_base, NULL },
                                         .body = secret_peek(body).iov_base,
                                         .body_size = secret_size(body),
                                 },
                                 on_answer, x, &x->call);
}

static int ask(AwsRun *x) {
        static const char *const lifetime[] = { "X-aws-ec2-metadata-token-ttl-seconds: 60", NULL };

        if (x->step == AWS_REGION && setting(x, "Region"))
                x->step = AWS_TOKEN;
        switch (x->step) {
        case AWS_SESSION:
                return ask_metadata(x, "PUT", "/latest/api/token", (char *const *) lifetime);
        case AWS_ROLE:
                return ask_with_session(x, ROLES);
        case AWS_KEYS:
                return ask_keys(x);
        case AWS_REGION:
                return ask_with_session(x, "/latest/meta-data/placement/region");
        case AWS_TOKEN:
                return ask_sts(x);
        case _AWS_STEP_MAX:
                break;
        }
        return -EINVAL;
}

static int aws_start(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run) {
        AwsRun *x;
        int r;

        if (!q->request->audience)
                return -EINVAL;
        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        x->question = *q;
        x->handler = handler;
        x->userdata = userdata;
        r = ask(x);
        if (r < 0) {
                aws_free(x);
                return r;
        }
        *ret_run = x;
        return 0;
}

/* We ask for RS256, and the service names everything that Quay asks for. */
static const char not_sts[] =
        "Check STSEndpoint= of the identity, if it is there, and what answers in its place: the tokens of "
        "Amazon's service have all that Quay asks for, and the audience in Audience=";

const IdentitySourceType identity_aws = {
        .name = "aws",
        .start = aws_start,
        .free = aws_free,
        .remedies = {
                [LINT_EMPTY] = not_sts,
                [LINT_MALFORMED] = not_sts,
                [LINT_TOO_LONG] = "Take tags off the role of this instance: they become claims of its "
                                  "tokens, and Quay takes no token of more than about 6 KB",
                [LINT_ALGORITHM] = not_sts,
                [LINT_NO_KEY_ID] = not_sts,
                [LINT_NO_ISSUER] = not_sts,
                [LINT_ISSUER] = not_sts,
                [LINT_NO_SUBJECT] = not_sts,
                [LINT_NO_DATES] = not_sts,
                [LINT_AUDIENCE] = not_sts,
                [LINT_EXPIRED] = "Check the clock of this host ('timedatectl'): the token was made for "
                                 "this attempt",
        },
};
