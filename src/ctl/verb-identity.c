/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl identity": what a registry would read in this host's token, and what to enter there so that
 * it trusts it.
 *
 * Without names, the identities that jobs use are meant, or "default" where there is no job. */

#include "base/text.h"
#include "ctl/verb.h"

static int used_identities(Ctl *ctl, char ***ret) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        int r = 0;

        if (ctl_get_all(ctl, &s) < 0)
                return -1;
        for (size_t i = 0; i < s->n_jobs && r >= 0; i++)
                if (!isempty(s->jobs[i]->identity) && !strv_contains(*ret, s->jobs[i]->identity))
                        r = strv_append(ret, s->jobs[i]->identity);
        if (r >= 0 && !*ret)
                r = strv_append(ret, "default");
        if (r < 0)
                ctl_report_local(ctl, r);
        return r < 0 ? -1 : 0;
}

static void claims_list_done(ClaimsList *l) {
        rows_done((Rows *) l, &claims_type);
}

/* What cannot be explained was reported; the others are shown. */
static int explain(Ctl *ctl, char *const *names, ClaimsList *l) {
        int r = 0;

        l->items = calloc(strv_length(names) + 1, sizeof(*l->items));
        if (!l->items)
                return -ENOMEM;
        for (size_t i = 0; names[i] && r >= 0; i++) {
                const ClientArguments identity = { .name = names[i] };
                _cleanup_(answer_done) Answer a = {};
                char *name;

                if (ctl_call(ctl, METHOD_EXPLAIN_IDENTITY, &identity, &a) < 0)
                        continue;
                r = text_clean(names[i], strlen(names[i]), 256, &name);
                if (r >= 0) {
                        free(a.claims.name);
                        a.claims.name = name;
                }
                if (!isempty(a.claims.problem))
                        ctl_note(ctl, STATUS_ATTENTION);
                l->items[l->n_items++] = a.claims;
                a.claims = (Claims){};
        }
        return r;
}

/* One document as it is to be published. */
static void print_document(Ctl *ctl, const char *name) {
        const ClientArguments identity = { .name = name };
        _cleanup_(answer_done) Answer a = {};
        const char *document;
        char *text = NULL;
        int r;

        if (ctl_call(ctl, METHOD_EXPLAIN_IDENTITY, &identity, &a) < 0)
                return;
        document = option_given(&ctl->options, OPT_JWKS) ? a.claims.key_set : a.claims.discovery;
        if (isempty(document)) {
                complain(
                        "The identity '%s' is not its own issuer (Source=signed): its issuer publishes such "
                        "documents itself",
                        name);
                ctl_note(ctl, STATUS_FAILED);
                return;
        }
        r = text_format(&text, "%s\n", document);
        ctl_print(ctl, r, text);
}

static bool wants_document(Ctl *ctl, char *const *names) {
        bool jwks = option_given(&ctl->options, OPT_JWKS),
             discovery = option_given(&ctl->options, OPT_DISCOVERY);

        if (!jwks && !discovery)
                return false;
        if (jwks && discovery)
                complain("--discovery and --jwks are two documents, ask for one at a time");
        else if (strv_length(names) != 1)
                complain("Name the one identity whose document is wanted");
        else
                return true;
        ctl_note(ctl, STATUS_USAGE);
        return true;
}

void verb_identity(Ctl *ctl, char *const *arguments) {
        _cleanup_(claims_list_done) ClaimsList l = {};
        _cleanup_strv_ char **used = NULL;
        char *text = NULL;
        int r;

        if (wants_document(ctl, arguments)) {
                if (ctl->status == STATUS_OK)
                        print_document(ctl, arguments[0]);
                return;
        }
        if (!arguments[0] && used_identities(ctl, &used) < 0)
                return;
        r = explain(ctl, used ?: arguments, &l);
        if (r >= 0)
                r = ctl->options.json == JSON_OFF
                            ? render_identities(&l, &ctl->style, now_real(), &text)
                            : render_json_rows(&l, &claims_type, ctl->options.json, &text);
        ctl_print(ctl, r, text);
}
