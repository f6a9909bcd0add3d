/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * batch/report-tally.h - what is counted over all items of a report
 *
 * Small: of a code its name, of an item its duration.
 */
#ifndef V2V_BATCH_REPORT_TALLY_H
#define V2V_BATCH_REPORT_TALLY_H

#include "batch/report-private.h"

struct tally_code {
    char *name;
    char *advice;              /* NULL: none is known */
    enum report_weight weight; /* the most that it had */
    size_t images;             /* that have it */
    size_t stopped;            /* of which it is why they are not done */
    size_t line;               /* the last that was counted */
};

struct tally_time {
    double seconds;
    enum ledger_state state;
};

struct tally {
    size_t images, states[LEDGER_STATES];
    struct tally_code *codes;
    size_t code_count;
    json_t *places;           /* of the codes: {"hibernated": 3} */
    struct tally_time *times; /* of items that have ended */
    size_t time_count;
    double cpu_seconds;
    uint64_t memory_kib; /* the most that one took */
    char began[RESULT_TIME_LEN + 1], ended[RESULT_TIME_LEN + 1]; /* or "" */
    char *first_boot; /* of an injection that was done; NULL: there is none */
};

int tally_add(struct tally *tally, const struct ledger_item *item,
              const json_t *document, struct v2v_error *err);

/* All are there: codes that stopped most images first, times that are short
 * first. */
void tally_sort(struct tally *tally);

void tally_done(struct tally *tally);

static inline void
v2v_auto_tally(struct tally *tally)
{
    tally_done(tally);
}

/* Into the page: how long the items took, as SVG and as a table. */
void tally_plot(const struct tally *tally, FILE *to);

#endif
