/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * verify/pe.h - of a driver's file what the loader of Windows looks at first:
 * the machine, the files that it imports from, what its sections may do
 *
 * Pure: bytes in, values out.  Whether what is imported is exported there is
 * not looked at, nor the signature (catalog/pe.h).
 *
 * Source: Microsoft, "PE Format".
 */
#ifndef V2V_VERIFY_PE_H
#define V2V_VERIFY_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "inf-parser/install.h"

struct pe_image {
    uint16_t machine;           /* IMAGE_FILE_MACHINE_...: 0x8664 */
    struct v2v_strings imports; /* "ntoskrnl.exe", "storport.sys"; in the
                                 * file's order; whatever text it has there */
    bool writable_code; /* a section that stays after the start is writable and
                         * executable: memory integrity refuses such a driver */
};

void pe_image_done(struct pe_image *image);

static inline void
v2v_auto_pe_image(struct pe_image *image)
{
    pe_image_done(image);
}

/**
 * pe_read() - the headers, the sections and the import table
 * @ret: written only on success; pe_image_done()
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT: no PE image, or cut short: a header, a
 * section or a name of the import table is outside the file, or there are more
 * than PE_IMPORTS_MAX imports.
 */
int pe_read(const void *data, size_t len, struct pe_image *ret,
            struct v2v_error *err);

/* Drivers import from less than twenty files. */
enum { PE_IMPORTS_MAX = 256, PE_NAME_MAX = 255 };

/* "x86", "amd64" ...; NULL for a machine that no Windows here has. */
const char *pe_machine_name(uint16_t machine);

/* The machine of a Windows of this architecture. */
uint16_t pe_machine_of(enum inf_arch arch);

#endif
