/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which of the JWT-SVIDs in an answer is meant.
 *
 * Owns the choice: by SPIFFE ID, by hint, or the only one. Never guesses; where nothing says which of
 * several it is, people are told what there is. What the token in it is good for is looked at like that of
 * any other source. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/protobuf.h"
#include "worker/spiffe-svid.h"

#define FIELD_SVIDS 1
#define FIELD_SPIFFE_ID 1
#define FIELD_SVID 2
#define FIELD_HINT 3
/* Of a name in a message. */
#define SHOWN_MAX 120

typedef struct Svid {
        ProtobufField id, token, hint;
} Svid;

/* The last of several fields of one number counts. */
static int read_svid(const ProtobufField *message, Svid *ret) {
        ProtobufReader reader = { message->data, message->size };
        ProtobufField f;
        int r;

        *ret = (Svid){};
        while ((r = protobuf_next(&reader, &f)) > 0) {
                if (f.type != PROTOBUF_BYTES)
                        continue;
                if (f.number == FIELD_SPIFFE_ID)
                        ret->id = f;
                else if (f.number == FIELD_SVID)
                        ret->token = f;
                else if (f.number == FIELD_HINT)
                        ret->hint = f;
        }
        return r;
}

/* Returns 1, 0 at the end, -EBADMSG. */
static int next_svid(ProtobufReader *reader, Svid *ret) {
        ProtobufField f;
        int r;

        while ((r = protobuf_next(reader, &f)) > 0) {
                if (f.number != FIELD_SVIDS || f.type != PROTOBUF_BYTES)
                        continue;
                r = read_svid(&f, ret);
                return r < 0 ? r : 1;
        }
        return r;
}

static bool is_text(const ProtobufField *f, const char *text) {
        return f->size == strlen(text) && (f->size == 0 || memcmp(f->data, text, f->size) == 0);
}

static bool is_wanted(const SpiffeWish *w, const Svid *s) {
        return (!w->spiffe_id || is_text(&s->id, w->spiffe_id)) && (!w->hint || is_text(&s->hint, w->hint));
}

typedef struct Choice {
        size_t n_all, n_wanted;
        Svid svid; /* the last of the wanted */
} Choice;

static int look(const SpiffeWish *w, ProtobufReader reader, Choice *ret) {
        Svid s;
        int r;

        *ret = (Choice){};
        while ((r = next_svid(&reader, &s)) > 0) {
                ret->n_all++;
                if (!is_wanted(w, &s))
                        continue;
                ret->n_wanted++;
                ret->svid = s;
        }
        return r;
}

static int show(const ProtobufField *f, char **ret) {
        return text_clean(f->size > 0 ? (const char *) f->data : "", f->size, SHOWN_MAX, ret);
}

/* "spiffe://a/b, spiffe://a/c (hint x)" */
static int list(ProtobufReader reader, char **ret) {
        _cleanup_strv_ char **names = NULL;
        Svid s;
        int r;

        while (next_svid(&reader, &s) > 0) {
                _cleanup_free_ char *id = NULL, *hint = NULL;
                char *name;

                r = show(&s.id, &id);
                if (r >= 0)
                        r = show(&s.hint, &hint);
                if (r >= 0)
                        r = isempty(hint) ? text_format(&name, "%s", id)
                                          : text_format(&name, "%s (hint %s)", id, hint);
                if (r >= 0)
                        r = strv_consume(&names, name);
                if (r < 0)
                        return r;
        }
        return strv_join(names, ", ", ret);
}

static int complain(const SpiffeWish *w, const Choice *c, ProtobufReader all, Failure **reterr) {
        _cleanup_free_ char *names = NULL;
        int r;

        if (c->n_all == 0) {
                r = failure_new(reterr, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                                "The answer of the SPIFFE agent has no identity in it");
                return r < 0 ? r : 1;
        }
        r = list(all, &names);
        if (r < 0)
                return r;
        if (c->n_wanted == 0) {
                r = failure_new(reterr, STEP_IDENTITY, REASON_IDENTITY_SOURCE_REFUSED,
                                "The SPIFFE agent has none of the wanted identity for this host but %s",
                                names);
                if (r >= 0)
                        r = failure_set_hint(*reterr, "Make %s the same as in the entry for this host",
                                             w->spiffe_id ? w->hint ? "SPIFFEID= and Hint=" : "SPIFFEID="
                                                          : "Hint=");
        } else {
                r = failure_new(reterr, STEP_IDENTITY, REASON_IDENTITY_SOURCE_REFUSED,
                                "The SPIFFE agent has several identities for this host: %s", names);
                if (r >= 0)
                        r = failure_set_hint(*reterr, "Choose one with SPIFFEID= or Hint= of the identity");
        }
        return r < 0 ? r : 1;
}

int spiffe_svid_choose(const SpiffeWish *w, const uint8_t *message, size_t size, Secret **ret,
                       Failure **reterr) {
        ProtobufReader all = { message, size };
        Choice c;
        int r;

        r = look(w, all, &c);
        if (r < 0) {
                r = failure_new(reterr, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                                "The answer of the SPIFFE agent cannot be read");
                return r < 0 ? r : 1;
        }
        if (c.n_wanted != 1)
                return complain(w, &c, all, reterr);
        return secret_new(c.svid.token.data, c.svid.token.size, ret);
}
