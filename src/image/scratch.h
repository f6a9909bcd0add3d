/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/scratch.h - a directory for what other programs put into /tmp: the
 * appliance's sockets and its own disk.  It is named in the state file, so that
 * whoever ends the transaction deletes it, too. */
#ifndef V2V_IMAGE_SCRATCH_H
#define V2V_IMAGE_SCRATCH_H

#include "base/error.h"

/* A name that is not in use, below $TMPDIR or /tmp: sockets need a short path.
 * It is written down before the directory is made. */
int scratch_name(char **ret, struct v2v_error *err);
int scratch_make(const char *path, struct v2v_error *err);

/* Deletes it with all in it, if it is one of ours; NULL is fine. */
void scratch_delete(const char *path);

#endif
