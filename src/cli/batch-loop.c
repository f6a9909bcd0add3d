/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of a batch, as many at once as there is room for. */
#include <signal.h>

#include "base/clock.h"
#include "cli/batch-private.h"
#include "cli/choices.h"
#include "image/image.h"

/* The table's clock, and how soon a retry is noticed. */
enum { TICK_MILLISECONDS = 1000 };

/* A line without a ledger is run once: who runs it decides on more. */
static bool
is_to_be_run(const struct batch *b, const struct batch_item *item)
{
    return item->state == LEDGER_WAITING ||
           (item->state == LEDGER_AGAIN && b->ledger != NULL);
}

static bool
is_any_left(const struct batch *b)
{
    for (size_t i = 0; i < b->items.count; i++)
        if (is_to_be_run(b, &b->items.items[i]))
            return true;
    return false;
}

/* Those that come back first, when their time has come: they have waited
 * longest.  NULL: none is to be started now. */
static struct batch_item *
find_next(const struct batch *b)
{
    struct batch_item *first = NULL;
    int64_t now = v2v_milliseconds();

    for (size_t i = 0; i < b->items.count; i++) {
        struct batch_item *item = &b->items.items[i];

        if (!is_to_be_run(b, item) || item->due > now)
            continue;
        if (item->state == LEDGER_AGAIN)
            return item;
        if (first == NULL)
            first = item;
    }
    return first;
}

/* The next waits until there is room for it, however many are smaller: else it
 * would wait for the last of them. */
static int
start_some(struct batch *b, struct v2v_error *err)
{
    struct batch_item *item;

    while ((item = find_next(b)) != NULL) {
        if (item->twice != 0) {
            if (batch_refuse_repeat(b, item, err) < 0)
                return -1;
            continue;
        }
        if (!pool_has_room(b->pool, batch_weight(item->heavy)))
            return 0;
        if (batch_start(b, item, err) < 0)
            return -1;
    }
    return 0;
}

static bool
is_committing(const struct cli_options *options)
{
    if (options->output != NULL)
        return image_in_commit(options->output, options->work_dir);
    for (size_t i = 0; i < options->images.count; i++)
        if (image_in_commit(options->images.items[i], options->work_dir))
            return true;
    return false;
}

/* The first time those that are in their commit may end it; the others are told
 * to end (supervise() clears up after them).  The second time they are killed,
 * and --resume clears up. */
static void
stop(struct batch *b, int number)
{
    bool again = b->stopped != 0;

    b->stopped = number;
    for (size_t i = 0; i < b->items.count; i++) {
        struct batch_item *item = &b->items.items[i];

        if (item->state != LEDGER_RUNNING)
            continue;
        item->was_killed = again;
        if (again)
            pool_signal(b->pool, i, SIGKILL);
        else if (!is_committing(&item->options))
            pool_signal(b->pool, i, SIGTERM);
    }
}

static int
handle_next_event(struct batch *b, struct v2v_error *err)
{
    struct pool_end end;

    switch (pool_wait(b->pool, TICK_MILLISECONDS, &end)) {
    case POOL_ENDED:
        return batch_finish(b, &end, err);
    case POOL_STOP:
        stop(b, end.status);
        return 0;
    case POOL_TIMEOUT:
        break;
    }
    return 0;
}

int
batch_run_all(struct batch *b, struct v2v_error *err)
{
    for (;;) {
        choices_learn();
        if (b->stopped == 0 && start_some(b, err) < 0)
            return -1;
        batch_show_table(b);
        if (pool_running(b->pool) == 0 && (b->stopped != 0 || !is_any_left(b)))
            return 0;
        if (handle_next_event(b, err) < 0)
            return -1;
    }
}
