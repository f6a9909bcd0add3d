/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk/bitlocker.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
    METADATA_VOLUME = 80,    /* a GUID */
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
    VMK_ID = ENTRY_HEADER, /* a GUID */
    VMK_PROTECTION = ENTRY_HEADER + 26,
    VMK_MIN = ENTRY_HEADER + 28
};

/* Source: as in the header; "smart card": cryptsetup, lib/bitlk. */
enum { CLEAR_KEY, TPM, STARTUP_KEY, TPM_AND_PIN, RECOVERY_PASSWORD };
static const struct {
    uint16_t type;
    const char *name;
} protections[] = {
    [CLEAR_KEY] = { 0x0000, "clear key" },
    [TPM] = { 0x0100, "TPM" },
    [STARTUP_KEY] = { 0x0200, "startup key" },
    [TPM_AND_PIN] = { 0x0500, "TPM and PIN" },
    [RECOVERY_PASSWORD] = { 0x0800, "recovery password" },
    { 0x2000, "password" },
    { 0x1000, "smart card" },
};
enum { KNOWN = sizeof protections / sizeof *protections };

/* What is not in the table has the index behind it. */
static unsigned
find_protection(uint16_t type)
{
    unsigned i = 0;

    while (i < KNOWN && protections[i].type != type)
        i++;
    return i;
}

/* As Windows stores a GUID: three numbers, then bytes. */
static struct bitlocker_id
id_at(const uint8_t *guid)
{
    struct bitlocker_id id;

    snprintf(id.text, sizeof id.text,
             "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             (unsigned)disk_le32(guid), (unsigned)disk_le16(guid + 4),
             (unsigned)disk_le16(guid + 6), guid[8], guid[9], guid[10],
             guid[11], guid[12], guid[13], guid[14], guid[15]);
    return id;
}

/* Protections are bits by index into their table. */
static void
add_protector(const uint8_t *entry, struct bitlocker *found, unsigned *bits)
{
    unsigned i = find_protection(disk_le16(entry + VMK_PROTECTION));
    struct bitlocker_id id = id_at(entry + VMK_ID);

    if (i == RECOVERY_PASSWORD && (*bits & 1u << i) == 0)
        found->recovery = id;
    if (found->id_count < BITLOCKER_IDS_MAX)
        found->ids[found->id_count++] = id;
    *bits |= 1u << i;
}

/* Adds what the entries of a block say.  Windows fills their room up to an end
 * that the size names; an entry of no size ends them before that. */
static unsigned
read_entries(const uint8_t *block, size_t len, struct bitlocker *found)
{
    unsigned bits = 0;
    size_t at = ENTRIES;

    while (len - at >= ENTRY_HEADER) {
        const uint8_t *entry = block + at;
        size_t size = disk_le16(entry);

        if (size < ENTRY_HEADER || size > len - at)
            break;
        if (disk_le16(entry + ENTRY_TYPE) == TYPE_VMK &&
            disk_le16(entry + ENTRY_VALUE_TYPE) == VALUE_VMK && size >= VMK_MIN)
            add_protector(entry, found, &bits);
        at += size;
    }
    return bits;
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

/* @bits: 0: no block is there, or one without keys */
static int
read_block(const struct place *volume, uint64_t offset, uint8_t *block,
           struct bitlocker *found, unsigned *bits, struct v2v_error *err)
{
    size_t len;

    *bits = 0;
    if (read_at(volume, offset, block, ENTRIES, err) < 0)
        return -1;
    if (!is_block(block))
        return 0;
    len = METADATA + disk_le32(block + METADATA_SIZE);
    if (read_at(volume, offset, block, len, err) < 0)
        return -1;
    *bits = read_entries(block, len, found);
    if (*bits != 0)
        found->volume = id_at(block + METADATA_VOLUME);
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

/* Sealed by the TPM of the machine that it leaves. */
static bool
needs_tpm(unsigned bits)
{
    const unsigned tpm = 1u << TPM | 1u << TPM_AND_PIN;

    return (bits & tpm) != 0 && (bits & ~(tpm | 1u << RECOVERY_PASSWORD)) == 0;
}

static void
judge(unsigned bits, struct bitlocker *found)
{
    found->state = bits == 0                       ? BITLOCKER_UNKNOWN
                   : (bits & 1u << CLEAR_KEY) != 0 ? BITLOCKER_CLEAR_KEY
                                                   : BITLOCKER_LOCKED;
    found->needs_tpm = needs_tpm(bits);
    name_all(bits, found->protectors, sizeof found->protectors);
}

int
bitlocker_read(const struct disk_reader *disk, uint64_t volume_offset,
               uint64_t volume_len, struct bitlocker *ret,
               struct v2v_error *err)
{
    const struct place volume = { disk, volume_offset, volume_len };
    V2V_AUTO(mem) uint8_t *block = malloc(BLOCK_MAX);
    struct bitlocker found = { 0 };
    uint8_t header[DISK_SECTOR];
    unsigned bits = 0;

    if (block == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    if (read_at(&volume, 0, header, sizeof header, err) < 0)
        return -1;
    for (size_t i = 0; i < BLOCKS && bits == 0; i++)
        if (read_block(&volume, disk_le64(header + HEADER_BLOCKS + 8 * i),
                       block, &found, &bits, err) < 0)
            return -1;
    judge(bits, &found);
    *ret = found;
    return 0;
}

/* Names ------------------------------------------------------------------ */

/* What is between the braces, where there are some. */
static const char *
without_braces(const char *text, size_t *len)
{
    *len = strlen(text);
    if (*len < 2 || text[0] != '{' || text[*len - 1] != '}')
        return text;
    *len -= 2;
    return text + 1;
}

bool
bitlocker_is_id(const char *text)
{
    size_t len;
    const char *id = without_braces(text, &len);

    if (len != BITLOCKER_ID_LEN)
        return false;
    for (size_t i = 0; i < len; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23
                ? id[i] != '-'
                : !isxdigit((unsigned char)id[i]))
            return false;
    return true;
}

bool
bitlocker_has_id(const struct bitlocker *volume, const char *id)
{
    size_t len;
    const char *bare = without_braces(id, &len);

    if (len != BITLOCKER_ID_LEN)
        return false;
    for (size_t i = 0; i < volume->id_count; i++)
        if (strncasecmp(volume->ids[i].text, bare, len) == 0)
            return true;
    return strncasecmp(volume->volume.text, bare, len) == 0;
}
