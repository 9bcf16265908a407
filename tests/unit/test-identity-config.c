/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From *.identity text to an identity, or to a message that says what is missing. */

#include "unit.h"

#include "base/text.h"
#include "model/identity-config.h"

static Conf *parse(const char *text, IdentityConfig **ret) {
        Conf *conf = NULL;

        assert_ok(conf_new(&conf));
        assert_ok(strv_append(&conf->files, "/etc/pullauth/identities/x.identity"));
        assert_ok(conf_parse(conf, "/etc/pullauth/identities/x.identity", text, strlen(text)));
        assert_ok(identity_config_new("x", conf, ret));
        return conf;
}

static void a_whole_identity_is_taken(void **state) {
        _cleanup_(identity_config_freep) IdentityConfig *c = NULL, *other = NULL;
        _cleanup_conf_ Conf *conf = parse("[Identity]\nSource=file\nTokenFile=/run/t\nAudience=quay\n", &c),
                            *more = parse("[Identity]\nSource=file\nTokenFile=/run/t\nAudience=q\n", &other);

        assert_false(conf_has_error(conf));
        assert_int_equal(c->source, IDENTITY_FILE);
        assert_string_equal(identity_config_get(c, "TokenFile"), "/run/t");
        assert_string_equal(c->audience, "quay");
        assert_false(conf_has_error(more));
        assert_true(identity_config_equal(c, c));
        assert_false(identity_config_equal(c, other));
}

/* Under the sanitizers and valgrind this tells of one that was freed too early, too often or not at all. */
static void each_owner_frees_it(void **state) {
        IdentityConfig *c, *again;
        _cleanup_conf_ Conf *conf = parse("[Identity]\nSource=file\nTokenFile=/run/t\n", &c);

        assert_non_null(conf);
        again = identity_config_share(c);
        assert_ptr_equal(again, c);
        assert_null(identity_config_free(c));
        assert_string_equal(identity_config_get(again, "TokenFile"), "/run/t");
        assert_null(identity_config_free(again));
}

