/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options of pullauthctl: one row each. Which command takes which of them stands with the commands. */

#include "base/clock.h"
#include "base/macro.h"
#include "ctl/style.h"

typedef enum OptionId {
        OPT_ALL,
        OPT_COLOR,
        OPT_DISCOVERY,
        OPT_DROP_AUDIENCES,
        OPT_DROP_IN,
        OPT_DRY_RUN,
        OPT_FORCE,
        OPT_FULL,
        OPT_HELP,
        OPT_JSON,
        OPT_JWKS,
        OPT_NO_ASK_PASSWORD,
        OPT_NO_LEGEND,
        OPT_NO_PAGER,
        OPT_REGISTRY,
        OPT_REPLACE,
        OPT_ROOT,
        OPT_RUNTIME,
        OPT_STRICT,
        OPT_TIMEOUT,
        OPT_TOKEN_FILE,
        OPT_USER,
        OPT_VERSION,
        OPT_WAIT,
        OPT_YES,
        _OPT_MAX,
        _OPT_INVALID = -EINVAL,
} OptionId;

#define OPTION(id) (UINT32_C(1) << OPT_##id)
/* What every command takes. */
#define OPTIONS_COMMON                                                                               \
        (OPTION(COLOR) | OPTION(HELP) | OPTION(JSON) | OPTION(NO_ASK_PASSWORD) | OPTION(NO_LEGEND) | \
         OPTION(NO_PAGER) | OPTION(VERSION))

typedef struct Option {
        const char *name;
        const char *value; /* how help calls it; NULL: takes none */
        bool optional;     /* the value may be left out */
        const char
                *choices; /* the values there are, or some that are usual; "FILE": of files; NULL: unknown */
        const char *help;
} Option;

/* What the command line said. Strings are its own. */
typedef struct Options {
        uint32_t given; /* a bit for each */
        JsonMode json;
        ColorMode color;
        usec_t timeout;
        const char *drop_in, *registry, *root, *token_file, *user;
} Options;

static inline bool option_given(const Options *o, OptionId id) {
        return o->given & (UINT32_C(1) << id);
}

const Option *option_get(OptionId id);
/* By name without dashes; _OPT_INVALID if there is none. */
OptionId option_find(const char *name);

/* Takes the options out of the command line; what is left begins at optind. Returns 0, or -EINVAL after a
 * complaint. */
int options_parse(Options *o, int argc, char **argv);
