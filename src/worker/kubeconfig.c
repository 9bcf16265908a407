/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads a kubeconfig, of which the daemon handed over the bytes.
 *
 * Owns the rules of what is taken: one context, its cluster by https with a certificate that is checked,
 * its user by a token or a certificate that stand in the file itself. Refuses programs, plugins,
 * passwords, impersonation and other files, each with what to do instead. Never says what a value is, but
 * for names and addresses. */

#include <string.h>
#include <yaml.h>

#include "base/text.h"
#include "codec/base64.h"
#include "model/setting.h"
#include "worker/kubeconfig.h"

/* Of names in messages. */
#define SHOWN_MAX 120

static const char flatten[] =
        "Put everything into one file: 'kubectl config view --raw --flatten --minify', and name that in "
        "Kubeconfig=";
static const char own_token[] =
        "Give this host a token or a certificate of its own in the kubeconfig ('kubectl create token'); a "
        "program that prints tokens can be named by Source=exec";

typedef struct Reading {
        yaml_document_t document;
        Failure *failure;
} Reading;

static void reading_done(Reading *d) {
        yaml_document_delete(&d->document);
        failure_free(d->failure);
}

void kubeconfig_done(Kubeconfig *k) {
        free(k->server);
        free(k->namespace);
        free(k->proxy);
        secret_free(k->ca);
        secret_free(k->token);
        secret_free(k->certificate);
        secret_free(k->key);
        *k = (Kubeconfig){};
}

/* Returns 1, or -ENOMEM. `name` is shown cleaned behind the sentence. */
static int complain(Reading *d, const char *sentence, const char *name, const char *hint) {
        _cleanup_free_ char *shown = NULL;
        int r;

        r = text_clean(strempty(name), strlen(strempty(name)), SHOWN_MAX, &shown);
        if (r >= 0)
                r = failure_new(&d->failure, STEP_IDENTITY, REASON_IDENTITY_FILE_UNREADABLE,
                                name ? "The kubeconfig %s '%s'" : "The kubeconfig %s", sentence, shown);
        if (r >= 0)
                r = failure_set_hint(d->failure, "%s", hint);
        return r < 0 ? r : 1;
}

/* NULL unless it is a text. */
static const char *text_of(const yaml_node_t *n) {
        const char *s;

        if (!n || n->type != YAML_SCALAR_NODE)
                return NULL;
        s = (const char *) n->data.scalar.value;
        return strlen(s) == n->data.scalar.length ? s : NULL;
}

static yaml_node_t *member(Reading *d, const yaml_node_t *map, const char *key) {
        if (!map || map->type != YAML_MAPPING_NODE)
                return NULL;
        for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++)
                if (streq_ptr(text_of(yaml_document_get_node(&d->document, p->key)), key))
                        return yaml_document_get_node(&d->document, p->value);
        return NULL;
}

/* A member that says something. */
static const char *text_member(Reading *d, const yaml_node_t *map, const char *key) {
        const char *s = text_of(member(d, map, key));

        return isempty(s) ? NULL : s;
}

/* "clusters: [{name: NAME, cluster: …}]"; NULL if there is none of that name. */
static yaml_node_t *entry(Reading *d, const char *list, const char *name, const char *what) {
        yaml_node_t *n = member(d, yaml_document_get_root_node(&d->document), list);

        if (!n || n->type != YAML_SEQUENCE_NODE || !name)
                return NULL;
        for (const yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
                yaml_node_t *item = yaml_document_get_node(&d->document, *i);

                if (streq_ptr(text_member(d, item, "name"), name))
                        return member(d, item, what);
        }
        return NULL;
}

/* Returns 0 with *ret, NULL if there is none; 1 or -ENOMEM. */
static int take_data(Reading *d, const yaml_node_t *map, const char *key, Secret **ret) {
        const char *s = text_member(d, map, key);
        struct iovec bytes;
        int r;

        if (!s)
                return 0;
        r = base64_decode(s, strlen(s), ret);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return complain(d, "has no base64 in", key, flatten);
        /* With an authority that is none every certificate of the cluster would be told as the wrong one. */
        bytes = secret_peek(*ret);
        return memmem(bytes.iov_base, bytes.iov_len, "-----BEGIN", 10)
                       ? 0
                       : complain(d, "has no PEM text in", key, flatten);
}

typedef struct Refusal {
        const char *key, *sentence, *hint;
} Refusal;

static int refuse(Reading *d, const yaml_node_t *map, const Refusal *refusals, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const yaml_node_t *value = member(d, map, refusals[i].key);
                const char *s = text_of(value);

                if (value && !(s && (s[0] == '\0' || streq(s, "false") || streq(s, "null"))))
                        return complain(d, refusals[i].sentence, NULL, refusals[i].hint);
        }
        return 0;
}

