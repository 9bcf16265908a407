/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl federate": the robot account of a job is told to trust this host.
 *
 * Issuer and subject come from the daemon, as "identity" shows them; CA and proxy from the job's files; the
 * right to change the registry from an OAuth token, which goes to pullauth-federate and nowhere else. Owns
 * the order: first all that can be wrong here, then a look at the registry, the difference, the question,
 * and only then the change. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/process-guard.h"
#include "base/text.h"
#include "ctl/ask.h"
#include "ctl/federate.h"
#include "ctl/offline.h"
#include "ctl/select.h"
#include "ctl/verb.h"

#define CA_MAX (1024 * 1024)
#define TIMEOUT_MAX USEC_PER_HOUR                 /* infinity is none for a registry */
#define TOKEN_FILE_MAX (FEDERATION_TOKEN_MAX + 2) /* and the end of its line */

typedef struct Federate {
        Ctl *ctl;
        char *name, *identity; /* of the job */
        Claims claims;
        FederationRequest request;
        FederationPlan plan;
} Federate;

static void federate_done(Federate *f) {
        Answer claims = { .claims = f->claims };

        free(f->name);
        free(f->identity);
        answer_done(&claims);
        federation_request_done(&f->request);
        federation_plan_done(&f->plan);
}

static FederationEntry own_entry(const Federate *f) {
        return (FederationEntry){
                .issuer = f->claims.issuer,
                .subject = f->claims.subject,
                .audiences = strv_length(f->claims.audience) > 0 ? f->claims.audience : NULL,
        };
}

/* What has no memory or cannot be read in this process; always -1. */
static int fail(const Federate *f, int error, const char *what) {
        ctl_report_errno(f->ctl, error, what);
        return -1;
}

static int refuse(const Federate *f, ExitStatus status) {
        ctl_note(f->ctl, status);
        return -1;
}

/* --- what the command line leaves open --- */

static bool is_given(const Federate *f, OptionId id) {
        return option_given(&f->ctl->options, id);
}

static int check_options(const Federate *f) {
        bool decided = is_given(f, OPT_YES) || is_given(f, OPT_DRY_RUN);

        if (is_given(f, OPT_YES) && is_given(f, OPT_DRY_RUN))
                complain("--dry-run changes nothing, leave out --yes or --dry-run");
        else if (!decided && f->ctl->options.json != JSON_OFF)
                complain("With --json nothing is asked, add --yes or --dry-run");
        else if (!decided && (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1))
                complain("There is no terminal to ask on, add --yes or --dry-run");
        else if (!f->ctl->options.token_file && is_given(f, OPT_NO_ASK_PASSWORD))
                complain("Without being asked for, the OAuth token has to come from --token-file=");
        else
                return 0;
        return refuse(f, STATUS_USAGE);
}

/* --- the job: names from the daemon, trust from the files --- */

static int take_job(Federate *f, const JobSnapshot *j) {
        int r;

        if (isempty(j->registry) || isempty(j->robot)) {
                complain("The files of job '%s' do not say which robot account it is, 'pullauthctl status "
                         "%s' shows why",
                         j->name, j->name);
                return refuse(f, STATUS_ATTENTION);
        }
        if (!job_snapshot_is_of_quay(j)) {
                complain("Job '%s' has Exchange=%s, and federations of robot accounts are Quay's alone",
                         j->name, j->exchange);
                fprintf(stderr,
                        "Enter issuer and subject by hand where its registry is told whom to trust: "
                        "'pullauthctl identity %s' shows them\n",
                        isempty(j->identity) ? "default" : j->identity);
                return refuse(f, STATUS_FAILED);
        }
        r = free_and_strdup(&f->name, j->name);
        if (r >= 0)
                r = free_and_strdup(&f->identity, isempty(j->identity) ? "default" : j->identity);
        if (r >= 0)
                r = free_and_strdup(&f->request.registry, j->registry);
        if (r >= 0)
                r = free_and_strdup(&f->request.robot, j->robot);
        return r < 0 ? fail(f, r, "look at the job") : 0;
}

static int find_job(Federate *f, char *const *names) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        _cleanup_free_ const JobSnapshot **jobs = NULL;
        size_t n = 0;
        int r;

        if (ctl_get_all(f->ctl, &s) < 0)
                return -1;
        r = select_jobs(f->ctl, s, names, &jobs, &n);
        if (r < 0)
                return fail(f, r, "look at the job");
        if (n > 1) {
                complain("Name one job, '%s' matches %zu", names[0], n);
                return refuse(f, STATUS_USAGE);
        }
        return n == 0 ? -1 : take_job(f, jobs[0]);
}

