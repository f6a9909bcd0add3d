/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch/report.h"
#include "cli/batch-private.h"

int
batch_check_reports(const struct cli_options *options, struct v2v_error *err)
{
    const struct v2v_strings *reports = &options->batch.reports;

    for (size_t i = 0; i < reports->count; i++)
        if (batch_report_check(reports->items[i], err) < 0)
            return -1;
    return 0;
}

int
batch_write_reports(const struct cli_options *options, struct ledger *ledger,
                    struct v2v_error *err)
{
    const struct v2v_strings *reports = &options->batch.reports;

    for (size_t i = 0; i < reports->count; i++)
        if (batch_report_write(reports->items[i], ledger, err) < 0)
            return -1;
    return 0;
}

static int
write_of_ledger(const struct cli_options *options, struct answer *answer,
                struct v2v_error *err)
{
    V2V_AUTO(ledger) struct ledger *ledger = NULL;
    V2V_AUTO(mem)
    char *path = v2v_format(err, "%s%s.ledger", options->batch.manifest,
                            batch_kind(options));

    if (path == NULL || batch_check_reports(options, err) < 0 ||
        ledger_open(path, false, &ledger, err) < 0)
        return -1;
    if (options->json)
        answer->details = batch_json(ledger, NULL, err);
    return options->json && answer->details == NULL
               ? -1
               : batch_write_reports(options, ledger, err);
}

int
batch_report_only(const struct cli_options *options, struct answer *answer,
                  struct v2v_error *err)
{
    answer->status = "reported";
    if (write_of_ledger(options, answer, err) == 0)
        return 0;
    if (err->code == V2V_ERR_NOT_FOUND)
        err->code = V2V_ERR_USAGE; /* a manifest that was never begun */
    return -1;
}
