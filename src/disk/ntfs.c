/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk/ntfs.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "disk/read.h"

/* Limits of sizes.  Records are 1024 bytes, 4096 on 4K native disks; clusters
 * up to 2 MiB since Windows 10 1709; pages 4096 bytes, 8192 on Itanium. */
enum {
    RECORD_MIN = 512,
    RECORD_MAX = 4096,
    CLUSTER_MAX = 2 << 20,
    PAGE_DEFAULT = 4096,
    PAGE_MAX = 16384
};

/* Numbers of records in the MFT, and types of attributes.
 * Source: <ntfs-3g/layout.h>, NTFS_SYSTEM_FILES and ATTR_TYPES. */
enum { FILE_MFT = 0, FILE_LOGFILE = 2, FILE_VOLUME = 3 };
enum { AT_DATA = 0x80, AT_VOLUME_INFORMATION = 0x70, AT_END = -1 };

/* Lengths of the headers that are read. */
enum {
    ATTR_RESIDENT_HEADER = 24,
    ATTR_NON_RESIDENT_HEADER = 64,
    VOLUME_INFORMATION = 12,
    RESTART_HEADER = 30,
    RESTART_AREA = 48
};

/* Source: <ntfs-3g/logfile.h>. */
enum { LOGFILE_NO_CLIENT = 0xFFFF, RESTART_VOLUME_IS_CLEAN = 0x0002 };

struct volume {
    const struct disk_reader *disk;
    uint64_t offset; /* bytes */
    uint64_t size;   /* bytes of the file system */
    uint32_t cluster_size;
    uint32_t record_size;
    uint64_t mft_offset; /* bytes from the volume's start */
    uint64_t serial;
};

/* An attribute inside a record: its header and what follows. */
struct attr {
    const uint8_t *data;
    size_t len;
};

static int
read_volume(const struct volume *volume, uint64_t offset, void *buf, size_t len,
            struct v2v_error *err)
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
                  struct volume *volume, struct v2v_error *err)
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
    if (!disk_is_power_of_two(record_size) || record_size < RECORD_MIN ||
        record_size > RECORD_MAX)
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

/* The last two bytes of each sector of a record were moved to an array in
 * its header and a number put in their place, so that a record of which only
 * a part was written is recognised.  Undoes that; false for such a record.
 * @len: a multiple of 512.  Source: <ntfs-3g/layout.h>, NTFS_RECORD. */
static bool
undo_update_sequence(uint8_t *record, size_t len)
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

/* The run of clusters that holds cluster @vcn of a non-resident attribute.
 * Each run is a byte with two sizes, then its length and the distance of its
 * start from the start of the run before.  A run without a start is a hole,
 * which no metadata file has.
 * Source: <ntfs-3g/layout.h>, mapping_pairs_offset. */
static bool
find_run(const struct attr *attr, uint64_t vcn, uint64_t *ret_lcn,
         uint64_t *ret_count)
{
    size_t at = disk_le16(attr->data + 32);
    uint64_t lcn = 0;

    while (at < attr->len && attr->data[at] != 0) {
        size_t count_len = attr->data[at] & 0x0F, lcn_len = attr->data[at] >> 4;
        uint64_t count, delta;

        at++;
        if (count_len == 0 || count_len > 8 || lcn_len == 0 || lcn_len > 8 ||
            count_len + lcn_len > attr->len - at)
            return false;
        count = v2v_get_le(attr->data + at, count_len);
        at += count_len;
        delta = v2v_get_le(attr->data + at, lcn_len);
        at += lcn_len;
        if (lcn_len < 8 && (attr->data[at - 1] & 0x80) != 0)
            delta |= UINT64_MAX << (8 * lcn_len);
        lcn += delta; /* modulo 2^64: the sum is checked by who reads there */
        if (vcn < count) {
            *ret_lcn = lcn + vcn;
            *ret_count = count - vcn;
            return true;
        }
        vcn -= count;
    }
    return false;
}

