/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk/fat.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "disk/read.h"

/* "FAT: General Overview": boot sector and BPB, p. 9 to 12 */
enum {
    bpb_sector_size = 11,
    bpb_cluster_sectors = 13,
    bpb_reserved_sectors = 14,
    bpb_tables = 16,
    bpb_root_entries = 17,
    bpb_sectors = 19,
    bpb_table_sectors = 22,
    bpb_sectors_32 = 32,
    bpb_table_sectors_32 = 36, /* FAT32 from here on */
    bpb_flags = 40,
    bpb_root_cluster = 44,
    flags_one_table = 0x80, /* the tables are no copies of each other */
    flags_table = 0x0f      /* ... and this one is right */
};

/* How many clusters make which FAT, p. 14 and 15.  FAT32 is known by its table
 * instead, as Linux and Windows know it: mkfs.vfat -F 32 makes small ones. */
enum { fat12_clusters = 4085, fat16_clusters = 65525 };

/* Directory entries, p. 22; long names, p. 27 */
enum {
    entry_size = 32,
    entry_attributes = 11,
    entry_case = 12, /* Windows NT: lower case of a short name */
    entry_cluster_high = 20,
    entry_cluster = 26,
    entry_file_size = 28,
    attribute_label = 0x08,
    attribute_directory = 0x10,
    attribute_long = 0x0f,
    attribute_long_mask = 0x3f,
    case_stem = 0x08,
    case_extension = 0x10,
    entry_deleted = 0xe5,
    entry_last = 0,
    long_checksum = 13,
    long_last = 0x40,
    long_units = 13, /* UTF-16 units in an entry */
    long_entries = 20,
    short_name = 11,
    short_stem = 8,
    directory_entries = 65536 /* the most: <linux/msdos_fs.h>,
                               * FAT_MAX_DIR_ENTRIES */
};

/* What is read at once of a file that is in one piece. */
enum { READ_MAX = DISK_READ_MAX };

/* Where a long entry has its units. */
static const uint8_t long_places[long_units] = { 1,  3,  5,  7,  9,  14, 16,
                                                 18, 20, 22, 24, 28, 30 };

/* ---- the volume ---- */

bool
fat_is_boot_sector(const uint8_t *sector)
{
    unsigned sector_size = disk_le16(sector + bpb_sector_size);

    return (sector[0] == 0xeb || sector[0] == 0xe9) &&
           disk_le16(sector + DISK_MARK_OFFSET) == DISK_MARK &&
           disk_is_power_of_two(sector_size) && sector_size >= DISK_SECTOR &&
           sector_size <= 4096 &&
           disk_is_power_of_two(sector[bpb_cluster_sectors]) &&
           disk_le16(sector + bpb_reserved_sectors) > 0 &&
           sector[bpb_tables] > 0;
}

static uint64_t
either(const uint8_t *sector, size_t at_16, size_t at_32)
{
    uint64_t value = disk_le16(sector + at_16);

    return value != 0 ? value : disk_le32(sector + at_32);
}

/* Which of the tables of a FAT32 counts. */
static unsigned
table_number(const uint8_t *sector)
{
    unsigned flags = disk_le16(sector + bpb_flags);

    return (flags & flags_one_table) != 0 ? flags & flags_table : 0;
}

static bool
is_fat32(const uint8_t *sector)
{
    return disk_le16(sector + bpb_table_sectors) == 0;
}

/* Where things are, in bytes; the fields have at most 32 bits. */
static void
lay_out(const uint8_t *sector, uint64_t *table_size, struct fat *fat)
{
    uint64_t sector_size = disk_le16(sector + bpb_sector_size);

    *table_size =
        either(sector, bpb_table_sectors, bpb_table_sectors_32) * sector_size;
    fat->len = either(sector, bpb_sectors, bpb_sectors_32) * sector_size;
    fat->table = disk_le16(sector + bpb_reserved_sectors) * sector_size;
    fat->root = fat->table + sector[bpb_tables] * *table_size;
    fat->root_end =
        fat->root + (uint64_t)disk_le16(sector + bpb_root_entries) * entry_size;
    fat->first_cluster =
        (fat->root_end + sector_size - 1) / sector_size * sector_size;
    fat->cluster_size = (uint32_t)(sector[bpb_cluster_sectors] * sector_size);
    if (is_fat32(sector)) {
        fat->root_cluster = disk_le32(sector + bpb_root_cluster);
        fat->table += table_number(sector) * *table_size;
    }
}

