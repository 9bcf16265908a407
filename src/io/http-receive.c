/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers come from whoever is at the other end: every byte counts against a cap before it is kept.
 *
 * Owns the growth of the body, which may be a secret: each larger buffer is a new Secret, the smaller one is
 * erased. Does not judge what it keeps; of several fields of one name the first is kept, except that
 * challenges are joined as RFC 9110 section 5.3 says, and that the last word of gRPC counts. */

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "io/http-receive.h"

#define BODY_FIRST 4096

/* Which one counts of several. */
typedef enum HeaderMany {
        HEADER_FIRST,
        HEADER_JOINED,
        HEADER_LAST, /* and those behind the body are listened to */
} HeaderMany;

typedef struct HeaderField {
        const char *name;
        size_t offset; /* of a char * in HttpAnswer */
        HeaderMany many;
} HeaderField;

static const HeaderField header_fields[] = {
        { "Content-Type", offsetof(HttpAnswer, content_type), HEADER_FIRST },
        { "WWW-Authenticate", offsetof(HttpAnswer, www_authenticate), HEADER_JOINED },
        { "Retry-After", offsetof(HttpAnswer, retry_after), HEADER_FIRST },
        { "Date", offsetof(HttpAnswer, date), HEADER_FIRST },
        { "Location", offsetof(HttpAnswer, location), HEADER_FIRST },
        { "grpc-status", offsetof(HttpAnswer, grpc_status), HEADER_LAST },
        { "grpc-message", offsetof(HttpAnswer, grpc_message), HEADER_LAST },
};

static char **field_of(HttpAnswer *a, const HeaderField *f) {
        /* Through void: the offset is that of a pointer, so it is aligned for one. */
        return (char **) (void *) ((char *) a + f->offset);
}

static void clear_fields(HttpAnswer *a) {
        for (size_t i = 0; i < ELEMENTSOF(header_fields); i++) {
                char **p = field_of(a, header_fields + i);

                free(*p);
                *p = NULL;
        }
}

void http_answer_clear(HttpAnswer *a) {
        clear_fields(a);
        a->body = secret_free(a->body);
        free(a->problem_text);
        a->problem_text = NULL;
}

static bool is_blank(char c) {
        return strchr(WHITESPACE, c) != NULL;
}

static int keep_field(HttpAnswer *a, const HeaderField *f, const char *value, size_t size) {
        char **p = field_of(a, f);
        char *joined;
        int r;

        if (*p && f->many == HEADER_FIRST)
                return 0;
        r = *p && f->many == HEADER_JOINED ? text_format(&joined, "%s, %.*s", *p, (int) size, value)
                                           : text_format(&joined, "%.*s", (int) size, value);
        if (r < 0)
                return r;
        free(*p);
        *p = joined;
        return 0;
}

static int take_line(HttpReceive *r, const char *line, size_t size) {
        const char *colon, *value;
        size_t name_size;

        colon = memchr(line, ':', size);
        if (!colon)
                return 0;
        name_size = (size_t) (colon - line);
        value = colon + 1;
        size -= name_size + 1;
        while (size > 0 && is_blank(value[size - 1]))
                size--;
        while (size > 0 && is_blank(value[0])) {
                value++;
                size--;
        }
        if (r->in_headers && name_size == strlen("Age") && strncasecmp(line, "Age", name_size) == 0)
                r->aged = true;
        for (const HeaderField *f = header_fields; f < header_fields + ELEMENTSOF(header_fields); f++)
                if (strlen(f->name) == name_size && strncasecmp(f->name, line, name_size) == 0)
                        return !r->in_headers && f->many != HEADER_LAST
                                       ? 0
                                       : keep_field(r->answer, f, value, size);
        return 0;
}

/* Interim answers (1xx) come first and are forgotten with the next status line; lines behind the body
 * (trailers) are not listened to, but for those of gRPC, whose place that is. */
size_t http_receive_header(HttpReceive *r, const char *line, size_t size) {
        if (size > r->header_max - r->header_size) {
                r->too_large = true;
                return 0;
        }
        r->header_size += size;
        if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
                clear_fields(r->answer);
                r->aged = false;
                r->in_headers = true;
        } else if (size > 0 && (line[0] == '\r' || line[0] == '\n'))
                r->in_headers = false;
        else if (take_line(r, line, size) < 0) {
                r->out_of_memory = true;
                return 0;
        }
        return size;
}

static int grow(HttpReceive *r, size_t wanted) {
        _cleanup_secret_ Secret *larger = NULL;
        size_t size = secret_size(r->answer->body);
        struct iovec from, to;
        int k;

        if (r->answer->body && wanted <= size)
                return 0;
        size = size < BODY_FIRST ? BODY_FIRST : 2 * size;
        if (size < wanted)
                size = wanted;
        if (size > r->body_max)
                size = r->body_max;
        k = secret_new_zero(size, &larger);
        if (k < 0)
                return k;
        from = secret_peek(r->answer->body);
        to = secret_writable(larger);
        if (r->body_size > 0)
                (void) memcpy(to.iov_base, from.iov_base, r->body_size);
        secret_free(r->answer->body);
        r->answer->body = TAKE_PTR(larger);
        return 0;
}

size_t http_receive_body(HttpReceive *r, const char *data, size_t size) {
        if (size > r->body_max - r->body_size) {
                r->too_large = true;
                return 0;
        }
        if (grow(r, r->body_size + size) < 0) {
                r->out_of_memory = true;
                return 0;
        }
        if (size > 0)
                (void) memcpy((char *) secret_writable(r->answer->body).iov_base + r->body_size, data, size);
        r->body_size += size;
        return size;
}

int http_receive_end(HttpReceive *r) {
        if (r->aged) {
                free(r->answer->date);
                r->answer->date = NULL;
        }
        if (!r->answer->body)
                return secret_new("", 0, &r->answer->body);
        secret_truncate(r->answer->body, r->body_size);
        return 0;
}
