/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "help" and --help: a page that fits a terminal of 80 columns, made from the table of commands.
 *
 * ASCII only, so that it reads the same in every locale. The long story is pullauthctl(1). */

#include <stdio.h>

#include "base/text.h"
#include "ctl/verb.h"

static const char common_options[] =
        "  -h --help              Show this, or more about a command, and exit\n"
        "     --version           Show the version and exit\n"
        "     --json[=MODE]       Print JSON: pretty, short or off\n"
        "     --no-legend         Print neither headings nor what stands around tables\n"
        "     --color=WHEN        auto, always or never\n"
        "     --no-ask-password   Do not have a password asked for, fail instead\n";

static const char wait_options[] =
        "     --wait              Wait until the attempts have ended and tell how\n"
        "     --timeout=SPAN      How long to wait at most (default: 2min)\n";

static const char statuses[] = "Exit status: 0 all is well, 1 the request failed, 2 wrong command line,\n"
                               "3 done, but a job needs attention, 4 there is no such job.\n";

static void print_all(void) {
        const Verb *verbs;
        size_t n;

        printf("pullauthctl [OPTION...] [COMMAND]\n"
               "\n"
               "Show and refresh the registry credentials that pullauthd keeps fresh.\n"
               "Without a command: how everything stands, and what to do next.\n"
               "\n"
               "Commands:\n");
        verbs = verb_all(&n);
        for (size_t i = 0; i < n; i++) {
                int used = printf("  %s %s", verbs[i].name, verbs[i].arguments);

                printf("%*s%s\n", used < 25 ? 25 - used : 1, "", verbs[i].summary);
        }
        printf("\nOptions:\n%s%s\n%s\nMore in pullauthctl(1).\n", common_options, wait_options, statuses);
}

void help_print(const Verb *verb) {
        if (!verb) {
                print_all();
                return;
        }
        printf("pullauthctl [OPTION...] %s%s%s\n\n%s.\n%s%s\nOptions:\n%s%s\n%s\nMore in pullauthctl(1).\n",
               verb->name, isempty(verb->arguments) ? "" : " ", verb->arguments, verb->summary,
               isempty(verb->help) ? "" : "\n", verb->help, verb->waits ? wait_options : "", common_options,
               statuses);
}

void verb_help(Ctl *ctl, char *const *arguments) {
        const Verb *verb = arguments[0] ? verb_find(arguments[0]) : NULL;

        if (arguments[0] && !verb) {
                ctl_complain("There is no command of that name, 'pullauthctl --help' shows all commands");
                ctl_note(ctl, STATUS_USAGE);
                return;
        }
        help_print(verb);
}
