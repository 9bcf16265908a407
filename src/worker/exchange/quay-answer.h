/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Quay's answer to an exchange means. Pure: bytes in, credential or failure out. */

#include "base/failure.h"
#include "io/http.h"
#include "model/credential.h"
#include "worker/exchange/quay-question.h"

/* `a` is an answer (a->problem is HTTP_OK). Returns 0 with *ret, 1 with *reterr, -ENOMEM. What is worth
 * knowing and stops nothing is appended to *notices. */
int quay_answer_read(const QuayQuestion *q, const HttpAnswer *a, Credential **ret, Failure **reterr,
                     char ***notices);
