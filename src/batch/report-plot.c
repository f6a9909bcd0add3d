/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long the items took: a histogram over the logarithm of seconds, since
 * some are an image that is refused at once, and some an appliance. */
#include <math.h>
#include <string.h>

#include "batch/report-markup.h"
#include "batch/report-tally.h"

enum {
    BINS_A_DECADE = 10,
    FIRST_DECADE = -2, /* a hundredth of a second; what is less is there, too */
    DECADES = 8,
    BINS = BINS_A_DECADE * DECADES,
    LEAST_SHOWN = BINS_A_DECADE, /* one bar alone is no plot */

    /* in the units of the SVG's viewBox; sizes of letters are in page.css */
    WIDTH = 720,
    HEIGHT = 230,
    LEFT = 52,
    RIGHT = WIDTH - 40, /* half a label may be beyond it */
    TOP = 12,
    BOTTOM = HEIGHT - 42,
    GAP = 1,
    LEAST_BAR = 2, /* one of thousands is still to be seen */
};

/* Stacked from below. */
static const struct series {
    const char *name;
    enum ledger_state states[3];
    size_t count;
} series[] = {
    { "done", { LEDGER_DONE }, 1 },
    { "again", { LEDGER_AGAIN, LEDGER_RUNNING, LEDGER_WAITING }, 3 },
    { "failed", { LEDGER_FAILED }, 1 },
};
enum { SERIES = sizeof series / sizeof *series };

struct histogram {
    size_t bins[BINS][SERIES];
    size_t first, count; /* bins that are shown */
    size_t most;         /* in one bin */
};

static size_t
series_of(enum ledger_state state)
{
    for (size_t i = 0; i < SERIES; i++)
        for (size_t j = 0; j < series[i].count; j++)
            if (series[i].states[j] == state)
                return i;
    return 0;
}

/* Where on the axis, in bins. */
static double
place(double seconds)
{
    double bin =
        (log10(seconds > 0 ? seconds : 1e-9) - FIRST_DECADE) * BINS_A_DECADE;

    return bin < 0 ? 0 : bin > BINS - 1 ? BINS - 1 : bin;
}

/* Where a bin begins; the first has all that is less, too. */
static double
edge(size_t bin)
{
    return bin == 0 ? 0 : pow(10, (double)bin / BINS_A_DECADE + FIRST_DECADE);
}

static size_t
total(const struct histogram *h, size_t bin)
{
    size_t sum = 0;

    for (size_t i = 0; i < SERIES; i++)
        sum += h->bins[bin][i];
    return sum;
}

static void
choose_range(struct histogram *h)
{
    size_t last = 0;

    h->first = BINS;
    for (size_t bin = 0; bin < BINS; bin++) {
        size_t n = total(h, bin);

        if (n > 0 && h->first == BINS)
            h->first = bin;
        if (n > 0)
            last = bin;
        if (n > h->most)
            h->most = n;
    }
    h->count = last + 1 - h->first;
    if (h->count < LEAST_SHOWN) {
        size_t before = (LEAST_SHOWN - h->count) / 2;

        h->first -= before < h->first ? before : h->first;
        h->count = LEAST_SHOWN;
    }
    if (h->first + h->count > BINS)
        h->first = BINS - h->count;
}

static void
count_bins(const struct tally *tally, struct histogram *h)
{
    *h = (struct histogram){ 0 };
    for (size_t i = 0; i < tally->time_count; i++)
        h->bins[(size_t)place(tally->times[i].seconds)]
               [series_of(tally->times[i].state)]++;
    choose_range(h);
}

static double
x_of(const struct histogram *h, double bin)
{
    return LEFT + (bin - (double)h->first) * (RIGHT - LEFT) / (double)h->count;
}

static double
height_of(const struct histogram *h, size_t n)
{
    double height = (double)n * (BOTTOM - TOP) / (double)h->most;

    return n > 0 && height < LEAST_BAR ? LEAST_BAR : height;
}

/* Lines at 1, 2 or 5 times a power of ten, at most five of them. */
static void
put_counts(const struct histogram *h, FILE *to)
{
    static const size_t factors[] = { 2, 5, 10 };
    size_t decade = 1, step = 1;

    for (size_t i = 0; h->most / step > 5; i = (i + 1) % 3) {
        step = decade * factors[i];
        if (i == 2)
            decade *= 10;
    }
    for (size_t n = 0; n <= h->most; n += step) {
        double y = BOTTOM - (double)n * (BOTTOM - TOP) / (double)h->most;

        markup(to,
               "<path d=\"M%u %.1fH%u\"/><text class=\"count\" x=\"%u\" "
               "y=\"%.1f\">%zu</text>\n",
               (unsigned)LEFT, y, (unsigned)RIGHT, LEFT - 6U, y + 5, n);
    }
}