static int read_ca(Federate *f, const char *path) {
        _cleanup_free_ char *full = NULL, *what = NULL;
        _cleanup_secret_ Secret *pem = NULL;
        int r;

        r = text_format(&full, "%s%s", strempty(f->ctl->options.root), path);
        if (r >= 0)
                r = text_format(&what, "read the CA file %s of job '%s'", full, f->name);
        if (r < 0)
                return fail(f, r, "read the CA file");
        r = file_read(AT_FDCWD, full, CA_MAX, FILE_READ_FOLLOW | FILE_READ_OWNED, &pem, NULL);
        if (r == -EPERM) {
                complain("The CA file %s must belong to root and not be writable by group or others", full);
                return refuse(f, STATUS_FAILED);
        }
        if (r >= 0)
                r = text_format(&f->request.ca, "%s", (const char *) secret_peek(pem).iov_base);
        return r < 0 ? fail(f, r, what) : 0;
}

static const JobConfig *find_config(const Configuration *c, const char *name) {
        for (size_t i = 0; i < c->n_jobs; i++)
                if (streq(c->jobs[i].config->name, name))
                        return c->jobs[i].config;
        return NULL;
}

/* The daemon does not tell these: where files lie and what proxies are called is not for everybody. */
static int read_trust(Federate *f) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        const JobConfig *j;
        int r;

        r = offline_load(strempty(f->ctl->options.root), NULL, &c);
        if (r < 0)
                return fail(f, r, "read the configuration files");
        j = find_config(c, f->name);
        if (!j || !streq_ptr(j->registry, f->request.registry) || !streq_ptr(j->robot, f->request.robot)) {
                complain("The files of job '%s' cannot be read here or say something else than what "
                         "pullauthd works with",
                         f->name);
                fputs("Run this as root, or 'pullauthctl reload' first; --root= says where the files are\n",
                      stderr);
                return refuse(f, STATUS_FAILED);
        }
        if (j->proxy) {
                r = secret_new_string(j->proxy, &f->request.proxy);
                if (r < 0)
                        return fail(f, r, "read the configuration files");
        }
        return j->ca_file ? read_ca(f, j->ca_file) : 0;
}

/* --- what there is to be entered --- */

static int explain_identity(Federate *f) {
        const ClientArguments identity = { .name = f->identity };
        _cleanup_(answer_done) Answer a = {};

        if (ctl_call(f->ctl, METHOD_EXPLAIN_IDENTITY, &identity, &a) < 0)
                return -1;
        f->claims = a.claims;
        a.claims = (Claims){};
        if (isempty(f->claims.issuer) || isempty(f->claims.subject)) {
                complain("The token of identity '%s' says no %s, so no registry can trust this host by it",
                         f->identity, isempty(f->claims.issuer) ? "issuer" : "subject");
                fprintf(stderr, "'pullauthctl identity %s' shows all that it says\n", f->identity);
                return refuse(f, STATUS_ATTENTION);
        }
        /* The entry may be right all the same: an expired token for example is a matter of another day. */
        if (!isempty(f->claims.problem)) {
                complain("With its present token of identity '%s' this host cannot work: %s", f->identity,
                         f->claims.problem);
                ctl_note(f->ctl, STATUS_ATTENTION);
        }
        return 0;
}

/* --- the OAuth token --- */

static int read_token_file(const char *path, Secret **ret) {
        return streq(path, "-") ? ask_input(ret)
                                : file_read(AT_FDCWD, path, TOKEN_FILE_MAX, FILE_READ_FOLLOW, ret, NULL);
}

/* What is typed at a terminal is not to be seen: that is asked for as without a file. */
static bool is_terminal(const char *path) {
        return streq(path, "-") && isatty(STDIN_FILENO) == 1;
}

static bool can_be_token(const Secret *s) {
        return secret_size(s) > 0 && secret_size(s) <= FEDERATION_TOKEN_MAX && secret_is_string(s) &&
               text_is_token(secret_peek(s).iov_base);
}

static int ask_token(Federate *f) {
        _cleanup_free_ char *prompt = NULL;
        int r;

        r = text_format(&prompt, "OAuth token for %s (scope org:admin)", f->request.registry);
        return r < 0 ? r : ask_secret(prompt, &f->request.token);
}

static int get_token(Federate *f) {
        const char *path = f->ctl->options.token_file;
        int r;

        r = process_guard();
        if (r < 0)
                return fail(f, r, "keep other processes from the OAuth token");
        r = path && !is_terminal(path) ? read_token_file(path, &f->request.token) : ask_token(f);
        if (r == -ECANCELED)
                return refuse(f, STATUS_FAILED);
        if (r == -ENXIO)
                complain("There is no terminal to ask for the OAuth token, name its file: --token-file=");
        else if (r == -EMEDIUMTYPE || r == -EISDIR)
                complain("The token file is no regular file; --token-file=- reads standard input");
        else if (r < 0 && r != -ENODATA && r != -E2BIG && r != -EFBIG && r != -EBADMSG)
                return fail(f, r, "read the OAuth token");
        else {
                if (r >= 0)
                        secret_cut_blanks(f->request.token);
                if (r >= 0 && can_be_token(f->request.token))
                        return 0;
                complain("That is no OAuth token: one line without blanks is, of at most %d characters",
                         FEDERATION_TOKEN_MAX);
        }
        return refuse(f, STATUS_FAILED);
}

