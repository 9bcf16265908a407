/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Carrying the extended attributes of a file over to its replacement: ACLs, security labels, notes of
 * users. */

#include "base/macro.h"

/* Gives `to_fd` the extended attributes of `from_fd`, both regular files of one file system.
 *
 * An ACL that cannot be carried over is an error, since readers would gain or lose access; so is a
 * "user." attribute for which there is no room. Labels under "security." that the kernel keeps for itself
 * are tolerated. An ACL that the new file inherited from its directory, and the old one does not have, is
 * removed. Returns 0 or a negative errno. */
int file_copy_xattrs(int from_fd, int to_fd);
