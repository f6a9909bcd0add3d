/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/scratch.h - a directory for what other programs put into /tmp: the
 * appliance's sockets and its own disk.
 *
 * Of a transaction it is named in the state file, so that whoever ends the
 * transaction deletes it, too.  Who only reads has no such file: the directory
 * is locked, and one whose lock can be had belongs to nobody that lives. */
#ifndef V2V_IMAGE_SCRATCH_H
#define V2V_IMAGE_SCRATCH_H

#include "base/error.h"

/* A name that is not in use, below $TMPDIR or /tmp: sockets need a short path.
 * It is written down before the directory is made. */
int scratch_name(char **ret, struct v2v_error *err);
int scratch_make(const char *path, struct v2v_error *err);

/* Makes one that is locked for as long as the file @lock is open, after
 * deleting those that runs have left which died.  @path: new; @lock: an open
 * file, the caller's. */
int scratch_make_locked(char **path, int *lock, struct v2v_error *err);

/* Deletes those; what cannot be deleted stays for the next time. */
void scratch_sweep(void);

/* Deletes it with all in it, if it is one of ours; NULL is fine. */
void scratch_delete(const char *path);

#endif
