/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the commands of pullauthctl share: options, connection, output, and the status to end with. */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/macro.h"
#include "client/client.h"
#include "ctl/agent.h"
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
        Style style;
        JsonMode json;
        bool ask; /* polkit may have a password asked for */
        bool wait;
        usec_t timeout;
        sd_event *event;
        Client *client;
        Agent *agent;
        ExitStatus status;
} Ctl;

void ctl_done(Ctl *ctl);

/* Notes a status; the worst one stays. */
void ctl_note(Ctl *ctl, ExitStatus status);
/* "pullauthctl: …" on standard error. */
void ctl_complain(const char *format, ...) _printf_(1, 2);
/* A problem with its advice on standard error; notes the status that goes with it. */
void ctl_report(Ctl *ctl, const BusProblem *problem);
/* The same for a call that did not reach the bus: `error` is a negative errno. */
void ctl_report_local(Ctl *ctl, int error);
/* Writes a rendered text, or says that there was none: `r` is what the rendering returned. Consumes the
 * text. */
void ctl_print(Ctl *ctl, int r, char *text);

/* Each asks pullauthd and waits for the answer, which is handed over only if there is one. Returns 0, or -1
 * after it was reported why not. */
int ctl_get_all(Ctl *ctl, Snapshot **ret);
int ctl_refresh(Ctl *ctl, const char *job, Attempts *ret); /* NULL: all jobs */
int ctl_reload(Ctl *ctl, ShownMessages *ret);
/* Connects; needed before client functions are used directly. Returns 0, or -1 after reporting. */
int ctl_connect(Ctl *ctl);

/* The jobs of these names, or all if there are none named; complains about names that do not exist and says
 * what they may have meant. Returns 0 or -ENOMEM. */
int ctl_select_jobs(Ctl *ctl, const Snapshot *s, char *const *names, const JobSnapshot ***ret,
                    size_t *ret_n);
