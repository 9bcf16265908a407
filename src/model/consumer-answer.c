/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* File by file until one decides, or a program where registries.conf names one.
 *
 * Owns the difference between tools that look for each image in each file and those that take one file and
 * no other. Reads nothing and asks no program. */

#include <string.h>
#include <sys/types.h>

#include "base/text.h"
#include "model/consumer-answer.h"
#include "model/registries.h"

#define PROGRAM_SHOWN_MAX 64

static const char *const answer_kinds[_ANSWER_KIND_MAX] = {
        [ANSWER_NONE] = "none",     [ANSWER_CREDENTIAL] = "credential", [ANSWER_HELPER] = "helper",
        [ANSWER_BROKEN] = "broken", [ANSWER_UNKNOWN] = "unknown",
};

const char *answer_kind_to_string(AnswerKind kind) {
        return kind >= 0 && kind < _ANSWER_KIND_MAX ? answer_kinds[kind] : NULL;
}

void consumer_answer_done(ConsumerAnswer *a) {
        found_done(&a->found);
        *a = (ConsumerAnswer){ .source = -1 };
}

static AnswerKind kind_of(FoundKind kind) {
        switch (kind) {
        case FOUND_CREDENTIAL:
                return ANSWER_CREDENTIAL;
        case FOUND_HELPER:
                return ANSWER_HELPER;
        case FOUND_BROKEN:
                return ANSWER_BROKEN;
        case FOUND_NOTHING:
        case FOUND_EMPTY:
        case _FOUND_KIND_MAX:
        case _FOUND_KIND_INVALID:
                break;
        }
        return ANSWER_NONE;
}

/* Whether the search ends with this file; the answer so far is in `a`. Returns 1, 0, -ENOMEM. */
static int look_into(const Consumer *c, const ConsumerSource *source, ssize_t number, const char *repository,
                     ConsumerAnswer *a) {
        Found found = {};
        int r;

        if (source->state == SOURCE_ABSENT ||
            (source->state == SOURCE_BROKEN && c->order == ORDER_FIRST_VALID))
                return 0;
        if (source->state != SOURCE_READ) {
                consumer_answer_done(a);
                a->kind = source->state == SOURCE_BROKEN ? ANSWER_BROKEN : ANSWER_UNKNOWN;
                a->source = number;
                return 1;
        }
        r = consumer_file_find(source->file, c->match, repository, &found);
        if (r < 0)
                return r;
        /* An empty entry ends the search in its file alone, and is worth telling if nothing better comes. */
        if (found.kind != FOUND_NOTHING || c->order != ORDER_EACH) {
                consumer_answer_done(a);
                *a = (ConsumerAnswer){ kind_of(found.kind), number, found };
        }
        return c->order != ORDER_EACH || a->kind != ANSWER_NONE;
}

static int answer_files(const Consumer *c, const ConsumerSource *sources, size_t n_sources,
                        const char *repository, ConsumerAnswer *a) {
        int r = 0;

        for (size_t i = 0; i < n_sources && r == 0; i++)
                r = look_into(c, sources + i, (ssize_t) i, repository, a);
        return r < 0 ? r : 0;
}

/* The program number `i`. What an empty entry of a file said before is no longer worth telling. */
static int answer_program(char *const *helpers, size_t i, ConsumerAnswer *a) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = text_clean(helpers[i], strlen(helpers[i]), PROGRAM_SHOWN_MAX, &name);
        if (r < 0)
                return r;
        consumer_answer_done(a);
        a->kind = ANSWER_HELPER;
        a->found.kind = FOUND_HELPER;
        a->found.rule =
                !strv_contains(helpers, HELPER_FILES)
                        ? "credential-helpers in registries.conf name it, and no files"
                : strv_contains(helpers + i, HELPER_FILES)
                        ? "credential-helpers in registries.conf name it in front of the files"
                        : "credential-helpers in registries.conf name it, for the files have no answer";
        return text_format(&a->found.helper, "docker-credential-%s", name);
}

/* bootc goes without a credential, and asks nobody, if none of its files is there. */
static bool asks_nobody(const Consumer *c, const ConsumerSource *sources, size_t n_sources) {
        for (size_t i = 0; i < n_sources; i++)
                if (sources[i].state != SOURCE_ABSENT)
                        return false;
        return c->order == ORDER_FIRST;
}

int consumer_answer(const Consumer *c, char *const *helpers, const ConsumerSource *sources, size_t n_sources,
                    const char *repository, ConsumerAnswer *ret) {
        static char files[] = HELPER_FILES;
        static char *const files_alone[] = { files, NULL };
        ConsumerAnswer a = { .source = -1 };
        int r = 0;

        if (!helpers || !c->mirrors || asks_nobody(c, sources, n_sources))
                helpers = files_alone;
        for (size_t i = 0; helpers[i] && a.kind == ANSWER_NONE && r >= 0; i++)
                r = streq(helpers[i], HELPER_FILES) ? answer_files(c, sources, n_sources, repository, &a)
                                                    : answer_program(helpers, i, &a);
        if (r < 0) {
                consumer_answer_done(&a);
                return r;
        }
        *ret = a;
        return 0;
}