static bool
is_cluster(const struct fat *fat, uint32_t cluster)
{
    return cluster >= FAT_FIRST_CLUSTER &&
           cluster - FAT_FIRST_CLUSTER < fat->cluster_count;
}

static int
fail_chain(uint32_t cluster, struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_FORMAT,
                    "damaged: a chain of clusters leads to %" PRIu32, cluster);
}

static int
check_layout(const uint8_t *sector, uint64_t len, uint64_t table_size,
             struct fat *fat, struct v2v_error *err)
{
    uint64_t clusters;

    if (fat->len > len)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "damaged: %" PRIu64 " bytes long, but its volume has "
                        "%" PRIu64,
                        len, fat->len);
    if (fat->first_cluster > fat->len || fat->table >= fat->root)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "damaged: the root directory ends at byte %" PRIu64
                        " of %" PRIu64,
                        fat->first_cluster, fat->len);
    clusters = (fat->len - fat->first_cluster) / fat->cluster_size;
    fat->bits = is_fat32(sector) ? 32 : clusters < fat12_clusters ? 12 : 16;
    if (fat->bits == 16 && clusters >= fat16_clusters)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "damaged: %" PRIu64 " clusters in a FAT16", clusters);
    if ((clusters + FAT_FIRST_CLUSTER) * fat->bits / 8 + 1 > table_size)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "damaged: its table is too small for %" PRIu64
                        " clusters",
                        clusters);
    fat->cluster_count = (uint32_t)clusters;
    if (fat->bits == 32 && !is_cluster(fat, fat->root_cluster))
        return fail_chain(fat->root_cluster, err);
    return 0;
}

int
fat_open(const struct disk_reader *disk, uint64_t offset, uint64_t len,
         struct fat *ret, struct v2v_error *err)
{
    uint8_t sector[FAT_BOOT_SECTOR];
    uint64_t table_size;

    *ret = (struct fat){ .disk = *disk, .offset = offset };
    if (len < sizeof sector)
        return v2v_fail(err, V2V_ERR_FORMAT, "no FAT boot sector");
    if (disk_read(disk, offset, sector, sizeof sector, err) < 0)
        return -1;
    if (!fat_is_boot_sector(sector))
        return v2v_fail(err, V2V_ERR_FORMAT, "no FAT boot sector");
    lay_out(sector, &table_size, ret);
    return check_layout(sector, len, table_size, ret, err);
}

/* ---- clusters ---- */

/* A few bytes of the volume, which are inside. */
static int
look(const struct fat *fat, struct fat_window *window, uint64_t at, void *buf,
     size_t len, struct v2v_error *err)
{
    uint8_t *to = buf;

    while (len > 0) {
        size_t skip, n;

        if (at < window->at || at - window->at >= window->len) {
            uint64_t start = at - at % sizeof window->data;
            uint64_t left = fat->len - start;
            size_t part =
                left < sizeof window->data ? (size_t)left : sizeof window->data;

            window->len = 0;
            if (disk_read(&fat->disk, fat->offset + start, window->data, part,
                          err) < 0)
                return -1;
            window->at = start;
            window->len = part;
        }
        skip = (size_t)(at - window->at);
        n = window->len - skip < len ? window->len - skip : len;
        memcpy(to, window->data + skip, n);
        to += n;
        at += n;
        len -= n;
    }
    return 0;
}

static uint64_t
cluster_place(const struct fat *fat, uint32_t cluster)
{
    return fat->first_cluster +
           (uint64_t)(cluster - FAT_FIRST_CLUSTER) * fat->cluster_size;
}

/* The cluster after @cluster, which is one.  In a FAT12 three bytes hold two;
 * in a FAT32 the upper four bits are not of the number. */
static int
next_cluster(struct fat *fat, uint32_t cluster, uint32_t *ret,
             struct v2v_error *err)
{
    uint64_t bit = (uint64_t)cluster * fat->bits;
    uint8_t raw[4] = { 0 };
    uint32_t value;

    if (look(fat, &fat->chains, fat->table + bit / 8, raw,
             fat->bits == 32 ? 4 : 2, err) < 0)
        return -1;
    value = disk_le32(raw) >> bit % 8;
    *ret = fat->bits == 12   ? value & 0xfff
           : fat->bits == 16 ? value
                             : value & 0x0fffffff;
    return 0;
}

