/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A client of the private door, for tests: obtain [--secret-fd=N] SOCKET.
 *
 * Reads one JSON object per line from standard input. {"cancel": ID, "after": N} cancels a request once N
 * answers have come; everything else is a request (keys as in struct Request, "timeout" in milliseconds).
 * All requests go out at once over one connection; each answer is printed as one line of JSON as it
 * comes, with the secret replaced by its SHA-256. With --secret-fd the secrets themselves go there, one
 * per line. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/hash.h"
#include "base/scalar.h"
#include "base/text.h"
#include "codec/json.h"
#include "model/door.h"

#define REQUESTS_MAX 1024
#define CALL_TIMEOUT (120 * USEC_PER_SEC)

typedef struct Cancel {
        uint64_t id;
        uint64_t after; /* so many answers */
} Cancel;

typedef struct Client {
        sd_event *event;
        sd_bus *bus;
        size_t n_open, n_answers;
        Cancel cancels[REQUESTS_MAX];
        size_t n_cancels;
} Client;

static int arg_secret_fd = -EBADF;

static void add(json_object *o, const char *key, const char *value) {
        (void) json_object_object_add(o, key, value ? json_object_new_string(value) : NULL);
}

static void add_number(json_object *o, const char *key, int64_t value) {
        (void) json_object_object_add(o, key, json_object_new_int64(value));
}

static void add_list(json_object *o, const char *key, char *const *values) {
        json_object *list = json_object_new_array();

        STRV_FOREACH(v, values)
                (void) json_object_array_add(list, json_object_new_string(*v));
        (void) json_object_object_add(o, key, list);
}

static void add_secret(json_object *o, const char *key, const Secret *secret) {
        struct iovec bytes = secret_peek(secret);
        uint8_t hash[HASH_SIZE];
        char hex[HASH_HEX_SIZE];

        hash_parts(&(HashPart){ bytes.iov_base, bytes.iov_len }, 1, hash);
        hash_hex(hash, hex);
        add(o, key, secret ? hex : NULL);
}

static void add_pairs(json_object *o, const char *key, char *const *pairs) {
        json_object *object = json_object_new_object();

        for (char *const *p = pairs; p && p[0]; p += 2)
                add(object, p[0], p[1]);
        (void) json_object_object_add(o, key, object);
}

static json_object *show_cluster(const ClusterSecret *s) {
        json_object *o = json_object_new_object();

        add(o, "name", s->name);
        add(o, "type", s->type);
        add(o, "uid", s->uid);
        add(o, "version", s->version);
        add_pairs(o, "labels", s->labels);
        add_pairs(o, "annotations", s->annotations);
        add_secret(o, "data_hash", s->data);
        return o;
}

static json_object *show_credential(const Credential *c) {
        json_object *o = json_object_new_object();
        struct iovec secret = secret_peek(c->secret);

        if (arg_secret_fd >= 0)
                (void) dprintf(arg_secret_fd, "%.*s\n", (int) secret.iov_len,
                               (const char *) secret.iov_base);
        add(o, "user", c->user);
        add_secret(o, "secret_hash", c->secret);
        add_number(o, "secret_size", (int64_t) secret.iov_len);
        add_number(o, "issued", c->issued);
        add_number(o, "expires", c->expires);
        add_number(o, "obtained_boot", (int64_t) c->obtained_boot);
        return o;
}

static json_object *show_failure(const Failure *f) {
        json_object *o = json_object_new_object();

        add(o, "reason", reason_to_string(f->reason));
        add(o, "class", failure_class_to_string(failure_class(f)));
        add(o, "step", failure_step_to_string(f->step));
        add_number(o, "status", f->http_status);
        add_number(o, "retry_after", (int64_t) f->retry_after);
        add(o, "message", f->message);
        add(o, "words", f->words);
        add(o, "hint", failure_hint(f));
        return o;
}

static json_object *show_claims(const IdentityClaims *c) {
        json_object *o = json_object_new_object();

        add(o, "issuer", c->issuer);
        add(o, "subject", c->subject);
        add(o, "algorithm", c->algorithm);
        add(o, "key_id", c->key_id);
        add_list(o, "audience", c->audience);
        add_number(o, "issued", c->issued);
        add_number(o, "expires", c->expires);
        return o;
}

static json_object *show_trace(const Trace *t) {
        json_object *list = json_object_new_array();

        for (size_t i = 0; i < t->n_entries; i++) {
                json_object *o = json_object_new_object();

                add(o, "step", trace_step_to_string(t->entries[i].step));
                add(o, "result", trace_result_to_string(t->entries[i].result));
                add_number(o, "usec", (int64_t) t->entries[i].usec);
                add(o, "detail", t->entries[i].detail);
                (void) json_object_array_add(list, o);
        }
        return list;
}

