/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pullauthd is called on the bus. */

#define CLIENT_DESTINATION "org.pullauth1"
#define CLIENT_ROOT_PATH "/org/pullauth1"
#define CLIENT_MANAGER_INTERFACE CLIENT_DESTINATION ".Manager"
#define CLIENT_JOB_INTERFACE CLIENT_DESTINATION ".Job"
