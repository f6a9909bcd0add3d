/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "verify/pe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pe_image image = { 0 };
    struct v2v_error err = { 0 };

    if (pe_read(data, len, &image, &err) < 0) {
        if (err.code != V2V_ERR_FORMAT || err.text[0] == '\0')
            abort();
        return 0;
    }
    if (image.imports.count > PE_IMPORTS_MAX)
        abort();
    for (size_t i = 0; i < image.imports.count; i++)
        if (strlen(image.imports.items[i]) > PE_NAME_MAX)
            abort();
    pe_image_done(&image);
    return 0;
}
