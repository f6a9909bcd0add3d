/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/log.h"

#include <errno.h>
#include <string.h>

#include "registry/header.h"
#include "registry/log-private.h"

bool
log_hbins_len_ok(uint32_t hbins_len)
{
    return hbins_len > 0 && hbins_len % LOG_PAGE == 0 &&
           hbins_len <= REG_REPLAY_MAX_HBINS;
}

int
log_resize(struct v2v_bytes *hive, uint32_t hbins_len, struct v2v_error *err)
{
    size_t len = REG_BASE_BLOCK_LEN + (size_t)hbins_len;

    if (len > hive->len) {
        uint8_t *data = realloc(hive->data, len);

        if (data == NULL)
            return v2v_fail_errno(err, errno, "registry hive of %zu bytes",
                                  len);
        memset(data + hive->len, 0, len - hive->len);
        *hive = (struct v2v_bytes){ data, len, len };
    }
    reg_set_u32(hive->data, REG_AT_HBINS_LEN, hbins_len);
    return 0;
}

static const uint8_t *
base_of(const struct reg_log *log)
{
    return log->data;
}

static uint32_t
sequence_of(const struct reg_log *log)
{
    return reg_u32(base_of(log), REG_AT_PRIMARY_SEQUENCE);
}

static uint32_t
type_of(const struct reg_log *log)
{
    return reg_u32(base_of(log), REG_AT_TYPE);
}

/* Unequal numbers are a log that was being begun. */
static bool
log_sound(const struct reg_log *log)
{
    return log->len >= LOG_SECTOR && reg_base_sound(base_of(log)) &&
           sequence_of(log) ==
               reg_u32(base_of(log), REG_AT_SECONDARY_SEQUENCE) &&
           (type_of(log) == LOG_TYPE_NEW || type_of(log) == LOG_TYPE_OLD);
}

static int
apply_log(const struct reg_log *log, struct reg_replayed *ret,
          struct v2v_error *err)
{
    return type_of(log) == LOG_TYPE_NEW ? log_new_apply(log, ret, err)
                                        : log_old_apply(log, ret, err);
}

/* The logs that may be applied, in the order in which to try them. */
struct candidates {
    const struct reg_log *items[2];
    size_t count;
};

static void
add_candidate(struct candidates *list, const struct reg_log *log)
{
    list->items[list->count++] = log;
}

static void
swap_candidates(struct candidates *list)
{
    const struct reg_log *first = list->items[0];

    list->items[0] = list->items[1];
    list->items[1] = first;
}

/* A log's first entry may be far above the primary file's numbers, for these
 * count in another way; below them it was written before the file was. */
static void
find_new(const struct reg_log logs[2], uint32_t written, struct candidates *ret)
{
    for (size_t i = 0; i < 2; i++) {
        if (log_sound(&logs[i]) && type_of(&logs[i]) == LOG_TYPE_NEW &&
            sequence_of(&logs[i]) >= written)
            add_candidate(ret, &logs[i]);
    }
    if (ret->count == 2 &&
        sequence_of(ret->items[0]) > sequence_of(ret->items[1]))
        swap_candidates(ret);
}

/* The numbers of old logs do not tell a stale one; the time does.  Of two
 * Windows 8 takes the newer one, and Windows 7 does so since an update. */
static void
find_old(const struct reg_log logs[2], const uint8_t *base,
         struct candidates *ret)
{
    for (size_t i = 0; i < 2; i++) {
        if (log_sound(&logs[i]) && type_of(&logs[i]) == LOG_TYPE_OLD &&
            memcmp(base_of(&logs[i]) + REG_AT_LAST_WRITTEN,
                   base + REG_AT_LAST_WRITTEN, 8) == 0)
            add_candidate(ret, &logs[i]);
    }
    if (ret->count == 2 &&
        sequence_of(ret->items[0]) < sequence_of(ret->items[1]))
        swap_candidates(ret);
}

/* A gap between the first log and the second would mix two states. */
static int
apply_new_logs(const struct candidates *list, struct reg_replayed *ret,
               struct v2v_error *err)
{
    uint32_t first = sequence_of(list->items[0]);

    for (size_t i = 0; i < list->count; i++) {
        if (sequence_of(list->items[i]) != first + ret->entries)
            break;
        if (apply_log(list->items[i], ret, err) < 0)
            return -1;
    }
    return 0;
}