static void show_answer(json_object *o, const Answer *a) {
        json_object *times = json_object_new_object();

        if (a->credential)
                (void) json_object_object_add(o, "credential", show_credential(a->credential));
        if (a->failure)
                (void) json_object_object_add(o, "failure", show_failure(a->failure));
        (void) json_object_object_add(o, "well", json_object_new_boolean(a->well));
        if (a->cluster)
                (void) json_object_object_add(o, "cluster", show_cluster(a->cluster));
        (void) json_object_object_add(o, "trace", show_trace(&a->trace));
        if (a->claims)
                (void) json_object_object_add(o, "claims", show_claims(a->claims));
        if (a->skew_known)
                add_number(o, "skew", a->skew_usec);
        add_list(o, "notices", a->notices);
        add_number(times, "identity", (int64_t) a->identity_usec);
        add_number(times, "exchange", (int64_t) a->exchange_usec);
        add_number(times, "verification", (int64_t) a->verification_usec);
        (void) json_object_object_add(o, "times", times);
}

static void send_cancels(Client *c) {
        for (size_t i = 0; i < c->n_cancels; i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

                if (c->cancels[i].after != c->n_answers)
                        continue;
                if (sd_bus_message_new_method_call(c->bus, &m, NULL, DOOR_PATH, DOOR_INTERFACE,
                                                   DOOR_CANCEL) >= 0 &&
                    sd_bus_message_append(m, "t", c->cancels[i].id) >= 0 &&
                    sd_bus_message_set_expect_reply(m, 0) >= 0)
                        (void) sd_bus_send(c->bus, m, NULL);
        }
}

typedef struct Call {
        Client *client;
        uint64_t id;
} Call;

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        Call *call = userdata;
        Client *c = call->client;
        _cleanup_json_ json_object *o = json_object_new_object();
        _cleanup_answer_ Answer *a = NULL;
        const sd_bus_error *error = sd_bus_message_get_error(m);

        (void) json_object_object_add(o, "id", json_object_new_uint64(call->id));
        if (error) {
                add(o, "error", error->name);
                add(o, "error_message", error->message);
        } else if (door_read_answer(m, &a) < 0)
                add(o, "error", "unreadable");
        else
                show_answer(o, a);
        printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
        (void) fflush(stdout);
        free(call);
        c->n_answers++;
        send_cancels(c);
        if (--c->n_open == 0)
                return sd_event_exit(c->event, 0);
        return 0;
}

static int take_string(json_object *o, const char *key, char **p) {
        const char *s;

        return json_get_string(o, key, &s) > 0 ? free_and_strdup(p, s) : 0;
}

