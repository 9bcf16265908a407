/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* HTTPS transfers against a real server: what goes out, what comes back, and who may free what when. */

#include <sys/wait.h>

#include "base/text.h"
#include "io/http.h"
#include "tls-server.h"

typedef struct World {
        sd_event *event;
        TlsServer server;
        Http *http;
} World;

/* What a handler saw, copied, for the answer goes with its transfer. */
typedef struct Seen {
        World *world;
        unsigned calls, wanted;
        HttpProblem problem;
        int status;
        char body[64], content_type[64], date[64], location[64], challenge[64], retry_after[64];
        bool reused, has_times;
} Seen;

static int setup_world(void **state) {
        World *w = calloc(1, sizeof(*w));

        assert_non_null(w);
        assert_ok(sd_event_new(&w->event));
        w->server = server_start("127.0.0.1", -DAY, DAY);
        assert_int_equal(
                http_new(w->event, &(HttpTrust){ w->server.ca, strlen(w->server.ca), NULL }, &w->http), 0);
        *state = w;
        return 0;
}

static int teardown_world(void **state) {
        World *w = *state;

        http_free(w->http);
        server_stop(&w->server);
        sd_event_unref(w->event);
        free(w);
        return 0;
}

static void copy(char to[static 64], const char *from) {
        (void) snprintf(to, 64, "%s", from ?: "");
}

static void on_answer(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        Seen *s = userdata;

        assert_int_equal(a->problem == HTTP_OK, !!a->body);
        assert_int_equal(a->problem == HTTP_OK, !a->problem_text);
        s->problem = a->problem;
        s->status = a->status;
        s->reused = a->reused;
        s->has_times = a->timings.total > 0 && a->timings.first_byte > 0 &&
                       a->ended_boot >= a->started_boot && a->started_boot > 0;
        copy(s->body, a->body ? secret_peek(a->body).iov_base : NULL);
        copy(s->content_type, a->content_type);
        copy(s->date, a->date);
        copy(s->location, a->location);
        copy(s->challenge, a->www_authenticate);
        copy(s->retry_after, a->retry_after);
        if (++s->calls >= s->wanted)
                assert_ok(sd_event_exit(s->world->event, 0));
}

static void url_of(const World *w, const char *path, char ret[static 128]) {
        (void) snprintf(ret, 128, "https://127.0.0.1:%u%s", w->server.port, path);
}

/* The loop ends by sd_event_exit() and can be run once: each question has one of its own, as each World. */
static void run(World *w) {
        assert_ok(sd_event_loop(w->event));
}

static HttpTransfer *start(World *w, const char *path, HttpRequest q, HttpHandler handler, void *userdata) {
        HttpTransfer *t = NULL;
        char url[128];

        url_of(w, path, url);
        q.url = url;
        q.method = q.method ?: "GET";
        assert_int_equal(http_start(w->http, &q, handler, userdata, &t), 0);
        return t;
}

static Seen get(World *w, const char *path, HttpRequest q) {
        Seen s = { .world = w, .wanted = 1 };
        _cleanup_(http_transfer_freep) HttpTransfer *t = start(w, path, q, on_answer, &s);

        run(w);
        assert_int_equal(s.calls, 1);
        return s;
}

static void an_answer_comes_with_its_fields(void **state) {
        Seen s = get(*state, "/ok", (HttpRequest){});

        assert_int_equal(s.problem, HTTP_OK);
        assert_int_equal(s.status, 200);
        assert_string_equal(s.body, "{\"a\":1}");
        assert_string_equal(s.content_type, "application/json");
        assert_string_equal(s.date, "Tue, 24 Nov 2026 00:00:00 GMT");
        assert_true(s.has_times);
        assert_false(s.reused);
}

static void a_refusal_is_an_answer_too(void **state) {
        Seen s = get(*state, "/denied", (HttpRequest){});

        assert_int_equal(s.problem, HTTP_OK);
        assert_int_equal(s.status, 401);
        assert_string_equal(s.challenge, "Bearer realm=\"r\"");
        assert_string_equal(s.retry_after, "3");
        assert_string_equal(s.body, "");
}

