/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile floppies: every directory and file of media/fat.h.
 *
 * Input: pieces of an image of 128 KiB, each an offset and a length (4 bytes,
 * little endian, each), and the bytes; the rest is zero. */
#include <stdlib.h>
#include <string.h>

#include "media/fat.h"

enum { IMAGE = 128 << 10, MAX_DEPTH = 4, MAX_ENTRIES = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t
u32(const uint8_t *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 |
           (size_t)p[3] << 24;
}

static void
inflate(const uint8_t *data, size_t len, uint8_t *image)
{
    while (len >= 8) {
        size_t at = u32(data), count = u32(data + 4);

        data += 8;
        len -= 8;
        if (count > len)
            count = len;
        if (at < IMAGE && count <= IMAGE - at)
            memcpy(image + at, data, count);
        data += count;
        len -= count;
    }
}

static void
walk(const struct fat *fat, unsigned cluster, int depth, int *entries)
{
    struct fat_cursor cursor;
    struct fat_entry entry;

    if (depth == MAX_DEPTH || fat_directory(fat, cluster, &cursor, NULL) < 0)
        return;
    while (*entries < MAX_ENTRIES && fat_next(fat, &cursor, &entry, NULL) > 0) {
        V2V_AUTO(bytes) struct v2v_bytes content = { 0 };

        (*entries)++;
        if (entry.is_directory)
            walk(fat, entry.cluster, depth + 1, entries);
        else if (entry.size <= IMAGE)
            (void)fat_read(fat, entry.place, &content, NULL);
        free(entry.name);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t *image = calloc(1, IMAGE);
    struct fat fat;
    int entries = 0;

    if (image == NULL)
        return 0;
    inflate(data, len, image);
    if (fat_open(image, IMAGE, &fat, NULL) == 0)
        walk(&fat, 0, 0, &entries);
    free(image);
    return 0;
}
