/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs that are run for what they print: bounded in time and output, and gone with what they started. */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/secret.h"

/* What runs at present; one for the whole process. */
typedef struct Processes Processes;
typedef struct Process Process;

typedef enum ProcessesFlags {
        /* Makes this process the one that orphans of its programs come to, to end them: those of a program's
         * session when it ends, those that left it when no other program is running. Without it that is the
         * group of the program alone. Children that are there at this time are left alone. */
        PROCESSES_ADOPT = 1 << 0,
} ProcessesFlags;

/* SIGCHLD must be blocked in this thread. */
int processes_new(sd_event *event, ProcessesFlags flags, Processes **ret);
/* Every Process must have been freed. */
Processes *processes_free(Processes *l);
DEFINE_CLEANUP(Processes *, processes_free)

typedef struct ProcessSpec {
        char *const *arguments;   /* the first is the absolute path of the program */
        char *const *environment; /* all of it */
        usec_t timeout;
        size_t output_max;   /* bytes of standard output */
        const Secret *input; /* what its standard input is, as a sealed file in memory; NULL: /dev/null */
} ProcessSpec;

typedef enum ProcessOutcome {
        PROCESS_EXITED, /* `status` is its exit status */
        PROCESS_KILLED, /* `status` is a signal that we did not send */
        PROCESS_TIMEOUT,
        PROCESS_TOO_LARGE, /* it printed more than output_max */
        _PROCESS_OUTCOME_MAX,
        _PROCESS_OUTCOME_INVALID = -EINVAL,
} ProcessOutcome;

typedef struct ProcessResult {
        ProcessOutcome outcome;
        int status;
        const char *last_words; /* the last line of its standard error, cleaned; "" if there was none */
} ProcessResult;

/* Called exactly once, from the event loop, unless the Process is freed before. When it is called the
 * program and its session have ended. `output` is what it printed, for the handler to keep. The
 * Process may be freed inside. */
typedef void (*ProcessHandler)(const ProcessResult *result, Secret *output, void *userdata);

/* Starts the program in a session of its own, without any descriptor of ours. Returns 0, or what
 * posix_spawn(3) said (-ENOENT, -EACCES, …), or -ENOMEM. */
int process_start(Processes *l, const ProcessSpec *spec, ProcessHandler handler, void *userdata,
                  Process **ret);
/* Kills it if it is still running. */
Process *process_free(Process *p);
DEFINE_CLEANUP(Process *, process_free)