static void a_redirection_is_an_answer_and_not_followed(void **state) {
        Seen s = get(*state, "/redirect", (HttpRequest){});
        char head[HEAD_MAX];

        assert_int_equal(s.status, 302);
        assert_string_equal(s.location, "/ok");
        server_request(&((World *) *state)->server, head);
        assert_int_equal(fcntl(((World *) *state)->server.requests, F_SETFL, O_NONBLOCK), 0);
        assert_int_equal(read(((World *) *state)->server.requests, head, 1), -1);
}

static void what_goes_out_by_default(void **state) {
        char head[HEAD_MAX];

        (void) get(*state, "/ok?a=b", (HttpRequest){});
        server_request(&((World *) *state)->server, head);
        assert_non_null(startswith(head, "GET /ok?a=b HTTP/1.1\r\n"));
        assert_null(strcasestr(head, "\r\nauthorization:"));
        assert_null(strcasestr(head, "\r\naccept-encoding:"));
        assert_null(strcasestr(head, "\r\ncookie:"));
        assert_non_null(strcasestr(head, "\r\nuser-agent: pullauthd/"));
}

static void authentication_goes_out_as_asked(void **state) {
        World *w = *state;
        _cleanup_secret_ Secret *secret = NULL;
        char head[HEAD_MAX];

        assert_int_equal(secret_new_string("s3cr3t", &secret), 0);
        (void) get(w, "/ok", (HttpRequest){ .user = "acme+edge", .password = secret });
        server_request(&w->server, head);
        assert_non_null(strstr(head, "\r\nAuthorization: Basic YWNtZStlZGdlOnMzY3IzdA==\r\n"));
}

static void bearer_and_headers_and_body_go_out_as_asked(void **state) {
        World *w = *state;
        char *headers[] = { (char *) "X-One: 1", (char *) "Content-Type: text/plain", NULL };
        _cleanup_secret_ Secret *secret = NULL;
        char head[HEAD_MAX];

        assert_int_equal(secret_new_string("b3ar3r", &secret), 0);
        (void) get(w, "/ok",
                   (HttpRequest){ .method = "POST",
                                  .bearer = secret,
                                  .headers = headers,
                                  .body = "",
                                  .body_size = 0 });
        server_request(&w->server, head);
        assert_non_null(startswith(head, "POST /ok "));
        assert_non_null(strstr(head, "\r\nAuthorization: Bearer b3ar3r\r\n"));
        assert_non_null(strstr(head, "\r\nX-One: 1\r\n"));
        assert_non_null(strstr(head, "\r\nContent-Type: text/plain\r\n"));
}

static void a_body_goes_out_as_it_is(void **state) {
        Seen s = get(*state, "/echo", (HttpRequest){ .method = "POST", .body = "a\nb\0c", .body_size = 5 });

        assert_string_equal(s.content_type, "5");
        assert_memory_equal(s.body, "a\nb", 4);
}

static void nothing_happens_before_the_loop_turns(void **state) {
        World *w = *state;
        Seen s = { .world = w, .wanted = 1 };
        _cleanup_(http_transfer_freep) HttpTransfer *t = start(w, "/ok", (HttpRequest){}, on_answer, &s);

        assert_int_equal(s.calls, 0);
        run(w);
        assert_int_equal(s.calls, 1);
}

static void many_at_once_are_all_answered(void **state) {
        World *w = *state;
        Seen s = { .world = w, .wanted = 60 };
        HttpTransfer *t[60];

        for (size_t i = 0; i < ELEMENTSOF(t); i++)
                t[i] = start(w, "/ok", (HttpRequest){}, on_answer, &s);
        run(w);
        assert_int_equal(s.calls, 60);
        for (size_t i = 0; i < ELEMENTSOF(t); i++)
                http_transfer_free(t[i]);
}

