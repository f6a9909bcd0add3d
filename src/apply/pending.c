/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "apply/apply.h"
#include "base/log.h"

static int
file_is_there(struct guest *guest, const struct plan_file *file,
              struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes now = { 0 };
    struct guest_stat st;

    if (guest_stat(guest, file->path, &st, err) < 0)
        return -1;
    if (!st.exists || st.is_dir || st.reparse || st.size != file->len)
        return 0;
    if (guest_read(guest, file->path, file->len, &now, err) < 0)
        return -1;
    return now.len == file->len &&
           (now.len == 0 || memcmp(now.data, file->data, now.len) == 0);
}

static int
pending_files(struct guest *guest, struct plan *plan, struct v2v_error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->file_count; i++) {
        int there = file_is_there(guest, &plan->files[i], err);

        if (there < 0)
            return -1;
        /* swapped, so that a failure leaves a plan that can be freed */
        if (there == 0) {
            struct plan_file file = plan->files[kept];

            plan->files[kept++] = plan->files[i];
            plan->files[i] = file;
        }
    }
    while (plan->file_count > kept)
        free(plan->files[--plan->file_count].path);
    return 0;
}

static bool
has_due_edit(const struct reg_edits *edits, enum reg_hive_id id)
{
    for (size_t i = 0; i < edits->count; i++)
        if (edits->items[i].hive == id && edits->items[i].op != REG_OP_STAMP)
            return true;
    return false;
}

static int
pending_edits(const struct facts_hives *hives, struct reg_edits *edits,
              struct v2v_error *err)
{
    V2V_AUTO(mem) bool *keep = calloc(edits->count + 1, sizeof *keep);

    if (keep == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    for (size_t i = 0; i < edits->count; i++) {
        const struct reg_edit *edit = &edits->items[i];
        int holds = reg_edit_holds(hives->items[edit->hive].hive, edit, err);

        if (holds < 0)
            return v2v_fail_in(err, "%s", reg_hive_name(edit->hive));
        keep[i] = holds == 0;
    }
    reg_edits_keep(edits, keep);
    for (size_t i = 0; i < edits->count; i++)
        keep[i] = has_due_edit(edits, edits->items[i].hive);
    reg_edits_keep(edits, keep);
    return 0;
}

int
apply_pending(struct guest *guest, const struct facts_hives *hives,
              struct plan *plan, struct v2v_error *err)
{
    size_t files = plan->file_count, edits = plan->edits.count;

    if (pending_files(guest, plan, err) < 0 ||
        pending_edits(hives, &plan->edits, err) < 0)
        return -1;
    v2v_fact("apply", "%zu of %zu files and %zu of %zu registry edits are due",
             plan->file_count, files, plan->edits.count, edits);
    return 0;
}
