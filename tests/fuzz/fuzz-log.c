/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile transaction logs.  Input: the lengths of the hive and of LOG1 (four
 * bytes each, little endian), the hive, LOG1, LOG2.  Checksums and hashes are
 * made right first, for no fuzzer guesses them. */
#include <stdlib.h>
#include <string.h>

#include "registry/header.h"
#include "registry/log.h"
#include "registry/marvin32.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint64_t seed = 0x82EF4D887A4E55C5;

/* Growth is bounded, but not to what a fuzzer can do thousands of times a
 * second. */
enum { HBINS_MASK = 0xfffff };

static void
limit_hbins(uint8_t *at)
{
    v2v_put_le(at, v2v_get_le(at, 4) & HBINS_MASK, 4);
}

static void
seal_base(struct v2v_bytes *b)
{
    uint32_t sum = 0;

    if (b->len < 512)
        return;
    limit_hbins(b->data + 0x28);
    for (size_t i = 0; i < 0x1fc; i += 4)
        sum ^= (uint32_t)v2v_get_le(b->data + i, 4);
    v2v_put_le(b->data + 0x1fc, sum, 4);
}

static void
seal_entries(struct v2v_bytes *b)
{
    for (size_t at = 512, size; at + 0x28 < b->len; at += size) {
        uint8_t *e = b->data + at;

        size = v2v_get_le(e + 4, 4);
        if (size < 0x28 || size > b->len - at)
            return;
        limit_hbins(e + 0x10);
        v2v_put_le(e + 0x18, reg_marvin32(seed, e + 0x28, size - 0x28), 8);
        v2v_put_le(e + 0x20, reg_marvin32(seed, e, 0x20), 8);
    }
}

/* The first @want bytes of what is left, as far as it goes. */
static struct v2v_bytes
take(const uint8_t **data, size_t *left, size_t want)
{
    struct v2v_bytes ret = { 0 };
    struct v2v_error err;

    if (want > *left)
        want = *left;
    if (v2v_bytes_copy(*data, want, &ret, &err) < 0)
        abort();
    *data += want;
    *left -= want;
    return ret;
}

static void
check(const struct reg_replayed *r)
{
    struct reg_header header;
    struct v2v_error err;

    if (r->result != REG_REPLAY_DONE) {
        if (r->hive.data != NULL || r->entries != 0)
            abort();
        return;
    }
    if (r->entries == 0 ||
        reg_header_read(r->hive.data, r->hive.len, &header, &err) < 0 ||
        header.dirty || header.primary_sequence <= r->last_sequence)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = { 0 }, log1 = { 0 }, log2 = { 0 };
    struct reg_replayed r = { 0 };
    struct v2v_error err = { 0 };
    size_t hive_len, log_len;

    if (len < 8)
        return 0;
    hive_len = v2v_get_le(data, 4);
    log_len = v2v_get_le(data + 4, 4);
    data += 8;
    len -= 8;
    hive = take(&data, &len, hive_len);
    log1 = take(&data, &len, log_len);
    log2 = take(&data, &len, len);
    /* the hive's checksum stays as it is: a wrong one is a case as well */
    seal_base(&log1);
    seal_base(&log2);
    seal_entries(&log1);
    seal_entries(&log2);

    const struct reg_log logs[2] = { { log1.data, log1.len },
                                     { log2.data, log2.len } };

    if (reg_replay_logs(hive.data, hive.len, logs, &r, &err) < 0) {
        if (err.text[0] == '\0' || r.hive.data != NULL)
            abort();
        return 0;
    }
    check(&r);
    v2v_bytes_done(&r.hive);
    return 0;
}
