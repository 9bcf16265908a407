/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that hide others from the tools that read them, and so have to hold what stands in those as well. */

#include "base/secret.h"

/* The first of `bases` that exists. Returns 1, 0 if there is none; a negative errno of file_read() with the
 * path in *ret_path, which is set with 1, too. */
int target_base_read(const char *root, char *const *bases, Secret **ret, char **ret_path);
