/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of keys of *.identity files and the names of the sources.
 *
 * Owns nothing else: what a value may be is written here, whether one is right is for model/identity-config,
 * what it does is for the source in the worker. "Source" and "Audience" are not in it, for every source has
 * them. */

#include "base/text.h"
#include "model/identity-key.h"

static const char *const source_table[_IDENTITY_SOURCE_MAX] = {
        [IDENTITY_FILE] = "file",
        [IDENTITY_CREDENTIAL] = "credential",
        [IDENTITY_EXEC] = "exec",
        [IDENTITY_SPIFFE] = "spiffe",
        [IDENTITY_SIGNED] = "signed",
        [IDENTITY_OAUTH2] = "oauth2",
        [IDENTITY_KUBERNETES] = "kubernetes",
        [IDENTITY_GCE] = "gce",
        [IDENTITY_AZURE] = "azure",
        [IDENTITY_AWS] = "aws",
};

const char *identity_source_to_string(IdentitySource s) {
        return s >= 0 && s < _IDENTITY_SOURCE_MAX ? source_table[s] : NULL;
}

IdentitySource identity_source_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(source_table); i++)
                if (streq_ptr(s, source_table[i]))
                        return (IdentitySource) i;
        return _IDENTITY_SOURCE_INVALID;
}

int identity_source_names(char **ret) {
        _cleanup_strv_ char **names = NULL;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(source_table) && r >= 0; i++)
                r = strv_append(&names, source_table[i]);
        return r < 0 ? r : strv_join(names, ", ", ret);
}

#define FILES (1U << IDENTITY_FILE)
#define CREDENTIALS (1U << IDENTITY_CREDENTIAL)
#define EXEC (1U << IDENTITY_EXEC)
#define SPIFFE (1U << IDENTITY_SPIFFE)
#define SIGNED (1U << IDENTITY_SIGNED)
#define OAUTH2 (1U << IDENTITY_OAUTH2)
#define KUBERNETES (1U << IDENTITY_KUBERNETES)
#define GCE (1U << IDENTITY_GCE)
#define AZURE (1U << IDENTITY_AZURE)
#define AWS (1U << IDENTITY_AWS)
#define CLUSTER IDENTITY_KEY_CLUSTER

