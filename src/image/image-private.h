/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/image-private.h - an open image, for the files of this folder */
#ifndef V2V_IMAGE_IMAGE_PRIVATE_H
#define V2V_IMAGE_IMAGE_PRIVATE_H

#include "image/image.h"
#include "image/inspect.h"
#include "image/nbd.h"
#include "image/transaction.h"

/* Of what is changed, of a source that is only read, and of the temporary
 * directory of one of which nothing is made. */
enum { IMAGE_LOCK, IMAGE_SOURCE_LOCK, IMAGE_SCRATCH_LOCK, IMAGE_LOCKS };

struct image {
    struct transaction t;   /* never begun if @read_only, and without names for
                             * a block device without a work directory */
    struct image_info info; /* of the source */
    char *source;           /* what the overlay lies on; t.image if no copy */
    bool is_device;
    bool read_only;                /* image_options.read_only */
    bool writable;                 /* the source, for this user */
    int locks[IMAGE_LOCKS];        /* open files; -1: none */
    char *overlay;                 /* NULL: it does not exist */
    char *undo_file;               /* NULL: there will be none */
    struct nbd_disk *overlay_disk; /* image_disk_path(), open for reading, or
                                    * NULL */
};

/* The highest number of an undo file that has a record; 0: none. */
int undo_last_number(const struct transaction *t, unsigned *ret,
                     struct v2v_error *err);

/* image_disk_path(), opened once for all readers. */
int image_overlay_disk(struct image *image, struct nbd_disk **ret,
                       struct v2v_error *err);

#endif
