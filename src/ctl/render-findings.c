/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is wrong in files, one line each in the form in which compilers complain: editors and build services
 * find the place by it.
 *
 * Nothing is wrapped, for those who read it are programs as often as people. */

#include "base/text.h"
#include "ctl/page.h"
#include "ctl/render.h"

static void write_finding(Page *p, const ShownMessage *m) {
        if (!isempty(m->file))
                page_write(p, TONE_STRONG, "%s:", m->file);
        if (m->line > 0)
                page_write(p, TONE_STRONG, "%u:", m->line);
        page_write(p, TONE_PLAIN, isempty(m->file) ? "" : " ");
        page_write(p, streq(m->severity, "error") ? TONE_BAD : TONE_WARNING, "%s:", m->severity);
        page_write(p, TONE_PLAIN, " %s\n", m->text);
}

int render_findings(const ShownMessages *l, size_t n_files, const Style *style, char **ret) {
        _cleanup_(page_done) Page p = {};
        size_t n_errors = 0;
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l->n_items; i++) {
                write_finding(&p, l->items + i);
                n_errors += streq(l->items[i].severity, "error");
        }
        if (style->legend && l->n_items == 0)
                page_write(&p, TONE_PLAIN,
                           n_files > 0 ? "%zu %s, nothing is wrong\n" : "There are no files\n", n_files,
                           n_files == 1 ? "file" : "files");
        else if (style->legend)
                page_write(&p, TONE_PLAIN, "%zu %s, %zu %s, %zu %s\n", n_files,
                           n_files == 1 ? "file" : "files", n_errors, n_errors == 1 ? "error" : "errors",
                           l->n_items - n_errors, l->n_items - n_errors == 1 ? "warning" : "warnings");
        return page_take(&p, ret);
}
