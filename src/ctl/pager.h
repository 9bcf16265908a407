/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Long output on a terminal goes through a pager, as systemd's tools have it. */

#include "ctl/style.h"

/* Shows the text if standard output is a terminal and a pager can be had ($SYSTEMD_PAGER, $PAGER, less,
 * more); waits until it is left. Returns 1 if it was shown, 0 if the caller has to print it. */
int pager_show(const Style *style, const char *text);
