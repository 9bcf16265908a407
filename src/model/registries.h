/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where images are really pulled from, by registries.conf(5), and where their tools look for the credential
 * of that place. Pure. */

#include "base/macro.h"
#include "codec/toml-string.h"

typedef struct RegistryPlace {
        char *prefix, *location; /* NULL: not set */
        char **mirrors;
        size_t table;
} RegistryPlace;

typedef struct Registries {
        RegistryPlace *items;
        size_t n_items;
        char **helpers; /* where credentials come from, in order (HELPER_FILES and programs); NULL: files */
        bool has_helpers;
} Registries;

/* The name among helpers that stands for all files with credentials. */
#define HELPER_FILES "containers-auth.json"

/* One file more, behind which the tools read it, too. What it says of a prefix stands before what earlier
 * ones said. On failure nothing of it is taken. Returns 0, -EBADMSG with *reterr, -ENOMEM. */
int registries_add(Registries *l, const char *text, size_t size, TomlError *reterr);
void registries_done(Registries *l);

/* The repositories that are tried for this one, in order; empty if it is just this one. */
int registries_sources(const Registries *l, const char *repository, char ***ret);
