/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch/report-private.h - what the kinds of report share */
#ifndef V2V_BATCH_REPORT_PRIVATE_H
#define V2V_BATCH_REPORT_PRIVATE_H

#include <jansson.h>
#include <stdio.h>

#include "batch/report.h"

static inline void
v2v_auto_json(json_t **value)
{
    json_decref(*value);
}

/* The kinds.  Errors of @to are seen by who opened it. */
int report_write_json(struct ledger *ledger, FILE *to, struct v2v_error *err);
int report_write_csv(struct ledger *ledger, FILE *to, struct v2v_error *err);
int report_write_html(struct ledger *ledger, FILE *to, struct v2v_error *err);

/* An item, and its document; NULL: it has none. */
typedef int report_fn(const struct ledger_item *item, const json_t *document,
                      void *opaque, struct v2v_error *err);

/* ledger_each(), with the documents parsed. */
int report_each(struct ledger *ledger, report_fn *fn, void *opaque,
                struct v2v_error *err);

/* How much a note matters, the most first. */
enum report_weight { REPORT_BLOCKS, REPORT_WARNS, REPORT_INFO, REPORT_WEIGHTS };

/* What a document says to its reader; texts live as long as the document. */
struct report_note {
    const char *code; /* NULL: it has none */
    const char *word; /* "blocks", "broken", "warns", "allowed", ... */
    enum report_weight weight;
    const char *about; /* what the text is about; NULL: it says so itself */
    const char *text;
    const char *advice; /* NULL: none */
};

/**
 * report_notes() - findings, links of the boot chain, warnings, what was left
 *
 * Calls @fn for each note of that weight, in the document's order.
 */
void report_notes(const json_t *document, enum report_weight weight,
                  void (*fn)(const struct report_note *note, void *opaque),
                  void *opaque);

/* What the document says is to be done about that code; NULL: nothing. */
const char *report_noted_advice(const char *code, const json_t *document);

/* The same, or else what check/, verify/ and batch/result.h know of it. */
const char *report_advice(const char *code, const json_t *document);

/* TEXT of {"NAME": TEXT}; NULL: it has none. */
const char *report_text(const json_t *object, const char *name);

/* Seconds for people: "12 ms", "0.42 s", "3 min 20 s", "2 h 5 min". */
enum { REPORT_SPAN_LEN = 32 };
const char *report_span(double seconds, char buf[REPORT_SPAN_LEN]);

/* "2026-01-31T12:00:00.000Z" for people: "2026-01-31 12:00:00 UTC"; another
 * text stays as it is. */
const char *report_time(const char *time, char buf[REPORT_SPAN_LEN]);

#endif