/* {"KEY": "value", …} */
static int take_settings(json_object *o, char ***settings) {
        json_object_object_foreach(o, key, value) {
                int r = strv_append(settings, key);

                if (r >= 0)
                        r = strv_append(settings, json_object_get_string(value));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_secrets(json_object *o, NamedSecrets *secrets) {
        json_object_object_foreach(o, key, value) {
                Secret *secret;
                int r = secret_new_string(json_object_get_string(value), &secret);

                if (r >= 0)
                        r = named_secrets_add(secrets, key, secret);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_cluster(json_object *o, ClusterSecret **ret) {
        json_object *pairs;
        const char *data;
        ClusterSecret *s;
        int r;

        s = *ret = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        r = take_string(o, "name", &s->name);
        if (r >= 0)
                r = take_string(o, "uid", &s->uid);
        if (r >= 0)
                r = take_string(o, "version", &s->version);
        if (r >= 0 && json_get_object(o, "labels", &pairs) > 0)
                r = take_settings(pairs, &s->labels);
        if (r >= 0 && json_get_object(o, "annotations", &pairs) > 0)
                r = take_settings(pairs, &s->annotations);
        if (r >= 0 && json_get_string(o, "data", &data) > 0)
                r = secret_new_string(data, &s->data);
        return r;
}

static int request_from_json(json_object *o, Request **ret) {
        _cleanup_request_ Request *q = calloc(1, sizeof(*q));
        json_object *scopes, *settings, *secrets, *cluster;
        const char *token, *kind, *action;
        int r;

        if (!q)
                return -ENOMEM;
        q->timeout = 30 * USEC_PER_SEC;
        if (json_get_u64(o, "timeout", &q->timeout) > 0)
                q->timeout *= USEC_PER_MSEC;
        (void) json_get_u64(o, "id", &q->id);
        if (json_get_string(o, "kind", &kind) > 0)
                q->kind = request_kind_from_string(kind);
        if (json_get_string(o, "action", &action) > 0)
                q->action = cluster_action_from_string(action);
        r = take_string(o, "job", &q->job);
        if (r >= 0)
                r = take_string(o, "source", &q->source);
        if (r >= 0)
                r = take_string(o, "audience", &q->audience);
        if (r >= 0)
                r = take_string(o, "exchange", &q->exchange);
        if (r >= 0)
                r = take_string(o, "registry", &q->registry);
        if (r >= 0)
                r = take_string(o, "robot", &q->robot);
        if (r >= 0)
                r = take_string(o, "ca", &q->ca);
        if (r >= 0)
                r = take_string(o, "proxy", &q->proxy);
        if (r >= 0 && json_get_string(o, "token", &token) > 0)
                r = secret_new_string(token, &q->token);
        if (r >= 0 && json_get_object(o, "settings", &settings) > 0)
                r = take_settings(settings, &q->settings);
        if (r >= 0 && json_get_object(o, "exchange_settings", &settings) > 0)
                r = take_settings(settings, &q->exchange_settings);
        if (r >= 0 && json_get_object(o, "secrets", &secrets) > 0)
                r = take_secrets(secrets, &q->secrets);
        if (r >= 0 && json_get_object(o, "exchange_secrets", &secrets) > 0)
                r = take_secrets(secrets, &q->exchange_secrets);
        if (r >= 0 && json_get_object(o, "cluster", &cluster) > 0)
                r = take_cluster(cluster, &q->cluster);
        if (r >= 0 && json_get_array(o, "scopes", &scopes) > 0)
                for (size_t i = 0; r >= 0 && i < json_object_array_length(scopes); i++)
                        r = strv_append(&q->scopes,
                                        json_object_get_string(json_object_array_get_idx(scopes, i)));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(q);
        return 0;
}

static int send_request(Client *c, json_object *o) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_request_ Request *q = NULL;
        Call *call;
        int r;

        r = request_from_json(o, &q);
        if (r >= 0)
                r = sd_bus_message_new_method_call(c->bus, &m, NULL, DOOR_PATH, DOOR_INTERFACE, DOOR_OBTAIN);
        if (r >= 0)
                r = door_append_request(m, q);
        if (r < 0)
                return r;
        call = calloc(1, sizeof(*call));
        if (!call)
                return -ENOMEM;
        *call = (Call){ c, q->id };
        r = sd_bus_call_async(c->bus, NULL, m, on_reply, call, CALL_TIMEOUT);
        if (r < 0) {
                free(call);
                return r;
        }
        c->n_open++;
        return 0;
}

static int take_line(Client *c, const char *line) {
        _cleanup_json_erase_ json_object *o = NULL;
        Cancel cancel;
        int r;

        r = json_parse(line, strlen(line), &o, NULL);
        if (r < 0)
                return r;
        if (json_get_u64(o, "cancel", &cancel.id) <= 0)
                return send_request(c, o);
        if (json_get_u64(o, "after", &cancel.after) <= 0)
                cancel.after = 0;
        if (c->n_cancels < REQUESTS_MAX)
                c->cancels[c->n_cancels++] = cancel;
        return 0;
}

static int connect_worker(Client *c, const char *path) {
        _cleanup_free_ char *address = NULL;
        int r;

        r = text_format(&address, "unix:path=%s", path);
        if (r >= 0)
                r = sd_event_default(&c->event);
        if (r >= 0)
                r = sd_bus_new(&c->bus);
        if (r >= 0)
                r = sd_bus_set_address(c->bus, address);
        if (r >= 0)
                r = sd_bus_negotiate_fds(c->bus, 0);
        if (r >= 0)
                r = sd_bus_start(c->bus);
        if (r >= 0)
                r = sd_bus_attach_event(c->bus, c->event, 0);
        return r;
}

static int run(const char *path) {
        static Client c;
        char *line = NULL;
        size_t size = 0;
        int r;

        r = connect_worker(&c, path);
        while (r >= 0 && getline(&line, &size, stdin) > 0)
                r = take_line(&c, line);
        erase_and_free(line);
        if (r >= 0) {
                send_cancels(&c);
                r = c.n_open > 0 ? sd_event_loop(c.event) : 0;
        }
        sd_bus_close_unref(c.bus);
        sd_event_unref(c.event);
        return r;
}

int main(int argc, char *argv[]) {
        static const struct option options[] = { { "secret-fd", required_argument, NULL, 's' }, {} };
        uint64_t fd;
        int c, r;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                if (c != 's' || parse_u64(optarg, 1, 1024, &fd) < 0)
                        return EXIT_FAILURE;
                arg_secret_fd = (int) fd;
        }
        if (argc - optind != 1) {
                (void) fprintf(stderr, "usage: obtain [--secret-fd=N] SOCKET\n");
                return EXIT_FAILURE;
        }
        r = run(argv[optind]);
        if (r < 0)
                (void) fprintf(stderr, "obtain: %s\n", strerrordesc_np(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
