/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "catalog/hash.h"

#include <openssl/evp.h>
#include <string.h>

#include "catalog/pe.h"

int
hash_pieces(const struct catalog_piece *pieces, size_t count,
            enum catalog_hash hash, struct catalog_digest *ret,
            struct v2v_error *err)
{
    const EVP_MD *md = hash == CATALOG_SHA1 ? EVP_sha1() : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    struct catalog_digest digest = { .hash = hash };
    int ok = context != NULL && EVP_DigestInit_ex(context, md, NULL) == 1;

    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(context, pieces[i].data, pieces[i].len) == 1;
    ok = ok && EVP_DigestFinal_ex(context, digest.bytes, NULL) == 1;
    EVP_MD_CTX_free(context);
    if (!ok)
        return v2v_fail(err, V2V_ERR_INTERNAL, "libcrypto: hashing failed");
    digest.len = (size_t)EVP_MD_get_size(md);
    *ret = digest;
    return 0;
}

bool
hash_equal(const struct catalog_digest *a, const struct catalog_digest *b)
{
    return a->hash == b->hash && a->len == b->len &&
           memcmp(a->bytes, b->bytes, a->len) == 0;
}

int
catalog_sha256(const struct catalog_piece *pieces, size_t count,
               uint8_t ret[CATALOG_SHA256_LEN], struct v2v_error *err)
{
    struct catalog_digest digest;

    if (hash_pieces(pieces, count, CATALOG_SHA256, &digest, err) < 0)
        return -1;
    memcpy(ret, digest.bytes, CATALOG_SHA256_LEN);
    return 0;
}
