/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From facts to the one word that people see.
 *
 * Owns the state names, which are API (property State, the STATE column), and the order in which facts
 * count. */

#include "base/text.h"
#include "model/job-state.h"

static const char *const state_table[_JOB_STATE_MAX] = {
        [JOB_INACTIVE] = "inactive", [JOB_REFRESHING] = "refreshing", [JOB_FRESH] = "fresh",
        [JOB_RETRYING] = "retrying", [JOB_EXPIRED] = "expired",       [JOB_FAILED] = "failed",
};

const char *job_state_to_string(JobState s) {
        return s >= 0 && s < _JOB_STATE_MAX ? state_table[s] : NULL;
}

JobState job_state_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(state_table); i++)
                if (streq_ptr(s, state_table[i]))
                        return (JobState) i;
        return _JOB_STATE_INVALID;
}

/* Waiting helps against everything but these two. */
static bool is_hopeless(const Failure *f) {
        FailureClass class = failure_class(f);

        return class == FAILURE_CONFIGURATION || class == FAILURE_REJECTED;
}

JobState job_state_derive(const JobFacts *facts) {
        if (facts->disabled)
                return JOB_INACTIVE;
        if (facts->failure && failure_class(facts->failure) == FAILURE_CONFIGURATION)
                return JOB_FAILED;
        if (facts->attempting)
                return JOB_REFRESHING;
        if (facts->failure) {
                if (facts->valid)
                        return JOB_RETRYING;
                return is_hopeless(facts->failure) ? JOB_FAILED : JOB_EXPIRED;
        }
        if (facts->valid)
                return facts->published ? JOB_FRESH : JOB_REFRESHING;
        return JOB_INACTIVE;
}