/* Bytes of the content of a non-resident attribute. */
static int
read_attr(const struct volume *volume, const struct attr *attr, uint64_t offset,
          uint8_t *buf, size_t len, struct v2v_error *err)
{
    uint64_t clusters = volume->size / volume->cluster_size;

    while (len > 0) {
        uint64_t in_cluster = offset % volume->cluster_size;
        uint64_t lcn, count, n;

        if (!find_run(attr, offset / volume->cluster_size, &lcn, &count) ||
            lcn >= clusters || count > clusters - lcn)
            return v2v_fail(err, V2V_ERR_FORMAT, "no cluster for byte %" PRIu64,
                            offset);
        n = count * volume->cluster_size - in_cluster;
        if (n > len)
            n = len;
        if (read_volume(volume, lcn * volume->cluster_size + in_cluster, buf,
                        (size_t)n, err) < 0)
            return -1;
        offset += n;
        buf += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The unnamed attribute of a type; a record holds at most one. */
static bool
find_attr(const uint8_t *record, size_t record_size, uint32_t type,
          struct attr *ret)
{
    size_t at = disk_le16(record + 20), end = disk_le32(record + 24);

    if (end > record_size)
        return false;
    while (at < end && end - at >= ATTR_RESIDENT_HEADER &&
           disk_le32(record + at) != (uint32_t)AT_END) {
        size_t len = disk_le32(record + at + 4);

        if (len < ATTR_RESIDENT_HEADER || len > end - at)
            return false;
        if (disk_le32(record + at) == type && record[at + 9] == 0) {
            *ret = (struct attr){ record + at, len };
            return true;
        }
        at += len;
    }
    return false;
}

/* @data, which must be in clusters of its own, plainly stored. */
static int
find_data(const uint8_t *record, const struct volume *volume, struct attr *ret,
          struct v2v_error *err)
{
    struct attr attr;

    if (!find_attr(record, volume->record_size, AT_DATA, &attr) ||
        attr.data[8] == 0 || attr.len < ATTR_NON_RESIDENT_HEADER ||
        disk_le64(attr.data + 16) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "no list of clusters");
    *ret = attr;
    return 0;
}

/* @mft: the content of the MFT; NULL for its own record, at which the boot
 * sector points. */
static int
read_record(const struct volume *volume, const struct attr *mft,
            unsigned number, uint8_t *record, struct v2v_error *err)
{
    uint64_t offset = (uint64_t)number * volume->record_size;

    if ((mft == NULL ? read_volume(volume, volume->mft_offset, record,
                                   volume->record_size, err)
                     : read_attr(volume, mft, offset, record,
                                 volume->record_size, err)) < 0)
        return v2v_fail_in(err, "MFT record %u", number);
    if (memcmp(record, "FILE", 4) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "MFT record %u: no FILE record",
                        number);
    if (!undo_update_sequence(record, volume->record_size))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "MFT record %u: written in part only", number);
    return 0;
}

static int
read_volume_information(const struct volume *volume, const struct attr *mft,
                        struct ntfs_state *state, struct v2v_error *err)
{
    uint8_t record[RECORD_MAX];
    struct attr attr;
    size_t offset;

    if (read_record(volume, mft, FILE_VOLUME, record, err) < 0)
        return -1;
    if (!find_attr(record, volume->record_size, AT_VOLUME_INFORMATION, &attr) ||
        attr.data[8] != 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "$Volume has no $VOLUME_INFORMATION");
    offset = disk_le16(attr.data + 20);
    if (disk_le32(attr.data + 16) < VOLUME_INFORMATION || offset > attr.len ||
        attr.len - offset < VOLUME_INFORMATION)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "$VOLUME_INFORMATION is too short");
    state->major = attr.data[offset + 8];
    state->minor = attr.data[offset + 9];
    state->flags = disk_le16(attr.data + offset + 10);
    state->dirty = (state->flags & NTFS_VOLUME_IS_DIRTY) != 0;
    return 0;
}

/* One of the two restart pages. */
struct restart_page {
    bool valid;
    uint64_t lsn;
    enum ntfs_journal journal;
};

/* Source of the rules: the comments on client_in_use_list and flags of
 * RESTART_AREA, and on versions, in <ntfs-3g/logfile.h>: before Windows XP a
 * clean journal is closed, since then it stays open and is marked.  "CHKD"
 * in place of "RSTR" is a journal that chkdsk has touched: Windows has not
 * used it since, so it is not taken as valid. */
static void
parse_restart_page(uint8_t *page, size_t size, struct restart_page *ret)
{
    size_t area = disk_le16(page + 24);
    int major = (int16_t)disk_le16(page + 28);
    bool closed;

    *ret = (struct restart_page){ 0 };
    if (!undo_update_sequence(page, size) || area < RESTART_HEADER ||
        area > size - RESTART_AREA)
        return;
    closed = disk_le16(page + area + 12) == LOGFILE_NO_CLIENT ||
             (disk_le16(page + area + 14) & RESTART_VOLUME_IS_CLEAN) != 0;
    ret->valid = true;
    ret->lsn = disk_le64(page + area);
    ret->journal = major > 2    ? NTFS_JOURNAL_UNREADABLE
                   : major == 2 ? NTFS_JOURNAL_V2
                   : closed     ? NTFS_JOURNAL_CLEAN
                                : NTFS_JOURNAL_UNCLEAN;
}

/* The size of a page is said in the page itself: @size is 0 where there is
 * none, and is written even when the page turns out not to be valid. */
static int
read_restart_page(const struct volume *volume, const struct attr *log,
                  uint64_t offset, size_t *size, struct restart_page *ret,
                  struct v2v_error *err)
{
    uint8_t page[PAGE_MAX];

