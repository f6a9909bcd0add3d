/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/header.h"

#include <inttypes.h>
#include <string.h>

#include "registry/base-block.h"

uint32_t
reg_base_checksum(const uint8_t *data)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < REG_AT_CHECKSUM; i += 4)
        sum ^= reg_u32(data, i);
    if (sum == 0)
        return 1;
    return sum == UINT32_MAX ? UINT32_MAX - 1 : sum;
}

bool
reg_base_sound(const uint8_t *data)
{
    return memcmp(data, "regf", 4) == 0 &&
           reg_base_checksum(data) == reg_u32(data, REG_AT_CHECKSUM);
}

bool
reg_needs_logs(const void *data, size_t len)
{
    const uint8_t *bytes = data;

    return len >= REG_BASE_BLOCK_LEN &&
           (!reg_base_sound(bytes) ||
            reg_u32(bytes, REG_AT_PRIMARY_SEQUENCE) !=
                reg_u32(bytes, REG_AT_SECONDARY_SEQUENCE));
}

int
reg_header_read(const void *data, size_t len, struct reg_header *ret,
                struct v2v_error *err)
{
    struct reg_header h = { 0 };
    uint32_t major, minor, hbins_len;

    if (len < REG_BASE_BLOCK_LEN || memcmp(data, "regf", 4) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "not a registry hive");
    if (reg_base_checksum(data) != reg_u32(data, REG_AT_CHECKSUM))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "corrupt registry hive: the checksum of its base block "
                        "(byte 0x1fc) is wrong");
    if (reg_u32(data, REG_AT_TYPE) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "a transaction log, not a registry hive");
    major = reg_u32(data, REG_AT_MAJOR);
    minor = reg_u32(data, REG_AT_MINOR);
    if (major != 1 || minor < 3 || minor > 5)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "registry hive of version %" PRIu32 ".%" PRIu32
                        "; versions 1.3 to 1.5 are known",
                        major, minor);
    hbins_len = reg_u32(data, REG_AT_HBINS_LEN);
    if (hbins_len > len - REG_BASE_BLOCK_LEN)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "corrupt registry hive: truncated at byte %zu of %zu",
                        len, REG_BASE_BLOCK_LEN + (size_t)hbins_len);
    h.primary_sequence = reg_u32(data, REG_AT_PRIMARY_SEQUENCE);
    h.dirty = h.primary_sequence != reg_u32(data, REG_AT_SECONDARY_SEQUENCE);
    *ret = h;
    return 0;
}
