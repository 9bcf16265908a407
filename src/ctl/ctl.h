/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the commands of pullauthctl share: options, connection, output, and the status to end with. */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/macro.h"
#include "client/client.h"
#include "ctl/agent.h"
#include "ctl/complain.h"
#include "ctl/option.h"
#include "ctl/render.h"
#include "ctl/style.h"

/* API: pullauthctl(1). Where several apply, the first of FAILED, NO_SUCH_JOB, ATTENTION wins. */
typedef enum ExitStatus {
        STATUS_OK = 0,
        STATUS_FAILED = 1,
        STATUS_USAGE = 2,
        STATUS_ATTENTION = 3,
        STATUS_NO_SUCH_JOB = 4,
} ExitStatus;

typedef struct Ctl {
        Options options;
        Style style;
        bool paged; /* what is printed may be long */
        sd_event *event;
        Client *client;
        Agent *agent;
        ExitStatus status;
} Ctl;

void ctl_done(Ctl *ctl);

/* Notes a status; the worst one stays. */
void ctl_note(Ctl *ctl, ExitStatus status);
/* A problem with its advice on standard error; notes the status that goes with it. */
void ctl_report(Ctl *ctl, const BusProblem *problem);
/* The same for a call that did not reach the bus: `error` is a negative errno. */
void ctl_report_local(Ctl *ctl, int error);
/* The same for what failed in this process: "Cannot WHAT: …" */
void ctl_report_errno(Ctl *ctl, int error, const char *what);
/* Writes a rendered text, or says that there was none: `r` is what the rendering returned. Consumes the
 * text. */
void ctl_print(Ctl *ctl, int r, char *text);
/* Sends out what was printed; says so if that fails, unless nobody reads it any more. Returns whether
 * somebody may still read more. */
bool ctl_flush(Ctl *ctl);

/* Connects; needed before client functions are used directly. Returns 0, or -1 after reporting. */
int ctl_connect(Ctl *ctl);
/* Each asks pullauthd and waits for the answer, which is handed over only if there is one. Returns 0, or -1
 * after it was reported why not. */
int ctl_get_all(Ctl *ctl, Snapshot **ret);
int ctl_call(Ctl *ctl, ClientMethod method, const ClientArguments *arguments, Answer *ret);
/* The same where it does not matter if nobody is there, or no bus: 0 then, 1 with an answer. */
int ctl_get_all_if_running(Ctl *ctl, Snapshot **ret);
/* The same where it does not matter if nobody is there: 0 then, 1 with an answer. */
int ctl_call_if_running(Ctl *ctl, ClientMethod method, const ClientArguments *arguments, Answer *ret);
/* As ctl_call() when nothing of the answer is wanted. */
int ctl_do(Ctl *ctl, ClientMethod method, const ClientArguments *arguments);
