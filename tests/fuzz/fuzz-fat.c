/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile FAT volumes: every directory and file of disk/fat.h, by their entries
 * and by their paths.
 *
 * Input: pieces of an image of 4 MiB, each an offset and a length (4 bytes,
 * little endian, each), and the bytes; the rest is zero. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "disk/fat.h"

/* A FAT16 has no less than 2 MiB. */
enum { IMAGE = 4 << 20, CONTENT = 128 << 10, MAX_DEPTH = 4, MAX_ENTRIES = 256 };

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

static int
read_image(void *opaque, uint64_t offset, void *buf, size_t len,
           struct v2v_error *err)
{
    (void)err;
    memcpy(buf, (uint8_t *)opaque + offset, len);
    return 0;
}

/* What was found is found again by its path, or is one of two of a name. */
static void
by_path(struct fat *fat, const char *dir, const struct fat_entry *entry)
{
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/%s", dir, entry->name);
    V2V_AUTO(bytes) struct v2v_bytes content = { 0 };
    V2V_AUTO(mem) char *name = NULL;
    struct fat_entry found;

    (void)fat_lookup(fat, dir, entry->name, &name, &found, NULL);
    (void)fat_read(fat, path, entry->size / 2, 1000, &content, NULL);
    if (content.len > 1000)
        abort();
}

static void
walk(struct fat *fat, const char *dir, uint32_t cluster, int depth,
     int *entries)
{
    struct fat_cursor cursor;
    struct fat_entry entry;

    if (depth == MAX_DEPTH || fat_directory(fat, cluster, &cursor, NULL) < 0)
        return;
    while (*entries < MAX_ENTRIES && fat_next(fat, &cursor, &entry, NULL) > 0) {
        V2V_AUTO(bytes) struct v2v_bytes content = { 0 };
        V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/%s", dir, entry.name);

        (*entries)++;
        by_path(fat, dir, &entry);
        if (entry.is_directory)
            walk(fat, path, entry.cluster, depth + 1, entries);
        else
            (void)fat_read_entry(fat, entry.place, 0, CONTENT, &content, NULL);
        if (content.len > CONTENT)
            abort();
        free(entry.name);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    uint8_t *image = calloc(1, IMAGE);
    struct disk_reader disk = { read_image, image, IMAGE };
    struct fat fat;
    int entries = 0;

    if (image == NULL)
        return 0;
    inflate(data, len, image);
    if (fat_open(&disk, 0, IMAGE, &fat, NULL) == 0) {
        walk(&fat, "", 0, 0, &entries);
        (void)fat_list(&fat, "/", MAX_ENTRIES, &names, NULL);
    }
    free(image);
    return 0;
}
