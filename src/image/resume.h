/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/resume.h - may a commit that was interrupted be repeated?
 *
 * Between the crash and now somebody may have started the guest, or put a
 * backup in the image's place.  To repeat the commit would then write into what
 * is not the image any more that was being changed.
 */
#ifndef V2V_IMAGE_RESUME_H
#define V2V_IMAGE_RESUME_H

#include "image/transaction.h"

/**
 * resume_check() - is the image one that the interrupted commit can have left?
 *
 * Tables that are half written (VDI, VHDX) are put back for that:
 * image/rewind.h.
 *
 * @t: committing, in place, with its overlay and undo file
 *
 * It has the size that it had; each sector of the areas that are committed is
 * what the overlay or what the undo file has there; and each witness that lies
 * outside of them is as it was.
 *
 * Returns: 0, or -1 with
 * V2V_ERR_GUEST   it is not; or the files that would tell are gone
 * V2V_ERR_BUSY    a virtual machine has the image
 * V2V_ERR_FORMAT, V2V_ERR_INTERNAL  a file is damaged, the host fails
 */
int resume_check(const struct transaction *t, struct v2v_error *err);

#endif
