/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl which" and "targets" for people: a paragraph for each tool, in the order of their table.
 *
 * What is well takes one line; what is not is told scope by scope, with what to do. Decides nothing: that is
 * for ctl/use. */

#include "base/scalar.h"
#include "base/text.h"
#include "ctl/life.h"
#include "ctl/page.h"
#include "ctl/render.h"

/* So many names are told one by one. */
#define NAMES_MAX 12

#define NO_DAEMON "pullauthd is not running: which of these credentials are its own is not known.\n"

/* "acme+edge of job edge, 42min left" */
static int whose(const ShownUse *u, char **ret) {
        char left[SPAN_MAX];

        if (streq(u->result, "credential")) {
                if (isempty(u->job))
                        return text_format(ret, "%s",
                                           isempty(u->user) ? "somebody without a name" : u->user);
                return text_format(ret, "%s of job %s, %s left", u->user, u->job,
                                   format_rough_span(left, u->left));
        }
        if (streq(u->result, "helper") && !isempty(u->job))
                return text_format(ret, "a program is asked, for job %s, %s left", u->job,
                                   format_rough_span(left, u->left));
        return text_format(ret, "%s",
                           streq(u->result, "helper")    ? "a program is asked"
                           : streq(u->result, "broken")  ? "it fails"
                           : streq(u->result, "unknown") ? "not known"
                                                         : "no credential");
}

static Tone use_tone(const ShownUse *u) {
        if (use_is_well(u))
                return TONE_GOOD;
        return streq(u->result, "broken") ? TONE_BAD : TONE_WARNING;
}

/* Where registries.conf sends the tool. */
static void write_sources(Page *p, char *const *sources) {
        _cleanup_free_ char *joined = NULL;
        char *text = NULL;
        int r;

        if (!sources)
                return;
        r = strv_join(sources, ", then ", &joined);
        if (r >= 0)
                r = text_format(&text, "%s%s", joined,
                                strv_length(sources) > 1 ? "; this is about the last one" : "");
        page_take_field(p, "Pulled as", TONE_WARNING, r, text);
}

static void write_use(Page *p, const ShownUse *u) {
        _cleanup_free_ char *text = NULL;
        char *key = NULL;
        int r;

        if (whose(u, &text) < 0) {
                p->failed = true;
                return;
        }
        page_write(p, TONE_STRONG, "%s", u->tool);
        page_write(p, TONE_PLAIN, ": ");
        page_write(p, use_tone(u), "%s\n", text);
        write_sources(p, u->sources);
        if (!isempty(u->file))
                page_field(p, "File", TONE_PLAIN, u->file);
        if (!isempty(u->key)) {
                r = streq(u->result, "credential") ? text_format(&key, "%s (%s)", u->key, u->message)
                                                   : text_format(&key, "%s", u->key);
                page_take_field(p, "Key", TONE_PLAIN, r, key);
        }
        if (!streq(u->result, "credential"))
                page_field(p, "Why", TONE_PLAIN, u->message);
        if (!isempty(u->hint))
                page_field(p, "To do", TONE_STRONG, u->hint);
}

int render_which(const ShownUses *l, const char *repository, bool asked, const Style *style, char **ret) {
        _cleanup_(page_done) Page p = {};
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        if (style->legend)
                page_write(&p, TONE_PLAIN, "%s\n\n", repository);
        for (size_t i = 0; i < l->n_items; i++)
                write_use(&p, l->items + i);
        if (style->legend && l->n_items == 0)
                page_write(&p, TONE_PLAIN, "None of the tools is installed that read credentials here.\n");
        if (style->legend && !asked)
                page_write(&p, TONE_PLAIN, "\n" NO_DAEMON);
        return page_take(&p, ret);
}

static int file_text(const ShownFile *f, bool asked, char **ret) {
        if (streq(f->state, "absent"))
                return text_format(ret, "%s: not there", f->path);
        if (streq(f->state, "broken") || streq(f->state, "unknown"))
                return text_format(ret, "%s", f->message);
        if (!asked || f->keys == 0)
                return text_format(ret, "%s: %u %s", f->path, f->keys, f->keys == 1 ? "key" : "keys");
        return text_format(ret, "%s: %u %s, %u of pullauthd", f->path, f->keys,
                           f->keys == 1 ? "key" : "keys", f->own);
}

