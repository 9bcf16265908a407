/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One context of a kubeconfig: which cluster, and as whom. Pure. */

#include "base/failure.h"
#include "base/secret.h"

typedef struct Kubeconfig {
        char *server;    /* https://… */
        char *namespace; /* or NULL */
        char *proxy;     /* or NULL */
        Secret *ca;      /* PEM, or NULL */
        Secret *token;   /* this, or the two below */
        Secret *certificate, *key;
} Kubeconfig;

void kubeconfig_done(Kubeconfig *k);

/* `context` NULL: the current one. What the file refers to in other files or gets from programs is
 * refused, with what to do about it. Returns 0, 1 with *reterr (step identity), -ENOMEM. */
int kubeconfig_read(const Secret *text, const char *context, Kubeconfig *ret, Failure **reterr);
