/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of commands.
 *
 * What a command is called, takes and says about itself stands here and nowhere else; help, the check of the
 * command line and the test of the manual read it. What it does is in a file of its own. */

#include "base/text.h"
#include "ctl/verb.h"

static const Verb verbs[] = {
        { "list", "", false, false, "Show all jobs in a table",
          "One line for each job: registry, robot, state, reason, what is left of the\n"
          "credential's life, and the time until the next attempt. Below the table stands\n"
          "what is wrong in the configuration files.\n",
          verb_list },
        { "status", "[JOB...]", true, false, "Show what is left, what failed, and what to do",
          "Everything about the named jobs, or about all of them: how much of the\n"
          "credential's life is left, which step failed and why, the registry's own words,\n"
          "what to do, identity, scopes, targets and configuration.\n",
          verb_status },
        { "refresh", "[JOB...]", true, true, "Fetch new credentials now",
          "Asks for new credentials for the named jobs, or for all of them, whether they\n"
          "are due or not. Needs polkit's action org.pullauth1.refresh.\n",
          verb_refresh },
        { "reload", "", false, false, "Read the configuration files again",
          "Prints what is wrong in them. Jobs whose configuration did not change are not\n"
          "touched. Needs polkit's action org.pullauth1.reload.\n",
          verb_reload },
        { "help", "[COMMAND]", false, false, "Show this, or more about one command", "", verb_help },
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
