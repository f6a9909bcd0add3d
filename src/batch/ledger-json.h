/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * batch/ledger-json.h - a ledger's items as values of jansson's
 *
 * New references; NULL when memory runs out.  A text that is not UTF-8 is one
 * U+FFFD.
 */
#ifndef V2V_BATCH_LEDGER_JSON_H
#define V2V_BATCH_LEDGER_JSON_H

#include <jansson.h>

#include "batch/ledger.h"

/* {"line", "identity", "state", "attempts", "outcome"}; the outcome is null, or
 * what batch/result.h says of a run, from "attempt" to "backend". */
json_t *ledger_item_json(const struct ledger_item *item);

/* {"waiting": 0, "running": 0, ...} */
json_t *ledger_counts_json(const size_t counts[LEDGER_STATES]);

#endif