/* The values of an entry from which on a chain is at its end. */
static bool
is_end(const struct fat *fat, uint32_t cluster)
{
    return cluster >= (fat->bits == 12   ? UINT32_C(0xff8)
                       : fat->bits == 16 ? UINT32_C(0xfff8)
                                         : UINT32_C(0x0ffffff8));
}

/* ---- directories ---- */

int
fat_directory(const struct fat *fat, uint32_t cluster, struct fat_cursor *ret,
              struct v2v_error *err)
{
    struct fat_cursor cursor = { .at = fat->root, .end = fat->root_end };

    if (cluster == 0)
        cluster = fat->root_cluster;
    if (cluster != 0) {
        if (!is_cluster(fat, cluster))
            return fail_chain(cluster, err);
        cursor.cluster = cluster;
        cursor.at = cluster_place(fat, cluster);
        cursor.end = cursor.at + fat->cluster_size;
    }
    *ret = cursor;
    return 0;
}

/* Returns 1 when there is an entry at cursor->at, 0 at the end, or -1. */
static int
settle(struct fat *fat, struct fat_cursor *cursor, struct v2v_error *err)
{
    uint32_t next;

    if (cursor->at < cursor->end)
        return ++cursor->count <= directory_entries
                   ? 1
                   : v2v_fail(err, V2V_ERR_FORMAT,
                              "damaged: a directory of more than %d entries",
                              directory_entries);
    if (cursor->cluster == 0)
        return 0;
    if (next_cluster(fat, cursor->cluster, &next, err) < 0)
        return -1;
    if (is_end(fat, next))
        return 0;
    if (!is_cluster(fat, next) || ++cursor->steps >= fat->cluster_count)
        return fail_chain(next, err);
    cursor->cluster = next;
    cursor->at = cluster_place(fat, next);
    cursor->end = cursor->at + fat->cluster_size;
    return settle(fat, cursor, err);
}

/* A long name as it is gathered: its entries come last part first. */
struct long_name {
    uint8_t utf16[long_entries * long_units * 2];
    unsigned expected; /* number of the next entry; 0: complete */
    unsigned count;    /* entries; 0: there is no name */
    uint8_t checksum;
};

static void
gather(struct long_name *name, const uint8_t *entry)
{
    unsigned number = entry[0] & (long_last - 1U);

    if ((entry[0] & long_last) != 0)
        *name = (struct long_name){ .expected = number,
                                    .count = number,
                                    .checksum = entry[long_checksum] };
    if (number == 0 || number > long_entries || number != name->expected ||
        entry[long_checksum] != name->checksum) {
        name->count = 0;
        return;
    }
    for (size_t i = 0; i < long_units; i++) {
        uint8_t *unit = name->utf16 + 2 * ((number - 1) * long_units + i);

        unit[0] = entry[long_places[i]];
        unit[1] = entry[long_places[i] + 1];
    }
    name->expected--;
}

static uint8_t
checksum(const uint8_t *entry)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < short_name; i++)
        sum = (uint8_t)(((sum & 1U) << 7 | sum >> 1) + entry[i]);
    return sum;
}

