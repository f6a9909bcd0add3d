/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "media/fat.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"

/* "FAT: General Overview": boot sector and BPB, p. 9; FAT12, p. 14 */
enum {
    bpb_sector_size = 11,
    bpb_cluster_sectors = 13,
    bpb_reserved_sectors = 14,
    bpb_tables = 16,
    bpb_root_entries = 17,
    bpb_sectors = 19,
    bpb_table_sectors = 22,
    boot_signature = 510, /* 55 AA */
    sector_size = 512,
    end_of_chain = 0xff8
};

/* Directory entries, p. 22; long names, p. 27 */
enum {
    entry_size = 32,
    entry_attributes = 11,
    entry_case = 12, /* Windows NT: lower case of a short name */
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
    short_stem = 8
};

/* Where a long entry has its units. */
static const uint8_t long_places[long_units] = { 1,  3,  5,  7,  9,  14, 16,
                                                 18, 20, 22, 24, 28, 30 };

static unsigned
u16(const uint8_t *p)
{
    return (unsigned)v2v_get_le(p, 2);
}

static uint32_t
u32(const uint8_t *p)
{
    return (uint32_t)v2v_get_le(p, 4);
}

bool
fat_is_boot_sector(const uint8_t *sector)
{
    unsigned per_cluster = sector[bpb_cluster_sectors];

    return (sector[0] == 0xeb || sector[0] == 0xe9) &&
           u16(sector + boot_signature) == 0xaa55 &&
           u16(sector + bpb_sector_size) == sector_size && per_cluster > 0 &&
           (per_cluster & (per_cluster - 1)) == 0 &&
           u16(sector + bpb_reserved_sectors) > 0 && sector[bpb_tables] > 0 &&
           u16(sector + bpb_root_entries) > 0 &&
           u16(sector + bpb_sectors) > 0 && u16(sector + bpb_table_sectors) > 0;
}

int
fat_open(const uint8_t *data, size_t len, struct fat *ret,
         struct v2v_error *err)
{
    struct fat fat = { .data = data };
    size_t table_size, end, clusters;

    if (len < FAT_BOOT_SECTOR || !fat_is_boot_sector(data))
        return v2v_fail(err, V2V_ERR_FORMAT, "no FAT12 boot sector");
    table_size = (size_t)u16(data + bpb_table_sectors) * sector_size;
    end = (size_t)u16(data + bpb_sectors) * sector_size;
    if (end > len)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "damaged: %zu bytes long, but its volume has %zu", len,
                        end);
    fat.table = (size_t)u16(data + bpb_reserved_sectors) * sector_size;
    fat.root = fat.table + data[bpb_tables] * table_size;
    fat.root_end = fat.root + (size_t)u16(data + bpb_root_entries) * entry_size;
    fat.first_cluster =
        (fat.root_end + sector_size - 1) / sector_size * sector_size;
    fat.cluster_size = (size_t)data[bpb_cluster_sectors] * sector_size;
    if (fat.first_cluster > end)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "damaged: the root directory ends at byte %zu of %zu",
                        fat.first_cluster, end);
    clusters = (end - fat.first_cluster) / fat.cluster_size;
    if (clusters > FAT_MAX_CLUSTERS)
        return v2v_fail(err, V2V_ERR_FORMAT, "not FAT12, it has %zu clusters",
                        clusters);
    fat.len = end;
    fat.cluster_count = (unsigned)clusters;
    if ((clusters + FAT_FIRST_CLUSTER) * 3 / 2 + 1 > table_size)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "damaged: its table is too small for %zu clusters",
                        clusters);
    *ret = fat;
    return 0;
}

static bool
is_cluster(const struct fat *fat, unsigned cluster)
{
    return cluster >= FAT_FIRST_CLUSTER &&
           cluster < fat->cluster_count + FAT_FIRST_CLUSTER;
}

static size_t
cluster_place(const struct fat *fat, unsigned cluster)
{
    return fat->first_cluster +
           (cluster - FAT_FIRST_CLUSTER) * fat->cluster_size;
}

/* The cluster after @cluster, which is one: 12 bits each, three bytes a pair.
 */
