/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk in memory for the tests of disk/, and what may be put on it.  The
 * disk can be larger than what is kept: the rest reads as zeros. */
#ifndef V2V_TEST_DISK_IMAGE_H
#define V2V_TEST_DISK_IMAGE_H

#include <stdint.h>
#include <string.h>

#include "disk/probe.h"

struct image {
    uint8_t *data;
    size_t len;
    bool broken; /* reads fail */
};

static inline int
image_read(void *opaque, uint64_t offset, void *buf, size_t len,
           struct v2v_error *err)
{
    const struct image *image = opaque;
    size_t kept = 0;

    if (image->broken)
        return v2v_fail(err, V2V_ERR_INTERNAL, "cannot read");
    if (offset < image->len)
        kept = image->len - offset < len ? image->len - offset : len;
    if (kept > 0)
        memcpy(buf, image->data + offset, kept);
    memset((uint8_t *)buf + kept, 0, len - kept);
    return 0;
}

static inline void
put_le(uint8_t *p, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t
get_le(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = bytes; i > 0; i--)
        value = value << 8 | p[i - 1];
    return value;
}

static inline uint32_t
image_crc(const uint8_t *data, size_t len)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < len * 8; i++) {
        uint32_t bit = (uint32_t)(data[i / 8] >> (i % 8)) & 1;

        crc = crc >> 1 ^ ((crc ^ bit) & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~crc;
}

/* Make the two checksums of the GPT header at @at right. */
static inline void
image_seal_gpt(struct image *image, size_t at, unsigned sector_size)
{
    uint8_t *header = image->data + at;
    uint64_t table = get_le(header + 72, 8), size = get_le(header + 12, 4);
    uint64_t count = get_le(header + 80, 4), entry = get_le(header + 84, 4);

    if (count > 256 || entry > 4096 || size > 512 ||
        table > image->len / sector_size ||
        count * entry > image->len - table * sector_size)
        return;
    put_le(header + 88, 4,
           image_crc(image->data + table * sector_size, count * entry));
    put_le(header + 16, 4, 0);
    put_le(header + 16, 4, image_crc(header, size));
}

#endif
