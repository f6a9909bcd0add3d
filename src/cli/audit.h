/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/audit.h - the subcommands "check" and "verify", which only read */
#ifndef V2V_CLI_AUDIT_H
#define V2V_CLI_AUDIT_H

#include "cli/report.h"

/* Fill in @report; print nothing.  What refuses the guest before it can be
 * looked into is a finding in report->check as well. */
int check(struct report *report, struct v2v_error *err);
int verify(struct report *report, struct v2v_error *err);

/* Their reports for a person, and as JSON documents, on standard output.
 * @failure: why the run failed, or NULL. */
int check_print(const struct report *report, struct v2v_error *err);
int verify_print(const struct report *report, struct v2v_error *err);
int check_print_json(const struct report *report, const struct console *console,
                     const struct v2v_error *failure, struct v2v_error *err);
int verify_print_json(const struct report *report,
                      const struct console *console,
                      const struct v2v_error *failure, struct v2v_error *err);

#endif