static int
apply_old_logs(const struct candidates *list, struct reg_replayed *ret,
               struct v2v_error *err)
{
    for (size_t i = 0; i < list->count && ret->entries == 0; i++) {
        if (apply_log(list->items[i], ret, err) < 0)
            return -1;
    }
    return 0;
}

/* The primary file's base block is sound. */
static int
apply_logs(const struct reg_log logs[2], struct reg_replayed *ret,
           struct v2v_error *err)
{
    struct candidates newer = { 0 }, older = { 0 };

    find_new(logs, reg_u32(ret->hive.data, REG_AT_SECONDARY_SEQUENCE), &newer);
    find_old(logs, ret->hive.data, &older);
    if (newer.count > 0)
        return apply_new_logs(&newer, ret, err);
    return apply_old_logs(&older, ret, err);
}

/* Only the newest log: nothing tells whether the other one is stale. */
static int
recover_base(const struct reg_log logs[2], struct reg_replayed *ret,
             struct v2v_error *err)
{
    const struct reg_log *newest = NULL;

    for (size_t i = 0; i < 2; i++) {
        if (log_sound(&logs[i]) &&
            (newest == NULL || sequence_of(&logs[i]) > sequence_of(newest)))
            newest = &logs[i];
    }
    if (newest == NULL)
        return 0;
    memcpy(ret->hive.data, newest->data, LOG_SECTOR);
    reg_set_u32(ret->hive.data, REG_AT_TYPE, LOG_TYPE_PRIMARY);
    ret->base_recovered = true;
    return apply_log(newest, ret, err);
}

static uint32_t
max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Above all numbers seen, those of logs that were not applied as well: if the
 * hive becomes dirty again they must be stale to it. */
static int
finish(const struct reg_log logs[2], struct reg_replayed *ret,
       struct v2v_error *err)
{
    uint8_t *base = ret->hive.data;
    uint32_t last = max_u32(reg_u32(base, REG_AT_PRIMARY_SEQUENCE),
                            reg_u32(base, REG_AT_SECONDARY_SEQUENCE));
    struct reg_header header;

    last = max_u32(last, ret->last_sequence);
    for (size_t i = 0; i < 2; i++) {
        if (log_sound(&logs[i]))
            last = max_u32(last, sequence_of(&logs[i]));
    }
    if (last == UINT32_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "corrupt registry hive: no sequence number is left");
    reg_set_u32(base, REG_AT_PRIMARY_SEQUENCE, last + 1);
    reg_set_u32(base, REG_AT_SECONDARY_SEQUENCE, last + 1);
    reg_set_u32(base, REG_AT_CHECKSUM, reg_base_checksum(base));
    return reg_header_read(base, ret->hive.len, &header, err);
}

static int
replay(const void *hive, size_t len, const struct reg_log logs[2], bool sound,
       struct reg_replayed *ret, struct v2v_error *err)
{
    if (v2v_bytes_copy(hive, len, &ret->hive, err) < 0)
        return -1;
    if ((sound ? apply_logs : recover_base)(logs, ret, err) < 0)
        return -1;
    return ret->entries > 0 ? finish(logs, ret, err) : 0;
}

int
reg_replay_logs(const void *hive, size_t len, const struct reg_log logs[2],
                struct reg_replayed *ret, struct v2v_error *err)
{
    struct reg_replayed done = { .result = REG_REPLAY_DONE };
    struct reg_header header = { 0 };
    bool sound = len < REG_BASE_BLOCK_LEN || reg_base_sound(hive);

    if (sound && reg_header_read(hive, len, &header, err) < 0)
        return -1;
    if (sound && !header.dirty) {
        *ret = (struct reg_replayed){ .result = REG_REPLAY_CLEAN };
        return 0;
    }
    if (replay(hive, len, logs, sound, &done, err) < 0) {
        v2v_bytes_done(&done.hive);
        return -1;
    }
    if (done.entries == 0) {
        v2v_bytes_done(&done.hive);
        if (!sound)
            return reg_header_read(hive, len, &header, err);
        done = (struct reg_replayed){ .result = REG_REPLAY_NO_LOGS };
    }
    *ret = done;
    return 0;
}
