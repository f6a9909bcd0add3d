/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "catalog/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* No input can have an anchor's word, since none of the corpus has. */
static void
check(const struct catalog *cat)
{
    if (cat->signer.name == NULL || cat->signer.chain_count == 0 ||
        cat->signer.kind > CATALOG_SIGNER_SELF_SIGNED ||
        cat->signer.anchor != NULL)
        abort();
    for (size_t i = 0; i < cat->member_count; i++) {
        if (cat->members[i].digest.len > CATALOG_MAX_DIGEST)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct catalog cat = { 0 };
    struct v2v_error err = { 0 };
    const struct catalog_file file = { "test.inf", data, len };
    enum catalog_match match;

    if (catalog_parse(data, len, &cat, &err) < 0) {
        if (err.text[0] == '\0' || cat.signer.name != NULL)
            abort();
    } else {
        check(&cat);
        if (catalog_check_files(&cat, &file, 1, &match, &err) < 0 ||
            match == CATALOG_MATCH)
            abort();
    }
    catalog_done(&cat);
    return 0;
}
