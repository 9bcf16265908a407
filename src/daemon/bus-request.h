/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the methods of all objects do alike: read names, ask for the caller's right, look up, refuse.
 *
 * All return a negative errno with *reterror set if they refuse, for the handler to return. */

#include "base/api-error.h"
#include "daemon/bus-context.h"

/* Always negative. The message says what to do where the name of the error does not. */
int bus_error(sd_bus_error *reterror, ApiError e, const char *format, ...) _printf_(3, 4);

/* The next argument, which has to be a name that a job can have. Returns 0. */
int bus_read_job_name(sd_bus_message *message, const char **ret, sd_bus_error *reterror);
/* Likewise a registry, "quay.example.com:8443". */
int bus_read_registry(sd_bus_message *message, const char **ret, sd_bus_error *reterror);
/* Likewise what people call an image, as the repository that a credential is looked up for. */
int bus_read_image(sd_bus_message *message, char **ret_repository, sd_bus_error *reterror);
/* Returns 0. */
int bus_find_job(const BusContext *b, const char *name, Job **ret, sd_bus_error *reterror);

/* Always negative: the job rests until somebody enables it. */
int bus_refuse_disabled(const Job *j, sd_bus_error *reterror);

/* The job whose credential container tools would take for the repository, and its scope that covers it. */
int bus_find_job_for(const BusContext *b, const char *repository, Job **ret, const char **ret_scope,
                     sd_bus_error *reterror);

/* authorize(), with what rules of polkit may want to know of a job: its name (`job`) and the registry it
 * has at present (`registry`, empty if there is no such job). */
int bus_authorize_job(const BusContext *b, sd_bus_message *message, const char *name,
                      sd_bus_error *reterror);
/* The same for a job that has, or is to have, another registry. */
int bus_authorize_registry(const BusContext *b, sd_bus_message *message, const char *name,
                           const char *registry, sd_bus_error *reterror);

/* The job of this name, for a caller who may do this to it. Returns 1 with *ret; 0 while polkit is asked,
 * for the handler to return 1. */
int bus_admit_job(const BusContext *b, sd_bus_message *message, const char *name, Job **ret,
                  sd_bus_error *reterror);
/* Likewise the job that the next argument names. */
int bus_take_job(const BusContext *b, sd_bus_message *message, Job **ret, sd_bus_error *reterror);
