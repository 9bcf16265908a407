/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bytes of gRPC on HTTP/2 that are not HTTP/2's: the prefix of a message and the two fields of the end.
 *
 * Owns nothing. Only calls with one message in each direction; what a message says is for the caller. */

#include <errno.h>
#include <string.h>

#include "base/scalar.h"
#include "base/text.h"
#include "codec/grpc.h"

GrpcStatus grpc_status_parse(const char *field) {
        uint64_t n;

        if (!field || parse_u64(field, 0, UINT32_MAX, &n) < 0)
                return _GRPC_STATUS_INVALID;
        return n < _GRPC_STATUS_MAX ? (GrpcStatus) n : GRPC_UNKNOWN;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int grpc_message_decode(const char *field, char **ret) {
        char *text = malloc(strlen(field) + 1), *end = text;

        if (!text)
                return -ENOMEM;
        while (*field) {
                int high = *field == '%' ? hex_digit(field[1]) : -1,
                    low = high >= 0 ? hex_digit(field[2]) : -1;

                /* A NUL would hide the rest. */
                if (low < 0 || (high == 0 && low == 0)) {
                        *end++ = *field++;
                        continue;
                }
                *end++ = (char) (high << 4 | low);
                field += 3;
        }
        *end = '\0';
        *ret = text;
        return 0;
}

void grpc_prefix(uint8_t to[static GRPC_PREFIX_SIZE], uint32_t size) {
        to[0] = 0;
        for (unsigned i = 1; i < GRPC_PREFIX_SIZE; i++)
                to[i] = (uint8_t) (size >> 8 * (GRPC_PREFIX_SIZE - 1 - i));
}

int grpc_message_find(const void *data, size_t size, const uint8_t **ret, size_t *ret_size) {
        const uint8_t *bytes = data;
        uint32_t length = 0;

        if (size < GRPC_PREFIX_SIZE)
                return -EBADMSG;
        for (unsigned i = 1; i < GRPC_PREFIX_SIZE; i++)
                length = length << 8 | bytes[i];
        if (size - GRPC_PREFIX_SIZE != length || bytes[0] > 1)
                return -EBADMSG;
        if (bytes[0] == 1)
                return -EOPNOTSUPP;
        *ret = bytes + GRPC_PREFIX_SIZE;
        *ret_size = length;
        return 0;
}
