/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers of a credential helper, as the protocol has them. Pure. */

#include "client/answer.h"
#include "client/entry.h"

/* {"ServerURL":…,"Username":…,"Secret":…} and a newline. Returns 0 or -ENOMEM, as the next one. */
int answer_credential(const char *server, const Entry *entry, Secret **ret);
/* {"quay.example.com":"acme+edge",…} and a newline. */
int answer_list(const ServedRegistries *registries, Secret **ret);
