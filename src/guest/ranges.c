/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/ranges.h"

#include <string.h>

enum {
    PAGE = 4096,   /* a hive's bins and NTFS' clusters are multiples of it */
    GAP = 64 << 10 /* equal bytes that are cheaper to write than a new call */
};

static bool
page_differs(const uint8_t *old, size_t old_len, const uint8_t *new,
             size_t new_len, size_t at)
{
    size_t end = new_len - at < PAGE ? new_len : at + PAGE;

    return end > old_len || memcmp(old + at, new + at, end - at) != 0;
}

bool
range_next(const uint8_t *old, size_t old_len, const uint8_t *new,
           size_t new_len, size_t at, struct range *ret)
{
    while (at < new_len && !page_differs(old, old_len, new, new_len, at))
        at += PAGE;
    if (at >= new_len)
        return false;
    *ret = (struct range){ at, at + PAGE };
    for (size_t p = ret->end; p < new_len && p - ret->end <= GAP &&
                              p + PAGE - ret->start <= RANGE_MAX;
         p += PAGE)
        if (page_differs(old, old_len, new, new_len, p))
            ret->end = p + PAGE;
    if (ret->end > new_len)
        ret->end = new_len;
    return true;
}

/* Source: POSIX, "cksum": polynomial 0x04c11db7, the length appended. */
uint32_t
range_cksum(const uint8_t *data, size_t len)
{
    uint32_t table[256], crc = 0;

    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i << 24;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] << 1 ^ (table[i] >> 31 ? 0x04c11db7 : 0);
    }
    for (size_t i = 0; i < len; i++)
        crc = crc << 8 ^ table[crc >> 24 ^ data[i]];
    for (; len > 0; len >>= 8)
        crc = crc << 8 ^ table[crc >> 24 ^ (len & 0xff)];
    return ~crc;
}
