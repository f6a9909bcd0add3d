/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk/bitlocker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/read.h"

/* Of a volume, at byte 3 (disk_probe() has seen it), and of a block. */
static const char signature[] = "-FVE-FS-";
enum { SIGNATURE_LEN = sizeof signature - 1 };

/* Volume header, since Windows 7; the places are bytes from its start. */
enum { HEADER_BLOCKS = 176, BLOCKS = 3 };

/* Metadata block: block header, metadata header, entries. */
enum {
    BLOCK_VERSION = 10, /* 1 is Windows Vista's */
    METADATA = 64,
    METADATA_SIZE = 64,      /* of header and entries, from byte 64 */
    METADATA_VERSION = 68,   /* 1 */
    METADATA_HEADER = 72,    /* 48 */
    METADATA_SIZE_COPY = 76, /* the same */
    ENTRIES = 112,
    BLOCK_MAX = 65536 /* the room that Windows gives to each copy */
};

/* An entry: its header, and of a volume master key what follows it. */
enum {
    ENTRY_TYPE = 2,
    ENTRY_VALUE_TYPE = 4,
    ENTRY_HEADER = 8,
    TYPE_VMK = 2,
    VALUE_VMK = 8,
    VMK_PROTECTION = ENTRY_HEADER + 26,
    VMK_MIN = ENTRY_HEADER + 28
};

/* Source: as in the header; "smart card": cryptsetup, lib/bitlk. */
enum { CLEAR_KEY };
static const struct {
    uint16_t type;
    const char *name;
} protections[] = {
    [CLEAR_KEY] = { 0x0000, "clear key" },
    { 0x0100, "TPM" },
    { 0x0200, "startup key" },
    { 0x0500, "TPM and PIN" },
    { 0x0800, "recovery password" },
    { 0x2000, "password" },
    { 0x1000, "smart card" },
};
enum { KNOWN = sizeof protections / sizeof *protections };

/* Bits by index into the table; what is not in it has the next one. */
static unsigned
protection_bit(uint16_t type)
{
    unsigned i = 0;

    while (i < KNOWN && protections[i].type != type)
        i++;
    return 1u << i;
}

/* Adds what the entries of a block say.  Windows fills their room up to an end
 * that the size names; an entry of no size ends them before that. */
static unsigned
read_entries(const uint8_t *block, size_t len)
{
    unsigned found = 0;
    size_t at = ENTRIES;

    while (len - at >= ENTRY_HEADER) {
        const uint8_t *entry = block + at;
        size_t size = disk_le16(entry);

        if (size < ENTRY_HEADER || size > len - at)
            break;
        if (disk_le16(entry + ENTRY_TYPE) == TYPE_VMK &&
            disk_le16(entry + ENTRY_VALUE_TYPE) == VALUE_VMK && size >= VMK_MIN)
            found |= protection_bit(disk_le16(entry + VMK_PROTECTION));
        at += size;
    }
    return found;
}

static bool
is_block(const uint8_t *block)
{
    uint32_t size = disk_le32(block + METADATA_SIZE);

    return memcmp(block, signature, SIGNATURE_LEN) == 0 &&
           disk_le16(block + BLOCK_VERSION) == 2 &&
           disk_le32(block + METADATA_VERSION) == 1 &&
           disk_le32(block + METADATA_HEADER) == ENTRIES - METADATA &&
           disk_le32(block + METADATA_SIZE_COPY) == size &&
           size >= ENTRIES - METADATA && size <= BLOCK_MAX - METADATA;
}

struct place {
    const struct disk_reader *disk;
    uint64_t offset, len; /* of the volume */
};

/* What is not inside the volume reads as zeroes. */
static int
read_at(const struct place *volume, uint64_t offset, uint8_t *buf, size_t len,
        struct v2v_error *err)
{
    memset(buf, 0, len);
    if (offset > volume->len || volume->len - offset < len)
        return 0;
    return disk_read(volume->disk, volume->offset + offset, buf, len, err);
}

/* @ret: bits; 0: no block is there, or one without keys */
static int
read_block(const struct place *volume, uint64_t offset, uint8_t *block,
           unsigned *ret, struct v2v_error *err)
{
    size_t len;

    *ret = 0;
    if (read_at(volume, offset, block, ENTRIES, err) < 0)
        return -1;
    if (!is_block(block))
        return 0;
    len = METADATA + disk_le32(block + METADATA_SIZE);
    if (read_at(volume, offset, block, len, err) < 0)
        return -1;
    *ret = read_entries(block, len);
    return 0;
}

static void
name_all(unsigned bits, char *ret, size_t ret_len)
{
    size_t used = 0;

    *ret = '\0';
    for (unsigned i = 0; i <= KNOWN; i++)
        if ((bits & 1u << i) != 0)
            used += (size_t)snprintf(
                ret + used, ret_len - used, "%s%s", used > 0 ? ", " : "",
                i < KNOWN ? protections[i].name : "another key");
}

int
bitlocker_read(const struct disk_reader *disk, uint64_t volume_offset,
               uint64_t volume_len, struct bitlocker *ret,
               struct v2v_error *err)
{
    const struct place volume = { disk, volume_offset, volume_len };
    V2V_AUTO(mem) uint8_t *block = malloc(BLOCK_MAX);
    uint8_t header[DISK_SECTOR];
    unsigned bits = 0;

    if (block == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    if (read_at(&volume, 0, header, sizeof header, err) < 0)
        return -1;
    for (size_t i = 0; i < BLOCKS && bits == 0; i++)
        if (read_block(&volume, disk_le64(header + HEADER_BLOCKS + 8 * i),
                       block, &bits, err) < 0)
            return -1;
    ret->state = bits == 0                       ? BITLOCKER_UNKNOWN
                 : (bits & 1u << CLEAR_KEY) != 0 ? BITLOCKER_CLEAR_KEY
                                                 : BITLOCKER_LOCKED;
    name_all(bits, ret->protectors, sizeof ret->protectors);
    return 0;
}
