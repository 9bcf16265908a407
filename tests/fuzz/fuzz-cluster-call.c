/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an API server of Kubernetes may answer of a Secret: a letter for the action and one for the status,
 * then the body. There is a Secret that can be asked for again, none, or a failure that can be shown and
 * repeats nothing of what was sent. */

#include "fuzz.h"

#include "worker/cluster-call.h"

#define ASKER "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJpIn0.c2lnbmF0dXJlc2lnbmF0dXJl"

static void check_failure(const Failure *f) {
        fuzz_assert(f->step == STEP_PUBLICATION && failure_class(f) == FAILURE_PUBLISH && f->message[0]);
        fuzz_assert_clean(f->message);
        fuzz_assert_clean(failure_hint(f));
        if (!f->words)
                return;
        fuzz_assert_clean(f->words);
        for (size_t i = 0; i + 12 <= strlen(ASKER); i++)
                fuzz_assert(!memmem(f->words, strlen(f->words), &ASKER[i], 12));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const int statuses[] = { 200, 403, 404, 409, 500 };
        static char *labels[] = { (char *) "app.kubernetes.io/managed-by", (char *) "", NULL };
        const ClusterSecret asked = { .name = (char *) "s", .labels = labels, .annotations = labels };
        _cleanup_(cluster_secret_freep) ClusterSecret *found = NULL;
        _cleanup_secret_ Secret *body = NULL, *asker = NULL;
        _cleanup_failure_ Failure *f = NULL;
        HttpAnswer a = {};
        ClusterCall c;
        int r;

        if (size < 2)
                return 0;
        fuzz_assert(secret_new(data + 2, size - 2, &body) == 0 && secret_new_string(ASKER, &asker) == 0);
        c = (ClusterCall){ data[0] % _CLUSTER_ACTION_MAX, &asked, "https://api", "edge", asker };
        a.status = statuses[data[1] % ELEMENTSOF(statuses)];
        a.body = body;
        r = cluster_call_read(&c, &a, &found, &f);
        fuzz_assert(r == (f ? 1 : 0) && (!f || !found));
        if (f)
                check_failure(f);
        if (!found)
                return 0;
        fuzz_assert(c.action == CLUSTER_READ && streq(found->name, "s"));
        fuzz_assert(text_is_token(found->uid) && text_is_token(found->version));
        fuzz_assert(strv_length(found->labels) <= 2 && strv_length(found->annotations) <= 2);
        return 0;
}