static void what_is_missing_or_wrong_is_said(void **state) {
        static const struct {
                const char *text;
                const char *says;
        } rows[] = {
                { "[Identity]\n", "Source=" },
                { "[Identity]\nSource=file\n", "TokenFile=" },
                { "[Identity]\nSource=magic\nTokenFile=/a\n", "magic" },
                { "[Identity]\nSource=file\nTokenFile=a\n", "absolute" },
                { "[Identity]\nSource=file\nTokenFile=/a\nAudience=a b\n", "Audience=" },
                { "", "Source=" },
                { "[Identity]\nSource=credential\nCredential=../shadow\n", "Credential=" },
                { "[Identity]\nSource=credential\nCredential=a\nCredential=\n", "Credential= is missing" },
                { "[Identity]\nSource=exec\nCommand=get-token\n", "Command=/usr/bin/get-token" },
                { "[Identity]\nSource=exec\nCommand=/bin/a\nTimeout=2h\n", "Timeout=" },
                { "[Identity]\nSource=exec\nCommand=/bin/a 'b\n", "quote" },
                { "[Identity]\nSource=azure\n", "Resource= is missing" },
                { "[Identity]\nSource=azure\nResource=a\nClientID=a\nObjectID=b\n", "at most one of" },
                { "[Identity]\nSource=gce\n", "Audience= is missing" },
                { "[Identity]\nSource=aws\n", "Audience= is missing" },
                { "[Identity]\nSource=aws\nAudience=a\nSTSEndpoint=http://a\n", "STSEndpoint=" },
                { "[Identity]\nSource=gce\nAudience=a\nMetadataServer=ftp://a\n", "MetadataServer=" },
                { "[Identity]\nSource=spiffe\nSocket=/s\n", "Audience= is missing, Source=spiffe needs it" },
                { "[Identity]\nSource=spiffe\nAudience=a\nSocket=tcp://127.0.0.1:1\n",
                  "Socket=unix:///run" },
                { "[Identity]\nSource=spiffe\nAudience=a\nSocket=unix://host/s\n", "Socket=unix:///run" },
                { "[Identity]\nSource=signed\nSubject=a\nIssuer=http://a\n", "Issuer=http://a" },
                { "[Identity]\nSource=signed\nSubject=a\nIssuer=https://u:p@a\n", "Issuer=" },
                { "[Identity]\nSource=signed\nSubject=a\nIssuer=https://\n", "Issuer=" },
                { "[Identity]\nSource=signed\nSubject=a\nIssuer=https://a\nAlgorithm=RS\n", "RS256 RS384" },
                { "[Identity]\nSource=signed\nSubject=a\nIssuer=https://a\n", "KeyFile=, KeyURI=" },
                { "[Identity]\nSource=signed\nSubject=a\nIssuer=https://a\nKeyFile=/k\nKeyURI=pkcs11:a\n",
                  "exactly one of" },
                { "[Identity]\nSource=signed\nSubject=a\nIssuer=https://a\nKeyFile=credential:\n",
                  "credential:name" },
                { "[Identity]\nSource=kubernetes\nServiceAccount=a\nServer=https://a\nTokenFile=/t\n",
                  "Audience=" },
                { "[Identity]\nSource=kubernetes\nServiceAccount=a\nAudience=q\n",
                  "Server=, InCluster=, Kubeconfig=" },
                { "[Identity]\nSource=kubernetes\nServiceAccount=a\nAudience=q\n"
                  "Server=https://a\n",
                  "TokenFile=, ClientKeyFile=" },
                { "[Identity]\nSource=kubernetes\nServiceAccount=a\nAudience=q\n"
                  "Server=https://a\nClientKeyFile=/k\n",
                  "needs ClientCertificateFile=" },
                { "[Identity]\nSource=kubernetes\nServiceAccount=a\nAudience=q\n"
                  "InCluster=yes\nBoundObject=Job/a\n",
                  "BoundObject=Node/edge-1" },
                { "[Identity]\nSource=kubernetes\nServiceAccount=a\nAudience=q\n"
                  "InCluster=yes\nBoundObject=Pod/a/\n",
                  "BoundObject=" },
                { "[Identity]\nSource=kubernetes\nServiceAccount=a\nAudience=q\n"
                  "InCluster=yes\nBoundObject=Pod\n",
                  "BoundObject=" },
                { "[Identity]\nSource=oauth2\nClientID=a\nIssuer=https://a\n",
                  "ClientSecretFile=, ClientKeyFile=" },
                { "[Identity]\nSource=oauth2\nClientID=a\nIssuer=https://a\nClientKeyFile=/k\n"
                  "ClientAuthentication=client_secret_post\n",
                  "ClientAuthentication=client_secret_post needs ClientSecretFile=" },
                { "[Identity]\nSource=oauth2\nClientID=a\nIssuer=https://a\nClientKeyFile=/k\n"
                  "ClientAuthentication=tls_client_auth\n",
                  "needs ClientCertificateFile=" },
                { "[Identity]\nSource=oauth2\nClientID=a\nIssuer=https://a\nClientSecretFile=/k\n"
                  "ClientCertificateFile=/c\n",
                  "ClientCertificateFile=/c needs ClientKeyFile=" },
                { "[Identity]\nSource=oauth2\nClientID=a\nIssuer=https://a\nClientSecretFile=/k\n"
                  "IdToken=maybe\n",
                  "boolean" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(identity_config_freep) IdentityConfig *c = NULL;
                _cleanup_conf_ Conf *conf = parse(rows[i].text, &c);

                assert_true(conf_has_error(conf));
                assert_non_null(strstr(conf->messages[0].text, rows[i].says));
                assert_string_equal(conf->messages[0].file, "/etc/pullauth/identities/x.identity");
        }
}

/* What one source takes less of than another is known when all lines are read; the message names the line
 * nevertheless. */
static void a_time_span_may_be_too_short_for_one_source_alone(void **state) {
        static const char more[] = "Source=kubernetes\nServiceAccount=a\nAudience=q\nInCluster=yes\n";
        static const char *const spans[] = { "599s", "10min", "1min" };

        for (size_t i = 0; i < ELEMENTSOF(spans); i++) {
                _cleanup_free_ char *text = NULL, *other = NULL;
                _cleanup_(identity_config_freep) IdentityConfig *c = NULL, *d = NULL;
                _cleanup_conf_ Conf *conf = NULL, *more_conf = NULL;

                assert_ok(text_format(&text, "[Identity]\nLifetime=%s\n%s", spans[i], more));
                conf = parse(text, &c);
                assert_int_equal(conf->n_messages, i == 1 ? 0 : 1);
                if (i != 1) {
                        assert_int_equal(conf->messages[0].line, 2);
                        assert_non_null(strstr(conf->messages[0].text, spans[i]));
                        assert_non_null(
                                strstr(conf->messages[0].text,
                                       "shorter than the 10min that Source=kubernetes takes at least"));
                }
                assert_ok(
                        text_format(&other, "[Identity]\nLifetime=%s\nSource=aws\nAudience=q\n", spans[i]));
                more_conf = parse(other, &d);
                assert_int_equal(more_conf->n_messages, 0);
        }
}

static void a_time_span_may_be_too_long_for_one_source_alone(void **state) {
        static const char aws[] = "Source=aws\nAudience=q\n";
        static const char signed_[] =
                "Source=signed\nKeyFile=/k\nIssuer=https://a.example\nSubject=s\nAudience=q\n";
        static const struct {
                const char *span, *source;
                bool is_long;
        } rows[] = {
                { "1h", aws, false },
                { "3601s", aws, true },
                { "1d", aws, true },
                { "1d", signed_, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = NULL;
                _cleanup_(identity_config_freep) IdentityConfig *c = NULL;
                _cleanup_conf_ Conf *conf = NULL;

                assert_ok(text_format(&text, "[Identity]\nLifetime=%s\n%s", rows[i].span, rows[i].source));
                conf = parse(text, &c);
                assert_int_equal(conf->n_messages, rows[i].is_long);
                if (!rows[i].is_long)
                        continue;
                assert_int_equal(conf->messages[0].line, 2);
                assert_non_null(strstr(conf->messages[0].text, rows[i].span));
                assert_non_null(
                        strstr(conf->messages[0].text, "longer than the 1h that Source=aws takes at most"));
        }
}

static void assert_warns(const char *text, const char *says, const char *key, const char *value) {
        _cleanup_(identity_config_freep) IdentityConfig *c = NULL;
        _cleanup_conf_ Conf *conf = parse(text, &c);

        assert_false(conf_has_error(conf));
        assert_int_equal(conf->n_messages, says ? 1 : 0);
        if (says)
                assert_non_null(strstr(conf->messages[0].text, says));
        if (value)
                assert_string_equal(identity_config_get(c, key), value);
        else
                assert_null(identity_config_get(c, key));
}

static void the_last_line_wins_and_values_are_canonical(void **state) {
        assert_warns("[Identity]\nSource=exec\nCommand=/bin/a x\nTimeout=1s\nTimeout=20s\n", NULL, "Timeout",
                     "20000000");
        assert_warns("[Identity]\nSource=exec\nCommand=/bin/a x\nTimeout=1s\nTimeout=\n", NULL, "Timeout",
                     NULL);
        assert_warns("[Identity]\nTimeout=1s\nSource=exec\nCommand=/bin/a \"x y\"\n", NULL, "Command",
                     "/bin/a \"x y\"");
        assert_warns("[Identity]\nSource=spiffe\nAudience=a\nSocket=unix:///run/s\n", NULL, "Socket",
                     "/run/s");
}

static void a_no_is_as_good_as_nothing(void **state) {
        assert_warns("[Identity]\nSource=kubernetes\nServiceAccount=a\nAudience=q\n"
                     "InCluster=on\n",
                     NULL, "InCluster", "yes");
        assert_warns("[Identity]\nSource=kubernetes\nServiceAccount=a\nAudience=q\n"
                     "InCluster=yes\nInCluster=no\n"
                     "Server=https://a\nTokenFile=/t\n",
                     NULL, "InCluster", NULL);
        assert_warns("[Identity]\nSource=kubernetes\nServiceAccount=a\nAudience=q\n"
                     "InCluster=yes\n"
                     "BoundObject=Secret/a/0b1c\n",
                     NULL, "BoundObject", "Secret/a/0b1c");
}

static void keys_of_other_sources_are_said_to_mean_nothing(void **state) {
        assert_warns("[Identity]\nSource=file\nTokenFile=/a\nCommand=/bin/x\n", "Command= means nothing",
                     "Command", NULL);
        assert_warns("[Identity]\nCommand=/bin/x\nTokenFile=/a\nSource=file\n", "Command= means nothing",
                     "TokenFile", "/a");
        assert_warns("[Identity]\nTokenFil=/a\nTokenFile=/a\nSource=file\n", "did you mean 'TokenFile'",
                     "TokenFile", "/a");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_whole_identity_is_taken),
                cmocka_unit_test(each_owner_frees_it),
                cmocka_unit_test(what_is_missing_or_wrong_is_said),
                cmocka_unit_test(a_time_span_may_be_too_short_for_one_source_alone),
                cmocka_unit_test(a_time_span_may_be_too_long_for_one_source_alone),
                cmocka_unit_test(the_last_line_wins_and_values_are_canonical),
                cmocka_unit_test(a_no_is_as_good_as_nothing),
                cmocka_unit_test(keys_of_other_sources_are_said_to_mean_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
