/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* docker-credential-pullauth: hands the credentials of pullauthd to tools that run a credential helper.
 *
 * One process for each look-up, so it links no more than it needs for one question on the bus. Runs with the
 * rights of its caller, which polkit judges; has none of its own. */

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/process-guard.h"
#include "helper/protocol.h"

static const char usage[] = "Usage: docker-credential-pullauth <get|list|store|erase|version>\n";

static const char help_text[] =
        "Hands credentials of pullauthd to container tools (Docker's credential helper protocol).\n"
        "\n"
        "  -h --help     Show this text\n"
        "  -v --version  Show the version\n"
        "\n"
        "See docker-credential-pullauth(1).\n";

int main(int argc, char *argv[]) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'v' },
                {},
        };
        int c, status = -1;

        c = getopt_long(argc, argv, "hv", options, NULL);
        if (c == 'h')
                return dprintf(STDOUT_FILENO, "%s%s", usage, help_text) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (c == 'v')
                return protocol_run("version");
        (void) signal(SIGPIPE, SIG_IGN);
        /* A kernel without it is no reason to leave the caller without a credential. */
        (void) process_guard();
        if (c < 0 && argc - optind == 1)
                status = protocol_run(argv[optind]);
        if (status < 0)
                (void) !write(STDOUT_FILENO, usage, sizeof(usage) - 1);
        return status < 0 ? EXIT_FAILURE : status;
}
