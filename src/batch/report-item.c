/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch/report-item.h"

#include <string.h>

#include "base/text.h"
#include "batch/report-markup.h"

/* "/srv/images/" and "vm.qcow2" of an image; a domain has no folder. */
static void
put_identity(FILE *to, const char *identity)
{
    const char *name = *identity == '/' ? v2v_base_name(identity) : identity;

    markup(to, "<bdi class=\"name\"><b>%s</b>", name);
    if (name > identity) {
        V2V_AUTO(mem) char *folder =
            v2v_strndup(identity, (size_t)(name - identity), NULL);

        markup(to, " <i>%s</i>", folder);
    }
    fputs("</bdi>", to);
}

static void
put_summary(FILE *to, const struct ledger_item *item)
{
    const struct result *result = item->result;
    const char *state = ledger_state_name(item->state);
    char span[REPORT_SPAN_LEN];

    markup(to,
           "<summary><span class=\"line\">%zu</span> "
           "<span class=\"state %s\">%s</span> ",
           item->line, state, state);
    put_identity(to, item->identity);
    if (result != NULL)
        markup(to, " <span class=\"span\">%s</span>",
               report_span(result->seconds, span));
    if (result != NULL && result->code != NULL)
        markup(to, " <span class=\"why\"><code>%s</code> %s</span>",
               result->code, result_message_beside(result, item->identity));
    fputs("</summary>\n", to);
}

static void
put_fact(FILE *to, const char *name, const char *value)
{
    if (value != NULL)
        markup(to, "<dt>%s</dt><dd><bdi>%s</bdi></dd>", name, value);
}

static void
put_windows(FILE *to, const json_t *document)
{
    const json_t *guest = json_object_get(document, "guest");

    if (report_text(guest, "product") != NULL)
        markup(to, "<dt>Windows</dt><dd><bdi>%s %s, %s</bdi></dd>",
               report_text(guest, "product"), report_text(guest, "version"),
               report_text(guest, "arch"));
}

static void
put_run(FILE *to, const struct ledger_item *item)
{
    const struct result *result = item->result;
    char started[REPORT_SPAN_LEN], took[REPORT_SPAN_LEN], cpu[REPORT_SPAN_LEN];

    if (result == NULL)
        return;
    markup(to,
           "<dt>Run</dt><dd>%u of %u, %s; took %s, of CPU time %s, of memory "
           "%.1f MiB</dd>",
           result->attempt, item->attempts,
           report_time(result->started, started),
           report_span(result->seconds, took),
           report_span(result->cpu_seconds, cpu),
           (double)result->memory_kib / 1024);
    put_fact(to, "Host", result->host);
    put_fact(to, "Backend", result->backend);
}

static void
put_note(const struct report_note *note, void *opaque)
{
    static const char *const weights[] = { "blocks", "warns", "info" };
    FILE *to = opaque;

    markup(to, "<li class=\"%s\"><b>%s</b> ", weights[note->weight],
           note->word);
    if (note->code != NULL)
        markup(to, "<code>%s</code> ", note->code);
    fputs("<bdi>", to);
    if (note->about != NULL)
        markup(to, "%s: ", note->about);
    markup(to, "%s</bdi>", note->text);
    if (note->advice != NULL)
        markup(to, "<p class=\"advice\">%s</p>", note->advice);
    fputs("</li>\n", to);
}

/* What to do about a code that no note has, with its advice. */
static void
put_advice(FILE *to, const struct result *result, const json_t *document)
{
    const char *code = result != NULL ? result->code : NULL;
    const char *advice = report_advice(code, document);

    if (advice != NULL && report_noted_advice(code, document) == NULL)
        markup(to, "<p class=\"advice\">%s</p>", advice);
}

static void
count_note(const struct report_note *note, void *opaque)
{
    (void)note;
    ++*(size_t *)opaque;
}

static void
put_notes(FILE *to, const json_t *document)
{
    size_t count = 0;

    for (int w = 0; w < REPORT_WEIGHTS; w++)
        report_notes(document, (enum report_weight)w, count_note, &count);
    if (count == 0)
        return;
    fputs("<ul class=\"notes\">\n", to);
    for (int w = 0; w < REPORT_WEIGHTS; w++)
        report_notes(document, (enum report_weight)w, put_note, to);
    fputs("</ul>", to);
}

/* Names that stand in an attribute, with a blank between them. */
static void
put_code(const struct report_note *note, void *opaque)
{
    if (note->code != NULL)
        markup(opaque, " %s", note->code);
}

static void
put_codes(FILE *to, const struct result *result, const json_t *document)
{
    if (result != NULL)
        markup(to, "%s", result->code);
    for (int w = 0; w < REPORT_WEIGHTS; w++)
        report_notes(document, (enum report_weight)w, put_code, to);
}

void
item_put(FILE *to, const struct ledger_item *item, const json_t *document)
{
    const struct result *result = item->result;

    markup(to, "<li id=\"line-%zu\" data-state=\"%s\" data-seconds=\"",
           item->line, ledger_state_name(item->state));
    if (result != NULL)
        fprintf(to, "%.3f", result->seconds);
    fputs("\" data-codes=\"", to);
    put_codes(to, result, document);
    fputs("\"><details>", to);
    put_summary(to, item);
    put_advice(to, result, document);
    put_notes(to, document);
    fputs("<dl>", to);
    put_windows(to, document);
    put_fact(to, "Written to", report_text(document, "output"));
    put_fact(to, "Undo file", report_text(document, "undo_file"));
    put_run(to, item);
    fputs("</dl></details></li>\n", to);
}