    *size = 0;
    *ret = (struct restart_page){ 0 };
    if (read_attr(volume, log, offset, page, DISK_SECTOR, err) < 0)
        return -1;
    if (memcmp(page, "RSTR", 4) != 0 ||
        !disk_is_power_of_two(disk_le32(page + 16)) ||
        disk_le32(page + 16) < DISK_SECTOR || disk_le32(page + 16) > PAGE_MAX)
        return 0;
    *size = disk_le32(page + 16);
    if (read_attr(volume, log, offset, page, *size, err) < 0)
        return -1;
    parse_restart_page(page, *size, ret);
    return 0;
}

/* Of two pages with the same number, as a crash between their writes may
 * leave them, the one that is further from clean counts. */
static enum ntfs_journal
newer_page(const struct restart_page *a, const struct restart_page *b)
{
    if (!a->valid || !b->valid)
        return a->valid   ? a->journal
               : b->valid ? b->journal
                          : NTFS_JOURNAL_UNREADABLE;
    if (a->lsn != b->lsn)
        return a->lsn > b->lsn ? a->journal : b->journal;
    return a->journal > b->journal ? a->journal : b->journal;
}

static bool
is_blank(const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (buf[i] != 0xFF)
            return false;
    return true;
}

static int
read_restart_pages(const struct volume *volume, const struct attr *log,
                   enum ntfs_journal *ret, struct v2v_error *err)
{
    uint8_t start[2 * PAGE_DEFAULT];
    struct restart_page first, second;
    size_t size, second_size;

    if (read_attr(volume, log, 0, start, sizeof start, err) < 0)
        return -1;
    if (is_blank(start, sizeof start)) {
        *ret = NTFS_JOURNAL_EMPTY;
        return 0;
    }
    if (read_restart_page(volume, log, 0, &size, &first, err) < 0)
        return -1;
    if (size == 0)
        size = PAGE_DEFAULT;
    if (read_restart_page(volume, log, size, &second_size, &second, err) < 0)
        return -1;
    second.valid = second.valid && second_size == size;
    *ret = newer_page(&first, &second);
    return 0;
}

/* A journal that is damaged is a state like others; only a disk that cannot
 * be read is a failure. */
static int
read_journal(const struct volume *volume, const struct attr *mft,
             enum ntfs_journal *ret, struct v2v_error *err)
{
    uint8_t record[RECORD_MAX];
    struct v2v_error cause = { 0 };
    struct attr log;

    if (read_record(volume, mft, FILE_LOGFILE, record, &cause) == 0 &&
        find_data(record, volume, &log, &cause) == 0 &&
        read_restart_pages(volume, &log, ret, &cause) == 0)
        return 0;
    if (cause.code != V2V_ERR_FORMAT)
        return v2v_fail(err, cause.code, "$LogFile: %s", cause.text);
    v2v_fact("disk", "$LogFile: %s", cause.text);
    *ret = NTFS_JOURNAL_UNREADABLE;
    return 0;
}

static int
read_state(const struct disk_reader *disk, uint64_t volume_offset,
           uint64_t volume_len, struct ntfs_state *ret, struct v2v_error *err)
{
    struct volume volume = { .disk = disk, .offset = volume_offset };
    uint8_t boot[DISK_SECTOR], record[RECORD_MAX];
    struct ntfs_state state = { 0 };
    struct attr mft;

    if (disk_read(disk, volume_offset, boot, sizeof boot, err) < 0 ||
        parse_boot_sector(boot, volume_len, &volume, err) < 0 ||
        read_record(&volume, NULL, FILE_MFT, record, err) < 0)
        return -1;
    if (find_data(record, &volume, &mft, err) < 0)
        return v2v_fail_in(err, "$MFT");
    if (read_volume_information(&volume, &mft, &state, err) < 0 ||
        read_journal(&volume, &mft, &state.journal, err) < 0)
        return -1;
    state.cluster_size = volume.cluster_size;
    state.serial = volume.serial;
    *ret = state;
    return 0;
}

int
ntfs_state_read(const struct disk_reader *disk, uint64_t volume_offset,
                uint64_t volume_len, struct ntfs_state *ret,
                struct v2v_error *err)
{
    if (volume_offset > disk->size || volume_len > disk->size - volume_offset)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "NTFS at byte %" PRIu64
                        ": its volume ends beyond the disk",
                        volume_offset);
    if (read_state(disk, volume_offset, volume_len, ret, err) < 0)
        return v2v_fail_in(err, "NTFS at byte %" PRIu64, volume_offset);
    return 0;
}

const char *
ntfs_journal_name(enum ntfs_journal journal)
{
    static const char *const names[] = {
        [NTFS_JOURNAL_CLEAN] = "clean",
        [NTFS_JOURNAL_EMPTY] = "empty",
        [NTFS_JOURNAL_UNCLEAN] = "unclean",
        [NTFS_JOURNAL_V2] = "version 2 (fast startup or crash)",
        [NTFS_JOURNAL_UNREADABLE] = "unreadable",
    };

    return (unsigned)journal < sizeof names / sizeof *names ? names[journal]
                                                            : "unreadable";
}
