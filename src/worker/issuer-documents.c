/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes the documents of an issuer that has no server but a web site.
 *
 * Owns their form; says nothing that is not true of such an issuer: there is no endpoint for anything,
 * tokens are made where they are used. Quay reads "issuer" and "jwks_uri". */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "worker/issuer-documents.h"

static int add_string(json_object *o, const char *key, const char *value) {
        return json_put(o, key, json_object_new_string(value));
}

static int add_words(json_object *o, const char *key, const char *word) {
        json_object *array = json_object_new_array();
        int r;

        r = json_put(o, key, array);
        return r < 0 ? r : json_append(array, json_object_new_string(word));
}

static int add_key(json_object *array, const PublishedKey *k) {
        json_object *o = json_object_new_object();
        int r;

        r = json_append(array, o);
        if (r >= 0)
                r = add_string(o, "kty", "RSA");
        if (r >= 0)
                r = add_string(o, "use", "sig");
        if (r >= 0)
                r = add_string(o, "alg", k->algorithm);
        if (r >= 0)
                r = add_string(o, "kid", k->key_id ?: k->key->thumbprint);
        if (r >= 0)
                r = add_string(o, "n", k->key->modulus);
        if (r >= 0)
                r = add_string(o, "e", k->key->exponent);
        return r;
}

int issuer_jwks(const PublishedKey *keys, size_t n_keys, char **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *array;
        int r;

        if (!o)
                return -ENOMEM;
        array = json_object_new_array();
        r = json_put(o, "keys", array);
        for (size_t i = 0; i < n_keys && r >= 0; i++)
                r = add_key(array, keys + i);
        return r < 0 ? r : json_print(o, /* pretty= */ true, ret);
}

int issuer_discovery(const char *issuer, const char *algorithm, char **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        _cleanup_free_ char *uri = NULL;
        size_t n = strlen(issuer);
        int r;

        if (!o)
                return -ENOMEM;
        /* The issuer itself is compared to the last character; the address of its keys has one slash. */
        while (n > 0 && issuer[n - 1] == '/')
                n--;
        r = text_format(&uri, "%.*s%s", (int) n, issuer, ISSUER_JWKS_PATH);
        if (r >= 0)
                r = add_string(o, "issuer", issuer);
        if (r >= 0)
                r = add_string(o, "jwks_uri", uri);
        if (r >= 0)
                r = add_words(o, "response_types_supported", "id_token");
        if (r >= 0)
                r = add_words(o, "subject_types_supported", "public");
        if (r >= 0)
                r = add_words(o, "id_token_signing_alg_values_supported", algorithm);
        return r < 0 ? r : json_print(o, /* pretty= */ true, ret);
}
