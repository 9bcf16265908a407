/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keeps all targets in line with what jobs want, with as few writes as possible.
 *
 * It is told that something changed, never what: when the time comes it asks for everything that is
 * wanted of a target, so that there is no second account of it that could be wrong. */

#include <systemd/sd-event.h>

#include "daemon/clusters.h"
#include "daemon/publisher-client.h"
#include "daemon/state-store.h"
#include "daemon/target.h"

typedef struct Publisher Publisher;

int publisher_new(sd_event *event, const char *root, StateStore *store, const PublisherClient *client,
                  Publisher **ret);
Publisher *publisher_free(Publisher *p);
DEFINE_CLEANUP(Publisher *, publisher_free)
/* Targets in clusters are for `clusters`, which must outlive the publisher. */
void publisher_set_clusters(Publisher *p, Clusters *clusters);

/* From now on there are these targets and no others. New and changed ones are marked; what was put into
 * files that are none any more is taken out of them. Returns 0 or a negative errno, and then some targets
 * may be missing. */
int publisher_set_targets(Publisher *p, TargetConfig *const *targets, size_t n);

/* Something changed for the target: write soon; what changes until then goes into the same write. */
void publisher_mark(Publisher *p, const char *target);
void publisher_mark_all(Publisher *p);
/* Somebody waits for what is new, and nothing more is coming that could share the next writes. */
void publisher_hurry(Publisher *p);
/* Forgets how often the target could not be written, and tries again now. */
void publisher_reset_failed(Publisher *p, const char *target);
/* Does not wait for the event loop: what ended while nobody ran goes before anything else is done. */
void publisher_write_marked(Publisher *p);
/* As target_preview(), of the first file; also of a target that no job names. */
int publisher_preview(const Publisher *p, const TargetConfig *target, Wanted *wanted, size_t n, Secret **ret,
                      Failure **reterr_failure);
/* What there is to say of it beside failures, or NULL. */
const char *publisher_target_note(const Publisher *p, const char *target);
/* The first path of a target as this daemon sees it; NULL if no job names it. */
const char *publisher_target_path(const Publisher *p, const char *target);
