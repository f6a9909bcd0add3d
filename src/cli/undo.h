/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/undo.h - the subcommands "undo" and "recover"
 */
#ifndef V2V_CLI_UNDO_H
#define V2V_CLI_UNDO_H

#include "cli/document.h"

/* Each prints its result, or with --json leaves it in @ret. */
int undo(const struct cli_options *options, struct answer *ret,
         struct v2v_error *err);
int undo_list(const struct cli_options *options, struct answer *ret,
              struct v2v_error *err);
int recover(const struct cli_options *options, struct answer *ret,
            struct v2v_error *err);

#endif
