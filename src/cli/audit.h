/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/audit.h - the subcommands "check" and "verify", which only read */
#ifndef V2V_CLI_AUDIT_H
#define V2V_CLI_AUDIT_H

#include "cli/report.h"

/* Fill in @report; print nothing.  What refuses the guest before it can be
 * looked into is a finding in report->check as well. */
int check(struct report *report, struct v2v_error *err);
int verify(struct report *report, struct v2v_error *err);

/* Their reports for a person, on standard output; for the JSON document, as
 * new objects; and their status, with the code of what blocks or is broken, or
 * NULL. */
int check_print(const struct report *report, struct v2v_error *err);
int verify_print(const struct report *report, struct v2v_error *err);
json_t *check_json(const struct report *report);
json_t *verify_json(const struct report *report);
const char *check_status_word(const struct report *report, const char **code);
const char *verify_status_word(const struct report *report, const char **code);

#endif
