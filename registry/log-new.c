/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logs of Windows 8.1 and later: a chain of entries, each of them a list of
 * pages that are to be written together. */
#include <string.h>

#include "registry/log-private.h"
#include "registry/marvin32.h"

#define SEED 0x82EF4D887A4E55C5

/* Offsets in an entry. */
enum {
    AT_SIZE = 0x04, /* of the whole entry, in sectors */
    AT_FLAGS = 0x08,
    AT_SEQUENCE = 0x0c,
    AT_HBINS_LEN = 0x10,
    AT_PAGE_COUNT = 0x14,
    AT_HASH_REST = 0x18, /* of what follows the header */
    AT_HASH_HEADER = 0x20,
    HEADER_LEN = 0x28
};

/* The references follow the header, and the pages follow the references. */
enum { REF_AT_OFFSET = 0, REF_AT_SIZE = 4, REF_LEN = 8 };

static bool
hashes_ok(const uint8_t *entry, size_t size)
{
    return reg_marvin32(SEED, entry, AT_HASH_HEADER) ==
               v2v_get_le(entry + AT_HASH_HEADER, 8) &&
           reg_marvin32(SEED, entry + HEADER_LEN, size - HEADER_LEN) ==
               v2v_get_le(entry + AT_HASH_REST, 8);
}

/* A hash is no defence against who knows the seed. */
static bool
pages_ok(const uint8_t *entry, size_t size)
{
    uint32_t count = reg_u32(entry, AT_PAGE_COUNT);
    uint32_t hbins_len = reg_u32(entry, AT_HBINS_LEN);
    size_t left = size - HEADER_LEN;

    if (count > left / REF_LEN)
        return false;
    left -= (size_t)count * REF_LEN;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *ref = entry + HEADER_LEN + (size_t)i * REF_LEN;
        uint32_t offset = reg_u32(ref, REF_AT_OFFSET);
        uint32_t len = reg_u32(ref, REF_AT_SIZE);

        if (offset > hbins_len || len > hbins_len - offset || len > left)
            return false;
        left -= len;
    }
    return true;
}

/* The length of the entry at @entry if it is whole and the one that is
 * expected there, or 0. */
static size_t
entry_len(const uint8_t *entry, size_t left, uint32_t sequence)
{
    size_t size;

    if (left < HEADER_LEN || memcmp(entry, "HvLE", 4) != 0)
        return 0;
    size = reg_u32(entry, AT_SIZE);
    if (size < LOG_SECTOR || size % LOG_SECTOR != 0 || size > left)
        return 0;
    if (reg_u32(entry, AT_SEQUENCE) != sequence ||
        !log_hbins_len_ok(reg_u32(entry, AT_HBINS_LEN)) ||
        !hashes_ok(entry, size) || !pages_ok(entry, size))
        return 0;
    return size;
}

static int
apply_entry(const uint8_t *entry, struct v2v_bytes *hive, struct v2v_error *err)
{
    uint32_t count = reg_u32(entry, AT_PAGE_COUNT);
    const uint8_t *ref = entry + HEADER_LEN;
    const uint8_t *page = ref + (size_t)count * REF_LEN;
    uint32_t flags;

    if (log_resize(hive, reg_u32(entry, AT_HBINS_LEN), err) < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++, ref += REF_LEN) {
        size_t len = reg_u32(ref, REF_AT_SIZE);

        memcpy(hive->data + REG_BASE_BLOCK_LEN + reg_u32(ref, REF_AT_OFFSET),
               page, len);
        page += len;
    }
    /* bit 0, a pending transaction, is the only one that entries carry */
    flags = reg_u32(hive->data, REG_AT_FLAGS) & ~1U;
    reg_set_u32(hive->data, REG_AT_FLAGS,
                flags | (reg_u32(entry, AT_FLAGS) & 1));
    return 0;
}

int
log_new_apply(const struct reg_log *log, struct reg_replayed *ret,
              struct v2v_error *err)
{
    const uint8_t *data = log->data;
    uint32_t sequence = reg_u32(data, REG_AT_PRIMARY_SEQUENCE);
    size_t len;

    for (size_t at = LOG_SECTOR; at < log->len; at += len) {
        len = entry_len(data + at, log->len - at, sequence);
        if (len == 0)
            break;
        if (apply_entry(data + at, &ret->hive, err) < 0)
            return -1;
        ret->entries++;
        ret->last_sequence = sequence++;
    }
    return 0;
}
