/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk/mft.h"

#include <inttypes.h>
#include <string.h>

#include "disk/read.h"

/* Since Windows 10 1709. */
enum { CLUSTER_MAX = 2 << 20 };

/* Source: <ntfs-3g/layout.h>, ATTR_RECORD, ATTR_TYPES, MFT_RECORD_FLAGS,
 * NTFS_SYSTEM_FILES. */
enum { ATTR_HEADER = 24, AT_END = -1, RECORD_IN_USE = 0x0001, FILE_MFT = 0 };

/* Of a reference: those of the number. */
#define REFERENCE_BITS 48

/* ---- the volume */

int
mft_read_volume(const struct mft_volume *volume, uint64_t offset, void *buf,
                size_t len, struct v2v_error *err)
{
    if (offset > volume->size || len > volume->size - offset)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "%zu bytes at byte %" PRIu64
                        " are beyond the file system's end",
                        len, offset);
    return disk_read(volume->disk, volume->offset + offset, buf, len, err);
}

/* Sectors and clusters are stored as a count, or, where that does not fit,
 * as the negative power of two.  Source: <ntfs-3g/layout.h>,
 * clusters_per_mft_record; for clusters above 64 KiB the behaviour of
 * Windows 10 1709. */
static uint64_t
packed_size(uint8_t packed, uint8_t last_count, uint64_t unit,
            uint64_t power_unit)
{
    unsigned shift = 256u - packed;

    if (packed <= last_count)
        return packed * unit;
    return shift < 32 ? power_unit << shift : 0;
}

static int
parse_boot_sector(const uint8_t *boot, uint64_t volume_len,
                  struct mft_volume *volume, struct v2v_error *err)
{
    uint32_t sector_size = disk_le16(boot + 11);
    uint64_t sectors = disk_le64(boot + 40), mft_lcn = disk_le64(boot + 48);
    uint64_t cluster_size, record_size;

    if (memcmp(boot + 3, "NTFS    ", 8) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "no NTFS boot sector");
    if (!disk_is_power_of_two(sector_size) || sector_size < 512 ||
        sector_size > 4096)
        return v2v_fail(err, V2V_ERR_FORMAT, "sectors of %" PRIu32 " bytes",
                        sector_size);
    cluster_size = packed_size(boot[13], 128, sector_size, sector_size);
    if (!disk_is_power_of_two(cluster_size) || cluster_size > CLUSTER_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT, "clusters of %" PRIu64 " bytes",
                        cluster_size);
    record_size = packed_size(boot[64], 127, cluster_size, 1);
    if (!disk_is_power_of_two(record_size) || record_size < MFT_RECORD_MIN ||
        record_size > MFT_RECORD_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT, "MFT records of %" PRIu64 " bytes",
                        record_size);
    if (sectors > volume_len / sector_size)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the file system has %" PRIu64
                        " sectors, its volume only %" PRIu64
                        ": is the image truncated?",
                        sectors, volume_len / sector_size);
    if (mft_lcn >= sectors * sector_size / cluster_size)
        return v2v_fail(err, V2V_ERR_FORMAT, "the MFT is at cluster %" PRIu64,
                        mft_lcn);
    volume->size = sectors * sector_size;
    volume->cluster_size = (uint32_t)cluster_size;
    volume->record_size = (uint32_t)record_size;
    volume->mft_offset = mft_lcn * cluster_size;
    volume->serial = disk_le64(boot + 72);
    return 0;
}

/* ---- records */

bool
mft_undo_update_sequence(uint8_t *record, size_t len)
{
    size_t offset = disk_le16(record + 4), count = disk_le16(record + 6);
    size_t sectors = len / DISK_SECTOR;
    const uint8_t *usn;

    if (count != sectors + 1 || offset + 2 * count > len)
        return false;
    usn = record + offset;
    for (size_t i = 0; i < sectors; i++) {
        uint8_t *tail = record + (i + 1) * DISK_SECTOR - 2;

        if (memcmp(tail, usn, 2) != 0)
            return false;
    }
    for (size_t i = 0; i < sectors; i++)
        memcpy(record + (i + 1) * DISK_SECTOR - 2, usn + 2 * (i + 1), 2);
    return true;
}

static int
open_record(const struct mft_volume *volume, uint8_t *record,
            struct v2v_error *err)
{
    if (memcmp(record, "FILE", 4) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "no FILE record");
    if (!mft_undo_update_sequence(record, volume->record_size))
        return v2v_fail(err, V2V_ERR_FORMAT, "written in part only");
    return 0;
}

