/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/outcome.h - how the run ends: what the worker knows of it, for whoever
 * waits for the worker and has the last word */
#ifndef V2V_CLI_OUTCOME_H
#define V2V_CLI_OUTCOME_H

#include <stdbool.h>

/* Before the worker is started. */
void outcome_init(void);

/* @status: as in the result document; @code: of the finding, the link or the
 * error that decided, or NULL.  A later one replaces an earlier one. */
void outcome_set(const char *status, const char *code);
const char *outcome_status(void); /* until one was set, "failed" */
const char *outcome_code(void);   /* NULL: none */

/* The result document is about to be printed: there will be no other. */
void outcome_begin_document(void);
bool outcome_has_document(void);

#endif
