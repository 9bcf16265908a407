/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whom the writers of targets, be they files or Secrets of clusters, ask what is wanted and tell what came
 * of it. */

#include "base/failure.h"
#include "daemon/target-plan.h"
#include "model/target-config.h"

typedef struct PublisherClient {
        /* All that is wanted of a target. The list is freed by the publisher, what it points at is not;
         * it must stay as it is until done() returned. Returns 0 or -ENOMEM. */
        int (*collect)(const TargetConfig *target, Wanted **ret, size_t *ret_n, void *userdata);
        /* What came of it: `failure` is the file's as a whole, or NULL, then see each wanted[i].failure. */
        void (*done)(const TargetConfig *target, const Wanted *wanted, size_t n, const Failure *failure,
                     void *userdata);
        /* publisher_target_note() says something else. */
        void (*noted)(const TargetConfig *target, void *userdata);
        /* A file of the target is another one than before, or what stands in its Secret. */
        void (*written)(const TargetConfig *target, void *userdata);
        void *userdata;
} PublisherClient;
