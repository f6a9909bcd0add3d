/* SPDX-License-Identifier: GPL-2.0-or-later */
/* catalog/hash.h - hashes of several pieces, by libcrypto */
#ifndef V2V_CATALOG_HASH_H
#define V2V_CATALOG_HASH_H

#include "catalog/catalog.h"
#include "catalog/sha256.h"

/* The digest of all pieces, one after the other; -1 with V2V_ERR_INTERNAL. */
int hash_pieces(const struct catalog_piece *pieces, size_t count,
                enum catalog_hash hash, struct catalog_digest *ret,
                struct v2v_error *err);

bool hash_equal(const struct catalog_digest *a, const struct catalog_digest *b);

#endif
