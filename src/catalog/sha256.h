/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * catalog/sha256.h - SHA-256 of a run of pieces, by libcrypto
 */
#ifndef V2V_CATALOG_SHA256_H
#define V2V_CATALOG_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { CATALOG_SHA256_LEN = 32 };

struct catalog_piece {
    const void *data;
    size_t len; /* bytes */
};

/* The digest of all pieces, one after the other; -1 with V2V_ERR_INTERNAL. */
int catalog_sha256(const struct catalog_piece *pieces, size_t count,
                   uint8_t ret[CATALOG_SHA256_LEN], struct v2v_error *err);

#endif
