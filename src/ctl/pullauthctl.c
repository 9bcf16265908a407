/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The program: command line, one command, exit status.
 *
 * Decides how output looks and who may be asked for a password, then runs one row of the table of commands.
 * Does nothing itself. */

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scalar.h"
#include "base/text.h"
#include "client/near.h"
#include "config.h"
#include "ctl/verb.h"

#define WAIT_DEFAULT (2 * USEC_PER_MINUTE)
#define ARGUMENTS_MAX 4096

enum {
        OPTION_VERSION = 0x100,
        OPTION_JSON,
        OPTION_NO_LEGEND,
        OPTION_COLOR,
        OPTION_NO_ASK_PASSWORD,
        OPTION_WAIT,
        OPTION_TIMEOUT,
};

static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, OPTION_VERSION },
        { "json", optional_argument, NULL, OPTION_JSON },
        { "no-legend", no_argument, NULL, OPTION_NO_LEGEND },
        { "color", required_argument, NULL, OPTION_COLOR },
        { "no-ask-password", no_argument, NULL, OPTION_NO_ASK_PASSWORD },
        { "wait", no_argument, NULL, OPTION_WAIT },
        { "timeout", required_argument, NULL, OPTION_TIMEOUT },
        {},
};

typedef struct CommandLine {
        bool help, version, legend, timeout_given;
        ColorMode color;
} CommandLine;

/* Returns 0, or -EINVAL after a complaint. */
static int wrong(const char *option, const char *value, const char *right) {
        ctl_complain("--%s=%s is not known, write %s", option, value, right);
        return -EINVAL;
}

static int take_option(Ctl *ctl, CommandLine *line, int option, const char *value) {
        switch (option) {
        case 'h':
                line->help = true;
                return 0;
        case OPTION_VERSION:
                line->version = true;
                return 0;
        case OPTION_JSON:
                if (!value)
                        ctl->json = isatty(STDOUT_FILENO) ? JSON_PRETTY : JSON_SHORT;
                else
                        ctl->json = json_mode_from_string(value);
                return ctl->json < 0 ? wrong("json", value, "pretty, short or off") : 0;
        case OPTION_NO_LEGEND:
                line->legend = false;
                return 0;
        case OPTION_COLOR:
                line->color = color_mode_from_string(value);
                return line->color < 0 ? wrong("color", value, "auto, always or never") : 0;
        case OPTION_NO_ASK_PASSWORD:
                ctl->ask = false;
                return 0;
        case OPTION_WAIT:
                ctl->wait = true;
                return 0;
        case OPTION_TIMEOUT:
                line->timeout_given = true;
                if (parse_span(value, &ctl->timeout) >= 0 && ctl->timeout > 0)
                        return 0;
                return wrong("timeout", value, "a span of time like 90s, 2min or infinity");
        default: /* getopt_long() has complained */
                return -EINVAL;
        }
}

static int take_options(Ctl *ctl, CommandLine *line, int argc, char **argv) {
        int option, r;

        if (argc > 0)
                argv[0] = (char *) "pullauthctl"; /* for the complaints of getopt_long() */
        while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                r = take_option(ctl, line, option, optarg);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void complain_unknown_verb(const char *name) {
        _cleanup_strv_ char **names = NULL, **near = NULL;
        _cleanup_free_ char *shown = NULL;
        const Verb *verbs;
        size_t n;
        int r;

        r = text_clean(name, strlen(name), 64, &shown);
        verbs = verb_all(&n);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = strv_append(&names, verbs[i].name);
        if (r >= 0)
                r = near_names(name, names, 1, &near);
        if (r < 0)
                return;
        if (near && near[0])
                ctl_complain("There is no command '%s', did you mean '%s'?", shown, near[0]);
        else
                ctl_complain("There is no command '%s'", shown);
}

/* Returns 0, or -EINVAL after a complaint. */
static int check_arguments(const Ctl *ctl, const CommandLine *line, const Verb *verb,
                           char *const *arguments) {
        size_t n = strv_length(arguments);

        if ((ctl->wait || line->timeout_given) && !(verb && verb->waits)) {
                ctl_complain("--wait and --timeout= are for 'refresh' only");
                return -EINVAL;
        }
        if (line->timeout_given && !ctl->wait) {
                ctl_complain("--timeout= says how long to wait, add --wait");
                return -EINVAL;
        }
        if (!verb || n == 0)
                return 0;
        if (n > ARGUMENTS_MAX || (!verb->takes_jobs && n > (isempty(verb->arguments) ? 0 : 1))) {
                ctl_complain("'%s' takes %s", verb->name,
                             isempty(verb->arguments) ? "no arguments" : "one argument");
                return -EINVAL;
        }
        return 0;
}

/* Without arguments of a command, `verb` is NULL and the summary is shown. */
static void run(Ctl *ctl, const CommandLine *line, char *const *arguments) {
        const Verb *verb = NULL;

        if (arguments[0]) {
                verb = verb_find(arguments[0]);
                if (!verb) {
                        complain_unknown_verb(arguments[0]);
                        ctl_note(ctl, STATUS_USAGE);
                        return;
                }
                arguments++;
        }
        if (line->help)
                help_print(verb);
        else if (line->version)
                printf("pullauthctl %s\n", PROJECT_VERSION);
        else if (check_arguments(ctl, line, verb, arguments) < 0)
                ctl_note(ctl, STATUS_USAGE);
        else if (verb)
                verb->run(ctl, arguments);
        else
                verb_summary(ctl, arguments);
}

int main(int argc, char **argv) {
        _cleanup_(ctl_done) Ctl ctl = { .ask = true, .timeout = WAIT_DEFAULT };
        CommandLine line = { .legend = true };

        (void) setlocale(LC_ALL, "");
        if (take_options(&ctl, &line, argc, argv) < 0)
                ctl_note(&ctl, STATUS_USAGE);
        else {
                style_detect(&ctl.style, line.color);
                ctl.style.legend = line.legend;
                run(&ctl, &line, argv + optind);
        }
        if (ctl.status == STATUS_USAGE)
                fputs("'pullauthctl --help' shows how it is used\n", stderr);
        if (fflush(stdout) != 0 || ferror(stdout)) {
                ctl_complain("Cannot write to standard output");
                ctl_note(&ctl, STATUS_FAILED);
        }
        return (int) ctl.status;
}
