/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "help" and --help: a page that fits a terminal of 80 columns, made from the tables of commands and
 * options.
 *
 * ASCII only, so that it reads the same in every locale. The long story is pullauthctl(1). */

#include <stdio.h>

#include "base/text.h"
#include "ctl/verb.h"

#define TEXT_COLUMN 27

static const char *const group_headings[_VERB_GROUP_MAX] = {
        [GROUP_LOOK] = "Look",         [GROUP_CREDENTIAL] = "Credentials",
        [GROUP_FIND_OUT] = "Find out", [GROUP_CONFIGURE] = "Configuration",
        [GROUP_TOOL] = "This tool",
};

static const char statuses[] = "Exit status: 0 all is well, 1 the request failed, 2 wrong command line,\n"
                               "3 done, but something needs attention, 4 there is no such job.\n";

static void print_row(int used, const char *text) {
        printf("%*s%s\n", used < TEXT_COLUMN ? TEXT_COLUMN - used : 1, "", text);
}

static void print_option(OptionId id) {
        const Option *o = option_get(id);
        int used = printf("  %s --%s", id == OPT_HELP ? "-h" : "  ", o->name);

        if (o->value)
                used += printf(o->optional ? "[=%s]" : "=%s", o->value);
        print_row(used, o->help);
}

static void print_options(const char *heading, uint32_t which) {
        if (which == 0)
                return;
        printf("\n%s:\n", heading);
        for (OptionId i = 0; i < _OPT_MAX; i++)
                if (which & (UINT32_C(1) << i))
                        print_option(i);
}

static void print_group(VerbGroup group) {
        const Verb *verbs;
        size_t n;

        printf("\n%s:\n", group_headings[group]);
        verbs = verb_all(&n);
        for (size_t i = 0; i < n; i++)
                if (verbs[i].group == group) {
                        int used = printf("  %s %s", verbs[i].name, strempty(verbs[i].arguments));

                        print_row(used, verbs[i].summary);
                }
}

static void print_all(void) {
        printf("pullauthctl [OPTION...] [COMMAND]\n"
               "\n"
               "Show and drive the registry credentials that pullauthd keeps fresh.\n"
               "Without a command: how everything stands, and what to do next.\n");
        for (VerbGroup i = 0; i < _VERB_GROUP_MAX; i++)
                print_group(i);
        print_options("Options", OPTIONS_COMMON);
        printf("\nOptions of one command stand in 'pullauthctl help COMMAND'.\n%s"
               "\nMore in pullauthctl(1).\n",
               statuses);
}

void help_print(const Verb *verb) {
        if (!verb) {
                print_all();
                return;
        }
        printf("pullauthctl [OPTION...] %s%s%s\n\n%s.\n%s%s", verb->name,
               isempty(verb->arguments) ? "" : " ", strempty(verb->arguments), verb->summary,
               isempty(verb->help) ? "" : "\n", strempty(verb->help));
        print_options("Options of this command", verb->options);
        print_options("Options", OPTIONS_COMMON);
        printf("\n%s\nMore in pullauthctl(1).\n", statuses);
}

void verb_help(Ctl *ctl, char *const *arguments) {
        const Verb *verb = arguments[0] ? verb_find(arguments[0]) : NULL;

        if (arguments[0] && !verb) {
                verb_complain_unknown(arguments[0]);
                ctl_note(ctl, STATUS_USAGE);
                return;
        }
        help_print(verb);
}
