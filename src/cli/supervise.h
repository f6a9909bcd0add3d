/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/supervise.h - whoever is killed, nothing stays behind
 *
 * The work is done by a child.  When that dies of a signal - a Ctrl-C, a
 * SIGTERM to us, which is handed on as SIGKILL, the kernel's choice when memory
 * runs out - every process that it had started is killed, too, and what it had
 * begun is ended as after any crash: image_recover().  There is no other way of
 * cleaning up after an interruption.
 *
 * When we are killed ourselves (SIGKILL), the child dies with us; the next
 * command on the image recovers.
 */
#ifndef V2V_CLI_SUPERVISE_H
#define V2V_CLI_SUPERVISE_H

#include "cli/disks.h"
#include "cli/options.h"

/**
 * supervise() - run @work in a child
 * @work: returns the exit status
 *
 * Returns: the exit status of @work.  Does not return when the work was
 * interrupted: ends this process by the same signal.
 */
int supervise(int (*work)(const struct cli_options *options),
              const struct cli_options *options);

/* The worker is about to open these; who waits for it does not know the disks
 * of --domain.  Without a supervise() nobody listens. */
void supervise_tell(const struct cli_disks *disks);

#endif
