/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why Quay gave no token. Pure. */

#include "base/failure.h"
#include "io/http.h"
#include "worker/exchange/quay-question.h"

/* From an answer with another status than 200. Returns 0 or -ENOMEM. */
int quay_refusal_read(const QuayQuestion *q, const HttpAnswer *a, Failure **ret);

/* From a request that got no answer at all (a->problem is not HTTP_OK). Returns 0 or -ENOMEM. */
int quay_refusal_of_problem(const QuayQuestion *q, const HttpAnswer *a, Failure **ret);
