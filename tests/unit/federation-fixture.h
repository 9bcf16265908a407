/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Federations to test with. */

#include "base/text.h"
#include "model/federation.h"
#include "unit.h"

static inline Federation federation_of(const char *json) {
        Federation f = {};
        const char *why = NULL;

        assert_int_equal(federation_parse(json, strlen(json), &f, &why), 0);
        return f;
}

static inline void assert_federation(const Federation *f, const char *json) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(federation_print(f, &text), 0);
        assert_string_equal(text, json);
}
