/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk/read.h - for the files of this folder: bounded reads, little endian */
#ifndef V2V_DISK_READ_H
#define V2V_DISK_READ_H

#include "base/bytes.h"
#include "disk/probe.h"

/* The smallest sector, and the unit in which NTFS protects its records. */
enum { DISK_SECTOR = 512 };

/* The last bytes of an MBR, an EBR and a boot sector of FAT. */
enum { DISK_MARK_OFFSET = 510, DISK_MARK = 0xAA55 };

/* V2V_ERR_FORMAT when the disk ends before @offset + @len. */
int disk_read(const struct disk_reader *disk, uint64_t offset, void *buf,
              size_t len, struct v2v_error *err);

static inline bool
disk_is_power_of_two(uint64_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static inline uint16_t
disk_le16(const uint8_t *p)
{
    return (uint16_t)v2v_get_le(p, 2);
}

static inline uint32_t
disk_le32(const uint8_t *p)
{
    return (uint32_t)v2v_get_le(p, 4);
}

static inline uint64_t
disk_le64(const uint8_t *p)
{
    return v2v_get_le(p, 8);
}

#endif
