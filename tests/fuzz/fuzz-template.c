/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Templates: every text is taken or refused with a place, and what is made of one is text again. The first
 * byte chooses the language. */

#include "fuzz.h"

#include "codec/template.h"

static size_t count(char loop, void *userdata) {
        return loop == '[' ? 2 : 1;
}

static int value(char letter, char loop, size_t index, struct iovec *ret, void *userdata) {
        static char hostile[] = "a\"b'c\\d$`#: ü";

        *ret = (struct iovec){ hostile, letter == 's' ? 1 : sizeof(hostile) - 1 };
        return letter == 'z' ? -ENOENT : 0;
}

static const char *variable(const char *name, void *userdata) {
        return name[0] == 'n' ? NULL : name;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const TemplateSource source = {
                .count = count, .value = value, .variable = variable, .numbers = "s"
        };
        _cleanup_(template_freep) Template *t = NULL;
        _cleanup_secret_ Secret *made = NULL;
        TemplateError error = {};
        QuotingLanguage language;
        int r;

        if (size == 0)
                return 0;
        language = (QuotingLanguage) (data[0] % _QUOTING_MAX);
        r = template_parse((const char *) data + 1, size - 1, language, &t, &error);
        fuzz_assert(r == 0 || r == -EBADMSG || r == -E2BIG);
        if (r == 0)
                r = template_render(t, &source, &made, &error);
        fuzz_assert(r == 0 || r == -EBADMSG || r == -E2BIG);
        if (r == -EBADMSG) {
                fuzz_assert(error.line > 0 && error.column > 0 && error.what[0] != '\0');
                fuzz_assert(text_is_utf8(error.which, strlen(error.which)));
        }
        if (r == 0)
                fuzz_assert(text_is_utf8(secret_peek(made).iov_base, secret_size(made)) &&
                            secret_is_string(made));
        return 0;
}
