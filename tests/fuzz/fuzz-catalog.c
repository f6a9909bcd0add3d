/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "catalog/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct catalog_signer signer = { 0 };
    struct v2v_error err = { 0 };

    if (catalog_signer(data, len, &signer, &err) < 0) {
        if (err.text[0] == '\0' || signer.name != NULL)
            abort();
    } else if (signer.name == NULL || (signer.whql && signer.attestation) ||
               (signer.whql && !signer.microsoft)) {
        abort();
    }
    catalog_signer_done(&signer);
    return 0;
}
