/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was asked of Quay, for those who read its answer. */

#include "base/clock.h"
#include "base/secret.h"
#include "codec/jwt.h"

typedef struct QuayQuestion {
        const char *registry, *robot;
        const Secret *token;     /* the JWT that was sent */
        const JwtClaims *claims; /* of it */
        usec_t now;              /* our real clock */
} QuayQuestion;