static int read_cluster(Reading *d, const yaml_node_t *cluster, Kubeconfig *k) {
        static const Refusal refusals[] = {
                { "insecure-skip-tls-verify", "switches the check of the cluster's certificate off",
                  "Put the cluster's authority into it (certificate-authority-data) and take "
                  "'insecure-skip-tls-verify' out" },
                { "tls-server-name", "checks the cluster's certificate against another name",
                  "Use an address of the cluster that stands in its certificate" },
                { "certificate-authority", "has the cluster's authority in another file", flatten },
        };
        const char *server = text_member(d, cluster, "server"),
                   *proxy = text_member(d, cluster, "proxy-url");
        int r;

        r = refuse(d, cluster, refusals, ELEMENTSOF(refusals));
        if (r != 0)
                return r;
        if (!server || !setting_url_is_sane(server, /* plain= */ false))
                return complain(d, "has no https:// address of the cluster", NULL,
                                "Correct 'server' of the cluster in the kubeconfig");
        r = free_and_strdup(&k->server, server);
        if (r >= 0)
                r = free_and_strdup(&k->proxy, proxy);
        return r < 0 ? r : take_data(d, cluster, "certificate-authority-data", &k->ca);
}

static int read_user(Reading *d, const yaml_node_t *user, Kubeconfig *k) {
        static const Refusal refusals[] = {
                { "exec", "gets the credential by a program ('exec'), which is not run", own_token },
                { "auth-provider", "gets the credential by a plugin ('auth-provider')", own_token },
                { "tokenFile", "has the token in another file", "Use Server= and TokenFile= instead" },
                { "client-certificate", "has the certificate in another file", flatten },
                { "client-key", "has the key in another file", flatten },
                { "username", "has a user name and password, which clusters no longer take", own_token },
                { "as", "impersonates another user", "Give the user of the kubeconfig the right itself" },
        };
        const char *token = text_member(d, user, "token");
        int r;

        r = refuse(d, user, refusals, ELEMENTSOF(refusals));
        if (r == 0)
                r = take_data(d, user, "client-certificate-data", &k->certificate);
        if (r == 0)
                r = take_data(d, user, "client-key-data", &k->key);
        if (r != 0)
                return r;
        if (token && text_is_token(token))
                return secret_new_string(token, &k->token);
        if (k->certificate && k->key)
                return 0;
        return complain(d, "has neither a token nor a certificate with its key for this user", NULL,
                        own_token);
}

static int read_context(Reading *d, const char *name, Kubeconfig *k) {
        const yaml_node_t *context, *cluster, *user;
        int r;

        name = name ?: text_member(d, yaml_document_get_root_node(&d->document), "current-context");
        if (!name)
                return complain(d, "has no current context", NULL, "Name one of its contexts in Context=");
        context = entry(d, "contexts", name, "context");
        if (!context)
                return complain(d, "has no context", name,
                                "Name one of its contexts in Context= ('kubectl config get-contexts')");
        cluster = entry(d, "clusters", text_member(d, context, "cluster"), "cluster");
        user = entry(d, "users", text_member(d, context, "user"), "user");
        if (!cluster || !user)
                return complain(d, cluster ? "has no user for context" : "has no cluster for context", name,
                                flatten);
        r = read_cluster(d, cluster, k);
        if (r == 0)
                r = read_user(d, user, k);
        if (r == 0)
                r = free_and_strdup(&k->namespace, text_member(d, context, "namespace"));
        return r;
}

/* Returns 0, 1, or -ENOMEM. */
static int load(Reading *d, const Secret *text) {
        struct iovec bytes = secret_peek(text);
        yaml_parser_t parser;
        bool no_memory, loaded;

        if (!yaml_parser_initialize(&parser))
                return -ENOMEM;
        yaml_parser_set_input_string(&parser, bytes.iov_base, bytes.iov_len);
        loaded = yaml_parser_load(&parser, &d->document);
        no_memory = parser.error == YAML_MEMORY_ERROR;
        yaml_parser_delete(&parser);
        if (no_memory)
                return -ENOMEM;
        if (!loaded || !yaml_document_get_root_node(&d->document) ||
            yaml_document_get_root_node(&d->document)->type != YAML_MAPPING_NODE)
                return complain(d, "is none: it is no YAML with keys and values", NULL,
                                "Check the file that Kubeconfig= names");
        return 0;
}

int kubeconfig_read(const Secret *text, const char *context, Kubeconfig *ret, Failure **reterr) {
        _cleanup_(kubeconfig_done) Kubeconfig k = {};
        _cleanup_(reading_done) Reading d = {};
        int r;

        r = load(&d, text);
        if (r == 0)
                r = read_context(&d, context, &k);
        if (r < 0)
                return r;
        if (d.failure) {
                *reterr = TAKE_PTR(d.failure);
                return 1;
        }
        *ret = k;
        k = (Kubeconfig){};
        return 0;
}
