/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the local files that a request needs, at each attempt anew: a cached proof of identity that expired
 * would stand in the way of its own renewal.
 *
 * Owns the rules of which files are safe to believe and the sentences about those that are not. Never says
 * anything of their content. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "daemon/local-secret.h"
#include "model/door.h"

/* How each kind of file fails. */
typedef struct FileKind {
        const char *what;
        const char *key; /* of an identity whose own hints fit; NULL: those of the reasons do */
        FailureStep step;
        Reason missing, unreadable, unsafe, malformed;
} FileKind;

static const FileKind token_file = { "token file",
                                     NULL,
                                     STEP_IDENTITY,
                                     REASON_TOKEN_FILE_MISSING,
                                     REASON_TOKEN_FILE_UNREADABLE,
                                     REASON_TOKEN_FILE_UNSAFE,
                                     REASON_TOKEN_MALFORMED };
static const FileKind ca_file = { "CA file",
                                  NULL,
                                  STEP_CONFIGURATION,
                                  REASON_CA_UNREADABLE,
                                  REASON_CA_UNREADABLE,
                                  REASON_CA_UNREADABLE,
                                  REASON_CA_UNREADABLE };

static int explain(const FileKind *kind, const char *path, int error, Failure **reterr) {
        int r;

        switch (-error) {
        case ENOMEM:
                return -ENOMEM;
        case ENOENT:
                r = failure_new(reterr, kind->step, kind->missing, "The %s %s does not exist", kind->what,
                                path);
                break;
        case EPERM:
                r = failure_new(reterr, kind->step, kind->unsafe,
                                "The %s %s must belong to root and not be writable by group or others",
                                kind->what, path);
                break;
        case EISDIR:
        case EMEDIUMTYPE:
                r = failure_new(reterr, kind->step, kind->unsafe, "The %s %s is no regular file", kind->what,
                                path);
                break;
        case EFBIG:
                r = failure_new(reterr, kind->step, kind->malformed, "The %s %s is too large to be one",
                                kind->what, path);
                break;
        case EBADMSG:
                r = failure_new(reterr, kind->step, kind->malformed, "The %s %s holds NUL bytes", kind->what,
                                path);
                break;
        default:
                r = failure_new(reterr, kind->step, kind->unreadable, "The %s %s cannot be read: %s",
                                kind->what, path, strerrordesc_np(-error) ?: "unknown error");
        }
        if (r >= 0 && kind->key)
                r = failure_set_hint(*reterr, "Check %s= of the identity, and what makes this file",
                                     kind->key);
        return r < 0 ? r : 1;
}

static int read_rooted(const char *root, const char *path, size_t max, Secret **ret) {
        _cleanup_free_ char *full = NULL;
        int r;

        r = text_format(&full, "%s%s", root, path);
        if (r < 0)
                return r;
        return file_read(AT_FDCWD, full, max, FILE_READ_FOLLOW | FILE_READ_OWNED, ret, NULL);
}

/* A credential that the service manager set up when this service started. */
static int read_credential(const char *key, const char *name, size_t max, Secret **ret, Failure **reterr) {
        const char *directory = secure_getenv("CREDENTIALS_DIRECTORY");
        const FileKind kind = { "credential",
                                key,
                                STEP_IDENTITY,
                                REASON_IDENTITY_FILE_UNREADABLE,
                                REASON_IDENTITY_FILE_UNREADABLE,
                                REASON_IDENTITY_FILE_UNSAFE,
                                REASON_IDENTITY_FILE_UNSAFE };
        _cleanup_free_ char *path = NULL;
        int r = -ENOENT;

        if (directory) {
                r = text_format(&path, "%s/%s", directory, name);
                if (r >= 0)
                        r = file_read(AT_FDCWD, path, max, FILE_READ_OWNED, ret, NULL);
        }
        if (r >= 0)
                return 0;
        r = explain(&kind, name, r, reterr);
        if (r > 0)
                r = failure_set_hint(*reterr,
                                     "Give the service this credential: 'systemctl edit pullauthd.service', "
                                     "LoadCredential=%s:PATH or LoadCredentialEncrypted=, then restart it",
                                     name);
        return r < 0 ? r : 1;
}

