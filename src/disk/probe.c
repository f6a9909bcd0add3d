/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "disk/read.h"

/* Linux gives 256 minors to a disk: no more partitions can be addressed. */
enum { VOLUMES_MAX = 256, LOGICAL_LINKS_MAX = 256 };

/* Master and extended boot record.  UEFI 2.10, table 5.1 and 5.2. */
enum {
    MBR_SIGNATURE = 440,
    MBR_SIGNATURE_LEN = 4,
    MBR_TABLE = 446,
    MBR_ENTRY = 16,
    MBR_ENTRIES = 4,
    EBR_ENTRIES = 2, /* the partition and the link; Linux's other two are for
                        systems older than Windows */
    MBR_ACTIVE = 0x80
};

enum {
    TYPE_EXTENDED = 0x05,
    TYPE_EXTENDED_LBA = 0x0F,
    TYPE_EXTENDED_LINUX = 0x85,
    TYPE_GPT_PROTECTIVE = 0xEE,
    TYPE_ESP = 0xEF
};

struct mbr_entry {
    uint8_t boot;
    uint8_t type;
    uint32_t start; /* sectors */
    uint32_t count; /* sectors; 0: unused */
};

/* GPT header and entries.  UEFI 2.10, tables 5.5 and 5.6. */
enum { GPT_HEADER_MIN = 92, GPT_ENTRY_MIN = 128 };

/* Types of MBR partition that say more than the partition's first sector.
 * Source: Microsoft, "Disk partition types" (PARTITION_LDM) and winioctl.h
 * of the Windows SDK (PARTITION_SPACES). */
static const struct {
    uint8_t type;
    enum disk_content content;
} mbr_contents[] = {
    { 0x42, DISK_LDM },
    { 0xE7, DISK_STORAGE_SPACES },
};

/* The same for GPT, GUIDs as the disk stores them.  Source: Microsoft,
 * "PARTITION_INFORMATION_GPT structure (winioctl.h)"; the ESP: UEFI 2.10,
 * table 5.7. */
static const uint8_t gpt_esp[16] = { 0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8,
                                     0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0,
                                     0xC9, 0x3E, 0xC9, 0x3B };
static const struct {
    uint8_t guid[16];
    enum disk_content content;
} gpt_contents[] = {
    /* e3c9e316-0b5c-4db8-817d-f92df00215ae */
    { { 0x16, 0xE3, 0xC9, 0xE3, 0x5C, 0x0B, 0xB8, 0x4D, 0x81, 0x7D, 0xF9, 0x2D,
        0xF0, 0x02, 0x15, 0xAE },
      DISK_MSR },
    /* 5808c8aa-7e8f-42e0-85d2-e1e90434cfb3: its database */
    { { 0xAA, 0xC8, 0x08, 0x58, 0x8F, 0x7E, 0xE0, 0x42, 0x85, 0xD2, 0xE1, 0xE9,
        0x04, 0x34, 0xCF, 0xB3 },
      DISK_LDM },
    /* af9b60a0-1431-4f62-bc68-3311714a69ad: its data */
    { { 0xA0, 0x60, 0x9B, 0xAF, 0x31, 0x14, 0x62, 0x4F, 0xBC, 0x68, 0x33, 0x11,
        0x71, 0x4A, 0x69, 0xAD },
      DISK_LDM },
    /* e75caf8f-f680-4cee-afa3-b001e56efc2d */
    { { 0x8F, 0xAF, 0x5C, 0xE7, 0x80, 0xF6, 0xEE, 0x4C, 0xAF, 0xA3, 0xB0, 0x01,
        0xE5, 0x6E, 0xFC, 0x2D },
      DISK_STORAGE_SPACES },
};

/* The OEM name at byte 3 of a boot sector.  Sources: <ntfs-3g/layout.h>;
 * Microsoft, "exFAT file system specification", 3.1.2; the public
 * descriptions of ReFS and BitLocker by libfsrefs and libbde. */
enum { OEM_NAME = 3, OEM_NAME_LEN = 8 };
static const struct {
    char oem[OEM_NAME_LEN + 1];
    enum disk_content content;
} boot_sectors[] = {
    { "NTFS    ", DISK_NTFS },
    { "EXFAT   ", DISK_EXFAT },
    { "ReFS\0\0\0\0", DISK_REFS },
    { "-FVE-FS-", DISK_BITLOCKER },
};