static const SettingKey keys[] = {
        /* a token as it is */
        { "TokenFile", FILES | KUBERNETES | CLUSTER, FILES, SETTING_VALUE_FILE, "/run/quay.jwt" },
        { "Credential", CREDENTIALS, CREDENTIALS, SETTING_VALUE_NAME, "quay-token" },
        { "Command", EXEC, EXEC, SETTING_VALUE_COMMAND, "/usr/bin/get-token --audience quay" },
        { "Timeout", EXEC | SPIFFE, 0, SETTING_VALUE_SPAN, "20s", .seconds = { 1, 50 } },
        /* the Workload API of SPIFFE */
        { "Socket", SPIFFE, 0, SETTING_VALUE_SOCKET, "unix:///run/spire/agent/public/api.sock" },
        { "SPIFFEID", SPIFFE, 0, SETTING_VALUE_TOKEN, "spiffe://example.com/host/edge-1",
          .prefix = "spiffe://" },
        { "Hint", SPIFFE, 0, SETTING_VALUE_TOKEN, "quay" },
        /* an OIDC issuer that knows this host as a client */
        { "Issuer", OAUTH2 | SIGNED, OAUTH2 | SIGNED, SETTING_VALUE_URL, "https://issuer.example.com" },
        { "ClientID", OAUTH2 | AZURE, OAUTH2, SETTING_VALUE_TOKEN, "edge-1" },
        { "ClientAuthentication", OAUTH2, 0, SETTING_VALUE_CHOICE, "private_key_jwt",
          .choices = "client_secret_basic client_secret_post private_key_jwt tls_client_auth" },
        { "ClientSecretFile", OAUTH2, 0, SETTING_VALUE_FILE, "credential:client-secret" },
        { "ClientCertificateFile", OAUTH2 | KUBERNETES | CLUSTER, 0, SETTING_VALUE_FILE,
          "/etc/pki/edge-1.pem" },
        { "ClientKeyFile", OAUTH2 | KUBERNETES | CLUSTER, 0, SETTING_VALUE_FILE, "/etc/pki/edge-1.key" },
        { "ClientKeyID", OAUTH2, 0, SETTING_VALUE_TOKEN, "2026-11" },
        { "Scope", OAUTH2, 0, SETTING_VALUE_TEXT, "openid" },
        { "Resource", OAUTH2 | AZURE, AZURE, SETTING_VALUE_TOKEN, "https://quay.example.com" },
        { "IdToken", OAUTH2, 0, SETTING_VALUE_BOOL, "yes" },
        /* a service account of a Kubernetes cluster */
        { "ServiceAccount", KUBERNETES | GCE, KUBERNETES, SETTING_VALUE_TOKEN, "quay-puller" },
        { "Namespace", KUBERNETES | CLUSTER, 0, SETTING_VALUE_TOKEN, "edge" },
        { "Server", KUBERNETES | CLUSTER, 0, SETTING_VALUE_URL, "https://api.cluster.example.com:6443" },
        { "Kubeconfig", KUBERNETES | CLUSTER, 0, SETTING_VALUE_FILE, "/etc/pullauth/kubeconfig" },
        { "Context", KUBERNETES | CLUSTER, 0, SETTING_VALUE_TEXT, "edge" },
        { "InCluster", KUBERNETES | CLUSTER, 0, SETTING_VALUE_BOOL, "yes" },
        { "BoundObject", KUBERNETES, 0, SETTING_VALUE_OBJECT, "Node/edge-1" },
        /* this host as its own issuer */
        { "Subject", SIGNED, SIGNED, SETTING_VALUE_TOKEN, "edge-1" },
        { "KeyFile", SIGNED, 0, SETTING_VALUE_FILE, "/etc/pullauth/key.pem" },
        { "KeyURI", SIGNED, 0, SETTING_VALUE_TOKEN, "pkcs11:token=edge;object=quay", .prefix = "pkcs11:" },
        { "PINFile", SIGNED, 0, SETTING_VALUE_FILE, "credential:pin" },
        { "PublishedKeyFile", SIGNED, 0, SETTING_VALUE_FILE, "/etc/pullauth/next.pub" },
        { "KeyID", SIGNED, 0, SETTING_VALUE_TOKEN, "2026-11" },
        { "Algorithm", SIGNED, 0, SETTING_VALUE_CHOICE, "RS256", .choices = "RS256 RS384" },
        { "Lifetime", SIGNED | KUBERNETES | AWS, 0, SETTING_VALUE_SPAN, "10min", .seconds = { 60, 86400 } },
        /* how these servers are reached; what the job says of the registry does not hold for them */
        { "CAFile", OAUTH2 | KUBERNETES | AWS | CLUSTER, 0, SETTING_VALUE_CA, "/etc/pki/issuer-ca.pem" },
        { "Proxy", OAUTH2 | KUBERNETES | AWS | CLUSTER, 0, SETTING_VALUE_URL_PLAIN,
          "http://proxy.example.com:3128" },
        /* the identity of a machine in a cloud */
        { "ObjectID", AZURE, 0, SETTING_VALUE_TOKEN, "6ba7b811-9dad-11d1-80b4-00c04fd430c8" },
        { "ManagedIdentity", AZURE, 0, SETTING_VALUE_TOKEN,
          "/subscriptions/ID/resourcegroups/edge/providers/Microsoft.ManagedIdentity/userAssignedIdentities/"
          "quay" },
        { "Region", AWS, 0, SETTING_VALUE_TOKEN, "eu-central-1" },
        { "STSEndpoint", AWS, 0, SETTING_VALUE_URL, "https://sts.eu-central-1.amazonaws.com" },
        { "MetadataServer", GCE | AZURE | AWS, 0, SETTING_VALUE_URL_PLAIN, "http://169.254.169.254" },
};

bool identity_source_needs_audience(IdentitySource s) {
        return s == IDENTITY_SPIFFE || s == IDENTITY_GCE || s == IDENTITY_KUBERNETES || s == IDENTITY_AWS;
}

const SettingKey *identity_key_find(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (streq(keys[i].key, key))
                        return keys + i;
        return NULL;
}

const SettingKey *identity_key_all(size_t *ret_n) {
        *ret_n = ELEMENTSOF(keys);
        return keys;
}
