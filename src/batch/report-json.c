/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report for programs. */
#include "batch/ledger-json.h"
#include "batch/report-private.h"

struct writing {
    FILE *to;
    size_t count, counts[LEDGER_STATES];
    bool failed; /* a value could not be written */
};

/* "NAME":VALUE, which is taken over.  ASCII only: what reads it may take U+2028
 * for the end of a line. */
static void
put(struct writing *writing, const char *before, json_t *value)
{
    fputs(before, writing->to);
    if (value == NULL ||
        json_dumpf(value, writing->to,
                   JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII) < 0)
        writing->failed = true;
    json_decref(value);
}

static int
put_item(const struct ledger_item *item, const json_t *document, void *opaque,
         struct v2v_error *err)
{
    struct writing *writing = opaque;
    json_t *value = ledger_item_json(item);

    (void)err; /* put() remembers */
    if (value != NULL)
        json_object_set_new(value, "result",
                            document != NULL ? json_incref((json_t *)document)
                                             : json_null());
    put(writing, writing->count++ == 0 ? "\n" : ",\n", value);
    writing->counts[item->state]++;
    return 0;
}

static void
put_batch(struct writing *writing, const struct ledger_batch *batch)
{
    json_t *options = json_loads(batch->options, 0, NULL);

    put(writing, "{\"schema\":", json_integer(1));
    put(writing, ",\n\"program\":", json_string(batch->program));
    put(writing, ",\n\"manifest\":", json_string(batch->manifest));
    put(writing, ",\n\"digest\":", json_string(batch->digest));
    put(writing, ",\n\"runs\":", json_string(batch->command));
    put(writing, ",\n\"options\":", options != NULL ? options : json_array());
    put(writing, ",\n\"started\":", json_string(batch->started));
}

int
report_write_json(struct ledger *ledger, FILE *to, struct v2v_error *err)
{
    struct writing writing = { .to = to };

    put_batch(&writing, ledger_batch(ledger));
    fputs(",\n\"items\":[", to);
    if (report_each(ledger, put_item, &writing, err) < 0)
        return -1;
    put(&writing, "\n],\n\"counts\":", ledger_counts_json(writing.counts));
    fputs("}\n", to);
    return writing.failed ? v2v_fail(err, V2V_ERR_INTERNAL,
                                     "cannot write the JSON document")
                          : 0;
}
