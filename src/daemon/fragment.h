/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Fragments: an auth.json for each job, holding that job's scopes alone, in /run/pullauth/fragments. */

#include "base/secret.h"

/* Opens the directory below `root`, made with mode 0700 if missing, and removes what killed writers left. */
int fragments_open(const char *root, int *ret_dir_fd);
/* An auth.json with these scopes alone. `scopes` are full keys. Returns 0 or a negative errno, as what
 * follows. */
int fragment_text(char *const *scopes, const Secret *user_pass, Secret **ret);
int fragment_write(int dir_fd, const char *job, char *const *scopes, const Secret *user_pass);
int fragment_remove(int dir_fd, const char *job);
/* The whole text. Returns 0, -ENOENT, or another negative errno. */
int fragment_read(int dir_fd, const char *job, Secret **ret);
/* Removes the fragments of jobs for which `is_known` says no. */
int fragments_sweep(int dir_fd, bool (*is_known)(const char *job, void *userdata), void *userdata);
