/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tools of this host that read credentials (model/consumer), with what their files hold now. */

#include "base/macro.h"
#include "base/secret.h"
#include "model/consumer-answer.h"
#include "model/registries.h"

typedef struct ToolFile {
        char *path; /* with the root before it */
        SourceState state;
        int error; /* why not SOURCE_READ: a negative errno; -EBADMSG: `at` says where and what */
        JsonError at;
        Secret *content;
        ConsumerFile *file;
} ToolFile;

/* Why it is not SOURCE_READ, for people. Returns 0 or -ENOMEM. */
int tool_file_problem(const ToolFile *f, char **ret);

typedef struct Tool {
        const Consumer *consumer;
        bool installed;
        const char *named_by; /* static: what names its only file, or NULL */
        char *target;         /* of pullauthd, for whoever runs it, or NULL */
        ToolFile files[CONSUMER_PLACES_MAX];
        size_t n_files;
        Registries registries; /* where it really pulls from, if it goes by registries.conf */
        char *const *helpers;  /* of that; NULL: files alone */
} Tool;

typedef struct Tools {
        Tool *items;
        size_t n_items;
        char **notes; /* about files of other programs that could not be read */
} Tools;

typedef struct ToolWish {
        const char *root;   /* directory that everything is below; "" for this host */
        const char *user;   /* whose shell instead of this one, or NULL */
        char *const *names; /* of consumers or programs; empty: those that are installed */
        bool all;           /* or all of them */
} ToolWish;

/* Returns 0, -ESRCH (no such user), -ENOENT or another errno for a root that is no directory, -ENOMEM. */
int tools_find(const ToolWish *wish, Tools *ret);
void tools_done(Tools *l);

int tool_answer(const Tool *t, const char *repository, ConsumerAnswer *ret);
