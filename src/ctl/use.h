/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What tools take for an image, and for whose: answers of ctl/tool joined with the jobs of pullauthd, as
 * plain values that are shown. Pure. */

#include "client/snapshot.h"
#include "client/table.h"
#include "ctl/tool.h"

/* One tool and one image, or one scope of a job in the place of an image. No string is NULL. */
typedef struct ShownUse {
        char *tool, *image;
        char *result; /* answer_kind_to_string() */
        char *user, *key, *file;
        char *job;      /* whose credential it is; "" for that of somebody else */
        usec_t expires; /* of the job's credential */
        usec_t left;
        char *message, *hint;
        char **sources; /* places that it is pulled from instead, in order; the answer is that of the last */
} ShownUse;

typedef struct ShownUses {
        ShownUse *items;
        size_t n_items;
} ShownUses;

typedef struct ShownFile {
        char *path;
        char *state; /* "absent", "read", "broken", "unknown" */
        uint32_t keys, own;
        char *message;
} ShownFile;

typedef struct ShownFiles {
        ShownFile *items;
        size_t n_items;
} ShownFiles;

typedef struct ShownTool {
        char *name, *description;
        int installed;
        char *named_by; /* what names its only file; "" where it looks at several */
        char **helpers; /* credential-helpers of registries.conf, if it goes by them; empty: files alone */
        ShownFiles files;
        ShownUses jobs;  /* `image` is a scope; those that publish for this tool */
        uint32_t others; /* jobs that do not */
} ShownTool;

typedef struct ShownTools {
        ShownTool *items;
        size_t n_items;
} ShownTools;

extern const RowType shown_use_type, shown_tool_type;

/* `s` is NULL where pullauthd could not be asked. All return 0 or -ENOMEM. */
int uses_find(const Tools *tools, const char *repository, const Snapshot *s, usec_t now, ShownUses *ret);
void uses_done(ShownUses *l);
int shown_tools_find(const Tools *tools, const Snapshot *s, usec_t now, ShownTools *ret);
void shown_tools_done(ShownTools *l);

/* Whether a tool takes what pullauthd put there, or whatever there is where pullauthd has nothing for it. */
bool use_is_well(const ShownUse *u);
