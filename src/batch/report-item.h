/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * batch/report-item.h - an item on the page
 */
#ifndef V2V_BATCH_REPORT_ITEM_H
#define V2V_BATCH_REPORT_ITEM_H

#include "batch/report-private.h"

/* One <li>, with what the page's script filters by:
 *     data-state    "failed"
 *     data-codes    "hibernated volume-dirty"
 *     data-seconds  "0.183"; empty: it has not ended */
void item_put(FILE *to, const struct ledger_item *item, const json_t *document);

#endif
