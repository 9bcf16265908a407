/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an editor is given, and what of it becomes the file. Pure. */

#include "base/macro.h"

/* One file that is shown for reading below what is edited. */
typedef struct EditShown {
        const char *path;
        const char *text;
} EditShown;

/* `text` between two lines of explanation; below the second one, as comments, what already counts. */
int edit_text_make(const char *path, const char *text, const EditShown *shown, size_t n_shown, char **ret);
/* What stands between the lines of explanation, without blank lines at its ends, with a newline at its end;
 * "" if there is nothing. Where somebody removed the lines, all of it counts. */
int edit_text_take(const char *text, char **ret);
/* What a file of a kind looks like that is not there yet: "[Job]" with its keys as comments. */
const char *edit_text_template(const char *suffix);
