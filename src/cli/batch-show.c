/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person sees of a batch: a line for each run that ends, on standard
 * output; on a terminal a table of what runs, below them, on standard error. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/batch-private.h"
#include "cli/console.h"

enum { TABLE_ROWS = 20, DEFAULT_COLUMNS = 80 };

struct counts {
    size_t of[LEDGER_STATES];
};

static struct counts
count(const struct batch *b)
{
    struct counts ret = { { 0 } };

    for (size_t i = 0; i < b->items.count; i++)
        ret.of[b->items.items[i].state]++;
    return ret;
}

static bool
is_silent(const struct batch *b)
{
    return b->options->quiet || b->options->json;
}

void
batch_show_begin(struct batch *b)
{
    b->table.start = v2v_milliseconds();
    b->table.live = !is_silent(b) && isatty(STDERR_FILENO);
}

void
batch_show_clear(struct batch *b)
{
    if (b->table.drawn > 0)
        fprintf(stderr, "\033[%uA\033[J", b->table.drawn);
    b->table.drawn = 0;
}

/* "3 s", "2 min 5 s", "4 h 10 min" */
static const char *
print_time(double seconds, char *ret, size_t size)
{
    unsigned long s = (unsigned long)(seconds + 0.5);

    if (s < 60)
        snprintf(ret, size, "%lu s", s);
    else if (s < 3600)
        snprintf(ret, size, "%lu min %lu s", s / 60, s % 60);
    else
        snprintf(ret, size, "%lu h %lu min", s / 3600, s % 3600 / 60);
    return ret;
}

void
batch_show_ended(struct batch *b, const struct batch_item *item,
                 const struct result *result)
{
    const char *message = result_message_beside(result, item->identity);

    b->table.ended +=
        item->state == LEDGER_DONE || item->state == LEDGER_FAILED;
    if (is_silent(b))
        return;
    batch_show_clear(b);
    console_line("%-6s %6.1f s  line %zu: %s%s%s%s%s",
                 ledger_state_name(item->state), result->seconds, item->line,
                 item->identity, result->code != NULL ? ": " : "",
                 result->code != NULL ? result->code : "",
                 *message != '\0' ? ": " : "", message);
    fflush(stdout);
}

static unsigned
columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20
               ? size.ws_col
               : DEFAULT_COLUMNS;
}

/* Cut to the width: a line that wraps would not be cleared. */
static void
draw(struct batch *b, char *text)
{
    v2v_make_printable(text);
    fprintf(stderr, "%.*s\n", v2v_cut(text, columns() - 1), text);
    b->table.drawn++;
}

static void
draw_running(struct batch *b)
{
    unsigned rows = 0;
    int64_t now = v2v_milliseconds();

    for (size_t i = 0; i < b->items.count && rows < TABLE_ROWS; i++) {
        const struct batch_item *item = &b->items.items[i];
        char text[1024], time[32];

        if (item->state != LEDGER_RUNNING)
            continue;
        snprintf(
            text, sizeof text, "  %12s  line %zu: %s",
            print_time((double)(now - item->start) / 1000, time, sizeof time),
            item->line, item->identity);
        draw(b, text);
        rows++;
    }
}

static void
draw_counts(struct batch *b)
{
    struct counts counts = count(b);
    size_t left = counts.of[LEDGER_WAITING] + counts.of[LEDGER_RUNNING] +
                  counts.of[LEDGER_AGAIN];
    double seconds = (double)(v2v_milliseconds() - b->table.start) / 1000;
    char text[256], rest[32];

    snprintf(text, sizeof text, "%zu done, %zu failed, %zu waiting",
             counts.of[LEDGER_DONE], counts.of[LEDGER_FAILED],
             counts.of[LEDGER_WAITING]);
    if (counts.of[LEDGER_AGAIN] > 0)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 ", %zu for another try", counts.of[LEDGER_AGAIN]);
    if (b->stopped != 0)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "; ending what runs, once more kills it");
    else if (b->table.ended > 0)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "; %.1f a minute, about %s left",
                 (double)b->table.ended / seconds * 60,
                 print_time(seconds / (double)b->table.ended * (double)left,
                            rest, sizeof rest));
    draw(b, text);
}

void
batch_show_table(struct batch *b)
{
    if (!b->table.live)
        return;
    batch_show_clear(b);
    draw_running(b);
    draw_counts(b);
    fflush(stderr);
}

/* Who has no report yet may not know that there are any. */
static void
say_outcome(const struct batch *b, const struct counts *counts, size_t left)
{
    size_t all = b->items.count;

    console_line("%zu machine%s: %zu done, %zu failed, %zu left; what became "
                 "of each is in %s%s",
                 all, all == 1 ? "" : "s", counts->of[LEDGER_DONE],
                 counts->of[LEDGER_FAILED], left, b->ledger_path,
                 b->options->batch.reports.count == 0
                     ? "; --report-only --report FILE.html makes a page of it"
                     : "");
}

void
batch_show_end(struct batch *b)
{
    struct counts counts = count(b);
    size_t left =
        b->items.count - counts.of[LEDGER_DONE] - counts.of[LEDGER_FAILED];

    if (!is_silent(b))
        say_outcome(b, &counts, left);
    if (left > 0)
        fprintf(stderr,
                "v2v-virtio: machines left: %zu; to go on: the same command "
                "with --resume\n",
                left);
}