static void
put_times(const struct histogram *h, FILE *to)
{
    static const struct {
        double seconds;
        const char *label;
        bool minor; /* for want of room left out */
    } ticks[] = {
        { 0.01, "0.01 s", false }, { 0.02, "0.02", true },
        { 0.05, "0.05", true },    { 0.1, "0.1 s", false },
        { 0.2, "0.2", true },      { 0.5, "0.5", true },
        { 1, "1 s", false },       { 2, "2", true },
        { 5, "5", true },          { 10, "10 s", false },
        { 20, "20", true },        { 60, "1 min", false },
        { 120, "2", true },        { 300, "5", true },
        { 600, "10 min", false },  { 1200, "20", true },
        { 3600, "1 h", false },    { 7200, "2", true },
        { 18000, "5", true },      { 36000, "10 h", false },
        { 86400, "1 day", true },  { 360000, "100 h", false },
    };

    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        double bin = (log10(ticks[i].seconds) - FIRST_DECADE) * BINS_A_DECADE;

        if (bin > (double)h->first - 0.01 &&
            bin < (double)(h->first + h->count) + 0.01)
            markup(
                to,
                "<g class=\"%s\"><path d=\"M%.1f %uv6\"/><text class=\"time\" "
                "x=\"%.1f\" y=\"%u\">%s</text></g>\n",
                ticks[i].minor ? "minor" : "major", x_of(h, bin),
                (unsigned)BOTTOM, x_of(h, bin), BOTTOM + 26U, ticks[i].label);
    }
}

static void
put_bin(const struct histogram *h, size_t bin, FILE *to)
{
    char from[REPORT_SPAN_LEN], until[REPORT_SPAN_LEN];
    double y = BOTTOM, left = x_of(h, (double)bin);
    double width = x_of(h, (double)bin + 1) - left - GAP;

    markup(to, "<g><title>%s to %s:", report_span(edge(bin), from),
           report_span(edge(bin + 1), until));
    for (size_t i = 0; i < SERIES; i++)
        if (h->bins[bin][i] > 0)
            markup(to, " %zu %s", h->bins[bin][i], series[i].name);
    fputs("</title>", to);
    for (size_t i = 0; i < SERIES; i++)
        if (h->bins[bin][i] > 0) {
            double height = height_of(h, h->bins[bin][i]);

            y -= height;
            markup(to,
                   "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                   "height=\"%.1f\"/>",
                   series[i].name, left, y, width, height);
        }
    fputs("</g>\n", to);
}

static void
put_legend(FILE *to)
{
    fputs("<p class=\"legend\">", to);
    for (size_t i = 0; i < SERIES; i++)
        markup(to, "<span class=\"%s\">%s</span> ", series[i].name,
               series[i].name);
    fputs("</p>\n", to);
}

static void
put_svg(const struct histogram *h, FILE *to)
{
    markup(to,
           "<svg class=\"plot\" viewBox=\"0 0 %u %u\" role=\"img\" "
           "aria-label=\"Histogram: how many images took how long; the same "
           "as a table below\">\n",
           (unsigned)WIDTH, (unsigned)HEIGHT);
    fputs("<g class=\"lines\">\n", to);
    put_counts(h, to);
    put_times(h, to);
    fputs("</g>\n", to);
    for (size_t bin = h->first; bin < h->first + h->count; bin++)
        if (total(h, bin) > 0)
            put_bin(h, bin, to);
    fputs("</svg>\n", to);
}

static void
put_row(const struct histogram *h, size_t bin, FILE *to)
{
    char from[REPORT_SPAN_LEN], until[REPORT_SPAN_LEN];

    markup(to, "<tr><th scope=\"row\">%s to %s</th>",
           report_span(edge(bin), from), report_span(edge(bin + 1), until));
    for (size_t i = 0; i < SERIES; i++)
        markup(to, "<td>%zu</td>", h->bins[bin][i]);
    fputs("</tr>\n", to);
}

static void
put_table(const struct histogram *h, FILE *to)
{
    fputs("<details class=\"numbers\"><summary>The same as a table</summary>\n"
          "<table><thead><tr><th scope=\"col\">Took</th>",
          to);
    for (size_t i = 0; i < SERIES; i++)
        markup(to, "<th scope=\"col\">%s</th>", series[i].name);
    fputs("</tr></thead>\n<tbody>\n", to);
    for (size_t bin = h->first; bin < h->first + h->count; bin++)
        if (total(h, bin) > 0)
            put_row(h, bin, to);
    fputs("</tbody></table></details>\n", to);
}

void
tally_plot(const struct tally *tally, FILE *to)
{
    struct histogram h;

    if (tally->time_count < 2)
        return;
    count_bins(tally, &h);
    put_legend(to);
    put_svg(&h, to);
    put_table(&h, to);
}
