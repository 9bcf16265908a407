/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who gets the same Http, and for how long there is one. */

#include "unit.h"

#include "worker/http-pool.h"

typedef struct Pool {
        sd_event *event;
        HttpPool *pool;
} Pool;

static int setup_pool(void **state) {
        Pool *p = calloc(1, sizeof(*p));

        assert_non_null(p);
        assert_int_equal(sd_event_new(&p->event), 0);
        assert_int_equal(http_pool_new(p->event, &p->pool), 0);
        *state = p;
        return 0;
}

static int teardown_pool(void **state) {
        Pool *p = *state;

        http_pool_free(p->pool);
        sd_event_unref(p->event);
        free(p);
        return 0;
}

static Http *take(Pool *p, const char *ca, const char *proxy) {
        const HttpTrust trust = { .ca = ca, .ca_size = ca ? strlen(ca) : 0, .proxy = proxy };
        Http *h = NULL;

        assert_int_equal(http_pool_take(p->pool, &trust, &h), 0);
        assert_non_null(h);
        return h;
}

static void those_that_trust_the_same_share(void **state) {
        Http *a = take(*state, "CA", NULL), *b = take(*state, "CA", NULL);

        assert_ptr_equal(a, b);
        http_pool_give_back(((Pool *) *state)->pool, a);
        http_pool_give_back(((Pool *) *state)->pool, b);
}

static void others_do_not(void **state) {
        Pool *p = *state;
        Http *h[] = { take(p, "CA", NULL), take(p, "CB", NULL), take(p, NULL, NULL), take(p, "", NULL),
                      take(p, NULL, "http://proxy") };

        for (size_t i = 0; i < ELEMENTSOF(h); i++)
                for (size_t k = i + 1; k < ELEMENTSOF(h); k++)
                        assert_ptr_not_equal(h[i], h[k]);
        for (size_t i = 0; i < ELEMENTSOF(h); i++)
                http_pool_give_back(p->pool, h[i]);
}

static void the_next_wave_finds_what_the_last_one_left(void **state) {
        Pool *p = *state;
        Http *h = take(p, "CA", NULL);

        http_pool_give_back(p->pool, h);
        assert_int_equal(sd_event_run(p->event, 0), 0);
        assert_ptr_equal(take(p, "CA", NULL), h);
        http_pool_give_back(p->pool, h);
}

/* Ends when it is as it should be; what never comes is ended by the limit of the test. */
static void what_nobody_needs_goes(void **state) {
        Pool *p = *state;
        Http *in_use = take(p, "CA", NULL);

        http_pool_give_back(p->pool, take(p, "CB", NULL));
        http_pool_give_back(p->pool, NULL);
        assert_false(http_pool_is_empty(p->pool));
        assert_true(sd_event_run(p->event, UINT64_MAX) > 0);
        assert_false(http_pool_is_empty(p->pool));
        http_pool_give_back(p->pool, in_use);
        while (!http_pool_is_empty(p->pool))
                assert_true(sd_event_run(p->event, UINT64_MAX) > 0);
}

#define POOL_TEST(f) cmocka_unit_test_setup_teardown(f, setup_pool, teardown_pool)

int main(void) {
        const struct CMUnitTest tests[] = {
                POOL_TEST(those_that_trust_the_same_share),
                POOL_TEST(others_do_not),
                POOL_TEST(the_next_wave_finds_what_the_last_one_left),
                POOL_TEST(what_nobody_needs_goes),
        };

        if (http_global_init(HTTP_HEAP_PLAIN) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
