/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A change of a job's files: planned, tried, carried out. For bus-change.c alone. */

#include "daemon/bus-request.h"
#include "io/conf-file.h"
#include "model/job-edit.h"

#define BUS_PLAN_STEPS_MAX 2

/* One file. */
typedef struct BusStep {
        ConfFile file;
        char *path;
        char *present; /* what stands there, or NULL */
        struct stat expected;
        char *text; /* what shall; NULL: nothing */
} BusStep;

typedef struct BusPlan {
        const BusContext *b;
        const char *name;
        BusStep steps[BUS_PLAN_STEPS_MAX];
        size_t n;
} BusPlan;

void bus_plan_done(BusPlan *p);

/* All that follow return 0, or a negative errno with *reterror set. */

/* The next step: a file, what it says now, and for now the plan that there shall be none. */
int bus_plan_add(BusPlan *p, ConfPlace place, const char *drop_in, BusStep **ret, sd_bus_error *reterror);
/* The same for a drop-in, which has to be of our making if it is there; then also what it sets. */
int bus_plan_add_drop_in(BusPlan *p, ConfPlace place, const char *drop_in, BusStep **ret, JobEdit *ret_edit,
                         sd_bus_error *reterror);
/* Would the job be enabled? *ret_by is "FILE:LINE" that says so, or NULL. */
int bus_plan_look_enabled(const BusPlan *p, bool *ret, char **ret_by, sd_bus_error *reterror);
/* Would the job be right, and would every key of `settings`, which the first step sets, count? */
int bus_plan_try(const BusPlan *p, const JobEdit *settings, sd_bus_error *reterror);
/* Changes the files, and reads the job again. */
int bus_plan_carry_out(const BusPlan *p, sd_bus_error *reterror);

const ConfKind *bus_plan_kind(void);
/* What conf_file_…() said of a file, as an error: why it is not ours to change, why it could not be
 * changed. */
int bus_plan_refuse_file(const char *path, int r, sd_bus_error *reterror);
int bus_plan_refuse_change(const char *path, int r, sd_bus_error *reterror);
int bus_plan_reload(const BusContext *b, const char *name, sd_bus_error *reterror);
