/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Puts together what is needed to ask an API server.
 *
 * Owns the order of what says it (the settings go before the kubeconfig) and the checks that it can be
 * shown: a certificate and its key belong together, a token fits into a header line. Asks nobody. */

#include <errno.h>

#include "base/text.h"
#include "worker/client-certificate.h"
#include "worker/kubernetes-access.h"

void kubernetes_access_done(KubernetesAccess *a) {
        kubeconfig_done(&a->config);
}

/* Returns 1 or -ENOMEM. */
static int refuse_certificate(const KubernetesAccess *a, const char *complaint, Failure **reterr) {
        int r;

        r = failure_new(reterr, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED, "%s", complaint);
        if (r >= 0)
                r = failure_set_hint(
                        *reterr, "%s",
                        a->config.server
                                ? "Check client-certificate-data and client-key-data of the kubeconfig"
                                : "Check ClientCertificateFile= and ClientKeyFile=");
        return r < 0 ? r : 1;
}

/* Returns 1 or -ENOMEM. */
static int refuse(Reason reason, const char *complaint, const char *hint, Failure **reterr) {
        int r;

        r = failure_new(reterr, STEP_IDENTITY, reason, "%s", complaint);
        if (r >= 0)
                r = failure_set_hint(*reterr, "%s", hint);
        return r < 0 ? r : 1;
}

/* Returns 0, 1 with *reterr, or -ENOMEM. */
static int check(const KubernetesAccess *a, Failure **reterr) {
        const char *asker = secret_peek(a->asker).iov_base, *proxy = a->trust.proxy;

        if (proxy && !startswith(proxy, "http://") && !startswith(proxy, "https://"))
                return refuse(REASON_IDENTITY_FILE_UNREADABLE,
                              "The kubeconfig wants a proxy that is neither http:// nor https://",
                              "Correct 'proxy-url' of the cluster in the kubeconfig, or name a proxy in "
                              "Proxy=, which goes before it",
                              reterr);
        if (asker && (!secret_is_string(a->asker) || !text_is_token(asker) || isempty(asker)))
                return refuse(REASON_TOKEN_MALFORMED,
                              "The file of TokenFile= holds no token, or more than one",
                              "Let TokenFile= name a file with the token of a service account and nothing "
                              "else",
                              reterr);
        return 0;
}

static void take_trust(const Request *q, KubernetesAccess *a) {
        const Secret *ca = request_secret(q, "CAFile") ?: a->config.ca;
        struct iovec bytes = secret_peek(ca);

        a->trust = (HttpTrust){
                .ca = bytes.iov_base,
                .ca_size = bytes.iov_len,
                .proxy = request_setting(q, "Proxy") ?: a->config.proxy,
                .certificate = a->config.certificate ?: request_secret(q, "ClientCertificateFile"),
                .key = a->config.key ?: request_secret(q, "ClientKeyFile"),
        };
}

int kubernetes_access_read(const Request *q, KubernetesAccess *ret, Failure **reterr) {
        const Secret *kubeconfig = request_secret(q, "Kubeconfig");
        _cleanup_free_ char *complaint = NULL;
        int r;

        r = kubeconfig ? kubeconfig_read(kubeconfig, request_setting(q, "Context"), &ret->config, reterr)
                       : 0;
        if (r != 0)
                return r;
        ret->server = ret->config.server ?: request_setting(q, "Server");
        ret->namespace = request_setting(q, "Namespace") ?: ret->config.namespace ?: "default";
        ret->asker = ret->config.token ?: request_secret(q, "TokenFile");
        if (!ret->server)
                return -EINVAL;
        take_trust(q, ret);
        r = check(ret, reterr);
        if (r != 0)
                return r;
        if (!ret->trust.certificate && !ret->trust.key)
                return 0;
        r = client_certificate_check(ret->trust.certificate, ret->trust.key, &complaint);
        return r <= 0 ? r : refuse_certificate(ret, complaint, reterr);
}
