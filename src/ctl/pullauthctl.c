/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The program: command line, one command, exit status.
 *
 * Decides how output looks, holds the command line against the tables of commands and options, then runs one
 * row of them. Does nothing itself. */

#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config.h"
#include "ctl/verb.h"

/* "'refresh', 'add' and 'enable'" of the commands that take an option. */
static int takers_text(OptionId id, char **ret) {
        _cleanup_free_ char *text = strdup("");
        const char *last = NULL;
        const Verb *verbs;
        size_t n;

        verbs = verb_all(&n);
        for (size_t i = 0; i < n && text; i++) {
                char *longer = NULL;

                if (!(verbs[i].options & (UINT32_C(1) << id)))
                        continue;
                if (last && text_format(&longer, "%s%s'%s'", text, isempty(text) ? "" : ", ", last) < 0)
                        return -ENOMEM;
                if (last) {
                        free(text);
                        text = longer;
                }
                last = verbs[i].name;
        }
        if (!text)
                return -ENOMEM;
        return text_format(ret, "%s%s'%s'", text, isempty(text) ? "" : " and ", strempty(last));
}

/* Returns 0, or -EINVAL after a complaint. */
static int check_options(const Options *o, const Verb *verb) {
        uint32_t taken = OPTIONS_COMMON | (verb ? verb->options : 0);

        for (OptionId i = 0; i < _OPT_MAX; i++) {
                _cleanup_free_ char *takers = NULL;

                if (!option_given(o, i) || (taken & (UINT32_C(1) << i)))
                        continue;
                if (takers_text(i, &takers) >= 0)
                        complain("--%s%s is for %s only", option_get(i)->name,
                                 option_get(i)->value ? "=" : "", takers);
                return -EINVAL;
        }
        if (option_given(o, OPT_TIMEOUT) && verb && (verb->options & OPTION(WAIT)) &&
            !option_given(o, OPT_WAIT)) {
                complain("--timeout= says how long to wait, add --wait");
                return -EINVAL;
        }
        return 0;
}

static int check_arguments(const Verb *verb, char *const *arguments) {
        size_t n = strv_length(arguments);

        if (n >= verb->min && n <= verb->max)
                return 0;
        if (verb->max == 0)
                complain("'%s' takes no arguments", verb->name);
        else if (n < verb->min)
                complain("'%s' wants more: pullauthctl %s %s", verb->name, verb->name, verb->arguments);
        else if (verb->max == 1)
                complain("'%s' takes one argument", verb->name);
        else
                complain("'%s' takes at most %u arguments", verb->name, verb->max);
        return -EINVAL;
}

/* Without arguments of a command, `verb` is NULL and the summary is shown. */
static void run(Ctl *ctl, char *const *arguments) {
        const Options *o = &ctl->options;
        const Verb *verb = NULL;

        if (arguments[0]) {
                verb = verb_find(arguments[0]);
                if (!verb) {
                        verb_complain_unknown(arguments[0]);
                        ctl_note(ctl, STATUS_USAGE);
                        return;
                }
                arguments++;
        }
        ctl->paged = (!verb || verb->paged) && !option_given(o, OPT_NO_PAGER);
        if (option_given(o, OPT_HELP))
                help_print(verb);
        else if (option_given(o, OPT_VERSION))
                printf("pullauthctl %s\n", PROJECT_VERSION);
        else if (check_options(o, verb) < 0 || (verb && check_arguments(verb, arguments) < 0))
                ctl_note(ctl, STATUS_USAGE);
        else if (verb)
                verb->run(ctl, arguments);
        else
                verb_summary(ctl, arguments);
}

int main(int argc, char **argv) {
        _cleanup_(ctl_done) Ctl ctl = {};

        (void) setlocale(LC_ALL, "");
        /* Who reads our output may stop when it has enough. */
        (void) signal(SIGPIPE, SIG_IGN);
        if (argc < 1)
                return STATUS_USAGE;
        if (options_parse(&ctl.options, argc, argv) < 0)
                ctl_note(&ctl, STATUS_USAGE);
        else {
                style_detect(&ctl.style, ctl.options.color);
                ctl.style.legend = !option_given(&ctl.options, OPT_NO_LEGEND);
                run(&ctl, argv + optind);
        }
        if (ctl.status == STATUS_USAGE)
                fputs("'pullauthctl --help' shows how it is used\n", stderr);
        (void) ctl_flush(&ctl);
        return (int) ctl.status;
}
