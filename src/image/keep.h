/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/keep.h - make the undo file of image/undo.h, before a commit */
#ifndef V2V_IMAGE_KEEP_H
#define V2V_IMAGE_KEEP_H

#include "image/digest.h"
#include "image/image.h"
#include "image/nbd.h"
#include "image/transaction.h"

/**
 * keep_undo() - the files of undo number t->keeps
 * @overlay: open; what a commit would write
 *
 * Costs a read of what will change, in old and new, and a write of the old.
 * On return the files are on stable storage.
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL.
 */
int keep_undo(const struct transaction *t, struct nbd_disk *overlay,
              const struct image_change *change, struct v2v_error *err);

/* An area of a disk, hashed piece by piece; used for what is kept and for
 * what is compared. */
int keep_hash(struct nbd_disk *disk, uint64_t offset, uint64_t len,
              struct digest *ret, struct v2v_error *err);

enum { KEEP_STEP = 4 << 20 }; /* bytes that are held in memory at once */

static inline size_t
keep_step(uint64_t left)
{
    return left < KEEP_STEP ? (size_t)left : (size_t)KEEP_STEP;
}

#endif
