/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of a federation: nothing is lost, doing it twice is doing it once. */

#include "federation-fixture.h"
#include "model/federation-plan.h"

static char *audience[] = { (char *) "quay", NULL };
static const FederationEntry own = { (char *) "https://i", (char *) "host-1", audience };
static const FederationEntry anybody = { (char *) "https://i", (char *) "host-1", NULL };

typedef struct Case {
        const char *present;
        const FederationEntry *own;
        FederationPlanFlags flags;
        const char *changes; /* first letters */
        const char *result;
        bool forgets;
} Case;

#define OWN "{\"issuer\":\"https://i\",\"subject\":\"host-1\"}"
#define OWN_FOR(audiences) "{\"issuer\":\"https://i\",\"subject\":\"host-1\",\"audiences\":[" audiences "]}"
#define OTHER "{\"issuer\":\"https://i\",\"subject\":\"host-2\"}"
#define GUARDED "{\"issuer\":\"https://j\",\"subject\":\"x\",\"audiences\":[\"theirs\"]}"

static const Case cases[] = {
        { "[]", &own, 0, "a", "[" OWN_FOR("\"quay\"") "]", false },
        { "[]", &anybody, 0, "a", "[" OWN "]", false },
        { "[" OWN "]", &own, 0, "k", "[" OWN "]", false },
        { "[" OWN_FOR("\"quay\",\"b\"") "]", &own, 0, "k", "[" OWN_FOR("\"quay\",\"b\"") "]", false },
        { "[" OWN_FOR("\"b\"") "]", &own, 0, "c", "[" OWN_FOR("\"b\",\"quay\"") "]", true },
        { "[" OWN_FOR("\"b\"") "]", &anybody, 0, "c", "[" OWN "]", true },
        { "[" OTHER "]", &own, 0, "ka", "[" OTHER "," OWN_FOR("\"quay\"") "]", false },
        { "[" GUARDED "," OWN "]", &own, 0, "kk", "[" GUARDED "," OWN "]", false },
        { "[" GUARDED "]", &own, 0, "ka", "[" GUARDED "," OWN_FOR("\"quay\"") "]", true },
        { "[" GUARDED "," OTHER "]", &own, FEDERATION_REPLACE, "rra", "[" OWN_FOR("\"quay\"") "]", false },
        { "[" GUARDED "," OWN "]", &own, FEDERATION_REPLACE, "rk", "[" OWN "]", false },
        { "[" OTHER "," OWN_FOR("\"quay\"") "]", &own, FEDERATION_REPLACE, "rk", "[" OWN_FOR("\"quay\"") "]",
          true },
        { "[" OWN "]", &own, FEDERATION_REPLACE, "k", "[" OWN "]", false },
};

static void check(const Case *c) {
        _cleanup_(federation_done) Federation present = federation_of(c->present), result = {};
        _cleanup_(federation_plan_done) FederationPlan p = {}, again = {};
        bool differs = false;

        assert_int_equal(federation_plan_make(&present, c->own, c->flags, &p), 0);
        assert_int_equal(p.entries.n_items, strlen(c->changes));
        for (size_t i = 0; i < p.entries.n_items; i++) {
                assert_int_equal(federation_change_to_string(p.changes[i])[0], c->changes[i]);
                differs = differs || c->changes[i] != 'k';
        }
        assert_int_equal(p.differs, differs);
        assert_int_equal(p.forgets, c->forgets);
        assert_int_equal(federation_plan_result(&p, &result), 0);
        assert_federation(&result, c->result);
        assert_int_equal(federation_plan_make(&result, c->own, c->flags, &again), 0);
        assert_false(again.differs);
}

static void every_case_has_its_plan_and_needs_no_second_one(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check(cases + i);
}

static void changes_have_names(void **state) {
        assert_string_equal(federation_change_to_string(FEDERATION_REMOVED), "removed");
        assert_null(federation_change_to_string(_FEDERATION_CHANGE_MAX));
        assert_null(federation_change_to_string(_FEDERATION_CHANGE_INVALID));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_case_has_its_plan_and_needs_no_second_one),
                cmocka_unit_test(changes_have_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
