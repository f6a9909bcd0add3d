/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/batch.h - the subcommand "batch": inject or check, over a manifest
 *
 * Each line of the manifest becomes a command line of "inject" (or "check"):
 * the options of the batch are its defaults, and cli_options_parse() judges
 * it.  All lines are judged before anything starts.
 */
#ifndef V2V_CLI_BATCH_H
#define V2V_CLI_BATCH_H

#include "cli/document.h"
#include "cli/options.h"

/**
 * batch() - all of it
 * @run: "inject" and "check", as of a command line of its own
 *
 * @answer:  "done": every line is; "incomplete"; "submitted"; "reported"
 * @outcome: the worst of all lines, when nothing else failed
 *
 * Returns: 0, or -1.  After a signal, when all runs have ended, with the code
 * "interrupted" and, in place of a class, its exit status of a shell.
 */
int batch(const struct cli_options *options,
          int (*run)(const struct cli_options *options), struct answer *answer,
          enum v2v_error_code *outcome, struct v2v_error *err);

#endif