static size_t
add_part(char *to, const uint8_t *from, size_t len, bool lower)
{
    while (len > 0 && from[len - 1] == ' ')
        len--;
    for (size_t i = 0; i < len; i++) {
        char c = from[i] < 0x80 ? (char)from[i] : '_';

        to[i] = lower && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return len;
}

/* @ret: of 13 bytes */
static void
short_name_of(const uint8_t *entry, char *ret)
{
    size_t len =
        add_part(ret, entry, short_stem, (entry[entry_case] & case_stem) != 0);
    size_t extension =
        add_part(ret + len + 1, entry + short_stem, short_name - short_stem,
                 (entry[entry_case] & case_extension) != 0);

    if (extension > 0) {
        ret[len] = '.';
        len += 1 + extension;
    }
    ret[len] = '\0';
}

static char *
name_of(const uint8_t *entry, const struct long_name *long_name,
        const char *short_form, struct v2v_error *err)
{
    if (long_name->count > 0 && long_name->expected == 0 &&
        long_name->checksum == checksum(entry))
        return v2v_utf8_from_utf16(
            long_name->utf16, (size_t)long_name->count * long_units * 2, err);
    return v2v_strdup(short_form, err);
}

static bool
is_dots(const uint8_t *entry)
{
    return memcmp(entry, ".          ", short_name) == 0 ||
           memcmp(entry, "..         ", short_name) == 0;
}

static uint32_t
first_cluster(const struct fat *fat, const uint8_t *entry)
{
    uint32_t low = disk_le16(entry + entry_cluster);

    return fat->bits == 32
               ? low | (uint32_t)disk_le16(entry + entry_cluster_high) << 16
               : low;
}

static int
fill_in(const struct fat *fat, const uint8_t *entry, uint64_t place,
        const struct long_name *name, struct fat_entry *ret,
        struct v2v_error *err)
{
    struct fat_entry found = {
        .is_directory = (entry[entry_attributes] & attribute_directory) != 0,
        .cluster = first_cluster(fat, entry),
        .place = place,
    };

    if (!found.is_directory)
        found.size = disk_le32(entry + entry_file_size);
    else if (!is_cluster(fat, found.cluster))
        return fail_chain(found.cluster, err);
    short_name_of(entry, found.short_name);
    found.name = name_of(entry, name, found.short_name, err);
    if (found.name == NULL)
        return -1;
    *ret = found;
    return 1;
}

int
fat_next(struct fat *fat, struct fat_cursor *cursor, struct fat_entry *ret,
         struct v2v_error *err)
{
    struct long_name name = { .count = 0 };
    uint8_t entry[entry_size];
    int more;

    while ((more = settle(fat, cursor, err)) > 0) {
        uint64_t place = cursor->at;

        if (look(fat, &fat->entries, place, entry, sizeof entry, err) < 0)
            return -1;
        if (entry[0] == entry_last)
            return 0;
        cursor->at += entry_size;
        if (entry[0] == entry_deleted)
            name.count = 0;
        else if ((entry[entry_attributes] & attribute_long_mask) ==
                 attribute_long)
            gather(&name, entry);
        else if ((entry[entry_attributes] & attribute_label) != 0 ||
                 is_dots(entry))
            name.count = 0;
        else
            return fill_in(fat, entry, place, &name, ret, err);
    }
    return more;
}

/* ---- files ---- */

/* From *cluster on: how many bytes, up to @len, lie side by side; *cluster
 * becomes the one behind them, *steps counts. */
static int
find_piece(struct fat *fat, uint32_t *cluster, uint32_t *steps, size_t len,
           size_t *ret, struct v2v_error *err)
{
    uint32_t next = *cluster;
    size_t n = 0;

    do {
        *cluster = next;
        if (!is_cluster(fat, *cluster) || ++*steps > fat->cluster_count)
            return fail_chain(*cluster, err);
        n += fat->cluster_size;
        if (next_cluster(fat, *cluster, &next, err) < 0)
            return -1;
    } while (n < len && n <= READ_MAX - fat->cluster_size &&
             next == *cluster + 1);
    *cluster = next;
    *ret = n < len ? n : len;
    return 0;
}

/* The @len bytes from @skip on of a chain; all of them are there. */
static int
read_chain(struct fat *fat, uint32_t cluster, uint64_t skip, size_t len,
           struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) uint8_t *buf = malloc(READ_MAX);
    uint32_t steps = 0;

    if (buf == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    for (; skip >= fat->cluster_size; skip -= fat->cluster_size) {
        if (!is_cluster(fat, cluster) || ++steps > fat->cluster_count)
            return fail_chain(cluster, err);
        if (next_cluster(fat, cluster, &cluster, err) < 0)
            return -1;
    }
    while (len > 0) {
        uint32_t first = cluster;
        size_t n;

        if (find_piece(fat, &cluster, &steps, len + (size_t)skip, &n, err) <
                0 ||
            disk_read(&fat->disk, fat->offset + cluster_place(fat, first), buf,
                      n, err) < 0 ||
            v2v_bytes_add(ret, buf + skip, n - (size_t)skip, err) < 0)
            return -1;
        len -= n - (size_t)skip;
        skip = 0;
    }
    return 0;
}

int
fat_read_entry(struct fat *fat, uint64_t place, uint64_t offset, size_t len,
               struct v2v_bytes *ret, struct v2v_error *err)
{
    uint8_t entry[entry_size];
    uint32_t size;

    if (fat->len < entry_size || place > fat->len - entry_size)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "no directory entry at byte %" PRIu64, place);
    if (look(fat, &fat->entries, place, entry, sizeof entry, err) < 0)
        return -1;
    size = disk_le32(entry + entry_file_size);
    if (offset >= size)
        return 0;
    if (len > size - offset)
        len = (size_t)(size - offset);
    return read_chain(fat, first_cluster(fat, entry), offset, len, ret, err);
}
