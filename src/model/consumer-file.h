/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file with credentials as the tools see it that read it: which of its keys is taken for an image, and
 * whose credential it is. Pure; no secret comes out. */

#include "base/macro.h"
#include "codec/json-text.h"
#include "model/consumer.h"

typedef struct ConsumerFile ConsumerFile;

/* `text` must stay valid and unchanged as long as what is made of it. Returns 0; -EBADMSG with *reterr: not
 * strict JSON (an empty file is none), or not of this form; -ENOMEM. */
int consumer_file_new(const char *text, size_t size, bool legacy, ConsumerFile **ret, JsonError *reterr);
ConsumerFile *consumer_file_free(ConsumerFile *f);
DEFINE_CLEANUP(ConsumerFile *, consumer_file_free)

/* How many keys there are. */
size_t consumer_file_size(const ConsumerFile *f);

typedef enum FoundKind {
        FOUND_NOTHING, /* no key for it */
        FOUND_CREDENTIAL,
        FOUND_EMPTY,  /* a key without a credential: what would cover it otherwise is not looked at */
        FOUND_HELPER, /* a program is asked instead */
        FOUND_BROKEN, /* a key whose value makes no sense: the tool fails */
        _FOUND_KIND_MAX,
        _FOUND_KIND_INVALID = -EINVAL,
} FoundKind;

/* Strings are NULL where there is nothing to say. */
typedef struct Found {
        FoundKind kind;
        char *key;        /* as it stands in the file, cleaned */
        char *user;       /* FOUND_CREDENTIAL: cleaned */
        char *helper;     /* FOUND_HELPER: the program, cleaned */
        const char *rule; /* static: why this key */
        size_t n_more;    /* keys that would be as good, or are tried behind it */
} Found;

/* `repository` is that of image_repository(), or a scope. Returns 0 or -ENOMEM. */
int consumer_file_find(const ConsumerFile *f, ConsumerMatch match, const char *repository, Found *ret);
void found_done(Found *f);

/* The user under exactly this key. Returns 1, 0 if there is none, -ENOMEM. */
int consumer_file_user(const ConsumerFile *f, const char *key, char **ret);
