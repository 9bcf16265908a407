/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tools that read credentials on a host: which files, in which order, and what counts in them. Pure. */

#include <sys/types.h>

#include "base/macro.h"

/* Which key of a file is taken for an image. */
typedef enum ConsumerMatch {
        MATCH_PATH, /* the repository, its parents up to the registry, then keys as Docker writes them */
        MATCH_HOST, /* the registry alone */
        MATCH_GLOB, /* all that match, hosts with wildcards and the beginnings of paths */
        _CONSUMER_MATCH_MAX,
        _CONSUMER_MATCH_INVALID = -EINVAL,
} ConsumerMatch;

/* Which file of several is taken. */
typedef enum ConsumerOrder {
        ORDER_EACH,        /* the first one with an answer, image by image */
        ORDER_FIRST,       /* the first one that is there, whatever stands in it */
        ORDER_FIRST_VALID, /* the first one that can be read */
        _CONSUMER_ORDER_MAX,
        _CONSUMER_ORDER_INVALID = -EINVAL,
} ConsumerOrder;

/* Where a path of the table begins. */
typedef enum ConsumerBase {
        BASE_ROOT,    /* "/" */
        BASE_RUNTIME, /* $XDG_RUNTIME_DIR, or /run/containers/UID in its place */
        BASE_CONFIG,  /* $XDG_CONFIG_HOME, or ~/.config */
        BASE_DOCKER,  /* $DOCKER_CONFIG, or ~/.docker */
        BASE_HOME,    /* ~ */
        _CONSUMER_BASE_MAX,
        _CONSUMER_BASE_INVALID = -EINVAL,
} ConsumerBase;

typedef struct ConsumerPlace {
        ConsumerBase base;
        const char *path; /* NULL: there is no such place */
        bool legacy;      /* a .dockercfg: keys at the top, hosts only */
} ConsumerPlace;

#define CONSUMER_PLACES_MAX 4

typedef struct Consumer {
        const char *name;
        const char *description;
        const char *programs;  /* words; where one of them is, the tool is installed */
        const char *directory; /* or where this is; may be NULL */
        const char *target;    /* of pullauthd, for this tool as root runs it; NULL: none */
        bool of_caller;        /* runs as whoever asks, in his environment; else as a service of root */
        bool variable;         /* takes $REGISTRY_AUTH_FILE */
        bool engine;  /* takes [engine] env of containers.conf(5); so does $DOCKER_CONFIG name its file */
        bool mirrors; /* goes by registries.conf(5): where to pull from, and whom to ask */
        /* The string of its TOML files that names the only file; NULL: there is none. */
        const char *setting;
        const char *settings_file, *settings_directory; /* of *.conf files behind it; may be NULL */
        ConsumerMatch match;
        ConsumerOrder order;
        ConsumerPlace places[CONSUMER_PLACES_MAX];
} Consumer;

const Consumer *consumer_all(size_t *ret_n);
/* Is `name` the consumer's, or that of one of its programs? */
bool consumer_is_called(const Consumer *c, const char *name);

/* What names the only file, if it is no setting of the consumer's own and not $REGISTRY_AUTH_FILE itself.
 * Skopeo goes by neither. */
#define NAMED_BY_ENGINE "[engine] env in containers.conf"
#define NAMED_BY_DOCKER "$DOCKER_CONFIG"

/* Whose files. Strings but `home` may be NULL: not set. */
typedef struct ConsumerContext {
        uid_t uid;
        const char *home, *runtime_dir, *config_home, *docker_config, *auth_file;
        const char *set_file;    /* what the setting of this consumer names */
        const char *engine_file; /* what REGISTRY_AUTH_FILE in containers.conf names */
} ConsumerContext;

typedef struct ConsumerPath {
        char *path;
        bool legacy;
} ConsumerPath;

typedef struct ConsumerPaths {
        ConsumerPath items[CONSUMER_PLACES_MAX];
        size_t n_items;
        const char *named_by; /* static: what names the only file; NULL: they are those of the table */
} ConsumerPaths;

/* The files that it looks at, in order. Returns 0 or -ENOMEM. */
int consumer_paths(const Consumer *c, const ConsumerContext *context, ConsumerPaths *ret);
void consumer_paths_done(ConsumerPaths *p);