static const char *const content_names[DISK_CONTENT_COUNT] = {
    [DISK_UNKNOWN] = "unknown",
    [DISK_NTFS] = "NTFS",
    [DISK_FAT] = "FAT",
    [DISK_EXFAT] = "exFAT",
    [DISK_REFS] = "ReFS",
    [DISK_BITLOCKER] = "BitLocker",
    [DISK_LDM] = "dynamic disk (LDM)",
    [DISK_STORAGE_SPACES] = "Storage Spaces",
    [DISK_MSR] = "Microsoft Reserved",
};

const char *
disk_content_name(enum disk_content content)
{
    return (unsigned)content < DISK_CONTENT_COUNT ? content_names[content]
                                                  : "unknown";
}

const char *
disk_table_name(enum disk_table table)
{
    return table == DISK_TABLE_MBR   ? "MBR"
           : table == DISK_TABLE_GPT ? "GPT"
                                     : "none";
}

void
disk_layout_done(struct disk_layout *layout)
{
    free(layout->volumes);
    *layout = (struct disk_layout){ 0 };
}

static bool
has_mark(const uint8_t *sector)
{
    return disk_le16(sector + DISK_MARK_OFFSET) == DISK_MARK;
}

/* FAT has no magic: its boot sector is known by sizes that make sense.
 * Source: Microsoft, "FAT: General Overview of On-Disk Format" 1.03, pages
 * 9 to 11. */
static bool
is_fat(const uint8_t *sector)
{
    uint16_t sector_size = disk_le16(sector + 11);
    uint8_t fats = sector[16], media = sector[21];

    return has_mark(sector) && (sector[0] == 0xEB || sector[0] == 0xE9) &&
           disk_is_power_of_two(sector_size) && sector_size >= 512 &&
           sector_size <= 4096 && disk_is_power_of_two(sector[13]) &&
           disk_le16(sector + 14) != 0 && (fats == 1 || fats == 2) &&
           (media == 0xF0 || media >= 0xF8);
}

/* By a name in the sector alone, so that a partition table is never taken
 * for a file system. */
static enum disk_content
named_content(const uint8_t *sector)
{
    for (size_t i = 0; i < sizeof boot_sectors / sizeof *boot_sectors; i++)
        if (memcmp(sector + OEM_NAME, boot_sectors[i].oem, OEM_NAME_LEN) == 0)
            return boot_sectors[i].content;
    return DISK_UNKNOWN;
}

static enum disk_content
sector_content(const uint8_t *sector)
{
    enum disk_content content = named_content(sector);

    return content == DISK_UNKNOWN && is_fat(sector) ? DISK_FAT : content;
}

static enum disk_content
content_by_type(const struct disk_volume *volume, enum disk_table table)
{
    if (table == DISK_TABLE_MBR) {
        for (size_t i = 0; i < sizeof mbr_contents / sizeof *mbr_contents; i++)
            if (volume->mbr_type == mbr_contents[i].type)
                return mbr_contents[i].content;
    } else {
        for (size_t i = 0; i < sizeof gpt_contents / sizeof *gpt_contents; i++)
            if (memcmp(volume->type_guid, gpt_contents[i].guid,
                       sizeof volume->type_guid) == 0)
                return gpt_contents[i].content;
    }
    return DISK_UNKNOWN;
}

/* A cut partition can be shorter than a sector; it holds nothing then. */
int
disk_classify(const struct disk_reader *disk, struct disk_volume *volume,
              struct v2v_error *err)
{
    uint8_t sector[DISK_SECTOR];

    if (volume->len < sizeof sector)
        return 0;
    if (disk_read(disk, volume->offset, sector, sizeof sector, err) < 0)
        return -1;
    volume->content = sector_content(sector);
    return 0;
}

static int
classify(const struct disk_reader *disk, enum disk_table table,
         struct disk_volume *volume, struct v2v_error *err)
{
    volume->content = content_by_type(volume, table);
    return volume->content != DISK_UNKNOWN ? 0
                                           : disk_classify(disk, volume, err);
}

/* @start and @count: sectors, of a partition with its other fields set. */
static int
add_partition(const struct disk_reader *disk, struct disk_layout *layout,
              struct disk_volume volume, uint64_t start, uint64_t count,
              struct v2v_error *err)
{
    uint64_t sectors = disk->size / layout->sector_size;
    struct disk_volume *grown;

