/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of options, and taking them from the command line.
 *
 * What an option is called, takes and says about itself stands here and nowhere else; help, completion and
 * the test of the manual read it. Complains in our words instead of getopt's, with the option that was
 * probably meant. */

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/scalar.h"
#include "base/text.h"
#include "client/near.h"
#include "ctl/complain.h"
#include "ctl/option.h"

#define WAIT_DEFAULT (2 * USEC_PER_MINUTE)

static const Option options[_OPT_MAX] = {
        [OPT_ALL] = { "all", NULL, false, NULL, "Also tools that are not installed" },
        [OPT_COLOR] = { "color", "WHEN", false, "auto always never", "auto, always or never" },
        [OPT_DISCOVERY] = { "discovery", NULL, false, NULL,
                            "Print the discovery document of a host that is its own issuer" },
        [OPT_DROP_AUDIENCES] = { "drop-audiences", NULL, false, NULL,
                                 "Let the registry forget which audiences entries want" },
        [OPT_DROP_IN] = { "drop-in", "NAME", false, "override.conf",
                          "Edit this drop-in (default: override.conf)" },
        [OPT_DRY_RUN] = { "dry-run", NULL, false, NULL, "Show what would be changed, and change nothing" },
        [OPT_FORCE] = { "force", NULL, false, NULL, "Make what is not there yet" },
        [OPT_FULL] = { "full", NULL, false, NULL, "Edit the file itself instead of a drop-in" },
        [OPT_HELP] = { "help", NULL, false, NULL, "Show this, or more about a command, and exit" },
        [OPT_JSON] = { "json", "MODE", true, "pretty short off", "Print JSON: pretty, short or off" },
        [OPT_JWKS] = { "jwks", NULL, false, NULL, "Print its key set" },
        [OPT_NO_ASK_PASSWORD] = { "no-ask-password", NULL, false, NULL,
                                  "Do not have a password asked for, fail instead" },
        [OPT_NO_LEGEND] = { "no-legend", NULL, false, NULL,
                            "Print neither headings nor what stands around tables" },
        [OPT_NO_PAGER] = { "no-pager", NULL, false, NULL, "Do not show long output in a pager" },
        [OPT_REGISTRY] = { "registry", "HOST", false, "REGISTRY", "Only jobs of this registry" },
        [OPT_REPLACE] = { "replace", NULL, false, NULL, "Remove all other entries" },
        [OPT_ROOT] = { "root", "DIR", false, "DIRECTORY", "Look at the files below DIR" },
        [OPT_RUNTIME] = { "runtime", NULL, false, NULL, "Until the next boot: in /run instead of /etc" },
        [OPT_STRICT] = { "strict", NULL, false, NULL, "Take warnings for errors" },
        [OPT_TIMEOUT] = { "timeout", "SPAN", false, "30s 2min 10min infinity",
                          "How long to wait at most (default: 2min; federate: 30s)" },
        [OPT_TOKEN_FILE] = { "token-file", "FILE", false, NULL,
                             "Read the OAuth token from this file (-: standard input)" },
        [OPT_USER] = { "user", "NAME", false, NULL, "A shell of this user instead of this one" },
        [OPT_VERSION] = { "version", NULL, false, NULL, "Show the version and exit" },
        [OPT_WAIT] = { "wait", NULL, false, NULL, "Wait for what comes of it, and tell" },
        [OPT_YES] = { "yes", NULL, false, NULL, "Do not ask before something is changed" },
};

const Option *option_get(OptionId id) {
        return options + id;
}

OptionId option_find(const char *name) {
        for (OptionId i = 0; i < _OPT_MAX; i++)
                if (streq(options[i].name, name))
                        return i;
        return _OPT_INVALID;
}

/* Returns 0, or -EINVAL after a complaint. */
static int wrong(OptionId id, const char *value, const char *right) {
        _cleanup_free_ char *shown = NULL;

        if (text_clean(value, strlen(value), 256, &shown) >= 0)
                complain("--%s=%s is not known, write %s", options[id].name, shown, right);
        return -EINVAL;
}

static int take_json(Options *o, const char *value) {
        o->json = value ? json_mode_from_string(value) : isatty(STDOUT_FILENO) ? JSON_PRETTY : JSON_SHORT;
        return o->json < 0 ? wrong(OPT_JSON, value, "pretty, short or off") : 0;
}

static int take_text(const char **p, OptionId id, const char *value) {
        *p = value;
        return isempty(value) ? wrong(id, value, options[id].value) : 0;
}

