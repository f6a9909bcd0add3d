/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/direct.h - the backend without an appliance: a process in a sandbox
 * reads and writes the file system
 *
 *     this program -- sandbox/worker.h -- worker -- NBD -- qemu-nbd
 *
 * The worker holds these two connections and nothing else, qemu-nbd the image.
 * One that dies, hangs or gives answers that are none is a failure of whatever
 * was asked, and of all that is asked afterwards.
 */
#ifndef V2V_GUEST_DIRECT_H
#define V2V_GUEST_DIRECT_H

#include "guest/guest.h"

/**
 * direct_open() - if this backend serves the machine
 * @ret: new; NULL when it does not
 * @why: then the reason, in one line
 *
 * Returns: 0, or -1 with the errors of nbd_disk_open() and sandbox_start().
 */
int direct_open(const struct guest_machine *machine, struct guest **ret,
                char *why, size_t why_size, struct v2v_error *err);

/* How long an answer may take, seconds: they come in milliseconds, but the
 * host's disk may be slow, and the last one waits for all that was written to
 * be on it.  Tests want less than the 300 it is. */
extern int direct_patience;

/* What the worker does.  @fd: where questions come from; @nbd: connected to
 * qemu-nbd; both are closed.  Returns: its exit status, 0 once it was told
 * to close and all is flushed. */
int direct_work(int fd, int nbd, bool write);

#endif