static void on_forbidden(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        fail();
}

/* One server of several behind a name that takes connections and says nothing, for example. */
static void a_handshake_that_hangs_holds_up_nobody_else(void **state) {
        World *w = *state;
        const HttpRequest long_breath = { .connect_timeout = 60 * USEC_PER_SEC,
                                          .timeout = 60 * USEC_PER_SEC };
        Seen s = { .world = w, .wanted = 5 };
        HttpTransfer *t[6];

        server_stop(&w->server);
        w->http = http_free(w->http);
        w->server = server_start_deaf("127.0.0.1", -DAY, DAY, /* deaf= */ 1);
        assert_int_equal(http_new(w->event,
                                  &(HttpTrust){ .ca = w->server.ca, .ca_size = strlen(w->server.ca) },
                                  &w->http),
                         0);
        t[0] = start(w, "/ok", long_breath, on_forbidden, NULL);
        for (size_t i = 1; i < ELEMENTSOF(t); i++)
                t[i] = start(w, "/ok", long_breath, on_answer, &s);
        run(w);
        assert_int_equal(s.calls, 5);
        assert_int_equal(s.problem, HTTP_OK);
        for (size_t i = 0; i < ELEMENTSOF(t); i++)
                http_transfer_free(t[i]);
}

static void all_that_end_in_the_same_moment_are_told(void **state) {
        World *w = *state;
        Seen s = { .world = w, .wanted = 20 };
        HttpTransfer *t[20];

        for (size_t i = 0; i < ELEMENTSOF(t); i++)
                t[i] = start(w, "/hang", (HttpRequest){ .timeout = 300 * USEC_PER_MSEC }, on_answer, &s);
        run(w);
        assert_int_equal(s.calls, 20);
        assert_int_equal(s.problem, HTTP_TIMEOUT);
        for (size_t i = 0; i < ELEMENTSOF(t); i++)
                http_transfer_free(t[i]);
}

static void each_is_told_once(void **state) {
        World *w = *state;
        Seen s = { .world = w, .wanted = 1000 };
        HttpTransfer *t = start(w, "/ok", (HttpRequest){}, on_answer, &s);

        while (s.calls == 0)
                assert_ok(sd_event_run(w->event, UINT64_MAX));
        for (unsigned i = 0; i < 10; i++)
                assert_ok(sd_event_run(w->event, 0));
        assert_int_equal(s.calls, 1);
        http_transfer_free(t);
}

static void bodies_have_a_cap_whether_announced_or_not(void **state) {
        assert_int_equal(get(*state, "/big", (HttpRequest){}).problem, HTTP_TOO_LARGE);
}

static void endless_bodies_too(void **state) {
        assert_int_equal(get(*state, "/endless", (HttpRequest){}).problem, HTTP_TOO_LARGE);
}

static void a_cap_of_ones_own_counts(void **state) {
        assert_int_equal(get(*state, "/ok", (HttpRequest){ .body_max = 6 }).problem, HTTP_TOO_LARGE);
}

static void a_cap_that_is_just_large_enough_counts(void **state) {
        assert_int_equal(get(*state, "/ok", (HttpRequest){ .body_max = 7 }).problem, HTTP_OK);
}

static void so_does_one_for_headers(void **state) {
        assert_int_equal(get(*state, "/ok", (HttpRequest){ .header_max = 50 }).problem, HTTP_TOO_LARGE);
}

static void silence_ends_with_the_timeout(void **state) {
        assert_int_equal(get(*state, "/hang", (HttpRequest){ .timeout = 100 * USEC_PER_MSEC }).problem,
                         HTTP_TIMEOUT);
}

static void a_connection_that_ends_is_closed(void **state) {
        assert_int_equal(get(*state, "/bye", (HttpRequest){}).problem, HTTP_CLOSED);
}

