/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hives/hives.h"

#include "hives/private.h"
#include "sandbox/sandbox.h"

int
hives_open_here(const struct hives_source *source,
                struct reg_replayed *replayed, struct reg_hive **ret,
                struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes replay = { 0 };
    struct reg_replayed r = { .result = REG_REPLAY_CLEAN };
    const void *data = source->data;
    size_t len = source->len;

    if (source->logs != NULL &&
        reg_replay_logs(data, len, source->logs, &r, err) < 0)
        return -1;
    replay = r.hive;
    r.hive = (struct v2v_bytes){ 0 };
    if (r.result == REG_REPLAY_DONE) {
        data = replay.data;
        len = replay.len;
    }
    if ((source->file != NULL && data == source->data
             ? reg_hive_open_file(source->file->reader, data, len, ret, err)
             : reg_hive_open(data, len, ret, err)) < 0)
        return -1;
    if (replayed != NULL)
        *replayed = r;
    return 0;
}

int
hives_open(const struct hives_source *source, struct reg_replayed *replayed,
           struct reg_hive **ret, struct v2v_error *err)
{
    return sandbox_mode() == SANDBOX_OFF
               ? hives_open_here(source, replayed, ret, err)
               : hives_open_remote(source, replayed, ret, err);
}

/* Saving ------------------------------------------------------------------- */

struct saving {
    struct hives_file *file;
    struct v2v_ranges *changed;
    size_t old_len, done;
};

/* The page that a piece begins with is one of the file. */
static int
take(void *opaque, const void *data, size_t len, struct v2v_error *err)
{
    struct saving *s = opaque;
    const uint8_t *piece = data;
    size_t known = s->done < s->old_len ? s->old_len - s->done : 0;
    struct v2v_range r = { 0, 0 };

    while (v2v_range_next(s->file->data + s->done, known < len ? known : len,
                          piece, len, r.end, &r)) {
        const struct v2v_range at = { s->done + r.start, s->done + r.end };

        if (hives_file_write(s->file, piece + r.start, r.end - r.start,
                             at.start, err) < 0 ||
            v2v_ranges_add(s->changed, at, err) < 0)
            return -1;
    }
    s->done += len;
    return 0;
}

int
hives_save(struct reg_hive *hive, struct hives_file *file,
           struct v2v_ranges *changed, struct v2v_error *err)
{
    struct saving saving = { file, changed, file->len, 0 };

    if (reg_hive_save_to(hive, take, &saving, err) < 0)
        return -1;
    /* hivex gives nothing back */
    if (saving.done < saving.old_len)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "the edited hive has %zu bytes, and had %zu",
                        saving.done, saving.old_len);
    return 0;
}
