/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the assignments of an *.identity file to an IdentityConfig.
 *
 * Owns the table of keys of that kind of file. Reads no file and checks nothing that needs one: a token file
 * that does not exist is a matter of each attempt, not of the configuration. */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "model/config-value.h"
#include "model/identity-config.h"

static const char *const source_table[_IDENTITY_SOURCE_MAX] = {
        [IDENTITY_FILE] = "file",
};

const char *identity_source_to_string(IdentitySource s) {
        return s >= 0 && s < _IDENTITY_SOURCE_MAX ? source_table[s] : NULL;
}

IdentitySource identity_source_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(source_table); i++)
                if (streq_ptr(s, source_table[i]))
                        return (IdentitySource) i;
        return _IDENTITY_SOURCE_INVALID;
}

static int set_source(const ConfAssignment *a, void *userdata, char **reterr) {
        IdentityConfig *c = userdata;

        c->source = isempty(a->value) ? _IDENTITY_SOURCE_INVALID : identity_source_from_string(a->value);
        if (c->source >= 0 || isempty(a->value))
                return 0;
        return config_complain(reterr, "Source=%s is no known source, use Source=file", a->value);
}

static int set_audience(const ConfAssignment *a, void *userdata, char **reterr) {
        IdentityConfig *c = userdata;

        return config_set_token(a, &c->audience, reterr);
}

static int set_token_file(const ConfAssignment *a, void *userdata, char **reterr) {
        IdentityConfig *c = userdata;

        return config_set_path(a, &c->token_file, reterr);
}

static const ConfKey identity_keys[] = {
        { "Identity", "Source", set_source },
        { "Identity", "Audience", set_audience },
        { "Identity", "TokenFile", set_token_file },
};

IdentityConfig *identity_config_free(IdentityConfig *c) {
        if (!c)
                return NULL;
        free(c->name);
        free(c->audience);
        free(c->token_file);
        free(c);
        return NULL;
}

static int check_complete(const IdentityConfig *c, Conf *conf) {
        if (conf_has_error(conf))
                return 0;
        if (c->source < 0)
                return conf_add_message(
                        conf, CONF_ERROR, config_main_file(conf), 0,
                        "Source= is missing in section [Identity], add for example Source=file");
        if (c->source == IDENTITY_FILE && !c->token_file)
                return conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0,
                                        "TokenFile= is missing, Source=file needs the absolute path of the "
                                        "file that holds the JWT");
        return 0;
}

int identity_config_new(const char *name, Conf *conf, IdentityConfig **ret) {
        _cleanup_(identity_config_freep) IdentityConfig *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->source = _IDENTITY_SOURCE_INVALID;
        r = free_and_strdup(&c->name, name);
        if (r < 0)
                return r;
        r = conf_apply(conf, identity_keys, ELEMENTSOF(identity_keys), c);
        if (r < 0)
                return r;
        r = check_complete(c, conf);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

int identity_config_dup(const IdentityConfig *c, IdentityConfig **ret) {
        _cleanup_(identity_config_freep) IdentityConfig *d = NULL;
        int r;

        d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        d->source = c->source;
        r = free_and_strdup(&d->name, c->name);
        if (r >= 0)
                r = free_and_strdup(&d->audience, c->audience);
        if (r >= 0)
                r = free_and_strdup(&d->token_file, c->token_file);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

bool identity_config_equal(const IdentityConfig *a, const IdentityConfig *b) {
        return streq_ptr(a->name, b->name) && a->source == b->source &&
               streq_ptr(a->audience, b->audience) && streq_ptr(a->token_file, b->token_file);
}