static void who_frees_a_transfer_hears_nothing_more(void **state) {
        World *w = *state;
        HttpTransfer *hanging = start(w, "/hang", (HttpRequest){}, on_forbidden, NULL),
                     *quick = start(w, "/ok", (HttpRequest){}, on_forbidden, NULL);

        http_transfer_free(hanging);
        http_transfer_free(quick);
        assert_int_equal(get(w, "/ok", (HttpRequest){}).problem, HTTP_OK);
}

typedef struct Chain {
        Seen seen;
        HttpTransfer *transfer;
        unsigned left;
        bool connects; /* all but the first */
} Chain;

static void on_link(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        Chain *c = userdata;

        assert_ptr_equal(t, c->transfer);
        assert_int_equal(a->problem, HTTP_OK);
        assert_int_equal(a->reused, c->left < 4 && !c->connects);
        c->transfer = http_transfer_free(c->transfer);
        if (c->left-- > 0)
                c->transfer =
                        start(c->seen.world, "/ok", (HttpRequest){ .connects = c->connects }, on_link, c);
        else
                assert_ok(sd_event_exit(c->seen.world->event, 0));
}

static void a_handler_may_free_its_transfer_and_start_another_on_the_same_connection(void **state) {
        Chain c = { .seen.world = *state, .left = 4 };

        c.transfer = start(*state, "/ok", (HttpRequest){}, on_link, &c);
        run(*state);
        assert_null(c.transfer);
}

static void a_request_connects_if_it_is_to_try_that(void **state) {
        Chain c = { .seen.world = *state, .left = 4, .connects = true };

        c.transfer = start(*state, "/ok", (HttpRequest){}, on_link, &c);
        run(*state);
        assert_null(c.transfer);
}

static void on_end_of_all(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        Chain *c = userdata;

        c->seen.world->http = http_free(c->seen.world->http);
        assert_int_equal(a->problem, HTTP_OK);
        c->transfer = http_transfer_free(c->transfer);
        assert_ok(sd_event_exit(c->seen.world->event, 0));
}

static void a_handler_may_free_everything(void **state) {
        World *w = *state;
        Chain c = { .seen.world = w };
        HttpTransfer *others[5];

        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                others[i] = start(w, "/hang", (HttpRequest){}, on_forbidden, NULL);
        c.transfer = start(w, "/ok", (HttpRequest){}, on_end_of_all, &c);
        run(w);
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                http_transfer_free(others[i]);
}

static void transfers_may_outlive_their_http(void **state) {
        World *w = *state;
        HttpTransfer *t = start(w, "/ok", (HttpRequest){}, on_forbidden, NULL);

        w->http = http_free(w->http);
        assert_ok(sd_event_run(w->event, 0));
        http_transfer_free(t);
}

static void addresses_that_are_refused(void **state) {
        static const char *const urls[] = {
                "http://127.0.0.1/",
                "file:///etc/passwd",
                "ftp://127.0.0.1/",
                "https://user@127.0.0.1/",
                "https://",
                "127.0.0.1",
                "https://u:p@127.0.0.1/",
                "",
                "//127.0.0.1/",
                "https://a b/",
                "https://127.0.0.1:99999/",
                "https://a/\r\nX: y",
        };
        World *w = *state;

        for (size_t i = 0; i < ELEMENTSOF(urls); i++) {
                HttpTransfer *t = NULL;

                assert_int_equal(http_start(w->http, &(HttpRequest){ .method = "GET", .url = urls[i] },
                                            on_forbidden, NULL, &t),
                                 -EINVAL);
                assert_null(t);
        }
}

static void the_environment_has_no_say(void **state) {
        static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_ok(setenv(names[i], "http://127.0.0.1:1", 1));
        assert_int_equal(get(*state, "/ok", (HttpRequest){}).problem, HTTP_OK);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_ok(unsetenv(names[i]));
}

