/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A request of kubelet is understood as a whole or refused with a sentence that repeats nothing of it. */

#include "base/text.h"
#include "kubelet/request.h"
#include "unit.h"

#define BEGIN \
        "{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"kind\":\"CredentialProviderRequest\""

static int read_text(const char *text, KubeletRequest *ret, const char **reterr) {
        _cleanup_secret_ Secret *s = NULL;

        assert_int_equal(secret_new_string(text, &s), 0);
        return kubelet_request_read(s, ret, reterr);
}

static void check(const char *text, const char *image, const char *token, const char *robot) {
        _cleanup_(kubelet_request_done) KubeletRequest q = {};
        const char *wrong = NULL;

        assert_int_equal(read_text(text, &q, &wrong), 0);
        assert_null(wrong);
        assert_string_equal(q.image, image);
        assert_true(streq_ptr(secret_peek(q.token).iov_base, token));
        assert_true(streq_ptr(q.robot, robot));
}

static void an_image_is_enough(void **state) {
        check(BEGIN ",\"image\":\"quay.io/acme/app:1\"}", "quay.io/acme/app:1", NULL, NULL);
        check(BEGIN
              ",\"image\":\"quay.io/a\",\"serviceAccountToken\":\"\",\"serviceAccountAnnotations\":{}}",
              "quay.io/a", NULL, NULL);
        check(BEGIN
              ",\"image\":\"quay.io/a\",\"serviceAccountToken\":null,\"serviceAccountAnnotations\":null}\n",
              "quay.io/a", NULL, NULL);
}

static void members_of_later_versions_are_not_looked_at(void **state) {
        check(BEGIN ",\"image\":\"quay.io/a\",\"later\":[{}]}", "quay.io/a", NULL, NULL);
}

static void a_service_account_says_which_robot_it_is(void **state) {
        check(BEGIN
              ",\"image\":\"quay.io/a\",\"serviceAccountToken\":\"e.y.J\",\"serviceAccountAnnotations\":"
              "{\"other\":\"x\",\"pullauth.org/robot\":\"acme+pod\"}}",
              "quay.io/a", "e.y.J", "acme+pod");
        check(BEGIN ",\"image\":\"quay.io/a\",\"serviceAccountAnnotations\":"
                    "{\"quay.io/federated-robot-account\":\"acme+old\"}}",
              "quay.io/a", NULL, "acme+old");
        check(BEGIN
              ",\"image\":\"quay.io/a\",\"serviceAccountAnnotations\":"
              "{\"quay.io/federated-robot-account\":\"acme+old\",\"pullauth.org/robot\":\"acme+pod\"}}",
              "quay.io/a", NULL, "acme+pod");
}

static void what_is_no_request_is_refused(void **state) {
        static const struct {
                const char *text, *words;
        } wrong[] = {
                { "", "no JSON object" },
                { "{", "no JSON object" },
                { "[]", "no JSON object" },
                { "null", "no JSON object" },
                { BEGIN ",\"image\":\"quay.io/a\"} {}", "no JSON object" },
                { BEGIN ",\"image\":\"quay.io/a\",\"image\":\"quay.io/b\"}", "no JSON object" },
                { "{\"kind\":\"CredentialProviderRequest\",\"image\":\"hidden\"}", "no apiVersion" },
                { "{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"image\":\"hidden\"}",
                  "no kind" },
                { "{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1beta1\",\"kind\":"
                  "\"CredentialProviderRequest\",\"image\":\"hidden\"}",
                  "credentialprovider.kubelet.k8s.io/v1 in kubelet's" },
                { "{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"kind\":"
                  "\"CredentialProviderResponse\",\"image\":\"hidden\"}",
                  "another kind" },
                { BEGIN "}", "no image" },
                { BEGIN ",\"image\":\"\"}", "no image" },
                { BEGIN ",\"image\":7}", "no image" },
                { BEGIN ",\"image\":\"a\",\"serviceAccountToken\":7}", "serviceAccountToken" },
                { BEGIN ",\"image\":\"a\",\"serviceAccountAnnotations\":[]}", "serviceAccountAnnotations" },
                { BEGIN ",\"image\":\"a\",\"serviceAccountAnnotations\":{\"pullauth.org/robot\":1}}",
                  "annotation" },
        };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                const char *what = NULL;
                KubeletRequest q = {};

                assert_int_equal(read_text(wrong[i].text, &q, &what), -EBADMSG);
                assert_non_null(strstr(what, wrong[i].words));
                assert_null(strstr(what, "hidden"));
                assert_null(q.image);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_image_is_enough),
                cmocka_unit_test(members_of_later_versions_are_not_looked_at),
                cmocka_unit_test(a_service_account_says_which_robot_it_is),
                cmocka_unit_test(what_is_no_request_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
