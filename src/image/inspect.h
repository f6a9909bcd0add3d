/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/inspect.h - what kind of image a file is, and whether ours can be
 * done to it
 *
 * Takes no lock and changes nothing.
 *
 *     format     in place                      as the source of a copy
 *     raw        yes, block devices too        yes
 *     qcow2      yes, block devices too        yes
 *     vpc        yes: dynamic, fixed           yes
 *     vhdx       yes: dynamic, fixed           yes
 *     vdi        yes: dynamic, fixed           yes
 *     vmdk       yes: monolithicSparse,        also streamOptimized, vmfs
 *                monolithicFlat, twoGbMaxExtent(Flat, Sparse)
 *     qcow, qed  yes                           yes
 *     parallels  no: cannot be reopened        yes
 *     luks       no: encrypted                 no
 *
 * Each "yes" was committed to with qemu-img 7.2 (tests/unit/test-formats.c);
 * no other format that QEMU has is taken, whoever asks for it.  Never: an
 * image that needs another one (backing or data file, parent, checkpoint), a
 * VHDX whose log is not empty.
 */
#ifndef V2V_IMAGE_INSPECT_H
#define V2V_IMAGE_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

enum image_use {
    IMAGE_IN_PLACE,   /* an overlay of it will be committed */
    IMAGE_COPY_SOURCE /* it will only be read */
};

/* All zero is an empty one. */
struct image_info {
    const char *format;       /* QEMU's name, static */
    bool probed_raw;          /* nobody said so, and no magic is known */
    struct v2v_strings files; /* absolute names of all that it is made of, to
                                 be locked, flushed and so on, each: first
                                 the image, then a VMDK's extents */
    struct v2v_strings snapshots; /* names of internal ones, for people */
    uint64_t virtual_size;        /* bytes; an overlay has the same */
    uint64_t cluster_size;        /* bytes, of a qcow2; 0 for all others */
    uint64_t room;         /* bytes that a qcow2 on a block device may grow
                              by; UINT64_MAX for all others */
    const char *copy_only; /* what it is that is not worked on in place,
                              static: "a Parallels image"; or NULL */
};

/**
 * inspect_image() - find the format, refuse what cannot or may not be used
 * @fd:     the open image
 * @path:   its absolute name, without symbolic links
 * @wanted: the user's format, NULL: by magic
 * @use:    with IMAGE_COPY_SOURCE, copy_only is told and not an error
 * @ret:    all zero; image_info_done() frees what is in it
 *
 * What the image's own headers say is checked before QEMU sees it.
 *
 * Error codes: V2V_ERR_GUEST, V2V_ERR_FORMAT, V2V_ERR_BUSY and
 * V2V_ERR_INTERNAL as image_open() has them, with their findings;
 * V2V_ERR_USAGE: @wanted is none of the above.
 */
int inspect_image(int fd, const char *path, const char *wanted,
                  enum image_use use, struct image_info *ret,
                  struct v2v_error *err);

void image_info_done(struct image_info *info);

static inline void
v2v_auto_image_info(struct image_info *info)
{
    image_info_done(info);
}

#endif
