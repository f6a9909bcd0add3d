/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "catalog/sha256.h"

#include <openssl/evp.h>

int
catalog_sha256(const struct catalog_piece *pieces, size_t count,
               uint8_t ret[CATALOG_SHA256_LEN], struct v2v_error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok =
        context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(context, pieces[i].data, pieces[i].len) == 1;
    ok = ok && EVP_DigestFinal_ex(context, ret, NULL) == 1;
    EVP_MD_CTX_free(context);
    if (!ok)
        return v2v_fail(err, V2V_ERR_INTERNAL, "libcrypto: SHA-256 failed");
    return 0;
}