int
mft_read_record(const struct mft_volume *volume, uint64_t number, uint8_t *ret,
                struct v2v_error *err)
{
    if (number >> REFERENCE_BITS != 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "MFT record %" PRIu64 ": no NTFS has as many", number);
    if (mft_data_read(volume, &volume->mft, number * volume->record_size, ret,
                      volume->record_size, err) < 0 ||
        open_record(volume, ret, err) < 0)
        return v2v_fail_in(err, "MFT record %" PRIu64, number);
    return 0;
}

int
mft_check_base_record(const uint8_t *record, struct v2v_error *err)
{
    if ((disk_le16(record + 22) & RECORD_IN_USE) == 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "not in use");
    if (disk_le64(record + 32) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "belongs to another record");
    return 0;
}

uint64_t
mft_reference(uint64_t number, const uint8_t *record)
{
    return (uint64_t)disk_le16(record + 16) << REFERENCE_BITS | number;
}

int
mft_read_extension_record(const struct mft_volume *volume, uint64_t base,
                          uint64_t reference, uint8_t *ret,
                          struct v2v_error *err)
{
    uint64_t number = reference & ((UINT64_C(1) << REFERENCE_BITS) - 1);

    if (mft_read_record(volume, number, ret, err) < 0)
        return -1;
    if (mft_reference(number, ret) != reference ||
        (disk_le16(ret + 22) & RECORD_IN_USE) == 0 ||
        disk_le64(ret + 32) != base)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "MFT record %" PRIu64
                        ": belongs to another file than the attribute list "
                        "says",
                        number);
    return 0;
}

/* ---- attributes */

bool
mft_find_attr(const struct mft_volume *volume, const uint8_t *record,
              uint32_t type, struct mft_attr *ret)
{
    size_t at = disk_le16(record + 20), end = disk_le32(record + 24);

    if (end > volume->record_size)
        return false;
    while (at < end && end - at >= ATTR_HEADER &&
           disk_le32(record + at) != (uint32_t)AT_END) {
        size_t len = disk_le32(record + at + 4);

        if (len < ATTR_HEADER || len > end - at)
            return false;
        if (disk_le32(record + at) == type && record[at + 9] == 0) {
            *ret = (struct mft_attr){ record + at, len };
            return true;
        }
        at += len;
    }
    return false;
}

bool
mft_attr_is_resident(const struct mft_attr *attr)
{
    return attr->data[8] == 0;
}

bool
mft_attr_content(const struct mft_attr *attr, const uint8_t **ret,
                 size_t *ret_len)
{
    size_t len = disk_le32(attr->data + 16);
    size_t offset = disk_le16(attr->data + 20);

    if (!mft_attr_is_resident(attr) || offset > attr->len ||
        len > attr->len - offset)
        return false;
    *ret = attr->data + offset;
    *ret_len = len;
    return true;
}

/* ---- opening */

/* The first record says where the others are. */
static int
load_mft(struct mft_volume *volume, struct v2v_error *err)
{
    uint8_t record[MFT_RECORD_MAX];

    if (mft_read_volume(volume, volume->mft_offset, record, volume->record_size,
                        err) < 0 ||
        open_record(volume, record, err) < 0)
        return v2v_fail_in(err, "MFT record %d", FILE_MFT);
    if (mft_data_load(volume, FILE_MFT, record, UINT64_MAX, &volume->mft, err) <
        0)
        return v2v_fail_in(err, "$MFT");
    return 0;
}

void
mft_volume_done(struct mft_volume *volume)
{
    mft_data_done(&volume->mft);
}

int
mft_volume_init(const struct disk_reader *disk, uint64_t offset, uint64_t len,
                struct mft_volume *ret, struct v2v_error *err)
{
    V2V_AUTO(mft_volume)
    struct mft_volume volume = { .disk = disk, .offset = offset };
    uint8_t boot[DISK_SECTOR];

    if (offset > disk->size || len > disk->size - offset)
        return v2v_fail(err, V2V_ERR_FORMAT, "its volume ends beyond the disk");
    if (disk_read(disk, offset, boot, sizeof boot, err) < 0 ||
        parse_boot_sector(boot, len, &volume, err) < 0 ||
        load_mft(&volume, err) < 0)
        return -1;
    *ret = volume;
    volume.mft = (struct mft_data){ 0 };
    return 0;
}
