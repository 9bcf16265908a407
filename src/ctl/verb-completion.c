/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl completion": scripts for shells, and the words that they ask for.
 *
 * The scripts hold no word of their own: they call "completion words" with what is typed. That never
 * complains, for it runs at each press of a key. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "completion-scripts.h"
#include "ctl/complete.h"
#include "ctl/offline.h"
#include "ctl/verb.h"

static int add_once(char ***l, const char *s) {
        return isempty(s) || strv_contains(*l, s) ? 0 : strv_append(l, s);
}

/* Names out of the files: nobody has to be asked, and nobody waits. */
static int read_names(char ***jobs, char ***registries, char ***identities, char ***targets) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        int r;

        r = offline_read("", NULL, &c);
        if (r < 0)
                return 0; /* then there are none */
        for (size_t i = 0; i < c->n_jobs && r >= 0; i++) {
                r = strv_append(jobs, c->jobs[i].config->name);
                if (r >= 0)
                        r = add_once(registries, c->jobs[i].config->registry);
        }
        for (size_t i = 0; i < c->n_identities && r >= 0; i++)
                r = strv_append(identities, c->identities[i].config->name);
        for (size_t i = 0; i < c->targets->n && r >= 0; i++)
                r = strv_append(targets, c->targets->items[i].config->name);
        return r;
}

static void print_words(char *const *words) {
        _cleanup_strv_ char **jobs = NULL, **registries = NULL, **identities = NULL, **targets = NULL;
        _cleanup_strv_ char **candidates = NULL;
        CompletionNames names;
        int r = 0;

        if (complete_needs_names(words))
                r = read_names(&jobs, &registries, &identities, &targets);
        if (r < 0)
                return;
        names = (CompletionNames){ jobs, registries, identities, targets };
        r = complete(words, &names, &candidates);
        for (size_t i = 0; r >= 0 && candidates && candidates[i]; i++)
                printf("%s\n", candidates[i]);
}

void verb_completion(Ctl *ctl, char *const *arguments) {
        if (streq(arguments[0], "words"))
                print_words(arguments + 1);
        else if (streq(arguments[0], "bash"))
                fputs(completion_bash, stdout);
        else if (streq(arguments[0], "zsh"))
                fputs(completion_zsh, stdout);
        else if (streq(arguments[0], "fish"))
                fputs(completion_fish, stdout);
        else {
                complain("There is completion for bash, zsh and fish");
                ctl_note(ctl, STATUS_USAGE);
        }
}
