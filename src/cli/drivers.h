/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/drivers.h - the subcommands "drivers list" and "drivers explain"
 */
#ifndef V2V_CLI_DRIVERS_H
#define V2V_CLI_DRIVERS_H

#include "cli/report.h"

/* What is on the media, once by content, on standard output. */
int drivers_list(const struct cli_options *options, struct v2v_error *err);

/* For each driver the package that the guest would get, and for every other
 * candidate the rule that decided against it.  @report: as for inject(). */
int drivers_explain(struct report *report, struct v2v_error *err);
int drivers_explain_print(const struct report *report, struct v2v_error *err);

/* drivers-json.c */
int drivers_list_json(const struct cli_options *options,
                      const struct drivers_catalogue *catalogue,
                      struct v2v_error *err);
int drivers_explain_print_json(const struct report *report,
                               const struct console *console,
                               const struct v2v_error *failure,
                               struct v2v_error *err);

#endif
