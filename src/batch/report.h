/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * batch/report.h - a ledger as a file that people and programs take away
 *
 * What kind of file, its extension says:
 *
 *     .json   one object, schemas/batch-report.json: what the batch is;
 * "items", one object a line of text, each with the document of its run as
 *             "result"; "counts" at the end, since it counts on the way
 *     .csv    RFC 4180 (UTF-8, CRLF, a header row), one record a line of the
 *             manifest; without the documents.  A cell that a spreadsheet
 *             could take for a formula begins with an apostrophe (OWASP, "CSV
 *             Injection").
 *     .html   one page that needs nothing else, for a browser, for print and to
 *             be mailed.  Without its script it only lacks the filter.  A
 *             fragment filters: #state=failed&code=hibernated&text=srv, and
 *             #line-17 is an image.
 *
 * Each item goes through memory alone, so that documents can be large.  All
 * texts of a ledger are hostile: they come from guests and file names.
 */
#ifndef V2V_BATCH_REPORT_H
#define V2V_BATCH_REPORT_H

#include "base/error.h"
#include "batch/ledger.h"

/* Before a long batch: V2V_ERR_USAGE when @path has none of the extensions, or
 * when its folder cannot be written. */
int batch_report_check(const char *path, struct v2v_error *err);

/**
 * batch_report_write() - all that a ledger knows, as it is now
 * @path: whole and new, or as it was
 *
 * Returns: 0, or -1 with the errors of batch_report_check() and ledger_each(),
 * or V2V_ERR_INTERNAL.
 */
int batch_report_write(const char *path, struct ledger *ledger,
                       struct v2v_error *err);

#endif
