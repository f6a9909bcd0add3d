/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/json.h - values of ours as jansson's, for the JSON documents
 *
 * jansson's constructors return NULL when memory runs out; json_add() and
 * json_print() see that, so that a document is whole or an error. */
#ifndef V2V_CLI_JSON_H
#define V2V_CLI_JSON_H

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "check/check.h"
#include "cli/console.h"
#include "cli/disks.h"
#include "domain/domain.h"
#include "facts/facts.h"
#include "verify/verify.h"

/* Of all documents and events; another number means another meaning of a field
 * that was there, or one that is gone.  New fields come without. */
enum { JSON_SCHEMA_VERSION = 1 };

/* NULL is null.  A text from a guest that is not UTF-8 is one U+FFFD. */
json_t *json_text(const char *s);
json_t *json_strings(const struct v2v_strings *list);
/* Their paths. */
json_t *json_disks(const struct cli_disks *disks);
/* "100.85.104.20000" */
json_t *json_version(const struct inf_driver_ver *ver);
/* Who opened the guest; NULL: nobody, which is null.  @not_direct: "" is null.
 */
json_t *json_backend(const char *name, const char *not_direct,
                     const struct guest_use *libguestfs);
json_t *json_guest(const struct facts *facts);
json_t *json_findings(const struct check_result *check);
json_t *json_gaps(const struct check_result *check);
json_t *json_links(const struct verify_result *verify);
/* @input, @output: names of the XML files, or NULL. */
json_t *json_rewrite(const struct domain_rewrite *rewrite, const char *input,
                     const char *output);
json_t *json_warnings(const struct console *console);
/* NULL is null.  code, exit_status, text and advice: of all errors. */
json_t *json_failure(const struct v2v_error *failure);

/* Append @value, which is taken over, to an array. */
void json_add(json_t *array, json_t *value);

/* Print @document on standard output and free it. */
int json_print(json_t *document, struct v2v_error *err);

#endif
