/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Renderings of a federation and of what would become of it. */

#include "ctl/render.h"
#include "federation-fixture.h"

static char *audience[] = { (char *) "quay", NULL };
static const FederationEntry own = { (char *) "https://i", (char *) "host-1", audience };
static const Style wide = { .utf8 = true, .legend = true };
static const Style coloured = { .utf8 = true, .color = true };

typedef struct Shown {
        Federation present;
        FederationPlan plan;
        ShownFederation shown;
} Shown;

static void prepare(Shown *s, const char *present, FederationPlanFlags flags) {
        *s = (Shown){ .present = federation_of(present) };
        assert_int_equal(federation_plan_make(&s->present, &own, flags, &s->plan), 0);
        s->shown = (ShownFederation){ "edge", "quay.example.com", "acme+edge", &own, &s->plan, false };
}

static void shown_done(Shown *s) {
        federation_done(&s->present);
        federation_plan_done(&s->plan);
}

static void entries_stand_with_what_becomes_of_them(void **state) {
        _cleanup_(shown_done) Shown s;
        char *text = NULL;

        prepare(&s, "[{\"issuer\":\"https://j\",\"subject\":\"other\"}]", FEDERATION_REPLACE);
        assert_int_equal(render_federation(&s.shown, &wide, &text), 0);
        assert_string_equal(text,
                            "acme+edge on quay.example.com: the federation and what would become of it\n"
                            "  removed  issuer   https://j\n"
                            "           subject  other\n"
                            "  added    issuer   https://i\n"
                            "           subject  host-1\n"
                            "           audience quay\n");
        free(text);
}

static void one_that_is_well_says_so(void **state) {
        _cleanup_(shown_done) Shown s;
        char *text = NULL;

        prepare(&s, "[{\"issuer\":\"https://i\",\"subject\":\"host-1\"}]", 0);
        assert_int_equal(render_federation(&s.shown, &wide, &text), 0);
        assert_string_equal(text, "acme+edge on quay.example.com: the federation trusts this host\n"
                                  "  kept     issuer   https://i\n"
                                  "           subject  host-1\n");
        free(text);
}

static void what_moves_cursors_is_not_shown_and_kept_in_json(void **state) {
        _cleanup_(shown_done) Shown s;
        char *text = NULL;

        prepare(&s, "[{\"issuer\":\"https://j\\u001b[2J\",\"subject\":\"a\\nb\"}]", 0);
        assert_int_equal(render_federation(&s.shown, &wide, &text), 0);
        assert_null(strchr(text, '\x1b'));
        assert_non_null(strstr(text, "subject  a b\n"));
        free(text);
        assert_int_equal(render_federation(&s.shown, &coloured, &text), 0);
        assert_non_null(strstr(text, "added"));
        assert_null(strstr(text, "acme"));
        assert_null(strstr(text, "[2J\x1b"));
        free(text);
        assert_int_equal(render_json_federation(&s.shown, JSON_SHORT, &text), 0);
        assert_string_equal(text,
                            "{\"name\":\"edge\",\"registry\":\"quay.example.com\",\"robot\":\"acme+edge\","
                            "\"issuer\":\"https://i\",\"subject\":\"host-1\",\"audience\":[\"quay\"],"
                            "\"differs\":true,\"applied\":false,\"entries\":["
                            "{\"change\":\"kept\",\"issuer\":\"https://j\\u001b[2J\",\"subject\":\"a\\nb\","
                            "\"audiences\":[]},"
                            "{\"change\":\"added\",\"issuer\":\"https://i\",\"subject\":\"host-1\","
                            "\"audiences\":[\"quay\"]}]}\n");
        free(text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(entries_stand_with_what_becomes_of_them),
                cmocka_unit_test(one_that_is_well_says_so),
                cmocka_unit_test(what_moves_cursors_is_not_shown_and_kept_in_json),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
