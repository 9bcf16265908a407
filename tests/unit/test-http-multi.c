/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libcurl on the event loop: whatever becomes of a handle, it is told once, and its handle is free. */

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "io/http-multi.h"
#include "io/http.h"
#include "unit.h"

typedef struct World {
        sd_event *event;
        HttpMulti *multi;
        unsigned done, wanted;
        int code;
        int listener; /* accepts, and says nothing */
        int refusing; /* keeps the port of nobody */
        char silent[64], closed[64];
} World;

static void on_done(void *easy, int code, void *userdata) {
        World *w = userdata;

        w->code = code;
        if (++w->done >= w->wanted)
                assert_ok(sd_event_exit(w->event, 0));
}

static int listening_port(int *ret_fd) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(a);

        *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_ok(*ret_fd);
        assert_ok(bind(*ret_fd, (struct sockaddr *) (void *) &a, size));
        assert_ok(getsockname(*ret_fd, (struct sockaddr *) (void *) &a, &size));
        return ntohs(a.sin_port);
}

static int setup_world(void **state) {
        World *w = calloc(1, sizeof(*w));

        assert_non_null(w);
        assert_ok(sd_event_new(&w->event));
        assert_int_equal(http_multi_new(w->event, on_done, w, &w->multi), 0);
        (void) snprintf(w->silent, sizeof(w->silent), "http://127.0.0.1:%i/", listening_port(&w->listener));
        assert_ok(listen(w->listener, 64));
        (void) snprintf(w->closed, sizeof(w->closed), "http://127.0.0.1:%i/", listening_port(&w->refusing));
        *state = w;
        return 0;
}

static int teardown_world(void **state) {
        World *w = *state;

        http_multi_free(w->multi);
        sd_event_unref(w->event);
        (void) close(w->listener);
        (void) close(w->refusing);
        free(w);
        return 0;
}

static CURL *add(World *w, const char *url, long timeout_msec) {
        CURL *e = curl_easy_init();

        assert_non_null(e);
        assert_int_equal(curl_easy_setopt(e, CURLOPT_URL, url), CURLE_OK);
        assert_int_equal(curl_easy_setopt(e, CURLOPT_PROXY, ""), CURLE_OK);
        assert_int_equal(curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, timeout_msec), CURLE_OK);
        assert_int_equal(http_multi_add(w->multi, e), 0);
        return e;
}

static void all_that_end_are_told(void **state) {
        World *w = *state;
        CURL *handles[40];

        w->wanted = ELEMENTSOF(handles);
        for (size_t i = 0; i < ELEMENTSOF(handles); i++)
                handles[i] = add(w, w->closed, 60000);
        assert_int_equal(w->done, 0);
        assert_ok(sd_event_loop(w->event));
        assert_int_equal(w->done, ELEMENTSOF(handles));
        assert_int_equal(w->code, CURLE_COULDNT_CONNECT);
        for (size_t i = 0; i < ELEMENTSOF(handles); i++)
                curl_easy_cleanup(handles[i]);
}

static void timers_of_libcurl_are_kept(void **state) {
        World *w = *state;
        CURL *e = add(w, w->silent, 50);

        w->wanted = 1;
        assert_ok(sd_event_loop(w->event));
        assert_int_equal(w->code, CURLE_OPERATION_TIMEDOUT);
        curl_easy_cleanup(e);
}

static void what_is_removed_is_not_told(void **state) {
        World *w = *state;
        CURL *removed = add(w, w->silent, 60000), *stays;

        /* Until its socket is being watched. */
        for (unsigned i = 0; i < 20; i++)
                assert_ok(sd_event_run(w->event, 10 * USEC_PER_MSEC));
        http_multi_remove(w->multi, removed);
        curl_easy_cleanup(removed);
        w->wanted = 1;
        stays = add(w, w->closed, 60000);
        assert_ok(sd_event_loop(w->event));
        assert_int_equal(w->done, 1);
        curl_easy_cleanup(stays);
}

static void an_address_that_is_none_is_told_too(void **state) {
        World *w = *state;
        CURL *e = add(w, "nonsense://", 60000);

        w->wanted = 1;
        assert_ok(sd_event_loop(w->event));
        assert_true(w->code == CURLE_UNSUPPORTED_PROTOCOL || w->code == CURLE_URL_MALFORMAT);
        curl_easy_cleanup(e);
}

static void without_anything_to_do_the_loop_sleeps(void **state) {
        World *w = *state;
        CURL *e = add(w, w->closed, 60000);

        w->wanted = 2;
        while (w->done == 0)
                assert_ok(sd_event_run(w->event, UINT64_MAX));
        curl_easy_cleanup(e);
        /* Whatever libcurl still has to tidy up ends; after that nothing is due. */
        for (unsigned i = 0; i < 100 && sd_event_run(w->event, 10 * USEC_PER_MSEC) > 0; i++)
                ;
        assert_int_equal(sd_event_run(w->event, 10 * USEC_PER_MSEC), 0);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, setup_world, teardown_world)

int main(void) {
        const struct CMUnitTest tests[] = {
                WORLD_TEST(all_that_end_are_told),
                WORLD_TEST(timers_of_libcurl_are_kept),
                WORLD_TEST(what_is_removed_is_not_told),
                WORLD_TEST(an_address_that_is_none_is_told_too),
                WORLD_TEST(without_anything_to_do_the_loop_sleeps),
        };

        if (http_global_init(HTTP_HEAP_PLAIN) < 0)
                return EXIT_FAILURE;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
