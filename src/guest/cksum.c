/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/cksum.h"

/* Source: POSIX, "cksum": polynomial 0x04c11db7, the length appended. */
uint32_t
guest_cksum(const uint8_t *data, size_t len)
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