    if (start >= sectors)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "partition %u starts at sector %" PRIu64
                        ", but the disk has %" PRIu64
                        ": is the image truncated?",
                        volume.number, start, sectors);
    if (layout->count == VOLUMES_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT, "more than %d partitions",
                        VOLUMES_MAX);
    if (count > sectors - start)
        count = sectors - start;
    volume.offset = start * layout->sector_size;
    volume.len = count * layout->sector_size;
    if (classify(disk, layout->table, &volume, err) < 0)
        return v2v_fail_in(err, "partition %u", volume.number);

    grown = realloc(layout->volumes, (layout->count + 1) * sizeof *grown);
    if (grown == NULL)
        return v2v_fail_errno(err, errno, "list of partitions");
    layout->volumes = grown;
    layout->volumes[layout->count++] = volume;
    return 0;
}

static struct mbr_entry
mbr_entry(const uint8_t *sector, size_t i)
{
    const uint8_t *p = sector + MBR_TABLE + i * MBR_ENTRY;

    return (struct mbr_entry){ p[0], p[4], disk_le32(p + 8),
                               disk_le32(p + 12) };
}

static bool
is_extended(uint8_t type)
{
    return type == TYPE_EXTENDED || type == TYPE_EXTENDED_LBA ||
           type == TYPE_EXTENDED_LINUX;
}

static int
add_mbr_partition(const struct disk_reader *disk, struct disk_layout *layout,
                  const struct mbr_entry *entry, uint64_t start,
                  unsigned number, struct v2v_error *err)
{
    struct disk_volume volume = {
        .number = number,
        .mbr_type = entry->type,
        .active = entry->boot == MBR_ACTIVE,
        .esp = entry->type == TYPE_ESP,
    };

    return add_partition(disk, layout, volume, start, entry->count, err);
}

/* One link of the chain: its partition relative to itself, the next link
 * relative to the extended partition at sector @base.  @link becomes 0 at the
 * chain's end, which is also where a record lacks its mark: Linux ends there
 * too, and Windows leaves an extended partition blank until it is used. */
static int
add_logical(const struct disk_reader *disk, struct disk_layout *layout,
            uint64_t base, uint64_t *link, unsigned *number,
            struct v2v_error *err)
{
    uint8_t sector[DISK_SECTOR];
    uint64_t here = *link;

    *link = 0;
    if (disk_read(disk, here * DISK_SECTOR, sector, sizeof sector, err) < 0)
        return v2v_fail_in(err, "logical partition %u", *number);
    if (!has_mark(sector))
        return 0;
    for (size_t i = 0; i < EBR_ENTRIES; i++) {
        struct mbr_entry entry = mbr_entry(sector, i);

        if (entry.count == 0)
            continue;
        if (is_extended(entry.type))
            *link = base + entry.start;
        else if (add_mbr_partition(disk, layout, &entry, here + entry.start,
                                   (*number)++, err) < 0)
            return -1;
    }
    return 0;
}

static int
add_logicals(const struct disk_reader *disk, struct disk_layout *layout,
             uint64_t base, unsigned *number, struct v2v_error *err)
{
    uint64_t link = base;

    for (unsigned i = 0; link != 0; i++) {
        if (i == LOGICAL_LINKS_MAX)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "the chain of logical partitions at sector %" PRIu64
                            " has no end within %d links",
                            base, LOGICAL_LINKS_MAX);
        if (add_logical(disk, layout, base, &link, number, err) < 0)
            return -1;
    }
    return 0;
}

/* Two passes keep the list in the order of numbers: logical partitions follow
 * all primary ones wherever the extended partition stands. */
static int
probe_mbr(const struct disk_reader *disk, const uint8_t *sector,
          struct disk_layout *layout, struct v2v_error *err)
{
    unsigned number = MBR_ENTRIES + 1;

    layout->table = DISK_TABLE_MBR;
    layout->sector_size = DISK_SECTOR;
    memcpy(layout->id, sector + MBR_SIGNATURE, MBR_SIGNATURE_LEN);
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        struct mbr_entry entry = mbr_entry(sector, i);

        if (entry.count != 0 && !is_extended(entry.type) &&
            add_mbr_partition(disk, layout, &entry, entry.start, i + 1, err) <
                0)
            return -1;
    }
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        struct mbr_entry entry = mbr_entry(sector, i);

        if (entry.count != 0 && is_extended(entry.type) &&
            add_logicals(disk, layout, entry.start, &number, err) < 0)
            return -1;
    }
    return 0;
}

