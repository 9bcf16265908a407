/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a token says of this host, and the two lines of it that an administrator of a registry needs.
 *
 * Shows claims only; the token itself never comes here. */

#include <string.h>

#include "base/text.h"
#include "ctl/life.h"
#include "ctl/render-parts.h"
#include "ctl/render.h"

static void write_key(Page *p, const Claims *c) {
        char *text = NULL;
        int r;

        if (isempty(c->algorithm))
                return;
        r = text_format(&text, "%s%s%s", c->algorithm, isempty(c->key_id) ? "" : ", key ", c->key_id);
        page_take_field(p, "Signed", TONE_PLAIN, r, text);
}

static void write_audience(Page *p, const Claims *c) {
        char *text = NULL;
        int r;

        if (strv_length(c->audience) == 0)
                return;
        r = strv_join(c->audience, ", ", &text);
        page_take_field(p, "Audience", TONE_PLAIN, r, text);
}

static void write_life(Page *p, const Claims *c, usec_t now) {
        char at[TIMESTAMP_MAX], span[SPAN_MAX];
        char *text = NULL;
        int r;

        if (c->issued > 0)
                page_field(p, "Issued", TONE_PLAIN, format_timestamp(at, c->issued));
        if (c->expires == 0)
                return;
        r = c->expires > now ? text_format(&text, "%s, in %s", format_timestamp(at, c->expires),
                                           format_rough_span(span, c->expires - now))
                             : text_format(&text, "%s, that was %s ago", format_timestamp(at, c->expires),
                                           format_rough_span(span, now - c->expires));
        page_take_field(p, "Expires", c->expires > now ? TONE_PLAIN : TONE_WARNING, r, text);
}

static void write_claims(Page *p, const Claims *c, usec_t now) {
        page_write(p, isempty(c->problem) ? TONE_GOOD : TONE_BAD, "●");
        page_write(p, TONE_STRONG, " %s", c->name);
        page_write(p, TONE_PLAIN, "\n");
        page_field(p, "Issuer", TONE_PLAIN, isempty(c->issuer) ? "-" : c->issuer);
        page_field(p, "Subject", TONE_PLAIN, isempty(c->subject) ? "-" : c->subject);
        write_audience(p, c);
        write_key(p, c);
        write_life(p, c, now);
        if (!isempty(c->problem))
                page_field(p, "Problem", TONE_BAD, c->problem);
        if (!isempty(c->hint))
                page_field(p, "To do", TONE_STRONG, c->hint);
}

int render_identities(const ClaimsList *l, const Style *style, usec_t now, char **ret) {
        _cleanup_(page_done) Page p = {};
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l->n_items; i++) {
                if (i > 0)
                        page_write(&p, TONE_PLAIN, "\n");
                write_claims(&p, l->items + i, now);
        }
        if (style->legend && l->n_items > 0) {
                page_write(&p, TONE_PLAIN, "\n");
                page_wrapped(
                        &p, 0, TONE_PLAIN,
                        "So that a robot account of a Quay trusts this host, enter issuer and subject "
                        "there under the robot's \"Set robot federation\", exactly as they stand here.");
        }
        return page_take(&p, ret);
}