static int read_file(const char *root, const SettingKey *k, const char *path, size_t max, Secret **ret,
                     Failure **reterr) {
        _cleanup_free_ char *what = NULL;
        FileKind kind = token_file;
        int r;

        r = text_format(&what, "file of %s=", k->key);
        if (r < 0)
                return r;
        if (!streq(k->key, "TokenFile"))
                kind = (FileKind){ what,
                                   k->key,
                                   STEP_IDENTITY,
                                   REASON_IDENTITY_FILE_UNREADABLE,
                                   REASON_IDENTITY_FILE_UNREADABLE,
                                   REASON_IDENTITY_FILE_UNSAFE,
                                   REASON_IDENTITY_FILE_UNSAFE };
        r = read_rooted(root, path, max, ret);
        return r < 0 ? explain(&kind, path, r, reterr) : 0;
}

/* Returns 0, 1 with *reterr, -ENOMEM. */
static int read_setting(const char *root, const SettingKey *k, const char *value, Secret **ret,
                        Failure **reterr) {
        const char *name =
                k->value == SETTING_VALUE_NAME ? value : startswith(value, SETTING_CREDENTIAL_PREFIX);
        size_t max = k->value == SETTING_VALUE_CA ? DOOR_CA_MAX : DOOR_TOKEN_MAX;
        int r;

        r = name ? read_credential(k->key, name, max, ret, reterr)
                 : read_file(root, k, value, max, ret, reterr);
        if (r == 0)
                secret_cut_blanks(*ret);
        return r;
}

/* The token itself has a place of its own in a request. */
static bool is_the_token(const IdentityConfig *c, const SettingKey *k) {
        return (c->source == IDENTITY_FILE && streq(k->key, "TokenFile")) ||
               (c->source == IDENTITY_CREDENTIAL && k->value == SETTING_VALUE_NAME);
}

static int take_setting(const char *root, const IdentityConfig *c, char *const setting[static 2], Request *q,
                        Failure **reterr) {
        const SettingKey *k = identity_key_find(setting[0]);
        Secret *value = NULL;
        int r;

        if (!setting_key_is_file(k)) {
                r = strv_append(&q->settings, setting[0]);
                return r < 0 ? r : strv_append(&q->settings, setting[1]);
        }
        r = read_setting(root, k, setting[1], &value, reterr);
        if (r != 0)
                return r;
        if (is_the_token(c, k)) {
                q->token = value;
                return 0;
        }
        return named_secrets_add(&q->secrets, k->key, value);
}

/* SPIFFE's own way of telling programs where its agent is; a key of the identity goes before it.
 * Returns 0, 1 with *reterr, -ENOMEM. */
static int find_agent(const IdentityConfig *c, Request *q, Failure **reterr) {
        const char *address = secure_getenv("SPIFFE_ENDPOINT_SOCKET"), *path;
        int r;

        if (c->source != IDENTITY_SPIFFE || identity_config_get(c, "Socket"))
                return 0;
        path = address ? setting_socket_path(address) : NULL;
        if (path) {
                r = strv_append(&q->settings, "Socket");
                return r < 0 ? r : strv_append(&q->settings, path);
        }
        r = failure_new(reterr, STEP_IDENTITY, REASON_CONFIGURATION_INVALID,
                        address ? "SPIFFE_ENDPOINT_SOCKET in the environment of pullauthd is no unix socket"
                                : "Nothing says where the SPIFFE agent of this host listens");
        if (r >= 0)
                r = failure_set_hint(*reterr, "Set Socket= of the identity, for example Socket=%s",
                                     identity_key_find("Socket")->example);
        return r < 0 ? r : 1;
}

#define POD_MOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

/* As the cluster tells its pods, or by the name that every cluster has. */
static int add_api_server(Request *q) {
        const char *host = secure_getenv("KUBERNETES_SERVICE_HOST"),
                   *port = secure_getenv("KUBERNETES_SERVICE_PORT");
        bool six = host && strchr(host, ':');
        char *url;
        int r;

        r = strv_append(&q->settings, "Server");
        if (r < 0)
                return r;
        if (host && text_is_token(host) && (!port || text_is_token(port)))
                r = text_format(&url, "https://%s%s%s:%s", six ? "[" : "", host, six ? "]" : "",
                                port ?: "443");
        else
                r = text_format(&url, "https://kubernetes.default.svc");
        return r < 0 ? r : strv_consume(&q->settings, url);
}

