/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a tool takes for an image, out of all the files that it looks at. Pure. */

#include "base/macro.h"
#include "model/consumer-file.h"
#include "model/consumer.h"

typedef enum SourceState {
        SOURCE_ABSENT,
        SOURCE_READ,
        SOURCE_BROKEN,  /* the tool cannot read it, or not what stands in it */
        SOURCE_UNKNOWN, /* the tool can, we may not */
        _SOURCE_STATE_MAX,
        _SOURCE_STATE_INVALID = -EINVAL,
} SourceState;

/* A file of a consumer, in the order of consumer_paths(). */
typedef struct ConsumerSource {
        SourceState state;
        const ConsumerFile *file; /* SOURCE_READ */
} ConsumerSource;

typedef enum AnswerKind {
        ANSWER_NONE, /* it goes without */
        ANSWER_CREDENTIAL,
        ANSWER_HELPER,
        ANSWER_BROKEN,  /* it fails */
        ANSWER_UNKNOWN, /* it depends on a file that we may not read */
        _ANSWER_KIND_MAX,
        _ANSWER_KIND_INVALID = -EINVAL,
} AnswerKind;

const char *answer_kind_to_string(AnswerKind kind);

typedef struct ConsumerAnswer {
        AnswerKind kind;
        ssize_t source; /* that decides, or -1: none, or registries.conf names the program */
        Found found;
} ConsumerAnswer;

/* `helpers` are those of model/registries. Returns 0 or -ENOMEM. */
int consumer_answer(const Consumer *c, char *const *helpers, const ConsumerSource *sources, size_t n_sources,
                    const char *repository, ConsumerAnswer *ret);
void consumer_answer_done(ConsumerAnswer *a);
