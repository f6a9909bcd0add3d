/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry/base-block.h - the first 4 KiB of a hive, of which a log has a copy
 *
 * Source: M. Suhanov, "Windows registry file format specification". */
#ifndef V2V_REGISTRY_BASE_BLOCK_H
#define V2V_REGISTRY_BASE_BLOCK_H

#include <stdbool.h>

#include "base/bytes.h"

enum { REG_BASE_BLOCK_LEN = 0x1000 };

/* Offsets in it. */
enum {
    REG_AT_PRIMARY_SEQUENCE = 0x04,
    REG_AT_SECONDARY_SEQUENCE = 0x08,
    REG_AT_LAST_WRITTEN = 0x0c,
    REG_AT_MAJOR = 0x14,
    REG_AT_MINOR = 0x18,
    REG_AT_TYPE = 0x1c, /* 0: a primary file; 1, 2, 6: a transaction log */
    REG_AT_ROOT = 0x24, /* the root key's cell */
    REG_AT_HBINS_LEN = 0x28,
    REG_AT_FLAGS = 0x90,
    REG_AT_CHECKSUM = 0x1fc
};

static inline uint32_t
reg_u32(const uint8_t *data, size_t offset)
{
    return (uint32_t)v2v_get_le(data + offset, 4);
}

static inline void
reg_set_u32(uint8_t *data, size_t offset, uint32_t value)
{
    v2v_put_le(data + offset, value, 4);
}

/* header.c: XOR of the first 127 double words; 0 and -1 are not used as
 * results. */
uint32_t reg_base_checksum(const uint8_t *data);

/* header.c: has it its signature and that sum? */
bool reg_base_sound(const uint8_t *data);

#endif
