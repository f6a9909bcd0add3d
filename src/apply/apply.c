/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply/apply.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "hives/hives.h"

/* What the guest needs beside the files: clusters that are filled in part,
 * directory entries, and the hives, which grow with each edit. */
static const uint64_t per_file = 8192;
static const uint64_t per_edit = 512;
static const uint64_t reserve = 4 << 20;

int
apply_check_space(struct guest *guest, const struct plan *plan,
                  struct v2v_error *err)
{
    uint64_t needed = reserve + plan->edits.count * per_edit, available;

    for (size_t i = 0; i < plan->file_count; i++)
        needed += plan->files[i].len + per_file;
    if (guest_free_space(guest, &available, err) < 0)
        return -1;
    if (available < needed)
        return v2v_refuse(err, V2V_ERR_GUEST, "volume-full",
                          "the Windows volume is full: %" PRIu64
                          " KiB are free "
                          "and %" PRIu64 " KiB are needed",
                          available >> 10, needed >> 10);
    return 0;
}

static int
write_files(struct guest *guest, const struct plan *plan, struct v2v_error *err)
{
    V2V_AUTO(mem) struct guest_file *files =
        calloc(plan->file_count + 1, sizeof *files);

    if (files == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    if (plan->file_count == 0)
        return 0;
    for (size_t i = 0; i < plan->file_count; i++)
        files[i] = (struct guest_file){ .path = plan->files[i].path,
                                        .data = plan->files[i].data,
                                        .len = plan->files[i].len };
    v2v_step("apply", "apply", "Writing %zu files", plan->file_count);
    if (guest_write_files(guest, files, plan->file_count, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->file_count; i++)
        v2v_written("apply", "file", "%s", plan->files[i].path);
    return 0;
}

static bool
is_edited(const struct plan *plan, enum reg_hive_id id)
{
    for (size_t i = 0; i < plan->edits.count; i++)
        if (plan->edits.items[i].hive == id)
            return true;
    return false;
}

/* A key once, however many of its values change: they stand together. */
static void
tell_keys(const struct plan *plan, enum reg_hive_id id)
{
    const char *last = "";

    for (size_t i = 0; i < plan->edits.count; i++) {
        const struct reg_edit *edit = &plan->edits.items[i];

        if (edit->hive != id || strcmp(edit->key, last) == 0)
            continue;
        v2v_written("apply", "key", "%s\\%s", reg_hive_name(id), edit->key);
        last = edit->key;
    }
}

/* Nothing may be applied over the edit. */
static int
empty_logs(struct guest *guest, struct facts_hive *hive, struct v2v_error *err)
{
    const struct v2v_ranges none = { 0 };

    for (size_t i = 0; i < 2; i++) {
        if (hive->logs[i].len > 0 &&
            guest_patch_file(guest, hive->logs[i].path, hive->logs[i].len, "",
                             0, &none, err) < 0)
            return -1;
        hive->logs[i].len = 0;
    }
    return 0;
}

static int
write_hive(struct guest *guest, struct facts_hive *hive, enum reg_hive_id id,
           const struct plan *plan, struct v2v_error *err)
{
    V2V_AUTO(ranges) struct v2v_ranges changed = { 0 };
    struct hives_file *file = hive->file;
    size_t old_len;

    if (!is_edited(plan, id))
        return 0;
    v2v_step("apply", "apply", "Editing the %s hive", reg_hive_name(id));
    if (reg_hive_apply(hive->hive, id, &plan->edits, err) < 0)
        return v2v_fail_in(err, "%s", hive->path);
    old_len = file->len;
    if (hives_save(hive->hive, file, &changed, err) < 0)
        return v2v_fail_in(err, "%s", hive->path);
    if (guest_patch_file(guest, hive->path, old_len, file->data, file->len,
                         &changed, err) < 0)
        return -1;
    tell_keys(plan, id);
    return empty_logs(guest, hive, err);
}

int
apply_run(struct guest *guest, const struct facts *facts,
          struct facts_hives *hives, const struct plan *plan,
          struct v2v_error *err)
{
    static const enum reg_hive_id order[] = { REG_SOFTWARE, REG_DRIVERS,
                                              REG_SYSTEM };

    if (guest_mount(guest, facts->disk, facts->partition, true, err) < 0 ||
        write_files(guest, plan, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (write_hive(guest, &hives->items[order[i]], order[i], plan, err) < 0)
            return -1;
    return 0;
}
