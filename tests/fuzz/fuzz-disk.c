/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile disks: the partition table, every NTFS in it and the places of two
 * files there, and who can open a BitLocker volume.
 *
 * Input: a byte (bit 0: make the checksums of a GPT right first, else no
 * change gets past them; the others: the number of a file's record), the
 * disk's size in sectors of 512 bytes (4 bytes, little endian), then sectors:
 * a number (4 bytes) and 512 bytes.  All other sectors are zero.  The corpus
 * holds of images made with sfdisk and mkntfs the sectors that are read; its
 * files place-* and bitlocker-* are made by make-corpus-disk.py. */
#include <stdlib.h>

#include "disk/bitlocker.h"
#include "disk/ntfs.h"
#include "disk/probe.h"
#include "tests/unit/test-disk-image.h"

enum {
    SECTORS = 32768, /* that are kept of the disk */
    RECORD = 4 + 512,
    HEADER = 5
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t sectors[SECTORS][512];

/* Fill (or with @clear empty) the sectors that the input names. */
static void
inflate(const uint8_t *data, size_t len, bool clear)
{
    for (size_t i = HEADER; len - i > 4; i += RECORD) {
        uint64_t sector = get_le(data + i, 4);
        size_t n = len - i - 4 < 512 ? len - i - 4 : 512;

        if (sector < SECTORS && clear)
            memset(sectors[sector], 0, 512);
        else if (sector < SECTORS)
            memcpy(sectors[sector], data + i + 4, n);
        if (n < 512)
            break;
    }
}

/* What ntfs_file_place() promises. */
static void
find_place(const struct disk_reader *disk, const struct disk_volume *v,
           uint64_t number, size_t len)
{
    struct ntfs_place place;
    struct v2v_error err;

    if (ntfs_file_place(disk, v->offset, v->len, number, len, &place, &err) < 0)
        return;
    if (place.count == 0 || place.count > NTFS_EXTENTS_MAX)
        abort();
    for (size_t i = 0; i < place.count; i++) {
        const struct ntfs_extent *e = &place.extents[i];

        if (e->len == 0 || e->len > len || e->offset < v->offset ||
            e->offset - v->offset > v->len ||
            e->len > v->len - (e->offset - v->offset))
            abort();
        len -= e->len;
    }
    if (len != 0)
        abort();
}

static void
find_keys(const struct disk_reader *disk, const struct disk_volume *v)
{
    struct bitlocker keys;
    struct v2v_error err;

    if (bitlocker_read(disk, v->offset, v->len, &keys, &err) < 0)
        return;
    if ((keys.state == BITLOCKER_UNKNOWN) != (keys.protectors[0] == '\0') ||
        (keys.state == BITLOCKER_CLEAR_KEY) !=
            (strncmp(keys.protectors, "clear key", 9) == 0) ||
        strlen(keys.protectors) >= sizeof keys.protectors - 1)
        abort();
}

static void
probe(const struct disk_reader *disk, uint64_t number)
{
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    struct ntfs_state state;
    struct v2v_error err;

    if (disk_probe(disk, &layout, &err) < 0)
        return;
    for (size_t i = 0; i < layout.count; i++) {
        const struct disk_volume *v = &layout.volumes[i];

        if (v->offset > disk->size || v->len > disk->size - v->offset ||
            (i > 0 && v->number <= v[-1].number))
            abort();
        if (v->content == DISK_BITLOCKER)
            find_keys(disk, v);
        if (v->content != DISK_NTFS)
            continue;
        find_place(disk, v, number, 4096);
        find_place(disk, v, NTFS_LOGFILE, NTFS_LOGFILE_RESTART);
        if (ntfs_state_read(disk, v->offset, v->len, &state, &err) == 0 &&
            (unsigned)state.journal > NTFS_JOURNAL_UNREADABLE)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct image image = { sectors[0], sizeof sectors, false };
    struct disk_reader disk = { image_read, &image, 0 };

    if (len < HEADER)
        return 0;
    disk.size = get_le(data + 1, 4) * 512;
    inflate(data, len, false);
    if ((data[0] & 1) != 0) {
        image_seal_gpt(&image, 512, 512);
        image_seal_gpt(&image, 4096, 4096);
    }
    probe(&disk, data[0] >> 1);
    inflate(data, len, true);
    /* sealing writes into these */
    memset(sectors[1], 0, 512);
    memset(sectors[8], 0, 512);
    return 0;
}