/* A world of its own for each kind of certificate; `trusted` NULL trusts who signed it. */
static HttpProblem meet(const char *address, time_t from, time_t to, const char *trusted,
                        const char *proxy) {
        TlsServer server = server_start(address, from, to);
        World w = { .server = server };
        HttpProblem problem;

        assert_ok(sd_event_new(&w.event));
        trusted = trusted ?: server.ca;
        assert_int_equal(http_new(w.event, &(HttpTrust){ trusted, strlen(trusted), proxy }, &w.http), 0);
        problem = get(&w, "/ok", (HttpRequest){}).problem;
        http_free(w.http);
        sd_event_unref(w.event);
        server_stop(&server);
        return problem;
}

static void certificates_are_judged(void **state) {
        char other[PEM_MAX];
        TlsIdentity authority;

        make_authority(&authority, other);
        identity_done(&authority);
        assert_int_equal(meet("127.0.0.1", -DAY, DAY, NULL, NULL), HTTP_OK);
        assert_int_equal(meet("127.0.0.1", -2 * DAY, -DAY, NULL, NULL), HTTP_TLS_DATES);
        assert_int_equal(meet("127.0.0.1", DAY, 2 * DAY, NULL, NULL), HTTP_TLS_DATES);
        assert_int_equal(meet("127.0.0.2", -DAY, DAY, NULL, NULL), HTTP_TLS_HOST);
        assert_int_equal(meet("127.0.0.1", -DAY, DAY, other, NULL), HTTP_TLS_UNTRUSTED);
        assert_int_equal(meet("127.0.0.1", -DAY, DAY, "no certificate", NULL), HTTP_TLS_UNTRUSTED);
}

static void a_proxy_that_is_not_there_is_not_gone_around(void **state) {
        assert_int_equal(meet("127.0.0.1", -DAY, DAY, NULL, "http://127.0.0.1:1"), HTTP_CONNECT);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, setup_world, teardown_world)

int main(void) {
        const struct CMUnitTest tests[] = {
                WORLD_TEST(an_answer_comes_with_its_fields),
                WORLD_TEST(a_refusal_is_an_answer_too),
                WORLD_TEST(a_redirection_is_an_answer_and_not_followed),
                WORLD_TEST(what_goes_out_by_default),
                WORLD_TEST(authentication_goes_out_as_asked),
                WORLD_TEST(bearer_and_headers_and_body_go_out_as_asked),
                WORLD_TEST(a_body_goes_out_as_it_is),
                WORLD_TEST(nothing_happens_before_the_loop_turns),
                WORLD_TEST(many_at_once_are_all_answered),
                WORLD_TEST(a_handshake_that_hangs_holds_up_nobody_else),
                WORLD_TEST(all_that_end_in_the_same_moment_are_told),
                WORLD_TEST(each_is_told_once),
                WORLD_TEST(bodies_have_a_cap_whether_announced_or_not),
                WORLD_TEST(endless_bodies_too),
                WORLD_TEST(a_cap_of_ones_own_counts),
                WORLD_TEST(a_cap_that_is_just_large_enough_counts),
                WORLD_TEST(so_does_one_for_headers),
                WORLD_TEST(silence_ends_with_the_timeout),
                WORLD_TEST(a_connection_that_ends_is_closed),
                WORLD_TEST(a_handler_may_free_its_transfer_and_start_another_on_the_same_connection),
                WORLD_TEST(a_request_connects_if_it_is_to_try_that),
                WORLD_TEST(a_handler_may_free_everything),
                WORLD_TEST(transfers_may_outlive_their_http),
                WORLD_TEST(who_frees_a_transfer_hears_nothing_more),
                WORLD_TEST(addresses_that_are_refused),
                WORLD_TEST(the_environment_has_no_say),
                cmocka_unit_test(certificates_are_judged),
                cmocka_unit_test(a_proxy_that_is_not_there_is_not_gone_around),
        };

        if (http_global_init(HTTP_HEAP_PLAIN) < 0)
                return EXIT_FAILURE;
        (void) signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
