/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The batch for its JSON document, out of its ledger. */
#include "batch/ledger-json.h"
#include "cli/batch-private.h"
#include "cli/json.h"

struct rows {
    json_t *items;
    size_t counts[LEDGER_STATES];
};

static int
add_row(const struct ledger_item *item, void *opaque, struct v2v_error *err)
{
    struct rows *rows = opaque;

    (void)err; /* json_add() remembers */
    rows->counts[item->state]++;
    json_add(rows->items, ledger_item_json(item));
    return 0;
}

static json_t *
caps_json(const struct pool_caps *caps)
{
    return caps == NULL ? json_null()
                        : json_pack("{s:i, s:i}", "jobs", (int)caps->jobs,
                                    "memory_mib", (int)caps->memory_mib);
}

json_t *
batch_json(struct ledger *ledger, const struct pool_caps *caps,
           struct v2v_error *err)
{
    const struct ledger_batch *batch = ledger_batch(ledger);
    struct rows rows = { .items = json_array() };
    json_t *details;

    if (ledger_each(ledger, add_row, &rows, err) < 0) {
        json_decref(rows.items);
        return NULL;
    }
    details = json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o}", "manifest",
                        json_text(batch->manifest), "digest", batch->digest,
                        "runs", batch->command, "started", batch->started,
                        "caps", caps_json(caps), "counts",
                        ledger_counts_json(rows.counts), "items", rows.items);
    if (details == NULL)
        v2v_error_set(err, V2V_ERR_INTERNAL,
                      "cannot make the JSON document: no memory");
    return details;
}
