/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "catalog/pe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct catalog_signer signer = { 0 };
    struct catalog_digest digest;
    struct v2v_error err = { 0 };
    int hashed = catalog_pe_hash(data, len, CATALOG_SHA256, &digest, &err);

    if (hashed < 0 && err.text[0] == '\0')
        abort();
    if (hashed == 0 && !catalog_is_pe(data, len))
        abort();
    /* what cannot be hashed is not signed either */
    if (catalog_pe_signer(data, len, &signer, &err) == 0 &&
        (hashed < 0 || signer.name == NULL || signer.anchor != NULL))
        abort();
    catalog_signer_done(&signer);
    return 0;
}
