/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of commands.
 *
 * What a command is called, takes and says about itself stands here and nowhere else; help, completion, the
 * check of the command line and the test of the manual read it. What it does is in a file of its own. */

#include <string.h>

#include "base/text.h"
#include "client/near.h"
#include "ctl/verb.h"

static const Verb verbs[] = {
        { "list", .arguments = "[JOB...]", .group = GROUP_LOOK, .max = ARGUMENTS_MAX, .first = ARGUMENT_JOB,
          .others = ARGUMENT_JOB, .options = OPTION(REGISTRY), .paged = true,
          .summary = "Show jobs in a table",
          .help = "One line for each job: registry, robot, state, reason, what is left of the\n"
                  "credential's life, and the time until the next attempt. Below the table stands\n"
                  "what is wrong in the configuration files.\n",
          .run = verb_list },
        { "status", .arguments = "[JOB...]", .group = GROUP_LOOK, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_JOB, .others = ARGUMENT_JOB, .options = OPTION(REGISTRY), .paged = true,
          .summary = "Show what is left, what failed, and what to do",
          .help = "Everything about the named jobs, or about all of them: how much of the\n"
                  "credential's life is left, which step failed and why, the registry's own words,\n"
                  "what to do, identity, scopes, targets and configuration.\n",
          .run = verb_status },
        { "metrics", .group = GROUP_LOOK, .summary = "Print counters and states for monitoring",
          .help = "In the OpenMetrics text format, as the file for node_exporter has them.\n",
          .run = verb_metrics },
        { "monitor", .arguments = "[JOB...]", .group = GROUP_LOOK, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_JOB, .others = ARGUMENT_JOB, .options = OPTION(REGISTRY),
          .summary = "Watch jobs until q or ^C",
          .help = "On a terminal a picture of all lives as they run out, with the news below it;\n"
                  "elsewhere, and with --json, one line for each piece of news.\n",
          .run = verb_monitor },
        { "cat", .arguments = "NAME...", .group = GROUP_LOOK, .min = 1, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_DEFINITION, .others = ARGUMENT_DEFINITION, .options = OPTION(ROOT),
          .paged = true, .summary = "Show the files of jobs and identities",
          .help = "Each file under its path, in the order in which they count. A job is called\n"
                  "NAME, an identity NAME.identity.\n",
          .run = verb_cat },
        { "refresh", .arguments = "[JOB...]", .group = GROUP_CREDENTIAL, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_JOB, .others = ARGUMENT_JOB,
          .options = OPTION(REGISTRY) | OPTION(WAIT) | OPTION(TIMEOUT),
          .summary = "Fetch new credentials now",
          .help = "Asks for new credentials for the named jobs, or for all of them, whether they\n"
                  "are due or not. Needs polkit's action org.pullauth1.refresh.\n",
          .run = verb_refresh },
        { "wait", .arguments = "[JOB...]", .group = GROUP_CREDENTIAL, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_JOB, .others = ARGUMENT_JOB, .options = OPTION(REGISTRY) | OPTION(TIMEOUT),
          .summary = "Wait until credentials are there",
          .help = "Ends once each of the named jobs, or of all that are enabled, has its credential\n"
                  "in its targets, or cannot have it as things are, or when the time is over. The\n"
                  "exit status is 0 if all have theirs.\n",
          .run = verb_wait },
        { "reset-failed", .arguments = "[JOB...]", .group = GROUP_CREDENTIAL, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_JOB, .others = ARGUMENT_JOB, .options = OPTION(REGISTRY),
          .summary = "Forget failures and the pace they brought",
          .help = "The next attempt is then as near as after a first failure. Needs polkit's action\n"
                  "org.pullauth1.refresh.\n",
          .run = verb_reset_failed },
        { "credential", .arguments = "JOB|IMAGE", .group = GROUP_CREDENTIAL, .min = 1, .max = 1,
          .first = ARGUMENT_JOB, .summary = "Print a credential as an auth.json",
          .help = "For tools that read one from a pipe or a file descriptor. What is printed is a\n"
                  "secret. With an image instead of a job, the job that serves it is looked up.\n"
                  "Needs polkit's action org.pullauth1.read-credential.\n",
          .run = verb_credential },
        { "render", .arguments = "TARGET", .group = GROUP_CREDENTIAL, .min = 1, .max = 1,
          .first = ARGUMENT_TARGET, .summary = "Show what a target would hold, secrets masked",
          .help = "Needs polkit's action org.pullauth1.read-credential.\n", .run = verb_render },
        { "targets", .arguments = "[TOOL...]", .group = GROUP_FIND_OUT, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_TOOL, .others = ARGUMENT_TOOL,
          .options = OPTION(ALL) | OPTION(ROOT) | OPTION(USER), .paged = true,
          .summary = "Show where tools of this host look for credentials",
          .help = "For each tool that is installed: the files that it reads, in their order, what\n"
                  "stands in them, of which jobs it takes the credentials, and what stands before\n"
                  "those that it does not take. Works without the daemon.\n",
          .run = verb_targets },
        { "which", .arguments = "IMAGE [TOOL...]", .group = GROUP_FIND_OUT, .min = 1, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_WORD, .others = ARGUMENT_TOOL,
          .options = OPTION(ALL) | OPTION(ROOT) | OPTION(USER), .paged = true,
          .summary = "Show which credential tools take for an image",
          .help = "For each tool that is installed: which key of which file it takes and why, whose\n"
                  "credential that is, and what to do if it is not that of a job. The exit status is\n"
                  "0 if all of them take the right one, else 3. Works without the daemon.\n",
          .run = verb_which },
        { "test", .arguments = "JOB", .group = GROUP_FIND_OUT, .min = 1, .max = 1, .first = ARGUMENT_JOB,
          .summary = "Try each step of a refresh and change nothing",
          .help = "Reads the host's token, looks at its claims, resolves, connects, exchanges,\n"
                  "verifies, and says what would be written, each with its time. Needs polkit's\n"
                  "action org.pullauth1.refresh.\n",
          .run = verb_test },
        { "identity", .arguments = "[IDENTITY...]", .group = GROUP_FIND_OUT, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_IDENTITY, .others = ARGUMENT_IDENTITY,
          .options = OPTION(DISCOVERY) | OPTION(JWKS), .summary = "Show what this host's token says of it",
          .help = "Issuer, subject and audience of the token that this host would send, and what of\n"
                  "it a registry would not take. Without names: of the identities that jobs use.\n"
                  "With --discovery or --jwks: one of the two documents that make a static web site\n"
                  "the issuer of this host (Source=signed), for one identity.\n"
                  "Needs polkit's action org.pullauth1.refresh.\n",
          .run = verb_identity },
        { "federate", .arguments = "JOB", .group = GROUP_CONFIGURE, .min = 1, .max = 1,
          .first = ARGUMENT_JOB,
          .options = OPTION(DROP_AUDIENCES) | OPTION(DRY_RUN) | OPTION(REPLACE) | OPTION(ROOT) |
                     OPTION(TIMEOUT) | OPTION(TOKEN_FILE) | OPTION(YES),
          .summary = "Let the robot account trust this host",
          .help = "Adds issuer and subject of this host to the robot account's federation, through\n"
                  "the registry's API and with an OAuth token of somebody who administers the\n"
                  "organization (--token-file=, or asked for). Shows the difference first; entries\n"
                  "that are there stay unless --replace is given. Needs polkit's action\n"
                  "org.pullauth1.refresh.\n",
          .run = verb_federate },
        { "add", .arguments = "JOB KEY=VALUE...", .group = GROUP_CONFIGURE, .min = 3, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_NEW, .others = ARGUMENT_SETTING,
          .options = OPTION(RUNTIME) | OPTION(WAIT) | OPTION(TIMEOUT), .summary = "Make a job",
          .help = "Keys are those of pullauth.job(5) that name things: Registry= and Robot= at\n"
                  "least, and Identity=, Scopes=, Targets=, MinimumRemaining=, OnExpiry=,\n"
                  "OnRemove=, TakeOver=, WakeSystem=. Needs polkit's action\n"
                  "org.pullauth1.manage-jobs.\n",
          .run = verb_add },
        { "set", .arguments = "JOB KEY=VALUE...", .group = GROUP_CONFIGURE, .min = 2, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_JOB, .others = ARGUMENT_SETTING,
          .options = OPTION(RUNTIME) | OPTION(WAIT) | OPTION(TIMEOUT), .summary = "Change settings of a job",
          .help = "Keys are those of 'add'; an empty value is the default, whatever files say. The\n"
                  "job's own file is not touched, a drop-in beside it is written. Needs polkit's\n"
                  "action org.pullauth1.manage-jobs.\n",
          .run = verb_set },
        { "edit", .arguments = "NAME", .group = GROUP_CONFIGURE, .min = 1, .max = 1,
          .first = ARGUMENT_DEFINITION,
          .options = OPTION(DROP_IN) | OPTION(FORCE) | OPTION(FULL) | OPTION(ROOT) | OPTION(RUNTIME),
          .summary = "Edit the files of a job or identity",
          .help = "Opens a drop-in of the job, or of an identity called NAME.identity, in the\n"
                  "editor that $SYSTEMD_EDITOR, $EDITOR or $VISUAL names. It is checked before it\n"
                  "is put in place; then the configuration is read again. For those who may write\n"
                  "the files.\n",
          .run = verb_edit },
        { "enable", .arguments = "JOB...", .group = GROUP_CONFIGURE, .min = 1, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_JOB, .others = ARGUMENT_JOB,
          .options = OPTION(RUNTIME) | OPTION(WAIT) | OPTION(TIMEOUT),
          .summary = "Let disabled jobs work again",
          .help = "Needs polkit's action org.pullauth1.manage-jobs.\n", .run = verb_enable },
        { "disable", .arguments = "JOB...", .group = GROUP_CONFIGURE, .min = 1, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_JOB, .others = ARGUMENT_JOB, .options = OPTION(RUNTIME),
          .summary = "Let jobs rest; their files stay",
          .help = "Their credentials are withdrawn, as if the jobs were removed. Needs polkit's\n"
                  "action org.pullauth1.manage-jobs.\n",
          .run = verb_disable },
        { "remove", .arguments = "JOB...", .group = GROUP_CONFIGURE, .min = 1, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_JOB, .others = ARGUMENT_JOB, .summary = "Remove jobs and their files",
          .help = "Files in /etc and /run; a job of the vendor's in /usr/lib can only be disabled.\n"
                  "Takes no patterns. Needs polkit's action org.pullauth1.manage-jobs.\n",
          .run = verb_remove },
        { "reload", .group = GROUP_CONFIGURE, .summary = "Read the configuration files again",
          .help = "Prints what is wrong in them. Jobs whose configuration did not change are not\n"
                  "touched. Needs polkit's action org.pullauth1.reload.\n",
          .run = verb_reload },
        { "check", .arguments = "[FILE...]", .group = GROUP_CONFIGURE, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_FILE, .others = ARGUMENT_FILE, .options = OPTION(ROOT) | OPTION(STRICT),
          .summary = "Check configuration files, without the daemon",
          .help = "Reads all files as the daemon would, or the named ones each by itself, and\n"
                  "prints what is wrong as FILE:LINE: error: TEXT. The exit status is 3 if there\n"
                  "are errors.\n",
          .run = verb_check },
        { "completion", .arguments = "SHELL", .group = GROUP_TOOL, .min = 1, .max = ARGUMENTS_MAX,
          .first = ARGUMENT_SHELL, .others = ARGUMENT_WORD,
          .summary = "Print the completion for bash, zsh or fish",
          .help = "Packages install these where shells find them. 'completion words -- WORD...' is\n"
                  "what they call: it prints what may come in the place of the last WORD.\n",
          .run = verb_completion },
        { "help", .arguments = "[COMMAND]", .group = GROUP_TOOL, .max = 1, .first = ARGUMENT_COMMAND,
          .summary = "Show this, or more about one command", .run = verb_help },
};

const Verb *verb_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(verbs[i].name, name))
                        return verbs + i;
        return NULL;
}

const Verb *verb_all(size_t *ret_n) {
        *ret_n = ELEMENTSOF(verbs);
        return verbs;
}

const char *verb_near(const char *name) {
        _cleanup_strv_ char **names = NULL, **near = NULL;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(verbs) && r >= 0; i++)
                r = strv_append(&names, verbs[i].name);
        if (r >= 0)
                r = near_names(name, names, 1, &near);
        if (r < 0 || strv_length(near) == 0)
                return NULL;
        return verb_find(near[0])->name;
}

void verb_complain_unknown(const char *name) {
        _cleanup_free_ char *shown = NULL;
        const char *near = verb_near(name);

        if (text_clean(name, strlen(name), 64, &shown) < 0)
                return;
        if (near)
                complain("There is no command '%s', did you mean '%s'?", shown, near);
        else
                complain("There is no command '%s'", shown);
}