/* CRC-32 of IEEE 802.3, as UEFI 2.10, 4.2.1 wants it. */
static uint32_t
crc32_ieee(const uint8_t *data, size_t len)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~crc;
}

struct gpt_header {
    uint64_t table_lba;
    uint32_t entry_count;
    uint32_t entry_size; /* bytes */
    uint32_t table_crc;
    uint8_t disk_guid[16];
};

static int
parse_gpt_header(uint8_t *sector, unsigned sector_size, uint64_t lba,
                 struct gpt_header *ret, struct v2v_error *err)
{
    uint32_t size = disk_le32(sector + 12), crc = disk_le32(sector + 16);
    struct gpt_header header = {
        .table_lba = disk_le64(sector + 72),
        .entry_count = disk_le32(sector + 80),
        .entry_size = disk_le32(sector + 84),
        .table_crc = disk_le32(sector + 88),
    };

    if (memcmp(sector, "EFI PART", 8) != 0)
        return v2v_fail(err, V2V_ERR_NOT_FOUND, "no header");
    if (size < GPT_HEADER_MIN || size > sector_size)
        return v2v_fail(err, V2V_ERR_FORMAT, "header of %" PRIu32 " bytes",
                        size);
    memset(sector + 16, 0, 4); /* the checksum was made with itself as zero */
    if (crc32_ieee(sector, size) != crc)
        return v2v_fail(err, V2V_ERR_FORMAT, "wrong checksum of the header");
    if (disk_le64(sector + 24) != lba)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the header is meant for sector %" PRIu64,
                        disk_le64(sector + 24));
    if (header.entry_size < GPT_ENTRY_MIN ||
        !disk_is_power_of_two(header.entry_size) ||
        (uint64_t)header.entry_size * header.entry_count > DISK_READ_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "%" PRIu32 " entries of %" PRIu32 " bytes",
                        header.entry_count, header.entry_size);
    memcpy(header.disk_guid, sector + 56, sizeof header.disk_guid);
    *ret = header;
    return 0;
}

static int
add_gpt_partitions(const struct disk_reader *disk, struct disk_layout *layout,
                   const struct gpt_header *header, const uint8_t *table,
                   struct v2v_error *err)
{
    static const uint8_t unused[16];

    for (uint32_t i = 0; i < header->entry_count; i++) {
        const uint8_t *entry = table + (size_t)i * header->entry_size;
        uint64_t first = disk_le64(entry + 32), last = disk_le64(entry + 40);
        struct disk_volume volume = { .number = i + 1 };

        if (memcmp(entry, unused, sizeof unused) == 0)
            continue;
        if (last < first || last == UINT64_MAX)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "partition %" PRIu32 " reaches from sector %" PRIu64
                            " to %" PRIu64,
                            i + 1, first, last);
        memcpy(volume.type_guid, entry, sizeof volume.type_guid);
        memcpy(volume.guid, entry + 16, sizeof volume.guid);
        volume.esp = memcmp(entry, gpt_esp, sizeof gpt_esp) == 0;
        if (add_partition(disk, layout, volume, first, last - first + 1, err) <
            0)
            return -1;
    }
    return 0;
}

/* V2V_ERR_NOT_FOUND: no header there; V2V_ERR_FORMAT: a damaged one. */
static int
read_gpt(const struct disk_reader *disk, unsigned sector_size, uint64_t lba,
         struct gpt_header *ret_header, uint8_t **ret_table,
         struct v2v_error *err)
{
    uint8_t sector[4096];
    V2V_AUTO(mem) uint8_t *table = NULL;
    struct gpt_header header;
    size_t len;

    if (disk_read(disk, lba * sector_size, sector, sector_size, err) < 0 ||
        parse_gpt_header(sector, sector_size, lba, &header, err) < 0)
        return -1;
    len = (size_t)header.entry_size * header.entry_count;
    if (header.table_lba > disk->size / sector_size)
        return v2v_fail(err, V2V_ERR_FORMAT, "entries beyond the disk's end");
    table = malloc(len > 0 ? len : 1);
    if (table == NULL)
        return v2v_fail_errno(err, errno, "partition entries");
    if (disk_read(disk, header.table_lba * sector_size, table, len, err) < 0)
        return v2v_fail_in(err, "entries");
    if (crc32_ieee(table, len) != header.table_crc)
        return v2v_fail(err, V2V_ERR_FORMAT, "wrong checksum of the entries");
    *ret_header = header;
    *ret_table = v2v_steal(table);
    return 0;
}

