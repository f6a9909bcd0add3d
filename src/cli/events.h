/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/events.h - what happens, told to a program as it happens
 *
 * Lines of JSON: one object a line, each written by one write().  --events has
 * our format, whose schema is schemas/events.json; --machine-readable that of
 * the libguestfs tools, which knows less: {message, timestamp, type}, and
 * "DONE/TOTAL" for progress.
 * Source of the latter: guestfs(3), "ADVANCED MACHINE READABLE OUTPUT", and
 * what virt-v2v 2.2.0 prints.
 *
 * A reader that goes away ends nothing: there is a warning, and no more events.
 * Without an output nothing happens here.
 */
#ifndef V2V_CLI_EVENTS_H
#define V2V_CLI_EVENTS_H

#include <stdint.h>

#include "base/error.h"
#include "check/check.h"
#include "cli/options.h"
#include "verify/verify.h"

/**
 * events_open() - the outputs of --events and --machine-readable
 *
 * A file is made, or emptied, but none that the run is about.  Before the
 * worker starts and before anything is opened: a descriptor that we were not
 * given must not become a file of ours.
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE.
 */
int events_open(const struct cli_options *options, struct v2v_error *err);

void events_phase(const char *phase, const char *text);
/* At most ten a second, and that of the end. */
void events_progress(const char *phase, uint64_t done, uint64_t total);
void events_warning(const char *code, const char *text);
/* @what: "file" or "key"; @where: its place in the guest */
void events_written(const char *what, const char *where);
/* A line of -v. */
void events_info(const char *text);
/* Each finding of a check; of an audit the links that do not hold. */
void events_findings(const struct check_result *check);
void events_links(const struct verify_result *verify);
void events_error(const struct v2v_error *error);
/* The last one; status and code are the outcome's (cli/outcome.h). */
void events_done(int exit_status);

#endif
