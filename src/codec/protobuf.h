/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages of protocol buffers, as bytes: enough for those that are made of strings and of one another.
 * Pure; nothing is copied. */

#include "base/macro.h"

typedef enum ProtobufType {
        PROTOBUF_NUMBER, /* of any width; passed over, and its value with it */
        PROTOBUF_BYTES,  /* a string, bytes, or another message */
        _PROTOBUF_TYPE_MAX,
        _PROTOBUF_TYPE_INVALID = -EINVAL,
} ProtobufType;

typedef struct ProtobufReader { /* what has not been read yet */
        const uint8_t *data;
        size_t size;
} ProtobufReader;

typedef struct ProtobufField {
        uint32_t number;
        ProtobufType type;
        const uint8_t *data; /* PROTOBUF_BYTES: points into the message */
        size_t size;
} ProtobufField;

/* Returns 1 with the next field, 0 at the end, -EBADMSG for what is no message. */
int protobuf_next(ProtobufReader *r, ProtobufField *ret);

/* Writes a field to `to`, or only counts if that is NULL. Returns how many bytes it has. */
size_t protobuf_put(uint8_t *to, uint32_t number, const void *data, size_t size);