/* The namespace that the pod runs in, unless another one is named. */
static int add_namespace(const char *root, Request *q, Failure **reterr) {
        const SettingKey *k = identity_key_find("Namespace");
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = read_file(root, k, POD_MOUNT "/namespace", DOOR_TOKEN_MAX, &text, reterr);
        if (r != 0)
                return r;
        secret_cut_blanks(text);
        r = strv_append(&q->settings, k->key);
        return r < 0 ? r : strv_append(&q->settings, secret_peek(text).iov_base);
}

/* What a pod finds in itself. Returns 0, 1 with *reterr, -ENOMEM. */
static int find_cluster(const char *root, const IdentityConfig *c, Request *q, Failure **reterr) {
        char *const token[] = { (char *) "TokenFile", (char *) POD_MOUNT "/token" }, *const ca[] = {
                (char *) "CAFile", (char *) POD_MOUNT "/ca.crt"
        };
        int r;

        if (c->source != IDENTITY_KUBERNETES || !identity_config_get(c, "InCluster"))
                return 0;
        r = add_api_server(q);
        if (r == 0 && !identity_config_get(c, token[0]))
                r = take_setting(root, c, token, q, reterr);
        if (r == 0 && !identity_config_get(c, ca[0]))
                r = take_setting(root, c, ca, q, reterr);
        if (r == 0 && !identity_config_get(c, "Namespace"))
                r = add_namespace(root, q, reterr);
        return r;
}

/* What a file of the identity would be blamed for is the exchange's matter here. Returns 1 or -ENOMEM. */
static int of_exchange(const SettingKey *k, const char *value, Failure *f) {
        int r = 0;

        f->step = STEP_EXCHANGE;
        if (!startswith(value, SETTING_CREDENTIAL_PREFIX))
                r = failure_set_hint(
                        f, "Check %s= in section [Exchange] of the job, and what makes this file", k->key);
        return r < 0 ? r : 1;
}

int local_identity_read(const char *root, const IdentityConfig *c, Request *q, Failure **reterr_failure) {
        int r;

        r = free_and_strdup(&q->source, identity_source_to_string(c->source));
        if (r >= 0)
                r = free_and_strdup(&q->audience, c->audience);
        if (r < 0)
                return r;
        r = find_agent(c, q, reterr_failure);
        if (r == 0)
                r = find_cluster(root, c, q, reterr_failure);
        for (char **s = c->settings; r == 0 && s && s[0]; s += 2)
                r = take_setting(root, c, s, q, reterr_failure);
        return r;
}

int local_exchange_read(const char *root, const JobConfig *c, Request *q, Failure **reterr_failure) {
        int r;

        r = free_and_strdup(&q->exchange, exchange_kind_to_string(c->exchange));
        for (char **s = c->exchange_settings; r >= 0 && s && s[0]; s += 2) {
                const SettingKey *k = exchange_key_find(s[0]);
                Secret *value = NULL;

                if (!setting_key_is_file(k)) {
                        r = strv_append(&q->exchange_settings, s[0]);
                        if (r >= 0)
                                r = strv_append(&q->exchange_settings, s[1]);
                        continue;
                }
                r = read_setting(root, k, s[1], &value, reterr_failure);
                if (r > 0)
                        return of_exchange(k, s[1], *reterr_failure);
                if (r == 0)
                        r = named_secrets_add(&q->exchange_secrets, k->key, value);
        }
        return r < 0 ? r : 0;
}

int local_ca_read(const char *root, const char *path, char **ret, Failure **reterr_failure) {
        _cleanup_secret_ Secret *pem = NULL;
        struct iovec bytes;
        char *copy;
        int r;

        r = read_rooted(root, path, DOOR_CA_MAX, &pem);
        if (r < 0)
                return explain(&ca_file, path, r, reterr_failure);
        bytes = secret_peek(pem);
        if (!memmem(bytes.iov_base, bytes.iov_len, "-----BEGIN", 10)) {
                r = failure_new(reterr_failure, STEP_CONFIGURATION, REASON_CA_UNREADABLE,
                                "The CA file %s holds no PEM certificate", path);
                return r < 0 ? r : 1;
        }
        copy = strndup(bytes.iov_base, bytes.iov_len);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}
