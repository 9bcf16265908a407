/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Addresses of the service manager: what is taken is a unit and a credential, and the address made of
 * them is taken again and says the same. As text, the same bytes may be a pattern: a name matches itself. */

#include "fuzz.h"

#include "model/unit-peer.h"

#define PREFIX "0123456789abcdef/unit/"

static void check_peer(const UnitPeer *p) {
        _cleanup_(unit_peer_done) UnitPeer again = {};
        _cleanup_free_ char *text = NULL;
        size_t size;

        fuzz_assert(unit_name_is_valid(p->unit) && unit_pattern_matches(p->unit, p->unit));
        fuzz_assert(p->credential[0] != '\0' && text_is_token(p->credential) && !strchr(p->credential, '/'));
        fuzz_assert(text_format(&text, "?" PREFIX "%s/%s", p->unit, p->credential) == 0);
        size = strlen(text);
        text[0] = '\0';
        fuzz_assert(unit_peer_parse(text, size, &again) == 0);
        fuzz_assert(streq(again.unit, p->unit) && streq(again.credential, p->credential));
        fuzz_assert_clean(p->unit);
        fuzz_assert_clean(p->credential);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(unit_peer_done) UnitPeer p = {};
        _cleanup_free_ char *text = strndup((const char *) data, size);
        int r;

        fuzz_assert(text);
        r = unit_peer_parse(data, size, &p);
        fuzz_assert(r == 0 || r == -EINVAL);
        fuzz_assert((r == 0) == !!p.unit && !p.unit == !p.credential);
        if (r == 0)
                check_peer(&p);
        if (unit_name_is_valid(text))
                fuzz_assert(unit_pattern_is_valid(text) && unit_pattern_matches(text, text));
        if (unit_pattern_is_valid(text)) {
                (void) unit_pattern_matches(text, "app@1.service");
                fuzz_assert_clean(text);
        }
        return 0;
}
