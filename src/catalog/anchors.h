/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * catalog/anchors.h - inside catalog/: the keys that trust comes from
 *
 * Roots are not in the files they vouch for, so a root is known here by its
 * name and its whole public key, which the certificates below it verify
 * against.
 */
#ifndef V2V_CATALOG_ANCHORS_H
#define V2V_CATALOG_ANCHORS_H

#include "catalog/catalog.h"

enum anchor_role {
    ANCHOR_MICROSOFT,        /* signs what Microsoft itself vouches for */
    ANCHOR_CODE_VERIFICATION /* signs other vendors' roots */
};

struct anchor {
    const char *name; /* UTF-8: the common name in what it issued */
    enum anchor_role role;
    const unsigned char *key; /* DER SubjectPublicKeyInfo */
    size_t key_len;           /* bytes */
    uint8_t sha256[32];       /* of @key: its fingerprint, as the test checks */
    const char *source;
};

struct anchors {
    const struct anchor *items;
    size_t count;
};

/* The table. */
extern const struct anchors anchors_pinned;

/* catalog_parse() with another table, for catalogs with keys of one's own. */
int catalog_parse_with(const void *data, size_t len,
                       const struct anchors *anchors, struct catalog *ret,
                       struct v2v_error *err);

#endif
