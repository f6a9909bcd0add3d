/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * disk/probe.h - what is on a disk: its partition table and, by the first
 * sector of each partition, what the partition holds
 *
 * Reads a few sectors through a callback.  Writes nothing, mounts nothing,
 * opens nothing, and does not look inside a file system: for the state of an
 * NTFS see disk/ntfs.h.  Volumes that exist only through a volume manager
 * (dynamic disks, Storage Spaces, LVM) are not taken apart: the partition
 * that belongs to the manager is reported as such.
 */
#ifndef V2V_DISK_PROBE_H
#define V2V_DISK_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/**
 * struct disk_reader - a disk as somebody else reads it
 * @read:   fills @buf with exactly @len bytes from byte @offset, or returns -1
 *          with @err; is only asked for bytes below @size, and never for more
 *          than DISK_READ_MAX at once
 * @opaque: handed to @read
 * @size:   bytes of the disk
 */
struct disk_reader {
    int (*read)(void *opaque, uint64_t offset, void *buf, size_t len,
                struct v2v_error *err);
    void *opaque;
    uint64_t size;
};

enum { DISK_READ_MAX = 1 << 20 };

enum disk_table {
    DISK_TABLE_NONE, /* a file system starts in the first sector */
    DISK_TABLE_MBR,
    DISK_TABLE_GPT
};

enum disk_content {
    DISK_UNKNOWN, /* none of the below: empty, damaged, or not Windows' */
    DISK_NTFS,
    DISK_FAT, /* FAT12, FAT16 or FAT32 */
    DISK_EXFAT,
    DISK_REFS,
    DISK_BITLOCKER,      /* also while its protection is suspended */
    DISK_LDM,            /* belongs to a dynamic disk, data or database */
    DISK_STORAGE_SPACES, /* belongs to a pool */
    DISK_MSR,            /* Microsoft Reserved: never holds a file system */
    DISK_CONTENT_COUNT
};

/* One partition, or the whole disk where there is no table. */
struct disk_volume {
    unsigned number;           /* as Linux numbers it: N of /dev/sdaN; logical
                                  partitions from 5; 0 is the whole disk */
    uint64_t offset;           /* bytes from the start of the disk */
    uint64_t len;              /* bytes; ends at the disk's end at the latest */
    enum disk_content content; /* the table's type where that decides (LDM,
                                  Storage Spaces, MSR), else the first sector */
    uint8_t mbr_type;          /* MBR: the partition's type byte; else 0 */
    uint8_t type_guid[16];     /* GPT: the type as the disk stores it; else 0 */
    uint8_t guid[16];          /* GPT: its own, as the disk stores it; else 0 */
    bool active;               /* MBR: the partition that a BIOS boots */
    bool esp;                  /* EFI system partition, by its type */
};

struct disk_layout {
    enum disk_table table;
    unsigned sector_size; /* bytes in an LBA of the table: 512, or 4096 for a
                             GPT made on a 4K native disk */
    uint8_t id[16]; /* GPT: the disk's GUID as it stores it; MBR: its signature,
                       4 bytes; else 0 */
    struct disk_volume *volumes; /* in the order of @number */
    size_t count;
};

/**
 * disk_probe() - read the partition table and classify each partition
 * @ret: written only on success; its volumes are new, disk_layout_done()
 *       frees them
 *
 * Tried in this order:
 * 1. A boot sector of NTFS, exFAT, ReFS or BitLocker in the first sector is a
 *    disk without a table.  It comes first because the code in such a sector
 *    can look like a partition table.
 * 2. GPT, announced by a protective MBR (an entry of type 0xEE): sectors of
 *    512, then of 4096 bytes, the primary header, then the backup in the last
 *    sector of the disk.  A header counts when its checksum and that of its
 *    entries are right.  Use of the backup is a warning ("gpt-backup").
 * 3. MBR with at least one partition.  Its sectors are always taken as 512
 * bytes: a BIOS does not boot from 4K native disks (Microsoft, "Advanced format
 *    (4K) disk compatibility update").
 * 4. A FAT boot sector is a disk without a table.
 * 5. An MBR without partitions.
 *
 * An entry that ends beyond the disk is cut there: old tools rounded up to a
 * cylinder.  A file system that needs the missing part says so itself.  The
 * list may be empty.
 *
 * Returns: 0, or -1 with
 * V2V_ERR_FORMAT: nothing of the above; a protective MBR with no valid GPT; a
 *     partition that starts beyond the end of the disk; a chain of logical
 *     partitions without end;
 * V2V_ERR_INTERNAL: no memory;
 * what @read returned.
 *
 * Source: UEFI specification 2.10, chapter 5 (GPT, protective MBR, type
 * 0xEE); Microsoft, "PARTITION_INFORMATION_GPT" and "Disk partition types"
 * (type GUIDs and bytes); numbers as Linux gives them: block/partitions/.
 */
int disk_probe(const struct disk_reader *disk, struct disk_layout *ret,
               struct v2v_error *err);

/* What the first sector says of a volume whose bytes have become others since
 * disk_probe(): an encrypted one that was opened. */
int disk_classify(const struct disk_reader *disk, struct disk_volume *volume,
                  struct v2v_error *err);

void disk_layout_done(struct disk_layout *layout);

static inline void
v2v_auto_disk_layout(struct disk_layout *layout)
{
    disk_layout_done(layout);
}

/* "NTFS", "BitLocker", "dynamic disk (LDM)" ...: for reports, never NULL. */
const char *disk_content_name(enum disk_content content);

/* "none", "MBR", "GPT" */
const char *disk_table_name(enum disk_table table);

#endif
