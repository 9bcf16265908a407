/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A federation entry by entry, with what becomes of each.
 *
 * The entries come from the registry as they are, and are cleaned here: nothing else of them reaches the
 * terminal. */

#include <string.h>

#include "base/text.h"
#include "ctl/page.h"
#include "ctl/render.h"

#define CHANGE_COLUMNS 9
#define NAME_COLUMNS 9
#define SHOWN_MAX 1024

static Tone change_tone(FederationChange c) {
        switch (c) {
        case FEDERATION_ADDED:
                return TONE_GOOD;
        case FEDERATION_CHANGED:
                return TONE_WARNING;
        case FEDERATION_REMOVED:
                return TONE_BAD;
        case FEDERATION_KEPT:
        case _FEDERATION_CHANGE_MAX:
        case _FEDERATION_CHANGE_INVALID:
                break;
        }
        return TONE_FAINT;
}

static void write_line(Page *p, Tone tone, const char *change, const char *name, const char *text) {
        _cleanup_free_ char *shown = NULL;

        if (text_clean(text, strlen(text), SHOWN_MAX, &shown) < 0) {
                p->failed = true;
                return;
        }
        page_write(p, TONE_PLAIN, "  ");
        page_column(p, tone, CHANGE_COLUMNS, change);
        page_column(p, TONE_PLAIN, NAME_COLUMNS, name);
        page_wrapped(p, 2 + CHANGE_COLUMNS + NAME_COLUMNS, TONE_PLAIN, shown);
}

static void write_entry(Page *p, FederationChange c, const FederationEntry *e) {
        _cleanup_free_ char *audiences = NULL;

        write_line(p, change_tone(c), federation_change_to_string(c), "issuer", e->issuer);
        write_line(p, TONE_PLAIN, "", "subject", e->subject);
        if (!e->audiences)
                return;
        if (strv_join(e->audiences, ", ", &audiences) < 0)
                p->failed = true;
        else
                write_line(p, TONE_PLAIN, "", "audience", audiences);
}

int render_federation(const ShownFederation *f, const Style *style, char **ret) {
        _cleanup_(page_done) Page p = {};
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        if (style->legend) {
                page_write(&p, TONE_STRONG, "%s", f->robot);
                page_write(&p, TONE_PLAIN, " on %s: %s\n", f->registry,
                           f->plan->differs ? "the federation and what would become of it"
                                            : "the federation trusts this host");
        }
        for (size_t i = 0; i < f->plan->entries.n_items; i++)
                write_entry(&p, f->plan->changes[i], f->plan->entries.items + i);
        return page_take(&p, ret);
}
