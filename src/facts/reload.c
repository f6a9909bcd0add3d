/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "facts/find.h"
#include "facts/hive.h"

/* As long as they were, or emptied since. */
static int
check_logs(struct guest *guest, const struct facts_hive *hive,
           struct v2v_error *err)
{
    for (size_t i = 0; i < 2; i++) {
        struct guest_stat st;

        if (guest_stat(guest, hive->logs[i].path, &st, err) < 0)
            return -1;
        if (st.size != hive->logs[i].len)
            return v2v_fail(err, V2V_ERR_INTERNAL,
                            "%s: has %" PRIu64 " bytes, not %" PRIu64,
                            hive->logs[i].path, st.size, hive->logs[i].len);
    }
    return 0;
}

static int
reload(struct guest *guest, struct facts_hive *hive, struct v2v_error *err)
{
    struct guest_stat st;

    reg_hive_close(v2v_steal(hive->hive));
    if (guest_check_content(guest, hive->path, hive->file->data,
                            hive->file->len, err) < 0 ||
        check_logs(guest, hive, err) < 0 ||
        guest_stat(guest, hive->path, &st, err) < 0)
        return -1;
    hive->file_number = st.file_number;
    hive->replay = REG_REPLAY_CLEAN;
    if (facts_hive_open(guest, FACTS_HIVE_MAX, hive, err) < 0) {
        /* it could be opened, and we have edited it since */
        if (err != NULL && err->code == V2V_ERR_FORMAT)
            err->code = V2V_ERR_INTERNAL;
        return v2v_fail_in(err, "%s: as written", hive->path);
    }
    return 0;
}

int
facts_reload_hives(struct guest *guest, const struct facts *facts,
                   struct facts_hives *hives, struct v2v_error *err)
{
    if (guest_mount(guest, facts->disk, facts->partition, false, err) < 0)
        return -1;
    for (size_t i = 0; i < REG_HIVE_COUNT; i++)
        if (hives->items[i].hive != NULL &&
            reload(guest, &hives->items[i], err) < 0)
            return -1;
    return 0;
}
