/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/batch.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/batch-private.h"
#include "cli/choices.h"

/* From the best to the worst; the exit status is the worst of all lines.  What
 * is busy may do later; a guest that is refused says why; a driver or an input
 * is to be replaced; what was asked for cannot be; and the host's own trouble
 * is of concern for all. */
static const enum v2v_error_code classes[] = { V2V_OK,          V2V_ERR_BUSY,
                                               V2V_ERR_GUEST,   V2V_ERR_DRIVER,
                                               V2V_ERR_FORMAT,  V2V_ERR_USAGE,
                                               V2V_ERR_INTERNAL };

static int
exit_status(const struct batch *b)
{
    size_t worst = 0;

    for (size_t i = 0; i < b->items.count; i++)
        for (size_t rank = worst; rank < sizeof classes / sizeof *classes;
             rank++)
            if (classes[rank] == b->items.items[i].outcome)
                worst = rank;
    return (int)classes[worst];
}

/* Slurm is to run them: this is not one of its tasks, nor the job after them.
 */
static bool
is_submission(const struct batch *b)
{
    const struct cli_batch *asked = &b->options->batch;

    return asked->slurm && asked->line == 0 && !asked->collect;
}

/* ---- What it has ---- */

static void
find_weights(struct batch_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        enum guest_choice backend = items->items[i].options.backend;

        items->items[i].is_auto = backend == GUEST_AUTO;
        items->items[i].heavy = backend == GUEST_LIBGUESTFS;
    }
}

static void
find_caps(struct batch *b)
{
    const struct cli_batch *asked = &b->options->batch;

    pool_host_caps(&b->caps);
    if (asked->jobs != 0)
        b->caps.jobs = asked->jobs;
    if (asked->memory_mib != 0)
        b->caps.memory_mib = asked->memory_mib;
}

/* One line alone: who runs it has given it what it gets. */
static void
run_with_what_there_is(struct batch *b)
{
    struct batch_item *item = &b->items.items[0];

    if (item->is_auto)
        item->heavy = !b->options->batch.slurm || batch_slurm_has_room();
    b->caps = (struct pool_caps){ 1, batch_weight(item->heavy) };
}

/* What is read once for all lines. */
static int
offer_media(const struct batch *b, struct v2v_error *err)
{
    for (size_t i = 0; i < b->items.count; i++)
        if (choices_offer(&b->items.items[i].options.media, err) < 0)
            return -1;
    return 0;
}

/* ---- From the beginning to the end ---- */

static int
prepare(struct batch *b, struct v2v_error *err)
{
    bool alone = b->options->batch.line != 0;

    if (batch_check_reports(b->options, err) < 0 ||
        batch_load(b->options, &b->items, err) < 0)
        return -1;
    find_weights(&b->items);
    if ((!alone && offer_media(b, err) < 0) || batch_open(b, err) < 0)
        return -1;
    if (alone)
        run_with_what_there_is(b);
    else
        find_caps(b);
    return 0;
}

/* What is known of a line before it is run, the nodes are to know. */
static int
tell_nodes(struct batch *b, struct v2v_error *err)
{
    for (size_t i = 0; i < b->items.count; i++) {
        struct batch_item *item = &b->items.items[i];

        if (item->state != LEDGER_WAITING)
            continue;
        if (item->twice != 0 && batch_refuse_repeat(b, item, err) < 0)
            return -1;
        if (*item->interrupted_since != '\0' &&
            batch_tell_begin(b, item, err) < 0)
            return -1;
    }
    return 0;
}

static int
run_here(struct batch *b, struct v2v_error *err)
{
    const struct batch_item *first = &b->items.items[0];

    if (pool_new(&b->caps, &b->pool, err) < 0)
        return -1;
    batch_show_begin(b);
    if (batch_run_all(b, err) < 0)
        return -1;
    b->requeued = b->options->batch.slurm && first->asks_for_more &&
                  batch_requeue(b->options, first);
    return 0;
}

static int
carry_out(struct batch *b, struct v2v_error *err)
{
    if (b->options->batch.collect)
        return 0;
    if (!is_submission(b))
        return run_here(b, err);
    return tell_nodes(b, err) < 0 ? -1 : batch_submit(b, err);
}

/* Who submitted has been told; what becomes of it nobody knows yet.  Where a
 * job that ends with 75 is queued again for it (slurm.conf, RequeueExit), one
 * that is not to be ends otherwise. */
static int
end_status(const struct batch *b)
{
    int status = is_submission(b) ? V2V_OK : exit_status(b);

    return status == V2V_ERR_BUSY && b->options->batch.slurm && !b->requeued
               ? V2V_ERR_INTERNAL
               : status;
}

static int
report(struct batch *b, struct v2v_error *err)
{
    if (is_submission(b) || b->ledger == NULL)
        return 0;
    if (batch_write_reports(b->options, b->ledger, err) < 0)
        return -1;
    batch_show_end(b);
    if (!b->options->json)
        return 0;
    b->answer->details = batch_json(b->ledger, &b->caps, err);
    return b->answer->details == NULL ? -1 : 0;
}

static const char *
status_word(const struct batch *b)
{
    if (is_submission(b))
        return "submitted";
    for (size_t i = 0; i < b->items.count; i++)
        if (b->items.items[i].state != LEDGER_DONE)
            return "incomplete";
    return "done";
}

/* Who told it to end is told so, when all has been said. */
static int
check_stopped(const struct batch *b, struct v2v_error *err)
{
    if (b->stopped == 0)
        return 0;
    v2v_error_set(err, (enum v2v_error_code)(128 + b->stopped),
                  "ended by signal %d (%s)", b->stopped, strsignal(b->stopped));
    v2v_error_name(err, "interrupted");
    return -1;
}

static void
batch_done(struct batch *b)
{
    pool_free(b->pool);
    ledger_close(b->ledger);
    if (b->lock >= 0)
        close(b->lock);
    choices_done();
    batch_items_done(&b->items);
    free(b->manifest);
    free(b->ledger_path);
    free(b->results);
}

static int
run_batch(struct batch *b, struct v2v_error *err)
{
    int result = prepare(b, err) < 0 ? -1 : carry_out(b, err);

    batch_show_clear(b);
    if (result < 0 || report(b, err) < 0)
        return -1;
    b->answer->status = status_word(b);
    return check_stopped(b, err);
}

int
batch(const struct cli_options *options,
      int (*run)(const struct cli_options *options), struct answer *answer,
      enum v2v_error_code *outcome, struct v2v_error *err)
{
    struct batch b = {
        .options = options, .run = run, .lock = -1, .answer = answer
    };
    int result;

    answer->status = "failed";
    if (options->batch.report_only)
        return batch_report_only(options, answer, err);
    result = run_batch(&b, err);
    if (result == 0)
        *outcome = (enum v2v_error_code)end_status(&b);
    batch_done(&b);
    return result;
}
