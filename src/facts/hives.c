/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"
#include "facts/find.h"
#include "registry/header.h"
#include "registry/log.h"

/* SOFTWARE is the largest: 200 MB have been seen. */
static const size_t hive_max = 512 << 20;

void
facts_hives_done(struct facts_hives *hives)
{
    for (size_t i = 0; i < REG_HIVE_COUNT; i++) {
        free(hives->items[i].path);
        free(hives->items[i].logs[0].path);
        free(hives->items[i].logs[1].path);
        v2v_bytes_done(&hives->items[i].bytes);
        reg_hive_close(hives->items[i].hive);
    }
    *hives = (struct facts_hives){ 0 };
}

/* A log may be as large as its hive. */
static int
load_log(struct guest *guest, const struct facts_hive *hive, size_t which,
         struct v2v_bytes *ret, struct v2v_error *err)
{
    if (hive->logs[which].len == 0)
        return 0;
    return guest_read(guest, hive->logs[which].path, hive_max, ret, err);
}

static int
find_logs(struct guest *guest, struct facts_hive *hive, struct v2v_error *err)
{
    for (size_t i = 0; i < 2; i++) {
        struct guest_stat st;

        hive->logs[i].path = v2v_format(err, "%s.LOG%zu", hive->path, i + 1);
        if (hive->logs[i].path == NULL ||
            guest_stat(guest, hive->logs[i].path, &st, err) < 0)
            return -1;
        hive->logs[i].len = st.size;
    }
    return 0;
}

static int
refuse_dirty(const struct facts_allow *allow, const char *path,
             struct v2v_error *err)
{
    if (!allow->hive_dirty)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "the hive is dirty and its transaction logs do not "
                        "apply to it: changes that Windows made would be lost; "
                        "shut Windows down once more, or take the hive as it "
                        "is with --allow hive-dirty");
    v2v_warn("facts", "hive-dirty",
             "%s is dirty, its transaction logs do not apply, and it is taken "
             "as it is: changes that Windows made may be lost",
             path);
    return 0;
}

/* Opens what Windows would have: the file, or the file and what its logs
 * hold. */
static int
open_hive(struct guest *guest, const struct facts_allow *allow,
          struct facts_hive *hive, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes first = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes second = { 0 };
    struct reg_replayed replayed = { 0 };
    struct reg_log logs[2];
    int result;

    if (find_logs(guest, hive, err) < 0)
        return -1;
    if (!reg_needs_logs(hive->bytes.data, hive->bytes.len))
        return reg_hive_open(hive->bytes.data, hive->bytes.len, &hive->hive,
                             err);
    if (load_log(guest, hive, 0, &first, err) < 0 ||
        load_log(guest, hive, 1, &second, err) < 0)
        return -1;
    logs[0] = (struct reg_log){ first.data, first.len };
    logs[1] = (struct reg_log){ second.data, second.len };
    if (reg_replay_logs(hive->bytes.data, hive->bytes.len, logs, &replayed,
                        err) < 0)
        return -1;
    if (replayed.result != REG_REPLAY_DONE)
        return refuse_dirty(allow, hive->path, err) < 0
                   ? -1
                   : reg_hive_open(hive->bytes.data, hive->bytes.len,
                                   &hive->hive, err);
    v2v_fact("facts", "%s: %u entries of its transaction logs replayed",
             hive->path, replayed.entries);
    result =
        reg_hive_open(replayed.hive.data, replayed.hive.len, &hive->hive, err);
    v2v_bytes_done(&replayed.hive);
    return result;
}

static int
load_hive(struct guest *guest, const struct facts *facts, enum reg_hive_id id,
          const struct facts_allow *allow, struct facts_hive *hive,
          struct v2v_error *err)
{
    hive->path = v2v_format(err, "%s/System32/config/%s", facts->system_root,
                            reg_hive_name(id));
    if (hive->path == NULL)
        return -1;
    if (guest_read(guest, hive->path, hive_max, &hive->bytes, err) < 0)
        return -1;
    if (open_hive(guest, allow, hive, err) < 0)
        return v2v_fail_in(err, "%s", hive->path);
    v2v_fact("facts", "%s: %zu bytes", hive->path, hive->bytes.len);
    return 0;
}

int
facts_load_hives(struct guest *guest, const struct facts *facts,
                 const struct facts_allow *allow, struct facts_hives *ret,
                 struct v2v_error *err)
{
    for (enum reg_hive_id id = 0; id < REG_HIVE_COUNT; id++) {
        if (load_hive(guest, facts, id, allow, &ret->items[id], err) == 0)
            continue;
        /* DRIVERS came with Windows 8; facts_read() judges what is missing */
        if (id == REG_DRIVERS && err->code == V2V_ERR_NOT_FOUND)
            continue;
        if (err->code == V2V_ERR_NOT_FOUND)
            err->code = V2V_ERR_GUEST;
        return -1;
    }
    return 0;
}
