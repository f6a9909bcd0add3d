/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report for people: page/page.html with its marks filled in.  The items
 * come first, into temporary files, since what stands above them is counted on
 * the way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "batch/page.h"
#include "batch/report-item.h"
#include "batch/report-markup.h"
#include "batch/report-tally.h"

/* The page's parts, in its order. */
static const struct group {
    const char *title;
    enum ledger_state states[3]; /* the first is where its links lead */
    size_t count;
} groups[] = {
    { "Failed", { LEDGER_FAILED }, 1 },
    { "Not ended", { LEDGER_AGAIN, LEDGER_RUNNING, LEDGER_WAITING }, 3 },
    { "Done", { LEDGER_DONE }, 1 },
};
enum { GROUPS = sizeof groups / sizeof *groups };

/* What is said of a state beside its number. */
static const struct {
    enum ledger_state state;
    const char *meaning;
} meanings[] = {
    { LEDGER_FAILED, "with what to do, below" },
    { LEDGER_AGAIN, "are to be run again: --resume" },
    { LEDGER_RUNNING, "were being worked on" },
    { LEDGER_WAITING, "had not begun" },
    { LEDGER_DONE, "" },
};
enum { MEANINGS = sizeof meanings / sizeof *meanings };

struct page {
    const struct ledger_batch *batch;
    struct tally tally;
    FILE *items[GROUPS];
    FILE *to;
};

static size_t
group_of(enum ledger_state state)
{
    for (size_t i = 0; i < GROUPS; i++)
        for (size_t j = 0; j < groups[i].count; j++)
            if (groups[i].states[j] == state)
                return i;
    return 0;
}

static size_t
count_in(const struct page *page, const struct group *group)
{
    size_t sum = 0;

    for (size_t i = 0; i < group->count; i++)
        sum += page->tally.states[group->states[i]];
    return sum;
}

/* The parts ----------------------------------------------------------------*/

static const char *
plural(size_t n)
{
    return n == 1 ? "" : "s";
}

/* "12 of 200 images failed, 3 to be run again" */
static void
put_outcome(const struct page *page)
{
    const struct tally *tally = &page->tally;
    size_t failed = tally->states[LEDGER_FAILED];
    size_t done = tally->states[LEDGER_DONE];
    size_t left = tally->images - failed - done;

    if (done == tally->images) {
        markup(page->to, "%s%zu image%s done", done > 1 ? "All " : "", done,
               plural(done));
        return;
    }
    markup(page->to, "%zu of %zu image%s %s", failed > 0 ? failed : done,
           tally->images, plural(tally->images),
           failed > 0 ? "failed" : "done");
    if (left > 0)
        markup(page->to, ", %zu not ended", left);
}

static void
put_name(const struct page *page)
{
    markup(page->to, "%s", v2v_base_name(page->batch->manifest));
}

/* Words of a command line, out of a JSON array. */
static void
put_words(FILE *to, const char *options)
{
    V2V_AUTO(json) json_t *words = json_loads(options, 0, NULL);

    for (size_t i = 0; i < json_array_size(words); i++)
        markup(to, "<code>%s</code> ",
               json_string_value(json_array_get(words, i)));
}

static void
put_batch(const struct page *page)
{
    const struct ledger_batch *batch = page->batch;
    char begun[REPORT_SPAN_LEN];

    markup(page->to, "<dt>Manifest</dt><dd><bdi>%s</bdi></dd>\n",
           batch->manifest);
    fputs("<dt>Options</dt><dd>", page->to);
    put_words(page->to, batch->options);
    markup(page->to,
           "</dd>\n<dt>Begun</dt><dd>%s</dd>\n<dt>Program</dt><dd>%s</dd>\n",
           report_time(batch->started, begun), batch->program);
}

static void
put_command(const struct page *page)
{
    markup(page->to, "%s", page->batch->command);
}

