/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which strings may be names: checked at every door, so that nothing behind it has to wonder. */

#include "base/macro.h"

#define JOB_NAME_MAX 64

/* Jobs, identities, targets: 1–64 of [A-Za-z0-9_.-], not starting with '.' or '-'. */
bool object_name_is_valid(const char *s);
/* What Targets= takes: a name of an object, or "user:NAME". Whether there is one is another question. */
bool target_name_is_valid(const char *s);
/* The NAME of "user:NAME", or NULL. */
const char *target_name_user(const char *s);
/* "host", "host:port", "[v6]:port"; lower case letters only; at most 255 bytes; port 1–65535, no leading
 * zero. */
bool registry_is_valid(const char *s);
/* "namespace+short" (case matters to Quay): both parts of [A-Za-z0-9_.-]; at most 255 bytes. */
bool robot_is_valid(const char *s);
/* A robot account, or all of a namespace: "acme+pull", "acme+*". */
bool robot_pattern_is_valid(const char *s);
bool robot_pattern_matches(const char *pattern, const char *robot);
/* What may stand before the colon of a user name and password: printable ASCII without blanks and ':'; at
 * most 255 bytes. */
bool user_is_valid(const char *s);
/* auth.json key below a registry: "ns", "ns/repo", …; path components of [a-z0-9._-], no empty ones. */
bool scope_path_is_valid(const char *s);
/* The namespace of a valid robot name: "acme" of "acme+edge". */
int robot_namespace(const char *robot, char **ret);
