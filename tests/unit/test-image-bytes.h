/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PE image with an import table, for tests. */
#ifndef V2V_TEST_IMAGE_BYTES_H
#define V2V_TEST_IMAGE_BYTES_H

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

/* One section at both 0x200 in the file and 0x1000 in memory, with the table
 * first and the names after it. */
enum {
    IMAGE_LEN = 0x600,
    IMAGE_AT_COFF = 0x44,
    IMAGE_AT_OPTIONAL = IMAGE_AT_COFF + 20,
    IMAGE_OPTIONAL_LEN = 0xf0, /* PE32+ */
    IMAGE_AT_SECTION = IMAGE_AT_OPTIONAL + IMAGE_OPTIONAL_LEN,
    IMAGE_AT_TABLE = 0x200,
    IMAGE_AT_NAMES = 0x300,
    IMAGE_ADDRESS = 0x1000
};

struct image_bytes {
    uint8_t data[IMAGE_LEN];
};

static inline void
image_set(struct image_bytes *image, size_t at, uint64_t value, size_t len)
{
    v2v_put_le(image->data + at, value, len);
}

/* @imports: names, ended by NULL */
static inline struct image_bytes
make_image(uint16_t machine, const char *const *imports)
{
    struct image_bytes image = { 0 };
    size_t name = IMAGE_AT_NAMES, table = IMAGE_AT_TABLE;

    memcpy(image.data, "MZ", 2);
    image_set(&image, 0x3c, 0x40, 4);
    memcpy(image.data + 0x40, "PE\0\0", 4);
    image_set(&image, IMAGE_AT_COFF, machine, 2);
    image_set(&image, IMAGE_AT_COFF + 2, 1, 2);
    image_set(&image, IMAGE_AT_COFF + 16, IMAGE_OPTIONAL_LEN, 2);
    image_set(&image, IMAGE_AT_OPTIONAL, 0x20b, 2);
    image_set(&image, IMAGE_AT_OPTIONAL + 108, 16, 4);
    image_set(&image, IMAGE_AT_OPTIONAL + 120, IMAGE_ADDRESS, 4);
    image_set(&image, IMAGE_AT_SECTION + 12, IMAGE_ADDRESS, 4);
    image_set(&image, IMAGE_AT_SECTION + 16, IMAGE_LEN - IMAGE_AT_TABLE, 4);
    image_set(&image, IMAGE_AT_SECTION + 20, IMAGE_AT_TABLE, 4);
    image_set(&image, IMAGE_AT_SECTION + 36, 0x60000020, 4); /* r-x */
    for (; *imports != NULL; imports++, table += 20) {
        image_set(&image, table + 12, name - IMAGE_AT_TABLE + IMAGE_ADDRESS, 4);
        assert(name + strlen(*imports) < IMAGE_LEN);
        memcpy(image.data + name, *imports, strlen(*imports));
        name += strlen(*imports) + 1;
    }
    return image;
}

#endif
