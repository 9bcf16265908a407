/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TOML of other programs: it is read or refused with a line of it, names and values are strings, and what
 * was read can be read as a list of registries. */

#include "fuzz.h"

#include "model/registries.h"

static int look(const TomlString *s, void *userdata) {
        fuzz_assert(s->kind != TOML_ARRAY || s->value[0] == '\0');
        fuzz_assert(s->line > 0 && s->name && s->value &&
                    !strchr(s->value, '\n') == !strstr(s->value, "\n"));
        ++*(size_t *) userdata;
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(registries_done) Registries l = {};
        _cleanup_strv_ char **sources = NULL;
        size_t lines = 1, n = 0;
        TomlError error = {};
        int r;

        for (size_t i = 0; i < size; i++)
                lines += data[i] == '\n';
        r = toml_strings((const char *) data, size, look, &n, &error);
        fuzz_assert(r == 0 || (r == -EBADMSG && error.what && error.line > 0 && error.line <= lines));
        fuzz_assert(registries_add(&l, (const char *) data, size, &error) == r);
        fuzz_assert(l.n_items <= n);
        fuzz_assert(registries_sources(&l, "q.io/acme/app", &sources) == 0);
        fuzz_assert(!sources || sources[0]);
        return 0;
}
