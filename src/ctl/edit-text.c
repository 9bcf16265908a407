/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text for an editor.
 *
 * Owns the two lines that part what is kept from what is there for reading. Both begin with three '#', so
 * that they are comments should they ever end in a file. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/edit-text.h"

#define ABOVE "### What stands from here on becomes "
#define BELOW "### Everything from this line on "
#define BELOW_REST "is thrown away; it shows what counts already."

static void write_comment(FILE *f, const EditShown *s) {
        const char *line = s->text;

        fprintf(f, "\n### %s\n", s->path);
        while (*line) {
                size_t n = strcspn(line, "\n");

                fprintf(f, n > 0 ? "# %.*s\n" : "#\n", (int) n, line);
                line += n + (line[n] == '\n');
        }
}

int edit_text_make(const char *path, const char *text, const EditShown *shown, size_t n_shown, char **ret) {
        char *data = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&data, &size);
        if (!f)
                return -ENOMEM;
        fprintf(f, ABOVE "%s\n\n%s%s\n" BELOW BELOW_REST "\n", path, text,
                isempty(text) || endswith(text, "\n") ? "" : "\n");
        for (size_t i = 0; i < n_shown; i++)
                write_comment(f, shown + i);
        if (fclose(f) != 0) {
                free(data);
                return -ENOMEM;
        }
        *ret = data;
        return 0;
}

/* The beginning of a line that begins with `prefix`. */
static const char *find_line(const char *text, const char *prefix) {
        for (const char *line = text; line;) {
                if (startswith(line, prefix))
                        return line;
                line = strchr(line, '\n');
                line = line ? line + 1 : NULL;
        }
        return NULL;
}

int edit_text_take(const char *text, char **ret) {
        const char *begin = find_line(text, ABOVE), *end;

        begin = begin ? begin + strcspn(begin, "\n") : text;
        end = find_line(begin, BELOW) ?: begin + strlen(begin);
        while (begin < end && strchr(WHITESPACE, *begin))
                begin++;
        while (end > begin && strchr(WHITESPACE, end[-1]))
                end--;
        return text_format(ret, "%.*s%s", (int) (end - begin), begin, end > begin ? "\n" : "");
}

const char *edit_text_template(const char *suffix) {
        if (streq(suffix, ".job"))
                return "# One robot account, kept fresh. All keys are in pullauth.job(5).\n"
                       "[Job]\n"
                       "Registry=\n"
                       "Robot=\n"
                       "#Identity=default\n"
                       "#Scopes=\n"
                       "#Targets=system podman\n";
        if (streq(suffix, ".identity"))
                return "# How this host proves who it is. All keys are in pullauth.identity(5).\n"
                       "[Identity]\n"
                       "Source=file\n"
                       "TokenFile=\n"
                       "Audience=\n";
        if (streq(suffix, ".target"))
                return "# A file that tools read. All keys are in pullauth.target(5).\n"
                       "[Target]\n"
                       "Path=\n"
                       "#Owner=root\n"
                       "#Group=root\n"
                       "#Mode=0600\n";
        return "";
}