/* The share of each state, as a bar; the numbers are beside it. */
static void
put_shares(const struct page *page)
{
    double left = 0;

    fputs("<svg class=\"shares\" viewBox=\"0 0 1000 10\" "
          "preserveAspectRatio=\"none\" aria-hidden=\"true\">",
          page->to);
    for (size_t i = 0; i < MEANINGS; i++) {
        enum ledger_state state = meanings[i].state;
        double width = 1000.0 * (double)page->tally.states[state] /
                       (double)page->tally.images;

        if (width > 0)
            markup(page->to,
                   "<rect class=\"%s\" x=\"%.1f\" y=\"0\" width=\"%.1f\" "
                   "height=\"10\"/>",
                   ledger_state_name(state), left, width);
        left += width;
    }
    fputs("</svg>\n", page->to);
}

static void
put_states(const struct page *page)
{
    put_shares(page);
    fputs("<ul class=\"states\">\n", page->to);
    for (size_t i = 0; i < MEANINGS; i++) {
        const char *name = ledger_state_name(meanings[i].state);
        size_t count = page->tally.states[meanings[i].state];

        if (count > 0)
            markup(page->to,
                   "<li><a class=\"%s\" href=\"#state=%s\"><b>%zu</b> "
                   "%s</a> <span>%s</span></li>\n",
                   name, name, count, name, meanings[i].meaning);
    }
    fputs("</ul>\n", page->to);
    if (page->tally.first_boot != NULL)
        markup(page->to, "<p class=\"first-boot\">%s</p>\n",
               page->tally.first_boot);
}

/* So many of the sorted times are less. */
static double
quantile(const struct tally *tally, double part)
{
    size_t i = (size_t)(part * (double)tally->time_count);

    return tally->times[i < tally->time_count ? i : tally->time_count - 1]
        .seconds;
}

static void
put_quantiles(const struct page *page)
{
    const struct tally *tally = &page->tally;
    char half[REPORT_SPAN_LEN], most[REPORT_SPAN_LEN], all[REPORT_SPAN_LEN];

    if (tally->time_count > 1)
        markup(page->to,
               "<p>Half of the images took at most %s, nineteen of twenty at "
               "most %s, the longest %s.</p>\n",
               report_span(quantile(tally, 0.5), half),
               report_span(quantile(tally, 0.95), most),
               report_span(quantile(tally, 1), all));
    else
        markup(page->to, "<p>It took %s.</p>\n",
               report_span(quantile(tally, 1), all));
}

static void
put_times(const struct page *page)
{
    const struct tally *tally = &page->tally;
    char began[REPORT_SPAN_LEN], ended[REPORT_SPAN_LEN], cpu[REPORT_SPAN_LEN];

    if (tally->time_count == 0) {
        fputs("<p>No image has ended.</p>\n", page->to);
        return;
    }
    put_quantiles(page);
    markup(page->to,
           "<p>From %s to %s; %s of CPU time, at most %.1f MiB of memory for "
           "one image.</p>\n",
           report_time(tally->began, began), report_time(tally->ended, ended),
           report_span(tally->cpu_seconds, cpu),
           (double)tally->memory_kib / 1024);
}

static void
put_plot(const struct page *page)
{
    tally_plot(&page->tally, page->to);
}

static void
put_code(const struct page *page, const struct tally_code *code)
{
    static const char *const weights[] = { "blocks", "warns", "info" };

    markup(page->to,
           "<li id=\"code=%s\"><h3 class=\"%s\"><code>%s</code></h3>"
           "<p class=\"number\"><a href=\"#code=%s\">%zu image%s</a>",
           code->name, weights[code->weight], code->name, code->name,
           code->images, plural(code->images));
    if (code->stopped > 0)
        markup(page->to, ", <strong>%zu stopped by it</strong>", code->stopped);
    fputs("</p>", page->to);
    if (code->advice != NULL)
        markup(page->to, "<p class=\"advice\">%s</p>", code->advice);
    fputs("</li>\n", page->to);
}

static void
put_codes(const struct page *page)
{
    const struct tally *tally = &page->tally;

    if (tally->code_count == 0) {
        fputs("<p>There are none.</p>\n", page->to);
        return;
    }
    fputs("<ul class=\"codes\">\n", page->to);
    for (size_t i = 0; i < tally->code_count; i++)
        put_code(page, &tally->codes[i]);
    fputs("</ul>\n", page->to);
}

