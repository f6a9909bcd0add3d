/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/document.h - the result of a run as one JSON document (--json)
 *
 * Every document has the same head: schema, program, command, status,
 * exit_status, error and warnings; then comes what belongs to its command.
 * schemas/ has a JSON Schema for each.
 */
#ifndef V2V_CLI_DOCUMENT_H
#define V2V_CLI_DOCUMENT_H

#include "cli/console.h"
#include "cli/json.h"
#include "cli/options.h"

/* What a subcommand has to say.  A run that failed may have details, too. */
struct answer {
    const char *status; /* static: "done" */
    json_t *details;    /* an object; NULL: none */
};

/**
 * document_print() - the document, on standard output
 * @options: of a command line that was not understood: NULL
 * @answer: its status is left out of account when there is an @error; the
 *          details are taken over
 * @error: why the run failed, or NULL
 * @console: whose warnings are told, or NULL
 */
int document_print(const struct cli_options *options, struct answer *answer,
                   int exit_status, const struct v2v_error *error,
                   const struct console *console, struct v2v_error *err);

/* The document of a run that ended by a signal and had not printed one. */
void document_print_interrupted(const struct cli_options *options,
                                int exit_status, const char *text);

#endif
