/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Texts with specifiers, in the manner of systemd.unit(5): "%x" stands for a value, "%{name}" for a
 * variable ("%{name:else}" if there is none), "%%" for a percent sign. Values are quoted as the language and
 * the place ask (codec/quoting).
 *
 * What stands between "%[" and "%]", or "%(" and "%)", comes once for each item of a list; what stands
 * behind "%|" in it comes between two. There are no loops in loops. A line that holds one of these marks and
 * blanks besides is not part of the text. Which letters and lists there are, the caller says. Pure. */

#include "base/macro.h"
#include "base/secret.h"
#include "codec/quoting.h"

#define TEMPLATE_MAX (64 * 1024)

typedef struct TemplateError {
        size_t line;    /* from 1 */
        size_t column;  /* from 1, in bytes */
        char what[120]; /* "there is no specifier", …; holds no value */
        char which[40]; /* the specifier that it is about: "%x", or "" */
} TemplateError;

typedef struct Template Template;

/* Where the values come from. A loop is known by the letter that opens it, '[' or '('; '\0' is outside. */
typedef struct TemplateSource {
        /* How often the loop comes. */
        size_t (*count)(char loop, void *userdata);
        /* The value for the item `index` (outside of loops: 0) of the loop; `ret` must stay until the call
         * that renders returns. Returns 0; -ENOENT if it has no such value there, -ENOTUNIQ if it has
         * several, which only a loop can tell apart; another errno, such as -ENODATA if there is none now,
         * ends it. */
        int (*value)(char letter, char loop, size_t index, struct iovec *ret, void *userdata);
        /* NULL if there is no such variable. */
        const char *(*variable)(const char *name, void *userdata);
        void *userdata;
        const char *numbers; /* letters whose values are numbers: bare, they need no quotes */
} TemplateSource;

/* Small letters, digits, '-' and '_', a letter first. */
bool template_variable_is_valid(const char *name);

/* Copies the text. Returns 0, -EBADMSG with *reterr, -E2BIG beyond TEMPLATE_MAX, -ENOMEM. */
int template_parse(const char *text, size_t size, QuotingLanguage language, Template **ret,
                   TemplateError *reterr);
Template *template_free(Template *t);
DEFINE_CLEANUP(Template *, template_free)

/* Returns 0; -EBADMSG with *reterr if the text asks for what there is not, or for a value in a place where
 * it cannot be written; what value() returned; -E2BIG if it became too large; -ENOMEM. */
int template_render(const Template *t, const TemplateSource *source, Secret **ret, TemplateError *reterr);
