/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON with a secret in it.
 *
 * Owns the names of the protocol's members. What is printed on the way is erased with the answer. */

#include <errno.h>
#include <string.h>

#include "codec/json.h"
#include "helper/answer.h"

/* One line. */
static int print(json_object *o, Secret **ret) {
        _cleanup_erase_ char *text = NULL;
        _cleanup_secret_ Secret *s = NULL;
        size_t size;
        int r;

        r = json_print(o, /* pretty= */ false, &text);
        if (r < 0)
                return r;
        size = strlen(text);
        r = secret_new_zero(size + 1, &s);
        if (r < 0)
                return r;
        memcpy(secret_writable(s).iov_base, text, size);
        ((char *) secret_writable(s).iov_base)[size] = '\n';
        *ret = TAKE_PTR(s);
        return 0;
}

int answer_credential(const char *server, const Entry *entry, Secret **ret) {
        _cleanup_json_erase_ json_object *o = json_object_new_object();
        int r;

        r = o ? json_put(o, "ServerURL", json_object_new_string(server)) : -ENOMEM;
        if (r >= 0)
                r = json_put(o, "Username", json_object_new_string(entry->user));
        if (r >= 0)
                r = json_put(o, "Secret", json_object_new_string(secret_peek(entry->secret).iov_base));
        return r < 0 ? r : print(o, ret);
}

int answer_list(const ServedRegistries *registries, Secret **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r = o ? 0 : -ENOMEM;

        for (size_t i = 0; i < registries->n_items && r >= 0; i++)
                r = json_put(o, registries->items[i].registry,
                             json_object_new_string(registries->items[i].user));
        return r < 0 ? r : print(o, ret);
}
