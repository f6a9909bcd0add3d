/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logs up to Windows 8: one bitmap of the sectors that follow it. */
#include <string.h>

#include "registry/log-private.h"

/* The bitmap: a bit for each sector of the hive bins, the least significant
 * first. */
struct bitmap {
    const uint8_t *bits;
    size_t count;
};

static bool
has_sector(const struct bitmap *map, size_t i)
{
    return (map->bits[i / 8] >> i % 8 & 1) != 0;
}

static size_t
count_sectors(const struct bitmap *map)
{
    size_t n = 0;

    for (size_t i = 0; i < map->count; i++)
        n += has_sector(map, i);
    return n;
}

static void
copy_sectors(const struct bitmap *map, const uint8_t *from, uint8_t *hbins)
{
    for (size_t i = 0; i < map->count; i++) {
        if (!has_sector(map, i))
            continue;
        memcpy(hbins + i * LOG_SECTOR, from, LOG_SECTOR);
        from += LOG_SECTOR;
    }
}

/* The sectors are one change: a log that is cut short is not applied. */
int
log_old_apply(const struct reg_log *log, struct reg_replayed *ret,
              struct v2v_error *err)
{
    static const char signature[4] = "DIRT";
    const uint8_t *data = log->data;
    uint32_t hbins_len = reg_u32(data, REG_AT_HBINS_LEN);
    size_t bitmap_at = LOG_SECTOR + sizeof signature;
    struct bitmap map = { data + bitmap_at, hbins_len / LOG_SECTOR };
    size_t sectors_at;

    if (!log_hbins_len_ok(hbins_len) || log->len < bitmap_at ||
        memcmp(data + LOG_SECTOR, signature, sizeof signature) != 0)
        return 0;
    sectors_at =
        (bitmap_at + map.count / 8 + LOG_SECTOR - 1) / LOG_SECTOR * LOG_SECTOR;
    if (log->len < sectors_at ||
        (log->len - sectors_at) / LOG_SECTOR < count_sectors(&map))
        return 0;
    if (log_resize(&ret->hive, hbins_len, err) < 0)
        return -1;
    copy_sectors(&map, data + sectors_at, ret->hive.data + REG_BASE_BLOCK_LEN);
    ret->entries = 1;
    ret->last_sequence = reg_u32(data, REG_AT_PRIMARY_SEQUENCE);
    return 0;
}
