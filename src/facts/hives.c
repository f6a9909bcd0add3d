/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"
#include "facts/find.h"
#include "registry/header.h"

/* SOFTWARE is the largest: 200 MB have been seen. */
static const size_t hive_max = 512 << 20;

void
facts_hives_done(struct facts_hives *hives)
{
    for (size_t i = 0; i < REG_HIVE_COUNT; i++) {
        free(hives->items[i].path);
        v2v_bytes_done(&hives->items[i].bytes);
        reg_hive_close(hives->items[i].hive);
    }
    *hives = (struct facts_hives){ 0 };
}

static int
check_clean(const struct facts_hive *hive, const struct facts_allow *allow,
            struct v2v_error *err)
{
    struct reg_header header;

    if (reg_header_read(hive->bytes.data, hive->bytes.len, &header, err) < 0)
        return -1;
    if (!header.dirty)
        return 0;
    if (!allow->hive_dirty)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "the hive is dirty (sequence numbers %u and %u): "
                        "Windows has changes in its transaction logs that an "
                        "edit would lose; shut Windows down once more, or take "
                        "the hive as it is with --allow hive-dirty",
                        header.primary_sequence, header.secondary_sequence);
    v2v_warn("facts", "hive-dirty",
             "%s is dirty and taken as it is: changes that Windows left in its "
             "transaction logs are lost",
             hive->path);
    return 0;
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
    if (check_clean(hive, allow, err) < 0 ||
        reg_hive_open(hive->bytes.data, hive->bytes.len, &hive->hive, err) < 0)
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
