/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/header.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"

/* Offsets in the base block. */
enum {
    AT_PRIMARY_SEQUENCE = 0x04,
    AT_SECONDARY_SEQUENCE = 0x08,
    AT_MAJOR = 0x14,
    AT_MINOR = 0x18,
    AT_TYPE = 0x1c, /* 0: a primary file; 1, 2, 6: a transaction log */
    AT_HBINS_LEN = 0x28,
    AT_CHECKSUM = 0x1fc,
    BASE_BLOCK_LEN = 0x1000
};

static uint32_t
u32_at(const uint8_t *data, size_t offset)
{
    return (uint32_t)v2v_get_le(data + offset, 4);
}

/* XOR of the first 127 double words; 0 and -1 are not used as results. */
static uint32_t
checksum(const uint8_t *data)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < AT_CHECKSUM; i += 4)
        sum ^= u32_at(data, i);
    if (sum == 0)
        return 1;
    return sum == UINT32_MAX ? UINT32_MAX - 1 : sum;
}

int
reg_header_read(const void *data, size_t len, struct reg_header *ret,
                struct v2v_error *err)
{
    struct reg_header h = { 0 };
    uint32_t major;

    if (len < BASE_BLOCK_LEN || memcmp(data, "regf", 4) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "not a registry hive");
    if (checksum(data) != u32_at(data, AT_CHECKSUM))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "corrupt registry hive: the checksum of its base block "
                        "(byte 0x1fc) is wrong");
    if (u32_at(data, AT_TYPE) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "a transaction log, not a registry hive");
    major = u32_at(data, AT_MAJOR);
    h.minor = u32_at(data, AT_MINOR);
    if (major != 1 || h.minor < 3 || h.minor > 5)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "registry hive of version %" PRIu32 ".%" PRIu32
                        "; versions 1.3 to 1.5 are known",
                        major, h.minor);
    h.hbins_len = u32_at(data, AT_HBINS_LEN);
    if (h.hbins_len > len - BASE_BLOCK_LEN)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "corrupt registry hive: truncated at byte %zu of %zu",
                        len, BASE_BLOCK_LEN + (size_t)h.hbins_len);
    h.primary_sequence = u32_at(data, AT_PRIMARY_SEQUENCE);
    h.secondary_sequence = u32_at(data, AT_SECONDARY_SEQUENCE);
    h.dirty = h.primary_sequence != h.secondary_sequence;
    *ret = h;
    return 0;
}
