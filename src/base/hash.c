/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SHA-256 over a list of parts, by nettle (which costs the resident daemon far less than a whole TLS
 * library). Owns nothing. Not for passwords and not for signatures: what is hashed here is compared or
 * used as a phase, and for secrets the caller adds a salt as a part of its own. */

#include <nettle/sha2.h>
#include <string.h>

#include "base/hash.h"

void hash_parts(const HashPart *parts, size_t n_parts, uint8_t ret[static HASH_SIZE]) {
        struct sha256_ctx context;

        sha256_init(&context);
        for (size_t i = 0; i < n_parts; i++) {
                uint8_t length[8];

                for (size_t k = 0; k < sizeof(length); k++)
                        length[k] = (uint8_t) ((uint64_t) parts[i].size >> (56 - 8 * k));
                sha256_update(&context, sizeof(length), length);
                sha256_update(&context, parts[i].size, parts[i].data);
        }
        sha256_digest(&context, HASH_SIZE, ret);
        /* Up to a block of what was hashed stays in the context. */
        explicit_bzero(&context, sizeof(context));
}

void hash_hex(const uint8_t hash[static HASH_SIZE], char ret[static HASH_HEX_SIZE]) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < HASH_SIZE; i++) {
                ret[2 * i] = digits[hash[i] >> 4];
                ret[2 * i + 1] = digits[hash[i] & 15];
        }
        ret[HASH_HEX_SIZE - 1] = '\0';
}
