/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What gRPC puts around the messages of a call, and what it says of its end. Pure. */

#include "base/macro.h"

/* The closed list of gRPC; the numbers are those of the wire. */
typedef enum GrpcStatus {
        GRPC_OK,
        GRPC_CANCELLED,
        GRPC_UNKNOWN,
        GRPC_INVALID_ARGUMENT,
        GRPC_DEADLINE_EXCEEDED,
        GRPC_NOT_FOUND,
        GRPC_ALREADY_EXISTS,
        GRPC_PERMISSION_DENIED,
        GRPC_RESOURCE_EXHAUSTED,
        GRPC_FAILED_PRECONDITION,
        GRPC_ABORTED,
        GRPC_OUT_OF_RANGE,
        GRPC_UNIMPLEMENTED,
        GRPC_INTERNAL,
        GRPC_UNAVAILABLE,
        GRPC_DATA_LOSS,
        GRPC_UNAUTHENTICATED,
        _GRPC_STATUS_MAX,
        _GRPC_STATUS_INVALID = -EINVAL,
} GrpcStatus;

/* The field grpc-status. A number that gRPC does not know is GRPC_UNKNOWN, as it wants it. */
GrpcStatus grpc_status_parse(const char *field);

/* The field grpc-message, in which bytes are written as %XX; what is no such thing stays as it is. Returns 0
 * or -ENOMEM. */
int grpc_message_decode(const char *field, char **ret);

#define GRPC_PREFIX_SIZE 5

/* What goes before a message of that size. */
void grpc_prefix(uint8_t to[static GRPC_PREFIX_SIZE], uint32_t size);

/* The one message of an answer; points into `data`. Returns 0, -EBADMSG if that is not what there is,
 * -EOPNOTSUPP if it is compressed, which nobody asked for. */
int grpc_message_find(const void *data, size_t size, const uint8_t **ret, size_t *ret_size);
