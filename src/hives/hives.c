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
    if (reg_hive_open(data, len, ret, err) < 0)
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
