/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 (by nettle): fingerprints of published entries, phases of schedules, trust keys. */

#include "base/macro.h"

#define HASH_SIZE 32
#define HASH_HEX_SIZE (2 * HASH_SIZE + 1)

typedef struct HashPart {
        const void *data;
        size_t size;
} HashPart;

/* Hashes the parts, each preceded by its length as 8 bytes big endian, so that no two lists of parts
 * collide by their concatenation. */
void hash_parts(const HashPart *parts, size_t n_parts, uint8_t ret[static HASH_SIZE]);
void hash_hex(const uint8_t hash[static HASH_SIZE], char ret[static HASH_HEX_SIZE]);
