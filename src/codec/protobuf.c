/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The wire format of protocol buffers: a row of fields, each with its number and its length.
 *
 * Owns nothing and copies nothing: what it finds points into the message, so that a secret in it has no
 * second copy. Knows no schema; which fields count is for the caller, who passes over the rest, as the
 * format wants it. Groups, which ended with version 2 of the language, are refused. */

#include <errno.h>
#include <string.h>

#include "codec/protobuf.h"

#define NUMBER_MAX ((UINT32_C(1) << 29) - 1)

typedef enum WireType {
        WIRE_VARINT = 0,
        WIRE_FIXED64 = 1,
        WIRE_BYTES = 2,
        WIRE_FIXED32 = 5,
} WireType;

/* Seven bits in each byte, the lowest first; the eighth says that more follow. */
static int take_varint(ProtobufReader *r, uint64_t *ret) {
        uint64_t value = 0;

        for (unsigned shift = 0; shift < 64 && r->size > 0; shift += 7) {
                uint8_t byte = *r->data++;

                r->size--;
                /* Of the tenth byte one bit is left. */
                if (shift == 63 && byte > 1)
                        break;
                value |= (uint64_t) (byte & 0x7f) << shift;
                if (!(byte & 0x80)) {
                        *ret = value;
                        return 0;
                }
        }
        return -EBADMSG;
}

static int skip(ProtobufReader *r, size_t size) {
        if (size > r->size)
                return -EBADMSG;
        r->data += size;
        r->size -= size;
        return 0;
}

static int take_value(ProtobufReader *r, unsigned wire, ProtobufField *f) {
        uint64_t value;
        int k;

        f->type = PROTOBUF_NUMBER;
        switch (wire) {
        case WIRE_VARINT:
                return take_varint(r, &value);
        case WIRE_FIXED64:
                return skip(r, sizeof(uint64_t));
        case WIRE_FIXED32:
                return skip(r, sizeof(uint32_t));
        case WIRE_BYTES:
                k = take_varint(r, &value);
                if (k < 0 || value > r->size)
                        return -EBADMSG;
                f->type = PROTOBUF_BYTES;
                f->data = r->data;
                f->size = (size_t) value;
                return skip(r, f->size);
        }
        return -EBADMSG;
}

int protobuf_next(ProtobufReader *r, ProtobufField *ret) {
        ProtobufField f = {};
        uint64_t tag;
        int k;

        if (r->size == 0)
                return 0;
        k = take_varint(r, &tag);
        if (k < 0 || tag >> 3 < 1 || tag >> 3 > NUMBER_MAX)
                return -EBADMSG;
        f.number = (uint32_t) (tag >> 3);
        k = take_value(r, tag & 7, &f);
        if (k < 0)
                return k;
        *ret = f;
        return 1;
}

static size_t put_varint(uint8_t *to, uint64_t value) {
        size_t n = 0;

        do {
                uint8_t more = value > 0x7f ? 0x80 : 0;

                if (to)
                        to[n] = (uint8_t) (value & 0x7f) | more;
                n++;
                value >>= 7;
        } while (value > 0);
        return n;
}

size_t protobuf_put(uint8_t *to, uint32_t number, const void *data, size_t size) {
        size_t n;

        n = put_varint(to, (uint64_t) number << 3 | WIRE_BYTES);
        n += put_varint(to ? to + n : NULL, size);
        if (to && size > 0)
                (void) memcpy(to + n, data, size);
        return n + size;
}