/* --- difference, question, change --- */

static void show(const Federate *f, bool applied) {
        const FederationEntry own = own_entry(f);
        const ShownFederation shown = {
                .name = f->name,
                .registry = f->request.registry,
                .robot = f->request.robot,
                .own = &own,
                .plan = &f->plan,
                .applied = applied,
        };
        Ctl *ctl = f->ctl;
        char *text = NULL;
        int r;

        r = ctl->options.json == JSON_OFF ? render_federation(&shown, &ctl->style, &text)
                                          : render_json_federation(&shown, ctl->options.json, &text);
        ctl_print(ctl, r, text);
}

static void say(const Federate *f, const char *what) {
        if (f->ctl->options.json != JSON_OFF || !f->ctl->style.legend)
                return;
        printf("%s: %s\n", f->name, what);
        (void) ctl_flush(f->ctl);
}

static int make_plan(Federate *f) {
        _cleanup_(federation_done) Federation present = {};
        const FederationPlanFlags flags = is_given(f, OPT_REPLACE) ? FEDERATION_REPLACE : 0;
        const FederationEntry own = own_entry(f);
        int r;

        if (federate_ask(f->ctl, &f->request, &present) < 0)
                return -1;
        r = federation_plan_make(&present, &own, flags, &f->plan);
        if (r >= 0) {
                f->request.seen = present;
                present = (Federation){};
                r = federation_plan_result(&f->plan, &f->request.wanted);
        }
        return r < 0 ? fail(f, r, "compare the federation") : 0;
}

/* Returns 1 if it is to be done, 0 if not. */
static int decide(Federate *f) {
        if (!f->plan.differs)
                say(f, "nothing to change");
        else if (is_given(f, OPT_DRY_RUN))
                say(f, "nothing was changed (--dry-run)");
        else if (f->plan.forgets && !is_given(f, OPT_DROP_AUDIENCES)) {
                complain("Entries want an audience, which the registry forgets when its API is given the "
                         "list: they would take tokens for any audience. Nothing was changed");
                fputs("Add --drop-audiences if that is well\n", stderr);
                ctl_note(f->ctl, STATUS_FAILED);
        } else if (is_given(f, OPT_YES) || ask_yes("Set this federation?") > 0)
                return 1;
        else {
                say(f, "nothing was changed");
                ctl_note(f->ctl, STATUS_FAILED);
        }
        return 0;
}

/* What the registry made of the audiences, which it may not keep. Returns how many entries lost theirs, or
 * -ENOMEM. */
static int take_audiences(FederationPlan *p, const Federation *present) {
        int lost = 0;

        for (size_t i = 0; i < p->entries.n_items; i++) {
                FederationEntry *e = p->entries.items + i;
                const FederationEntry *now = federation_find(present, e->issuer, e->subject);
                char **audiences = NULL;

                if (p->changes[i] == FEDERATION_REMOVED || !now || strv_equal(now->audiences, e->audiences))
                        continue;
                if (now->audiences && strv_copy(now->audiences, &audiences) < 0)
                        return -ENOMEM;
                lost += !audiences;
                strv_free(e->audiences);
                e->audiences = audiences;
        }
        return lost;
}

static void set(Federate *f) {
        _cleanup_(federation_done) Federation present = {};
        bool json = f->ctl->options.json != JSON_OFF;
        int r;

        f->request.set = true;
        if (federate_ask(f->ctl, &f->request, &present) < 0)
                return;
        r = take_audiences(&f->plan, &present);
        if (r < 0)
                (void) fail(f, r, "look at what became of it");
        if (json)
                show(f, /* applied= */ true);
        say(f, "the federation is set");
        if (r > 0 && !json && f->ctl->style.legend)
                fputs("The registry kept no audience: tokens for any are taken\n", stderr);
}

void verb_federate(Ctl *ctl, char *const *arguments) {
        _cleanup_(federate_done) Federate f = { .ctl = ctl };

        if (is_given(&f, OPT_TIMEOUT))
                f.request.timeout = ctl->options.timeout < TIMEOUT_MAX ? ctl->options.timeout : TIMEOUT_MAX;
        if (check_options(&f) < 0 || find_job(&f, arguments) < 0 || read_trust(&f) < 0 ||
            explain_identity(&f) < 0 || get_token(&f) < 0 || make_plan(&f) < 0)
                return;
        if (ctl->options.json == JSON_OFF)
                show(&f, /* applied= */ false);
        if (decide(&f) > 0)
                set(&f);
        else if (ctl->options.json != JSON_OFF)
                show(&f, /* applied= */ false);
}
