/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/drivers.h - the subcommands "drivers list" and "drivers explain"
 */
#ifndef V2V_CLI_DRIVERS_H
#define V2V_CLI_DRIVERS_H

#include "cli/document.h"
#include "cli/report.h"

/* What is on the media, once by content: on standard output, or in @ret. */
int drivers_list(const struct cli_options *options, struct answer *ret,
                 struct v2v_error *err);

/* For each driver the package that the guest would get, and for every other
 * candidate the rule that decided against it.  @report: as for inject(). */
int drivers_explain(struct report *report, struct v2v_error *err);
const char *drivers_explain_status(const struct report *report,
                                   const char **code);
int drivers_explain_print(const struct report *report, struct v2v_error *err);

/* drivers-json.c: new objects, for the JSON documents */
json_t *drivers_list_json(const struct cli_options *options,
                          const struct drivers_catalogue *catalogue);
json_t *drivers_explain_json(const struct report *report);

#endif
