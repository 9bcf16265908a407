/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Drop-ins made for callers. As a file: what is taken for ours is what we would write again. As settings,
 * one word of the input for each key in turn: what is accepted becomes a file that says exactly that, in
 * one section, with no key that is not ours. */

#include "fuzz.h"

#include "codec/conf.h"
#include "model/job-edit.h"

static void read_file(const char *text) {
        _cleanup_(job_edit_done) JobEdit e = {};
        _cleanup_free_ char *again = NULL;
        int r;

        r = job_edit_read(text, &e);
        fuzz_assert(r == 0 || r == 1);
        if (r == 0)
                return;
        fuzz_assert(job_edit_print(&e, JOB_EDIT_DROP_IN, &again) == 0);
        fuzz_assert(streq(again, text));
}

/* Each NUL-terminated piece is a word for the next key. */
static void set_all(const char *data, size_t size, JobEdit *e) {
        JobKey k = 0;

        for (size_t i = 0; i < size; i += strlen(data + i) + 1) {
                int r = job_key_type(k) == JOB_KEY_LIST ? job_edit_add_word(e, k, data + i)
                                                        : job_edit_set_string(e, k, data + i);

                fuzz_assert(r == 0 || r == -EINVAL || r == -E2BIG);
                e->has[k] = true;
                k = (k + 1) % _JOB_KEY_MAX;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = NULL, *printed = NULL;
        _cleanup_(job_edit_done) JobEdit e = {};
        _cleanup_conf_ Conf *c = NULL;

        text = calloc(size + 1, 1);
        fuzz_assert(text);
        if (size > 0)
                memcpy(text, data, size);
        read_file(text);
        set_all(text, size, &e);
        fuzz_assert(job_edit_print(&e, JOB_EDIT_DROP_IN, &printed) == 0);
        fuzz_assert(conf_new(&c) == 0 && conf_parse(c, "x", printed, strlen(printed)) == 0);
        fuzz_assert(c->n_messages == 0);
        for (size_t i = 0; i < c->n_assignments; i++) {
                const ConfAssignment *a = c->assignments + i;
                JobKey k = job_key_from_string(a->key);

                fuzz_assert(streq(a->section, "Job") && k >= 0 && e.has[k]);
                fuzz_assert(isempty(a->value) || strv_contains(e.values[k], a->value));
        }
        read_file(printed);
        return 0;
}
