/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of org.pullauth1.Manager, whose one table stands in bus-manager.c. Each handler is a
 * sd_bus_message_handler_t with a BusContext as userdata. */

#include "daemon/bus-context.h"

typedef int BusMethod(sd_bus_message *message, void *userdata, sd_bus_error *reterror);

/* bus-manager-list.c: looking, which everyone may */
BusMethod bus_manager_list_jobs;
BusMethod bus_manager_list_jobs_by_registry;
BusMethod bus_manager_get_job;
BusMethod bus_manager_find_job_for_image;
BusMethod bus_manager_list_registries;

/* bus-manager-refresh.c: jobs stay as they are and do their work sooner */
BusMethod bus_manager_refresh_job;
BusMethod bus_manager_refresh_all;
BusMethod bus_manager_refresh_registry;
BusMethod bus_manager_reset_failed_job;
BusMethod bus_manager_reset_failed;

/* bus-manager-metrics.c */
BusMethod bus_manager_get_metrics;

/* bus-manager-wait.c */
BusMethod bus_manager_wait_jobs;

/* bus-manager-edit.c: jobs made, changed and removed */
BusMethod bus_manager_create_job;
BusMethod bus_manager_change_job;
BusMethod bus_manager_enable_job;
BusMethod bus_manager_disable_job;
BusMethod bus_manager_remove_job;

/* bus-manager-ask.c: what only the worker can say */
BusMethod bus_manager_explain_identity;
BusMethod bus_manager_test_job;

/* bus-manager-credential.c */
BusMethod bus_manager_get_credential;
BusMethod bus_manager_get_credential_for_image;
BusMethod bus_manager_get_credential_for_registry;
BusMethod bus_manager_render_target;

/* bus-manager-exchange.c */
BusMethod bus_manager_exchange_token;

/* bus-manager-reload.c */
BusMethod bus_manager_reload;

/* What belongs to no job, inside an open array; jobs tell of their own files and of their identity
 * themselves. */
int bus_manager_append_messages(sd_bus_message *m, const Manager *manager);