static void
put_state_options(const struct page *page)
{
    for (size_t i = 0; i < MEANINGS; i++) {
        const char *name = ledger_state_name(meanings[i].state);

        markup(page->to, "<option value=\"%s\">%s (%zu)</option>\n", name, name,
               page->tally.states[meanings[i].state]);
    }
}

static void
put_code_options(const struct page *page)
{
    for (size_t i = 0; i < page->tally.code_count; i++) {
        const struct tally_code *code = &page->tally.codes[i];

        markup(page->to, "<option value=\"%s\">%s (%zu)</option>\n", code->name,
               code->name, code->images);
    }
}

static void
copy_file(FILE *from, FILE *to)
{
    char buf[1 << 16];
    size_t n;

    rewind(from);
    while ((n = fread(buf, 1, sizeof buf, from)) > 0)
        fwrite(buf, 1, n, to);
}

/* A group's id is what the links to its state ask for, so that they lead there
 * without the script, too. */
static void
put_items(const struct page *page)
{
    for (size_t i = 0; i < GROUPS; i++) {
        const char *id = ledger_state_name(groups[i].states[0]);
        size_t count = count_in(page, &groups[i]);

        if (count == 0)
            continue;
        markup(page->to,
               "<section class=\"group\" aria-labelledby=\"state=%s\">"
               "<h3 id=\"state=%s\">%s <span class=\"count\">%zu</span></h3>\n"
               "<ol role=\"list\">\n",
               id, id, groups[i].title, count);
        copy_file(page->items[i], page->to);
        fputs("</ol></section>\n", page->to);
    }
}

/* The marks of page/page.html: "{{states}}". */
static const struct part {
    const char *name;
    void (*put)(const struct page *page);
} parts[] = {
    { "outcome", put_outcome },
    { "name", put_name },
    { "command", put_command },
    { "batch", put_batch },
    { "states", put_states },
    { "times", put_times },
    { "plot", put_plot },
    { "codes", put_codes },
    { "state-options", put_state_options },
    { "code-options", put_code_options },
    { "items", put_items },
};

static void
put_part(const struct page *page, const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strlen(parts[i].name) == len &&
            strncmp(parts[i].name, name, len) == 0) {
            parts[i].put(page);
            return;
        }
    abort(); /* page.html has a mark that nobody fills in */
}

static void
put_page(const struct page *page)
{
    const char *rest = page_html, *mark, *end;

    while ((mark = strstr(rest, "{{")) != NULL &&
           (end = strstr(mark, "}}")) != NULL) {
        fwrite(rest, 1, (size_t)(mark - rest), page->to);
        put_part(page, mark + 2, (size_t)(end - mark - 2));
        rest = end + 2;
    }
    fputs(rest, page->to);
}

static int
add_item(const struct ledger_item *item, const json_t *document, void *opaque,
         struct v2v_error *err)
{
    struct page *page = opaque;

    item_put(page->items[group_of(item->state)], item, document);
    return tally_add(&page->tally, item, document, err);
}

static int
open_items(struct page *page, struct v2v_error *err)
{
    for (size_t i = 0; i < GROUPS; i++) {
        page->items[i] = tmpfile();
        if (page->items[i] == NULL)
            return v2v_fail_errno(err, errno, "a temporary file");
    }
    return 0;
}

static int
close_items(struct page *page, struct v2v_error *err)
{
    int result = 0;

    for (size_t i = 0; i < GROUPS; i++) {
        if (page->items[i] == NULL)
            continue;
        if (ferror(page->items[i]) && result == 0)
            result = v2v_fail(err, V2V_ERR_INTERNAL,
                              "a temporary file for the page: is there room?");
        fclose(page->items[i]);
    }
    return result;
}

int
report_write_html(struct ledger *ledger, FILE *to, struct v2v_error *err)
{
    struct page page = { .batch = ledger_batch(ledger), .to = to };
    int result = open_items(&page, err);

    if (result == 0)
        result = report_each(ledger, add_item, &page, err);
    if (result == 0) {
        tally_sort(&page.tally);
        put_page(&page);
    }
    if (close_items(&page, result == 0 ? err : NULL) < 0)
        result = -1;
    tally_done(&page.tally);
    return result;
}
