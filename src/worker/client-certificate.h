/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A certificate that this host shows in the handshake, and its key: do they belong together? Asked before,
 * for TLS libraries say of both mistakes that the server is to blame. */

#include "base/secret.h"

/* Both in PEM form. Returns 0; 1 with *reterr, a sentence without secrets; -ENOMEM. */
int client_certificate_check(const Secret *certificate, const Secret *key, char **reterr);