static unsigned
next_cluster(const struct fat *fat, unsigned cluster)
{
    unsigned pair = u16(fat->data + fat->table + cluster + cluster / 2);

    return cluster % 2 == 0 ? pair & 0xfff : pair >> 4;
}

static int
fail_chain(unsigned cluster, struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_FORMAT,
                    "damaged: a chain of clusters leads to %u", cluster);
}

int
fat_directory(const struct fat *fat, unsigned cluster, struct fat_cursor *ret,
              struct v2v_error *err)
{
    struct fat_cursor cursor = { .at = fat->root, .end = fat->root_end };

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
settle(const struct fat *fat, struct fat_cursor *cursor, struct v2v_error *err)
{
    unsigned next;

    if (cursor->at < cursor->end)
        return 1;
    if (cursor->cluster == 0)
        return 0;
    next = next_cluster(fat, cursor->cluster);
    if (next >= end_of_chain)
        return 0;
    if (!is_cluster(fat, next) || ++cursor->steps >= fat->cluster_count)
        return fail_chain(next, err);
    cursor->cluster = next;
    cursor->at = cluster_place(fat, next);
    cursor->end = cursor->at + fat->cluster_size;
    return 1;
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

static char *
name_of(const uint8_t *entry, const struct long_name *long_name,
        struct v2v_error *err)
{
    char text[short_name + 2];
    size_t len, extension;

    if (long_name->count > 0 && long_name->expected == 0 &&
        long_name->checksum == checksum(entry))
        return v2v_utf8_from_utf16(
            long_name->utf16, (size_t)long_name->count * long_units * 2, err);
    len =
        add_part(text, entry, short_stem, (entry[entry_case] & case_stem) != 0);
    extension =
        add_part(text + len + 1, entry + short_stem, short_name - short_stem,
                 (entry[entry_case] & case_extension) != 0);
    if (extension > 0) {
        text[len] = '.';
        len += 1 + extension;
    }
    return v2v_strndup(text, len, err);
}

static bool
is_dots(const uint8_t *entry)
{
    return memcmp(entry, ".          ", short_name) == 0 ||
           memcmp(entry, "..         ", short_name) == 0;
}

static int
fill_in(const struct fat *fat, size_t place, const struct long_name *name,
        struct fat_entry *ret, struct v2v_error *err)
{
    const uint8_t *entry = fat->data + place;
    struct fat_entry found = {
        .is_directory = (entry[entry_attributes] & attribute_directory) != 0,
        .cluster = u16(entry + entry_cluster),
        .place = place,
    };

    if (!found.is_directory)
        found.size = u32(entry + entry_file_size);
    else if (!is_cluster(fat, found.cluster))
        return fail_chain(found.cluster, err);
    found.name = name_of(entry, name, err);
    if (found.name == NULL)
        return -1;
    *ret = found;
    return 1;
}

int
fat_next(const struct fat *fat, struct fat_cursor *cursor,
         struct fat_entry *ret, struct v2v_error *err)
{
    struct long_name name = { .count = 0 };
    int more;

    while ((more = settle(fat, cursor, err)) > 0) {
        size_t place = cursor->at;
        const uint8_t *entry = fat->data + place;

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
            return fill_in(fat, place, &name, ret, err);
    }
    return more;
}

int
fat_read(const struct fat *fat, size_t place, struct v2v_bytes *ret,
         struct v2v_error *err)
{
    unsigned cluster;
    size_t left;

    if (fat->len < entry_size || place > fat->len - entry_size)
        return v2v_fail(err, V2V_ERR_FORMAT, "no directory entry at byte %zu",
                        place);
    cluster = u16(fat->data + place + entry_cluster);
    left = u32(fat->data + place + entry_file_size);
    for (unsigned steps = 0; left > 0; steps++) {
        size_t len = left < fat->cluster_size ? left : fat->cluster_size;

        if (!is_cluster(fat, cluster) || steps == fat->cluster_count)
            return fail_chain(cluster, err);
        if (v2v_bytes_add(ret, fat->data + cluster_place(fat, cluster), len,
                          err) < 0)
            return -1;
        left -= len;
        cluster = next_cluster(fat, cluster);
    }
    return 0;
}
