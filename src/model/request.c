/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ends of life, and parts by name, of what crosses the private door.
 *
 * The structures are plain values; who fills them and what they may hold is for model/door and for the two
 * processes. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/request.h"

void named_secrets_done(NamedSecrets *l) {
        for (size_t i = 0; i < l->n_items; i++) {
                free(l->items[i].name);
                secret_free(l->items[i].value);
        }
        free(l->items);
        *l = (NamedSecrets){};
}

int named_secrets_add(NamedSecrets *l, const char *name, Secret *value) {
        _cleanup_secret_ Secret *owned = value;
        NamedSecret *grown;
        char *copy;

        grown = reallocarray(l->items, l->n_items + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        l->items = grown;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        l->items[l->n_items++] = (NamedSecret){ .name = copy, .value = TAKE_PTR(owned) };
        return 0;
}

const Secret *named_secrets_get(const NamedSecrets *l, const char *name) {
        for (size_t i = 0; i < l->n_items; i++)
                if (streq(l->items[i].name, name))
                        return l->items[i].value;
        return NULL;
}

const char *request_setting(const Request *r, const char *key) {
        return settings_get(r->settings, key);
}

const Secret *request_secret(const Request *r, const char *key) {
        return named_secrets_get(&r->secrets, key);
}

static const char *const kind_table[_REQUEST_KIND_MAX] = {
        [REQUEST_OBTAIN] = "obtain",
        [REQUEST_EXPLAIN] = "explain",
        [REQUEST_TEST] = "test",
        [REQUEST_CLUSTER] = "cluster",
};

const char *request_kind_to_string(RequestKind k) {
        return k >= 0 && k < _REQUEST_KIND_MAX ? kind_table[k] : NULL;
}

RequestKind request_kind_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(kind_table); i++)
                if (streq_ptr(s, kind_table[i]))
                        return (RequestKind) i;
        return _REQUEST_KIND_INVALID;
}

Request *request_free(Request *r) {
        if (!r)
                return NULL;
        free(r->job);
        free(r->source);
        free(r->audience);
        secret_free(r->token);
        strv_free(r->settings);
        named_secrets_done(&r->secrets);
        free(r->exchange);
        strv_free(r->exchange_settings);
        named_secrets_done(&r->exchange_secrets);
        free(r->registry);
        free(r->robot);
        strv_free(r->scopes);
        free(r->ca);
        free(r->proxy);
        cluster_secret_free(r->cluster);
        free(r);
        return NULL;
}

IdentityClaims *identity_claims_free(IdentityClaims *c) {
        if (!c || c->n_more-- > 0)
                return NULL;
        free(c->issuer);
        free(c->subject);
        free(c->algorithm);
        free(c->key_id);
        strv_free(c->audience);
        free(c);
        return NULL;
}

IdentityClaims *identity_claims_share(IdentityClaims *c) {
        c->n_more++;
        return c;
}

bool identity_claims_equal(const IdentityClaims *a, const IdentityClaims *b) {
        return streq_ptr(a->issuer, b->issuer) && streq_ptr(a->subject, b->subject) &&
               streq_ptr(a->algorithm, b->algorithm) && streq_ptr(a->key_id, b->key_id) &&
               strv_equal(a->audience, b->audience) && a->issued == b->issued && a->expires == b->expires;
}

Answer *answer_free(Answer *a) {
        if (!a)
                return NULL;
        credential_free(a->credential);
        failure_free(a->failure);
        identity_claims_free(a->claims);
        free(a->discovery);
        free(a->key_set);
        cluster_secret_free(a->cluster);
        strv_free(a->notices);
        trace_done(&a->trace);
        free(a);
        return NULL;
}
