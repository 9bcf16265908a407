/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What people call an image, down to the repository that a credential is looked up for. Pure. */

#include "base/macro.h"

#define IMAGE_REFERENCE_MAX 512

/* "HOST[:PORT]/PATH" of a reference "[HOST[:PORT]/]PATH[:TAG][@DIGEST]", with or without "docker://"
 * before it: without tag and digest, and completed as container tools do it, so that "busybox" is
 * "docker.io/library/busybox". Returns 0, -EINVAL for what is no such reference, -ENOMEM. */
int image_repository(const char *image, char **ret);

/* Does the scope, a registry or a path below it, cover the repository? Whole path components count. */
bool scope_covers(const char *scope, const char *repository);
