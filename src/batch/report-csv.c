/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report for spreadsheets. */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "batch/report-private.h"

/* What begins with these may be a formula to a spreadsheet.
 * Source: OWASP, "CSV Injection",
 * https://owasp.org/www-community/attacks/CSV_Injection */
static const char formula[] = "=+-@\t\r\n";

/* A quoted field, in which only quotes are special (RFC 4180, section 2). */
static void
put_text(FILE *to, const char *text)
{
    if (text == NULL)
        return;
    putc('"', to);
    if (*text != '\0' && strchr(formula, *text) != NULL)
        putc('\'', to);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putc('"', to);
        putc(*text, to);
    }
    putc('"', to);
}

static const char header[] =
    "line,identity,state,attempts,exit_status,signal,code,message,advice,"
    "seconds,cpu_seconds,memory_kib,started,ended,host,backend,windows,version,"
    "codes\r\n";

/* The texts of a row, each after a comma. */
static void
put_texts(FILE *to, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        putc(',', to);
        put_text(to, texts[i]);
    }
}

/* exit_status to backend; nothing of a line that has not ended. */
static void
put_run(FILE *to, const struct result *r, const json_t *document)
{
    if (r == NULL) {
        fputs(",,,,,,,,,,,,", to);
        return;
    }
    putc(',', to);
    if (r->exit_status >= 0)
        fprintf(to, "%d", r->exit_status);
    putc(',', to);
    if (r->signal != 0)
        fprintf(to, "%d", r->signal);
    put_texts(to,
              (const char *[]){ r->code, r->message,
                                report_advice(r->code, document) },
              3);
    fprintf(to, ",%.3f,%.3f,%" PRIu64, r->seconds, r->cpu_seconds,
            r->memory_kib);
    put_texts(to, (const char *[]){ r->started, r->ended, r->host, r->backend },
              4);
}

static void
put_windows(FILE *to, const json_t *document)
{
    const json_t *guest = json_object_get(document, "guest");
    const char *product = report_text(guest, "product");

    put_texts(to,
              (const char *[]){ product, product != NULL
                                             ? report_text(guest, "version")
                                             : NULL },
              2);
}

static void
add_code(const struct report_note *note, void *opaque)
{
    if (note->code != NULL)
        json_object_set_new(opaque, note->code, json_true());
}

/* Each once, a blank between them. */
static int
put_codes(FILE *to, const struct result *result, const json_t *document,
          struct v2v_error *err)
{
    V2V_AUTO(json) json_t *codes = json_object();
    V2V_AUTO(bytes) struct v2v_bytes list = { 0 };
    const char *code;
    json_t *value;

    if (result != NULL && result->code != NULL)
        json_object_set_new(codes, result->code, json_true());
    for (int w = 0; w < REPORT_WEIGHTS; w++)
        report_notes(document, (enum report_weight)w, add_code, codes);
    json_object_foreach(codes, code, value)
    {
        if (v2v_bytes_printf(&list, err, "%s%s", list.len > 0 ? " " : "",
                             code) < 0)
            return -1;
    }
    if (v2v_bytes_add(&list, "", 1, err) < 0)
        return -1;
    put_texts(to, (const char *[]){ (const char *)list.data }, 1);
    return 0;
}

static int
write_row(const struct ledger_item *item, const json_t *document, void *opaque,
          struct v2v_error *err)
{
    FILE *to = opaque;

    fprintf(to, "%zu", item->line);
    put_texts(
        to, (const char *[]){ item->identity, ledger_state_name(item->state) },
        2);
    fprintf(to, ",%u", item->attempts);
    put_run(to, item->result, document);
    put_windows(to, document);
    if (put_codes(to, item->result, document, err) < 0)
        return -1;
    fputs("\r\n", to);
    return 0;
}

int
report_write_csv(struct ledger *ledger, FILE *to, struct v2v_error *err)
{
    fputs(header, to);
    return report_each(ledger, write_row, to, err);
}
