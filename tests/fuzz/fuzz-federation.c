/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Federations as a registry sends them, and what pullauthctl and pullauth-federate tell each other: what was
 * taken can be printed and is taken again as the same, a plan made of it needs no second one, and a failure
 * can be shown. */

#include "fuzz.h"

#include "model/federation-plan.h"
#include "model/federation-request.h"

static void check_plan(const Federation *f, FederationPlanFlags flags) {
        const FederationEntry own = { (char *) "https://i", (char *) "s", NULL };
        _cleanup_(federation_plan_done) FederationPlan plan = {}, again = {};
        _cleanup_(federation_done) Federation result = {};

        fuzz_assert(federation_plan_make(f, &own, flags, &plan) == 0);
        fuzz_assert(federation_plan_result(&plan, &result) == 0);
        fuzz_assert(federation_find(&result, own.issuer, own.subject));
        if (!(flags & FEDERATION_REPLACE))
                for (size_t i = 0; i < f->n_items; i++)
                        fuzz_assert(federation_find(&result, f->items[i].issuer, f->items[i].subject));
        fuzz_assert(federation_plan_make(&result, &own, flags, &again) == 0 && !again.differs);
}

static void check_federation(const char *data, size_t size) {
        _cleanup_(federation_done) Federation f = {}, again = {};
        _cleanup_free_ char *text = NULL, *second = NULL;
        const char *why = NULL;
        int r;

        r = federation_parse(data, size, &f, &why);
        fuzz_assert(r == 0 || (r == -EBADMSG && why && !f.items));
        if (r < 0)
                return;
        fuzz_assert(f.n_items <= FEDERATION_ENTRIES_MAX);
        fuzz_assert(federation_print(&f, &text) == 0);
        fuzz_assert(federation_parse(text, strlen(text), &again, &why) == 0);
        fuzz_assert(federation_print(&again, &second) == 0 && streq(text, second));
        check_plan(&f, 0);
        check_plan(&f, FEDERATION_REPLACE);
}

static void check_answer(const Secret *bytes) {
        _cleanup_(federation_done) Federation f = {};
        _cleanup_failure_ Failure *failure = NULL;
        int r;

        r = federation_answer_read(bytes, &f, &failure);
        fuzz_assert(r == -EBADMSG || r == (failure ? 1 : 0));
        if (!failure)
                return;
        fuzz_assert_clean(failure->message);
        fuzz_assert_clean(failure_hint(failure));
        fuzz_assert_clean(strempty(failure->words));
}

static void check_request(const Secret *bytes) {
        _cleanup_(federation_request_done) FederationRequest q = {}, again = {};
        _cleanup_secret_ Secret *written = NULL;
        int r;

        r = federation_request_read(bytes, &q);
        fuzz_assert(r == 0 || (r == -EBADMSG && !q.token));
        if (r < 0)
                return;
        fuzz_assert(federation_request_write(&q, &written) == 0);
        fuzz_assert(federation_request_read(written, &again) == 0);
        fuzz_assert(secret_equal(q.token, again.token) && secret_equal(q.proxy, again.proxy));
        fuzz_assert(streq(q.registry, again.registry) && streq(q.robot, again.robot));
        fuzz_assert(streq_ptr(q.ca, again.ca) && q.set == again.set && q.timeout == again.timeout);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_secret_ Secret *bytes = NULL;

        fuzz_assert(secret_new(data, size, &bytes) == 0);
        check_federation((const char *) data, size);
        check_answer(bytes);
        check_request(bytes);
        return 0;
}