static int take(Options *o, OptionId id, const char *value) {
        o->given |= UINT32_C(1) << id;
        switch (id) {
        case OPT_COLOR:
                o->color = color_mode_from_string(value);
                return o->color < 0 ? wrong(id, value, "auto, always or never") : 0;
        case OPT_JSON:
                return take_json(o, value);
        case OPT_TIMEOUT:
                if (parse_span(value, &o->timeout) >= 0 && o->timeout > 0)
                        return 0;
                return wrong(id, value, "a span of time like 90s, 2min or infinity");
        case OPT_DROP_IN:
                return take_text(&o->drop_in, id, value);
        case OPT_REGISTRY:
                return take_text(&o->registry, id, value);
        case OPT_ROOT:
                return take_text(&o->root, id, value);
        case OPT_TOKEN_FILE:
                return take_text(&o->token_file, id, value);
        case OPT_USER:
                return take_text(&o->user, id, value);
        case OPT_ALL:
        case OPT_DISCOVERY:
        case OPT_DROP_AUDIENCES:
        case OPT_DRY_RUN:
        case OPT_FORCE:
        case OPT_FULL:
        case OPT_HELP:
        case OPT_JWKS:
        case OPT_NO_ASK_PASSWORD:
        case OPT_NO_LEGEND:
        case OPT_NO_PAGER:
        case OPT_REPLACE:
        case OPT_RUNTIME:
        case OPT_STRICT:
        case OPT_VERSION:
        case OPT_WAIT:
        case OPT_YES:
        case _OPT_MAX:
        case _OPT_INVALID:
                break;
        }
        return 0;
}

/* An option that is none: what getopt did not say about it. `given` is the word as it was written. */
static void complain_unknown(const char *given) {
        const char *name = given + strspn(given, "-");
        _cleanup_strv_ char **names = NULL, **near = NULL, **starting = NULL;
        _cleanup_free_ char *word = strndup(name, strcspn(name, "=")), *shown = NULL, *all = NULL;
        int r = word ? 0 : -ENOMEM;

        for (OptionId i = 0; i < _OPT_MAX && r >= 0; i++) {
                r = strv_append(&names, options[i].name);
                if (r >= 0 && startswith(options[i].name, word))
                        r = strv_append(&starting, options[i].name);
        }
        if (r >= 0)
                r = text_clean(given, strcspn(given, "="), 64, &shown);
        if (r >= 0)
                r = near_names(word, names, 1, &near);
        if (r >= 0)
                r = strv_join(starting, ", --", &all);
        if (r < 0)
                return;
        if (strv_length(starting) > 1 && !isempty(word))
                complain("'%s' may be --%s", shown, all);
        else if (near && near[0] && startswith(given, "--"))
                complain("There is no option '%s', did you mean '--%s'?", shown, near[0]);
        else
                complain("There is no option '%s'", shown);
}

static void complain_misused(int option) {
        const Option *o;

        if (option >= _OPT_MAX)
                return;
        o = options + option;
        if (o->value)
                complain("--%s needs a value, write --%s=%s", o->name, o->name, o->value);
        else
                complain("--%s takes no value", o->name);
}

/* A word among short options: "-x", or the x of "-hx". */
static void complain_letter(int letter) {
        const char given[] = { '-', (char) letter, '\0' };

        complain_unknown(given);
}

int options_parse(Options *o, int argc, char **argv) {
        struct option known[_OPT_MAX + 1] = {};
        int option;

        *o = (Options){ .timeout = WAIT_DEFAULT };
        for (OptionId i = 0; i < _OPT_MAX; i++)
                known[i] = (struct option){
                        .name = options[i].name,
                        .has_arg = !options[i].value     ? no_argument
                                   : options[i].optional ? optional_argument
                                                         : required_argument,
                        .val = (int) i + 0x100, /* no letter */
                };
        opterr = 0;
        while ((option = getopt_long(argc, argv, ":h", known, NULL)) >= 0) {
                if (option == 'h')
                        option = OPT_HELP + 0x100;
                if (option >= 0x100) {
                        if (take(o, (OptionId) (option - 0x100), optarg) < 0)
                                return -EINVAL;
                        continue;
                }
                if (optopt >= 0x100)
                        complain_misused(optopt - 0x100);
                else if (optopt > 0)
                        complain_letter(optopt);
                else
                        complain_unknown(argv[optind - 1]);
                return -EINVAL;
        }
        return 0;
}