static void write_files(Page *p, const ShownTool *t, bool asked) {
        for (size_t i = 0; i < t->files.n_items; i++) {
                const ShownFile *f = t->files.items + i;
                char *text = NULL;
                int r;

                r = file_text(f, asked, &text);
                page_take_field(p, i == 0 ? "Files" : NULL,
                                streq(f->state, "broken") ? TONE_BAD : TONE_PLAIN, r, text);
        }
        if (!isempty(t->named_by)) {
                char *text = NULL;
                int r;

                r = text_format(&text, "%s names this file; no other is read%s", t->named_by,
                                streq(t->named_by, NAMED_BY_ENGINE) || streq(t->named_by, NAMED_BY_DOCKER)
                                        ? ", but by skopeo, which goes without that"
                                        : "");
                page_take_field(p, NULL, TONE_PLAIN, r, text);
        }
        if (t->helpers) {
                _cleanup_free_ char *joined = NULL;
                char *text = NULL;
                int r;

                r = strv_join(t->helpers, ", then ", &joined);
                if (r >= 0)
                        r = text_format(&text, "%s (credential-helpers in registries.conf; %s)", joined,
                                        strv_contains(t->helpers, HELPER_FILES) ? HELPER_FILES
                                                " stands for the files"
                                                                                : "the files are not read");
                page_take_field(p, "Asked", TONE_WARNING, r, text);
        }
}

/* The jobs whose credential it takes, once each: their scopes stand one behind the other. */
static int used_names(const ShownUses *l, char **ret) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *text = NULL;
        const char *last = "";
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; i < l->n_items && r >= 0; i++) {
                const ShownUse *u = l->items + i;

                if (!use_is_well(u) || streq(u->job, last))
                        continue;
                last = u->job;
                if (n++ < NAMES_MAX)
                        r = strv_append(&names, u->job);
        }
        if (r >= 0 && names)
                r = strv_join(names, ", ", &text);
        if (r < 0 || !text)
                return r;
        return n > NAMES_MAX ? text_format(ret, "%s and %zu more", text, n - NAMES_MAX)
                             : text_format(ret, "%s", text);
}

static void write_problem(Page *p, const ShownUse *u) {
        _cleanup_free_ char *who = NULL;
        char *text = NULL;
        int r;

        r = whose(u, &who);
        if (r >= 0)
                r = text_format(&text, "%s: %s%s%s%s%s", u->image, who, isempty(u->file) ? "" : ", ",
                                u->file, isempty(u->key) ? "" : " under ", u->key);
        page_take_field(p, "Not used", use_tone(u), r, text);
        if (!isempty(u->hint))
                page_field(p, "To do", TONE_STRONG, u->hint);
}

static void write_jobs(Page *p, const ShownTool *t) {
        char *text = NULL;
        int r;

        r = used_names(&t->jobs, &text);
        if (r < 0)
                p->failed = true;
        else if (text)
                page_field(p, "Used", TONE_GOOD, text);
        free(text);
        for (size_t i = 0; i < t->jobs.n_items; i++)
                if (!use_is_well(t->jobs.items + i))
                        write_problem(p, t->jobs.items + i);
        if (t->others > 0) {
                text = NULL;
                r = text_format(&text, "%u %s not publish here", t->others,
                                t->others == 1 ? "job does" : "jobs do");
                page_take_field(p, "Others", TONE_FAINT, r, text);
        }
}

int render_targets(const ShownTools *l, bool asked, const Style *style, char **ret) {
        _cleanup_(page_done) Page p = {};
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l->n_items; i++) {
                const ShownTool *t = l->items + i;

                page_write(&p, TONE_PLAIN, i > 0 ? "\n" : "");
                page_write(&p, TONE_STRONG, "%s", t->name);
                page_write(&p, TONE_PLAIN, ": %s%s\n", t->description,
                           t->installed ? "" : ", not installed");
                write_files(&p, t, asked);
                write_jobs(&p, t);
        }
        if (style->legend && l->n_items == 0)
                page_write(&p, TONE_PLAIN, "None of the tools is installed that read credentials here.\n");
        if (style->legend && !asked)
                page_write(&p, TONE_PLAIN, "\n" NO_DAEMON);
        return page_take(&p, ret);
}