static int
probe_gpt(const struct disk_reader *disk, struct disk_layout *layout,
          struct v2v_error *err)
{
    static const struct {
        unsigned sector_size;
        bool backup;
    } places[] = {
        { 512, false }, { 4096, false }, { 512, true }, { 4096, true }
    };
    struct v2v_error damage = { .code = V2V_ERR_FORMAT, .text = "no header" };

    layout->table = DISK_TABLE_GPT;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        unsigned sector_size = places[i].sector_size;
        uint64_t sectors = disk->size / sector_size;
        V2V_AUTO(mem) uint8_t *table = NULL;
        struct gpt_header header;
        struct v2v_error cause;

        if (sectors < 3) /* the MBR, a header, an entry */
            continue;
        if (read_gpt(disk, sector_size, places[i].backup ? sectors - 1 : 1,
                     &header, &table, &cause) == 0) {
            if (places[i].backup)
                v2v_warn("disk", "gpt-backup",
                         "the partition table is read from its backup: %s",
                         damage.text);
            layout->sector_size = sector_size;
            memcpy(layout->id, header.disk_guid, sizeof layout->id);
            return add_gpt_partitions(disk, layout, &header, table, err);
        }
        if (cause.code == V2V_ERR_FORMAT)
            damage = cause;
        else if (cause.code != V2V_ERR_NOT_FOUND)
            return v2v_fail(err, cause.code, "%s", cause.text);
    }
    return v2v_fail(err, V2V_ERR_FORMAT, "protective MBR, but no valid GPT: %s",
                    damage.text);
}

/* What the table part of the first sector is: nothing, an MBR without
 * partitions, one with, or the protective one of a GPT. */
enum mbr_kind { MBR_ABSENT, MBR_EMPTY, MBR_USED, MBR_PROTECTIVE };

static enum mbr_kind
mbr_kind(const uint8_t *sector)
{
    enum mbr_kind kind = MBR_EMPTY;

    if (!has_mark(sector))
        return MBR_ABSENT;
    for (size_t i = 0; i < MBR_ENTRIES; i++) {
        struct mbr_entry entry = mbr_entry(sector, i);

        /* as Linux: any other value is code, not a table */
        if (entry.boot != 0 && entry.boot != MBR_ACTIVE)
            return MBR_ABSENT;
        if (entry.type == TYPE_GPT_PROTECTIVE)
            kind = MBR_PROTECTIVE;
        else if (entry.count != 0 && kind == MBR_EMPTY)
            kind = MBR_USED;
    }
    return kind;
}

static int
probe_whole_disk(const struct disk_reader *disk, enum disk_content content,
                 struct disk_layout *layout, struct v2v_error *err)
{
    layout->table = DISK_TABLE_NONE;
    layout->sector_size = DISK_SECTOR;
    layout->volumes = calloc(1, sizeof *layout->volumes);
    if (layout->volumes == NULL)
        return v2v_fail_errno(err, errno, "list of partitions");
    layout->volumes[0].len = disk->size;
    layout->volumes[0].content = content;
    layout->count = 1;
    return 0;
}

static int
probe_table(const struct disk_reader *disk, struct disk_layout *layout,
            struct v2v_error *err)
{
    uint8_t sector[DISK_SECTOR];
    enum mbr_kind kind;

    if (disk_read(disk, 0, sector, sizeof sector, err) < 0)
        return -1;
    if (named_content(sector) != DISK_UNKNOWN)
        return probe_whole_disk(disk, named_content(sector), layout, err);
    kind = mbr_kind(sector);
    if (kind == MBR_PROTECTIVE)
        return probe_gpt(disk, layout, err);
    if (kind == MBR_USED)
        return probe_mbr(disk, sector, layout, err);
    if (is_fat(sector))
        return probe_whole_disk(disk, DISK_FAT, layout, err);
    if (kind == MBR_EMPTY)
        return probe_mbr(disk, sector, layout, err);
    return v2v_fail(err, V2V_ERR_FORMAT,
                    "no partition table and no Windows file system: "
                    "not a disk image of Windows");
}

int
disk_probe(const struct disk_reader *disk, struct disk_layout *ret,
           struct v2v_error *err)
{
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };

    if (probe_table(disk, &layout, err) < 0)
        return -1;
    *ret = layout;
    layout = (struct disk_layout){ 0 };
    return 0;
}
