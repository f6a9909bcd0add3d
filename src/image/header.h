/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/header.h - what an image's own header says of other files
 *
 * It is read before QEMU opens the image: QEMU follows some of these names,
 * takes an image that lacks its parent for a whole one, or refuses it with a
 * text that helps nobody.  Nothing here repeats QEMU's own checks.
 */
#ifndef V2V_IMAGE_HEADER_H
#define V2V_IMAGE_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/image.h"

struct header {
    int fd;                       /* the caller's */
    uint64_t size;                /* of the file or block device, bytes */
    uint8_t head[IMAGE_HEAD_LEN]; /* zeroes beyond the end */
    uint8_t tail[IMAGE_TAIL_LEN];
};

int header_load(int fd, struct header *ret, struct v2v_error *err);

/* @len bytes at @offset, zeroes beyond the end of the file. */
int header_read(int fd, uint64_t offset, void *buf, size_t len,
                struct v2v_error *err);

/* The refusal of an image that is one of several, with what makes one of
 * them: -1, V2V_ERR_GUEST, "backing-file" or "data-file". */
enum header_chain { HEADER_BACKING_FILE, HEADER_DATA_FILE };
int header_refuse_chain(enum header_chain what, const char *format,
                        struct v2v_error *err);

/**
 * header_check() - refuse an image that needs another one
 * @format: QEMU's name; those without such a header pass
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST: a backing file or a parent
 * ("backing-file"), an external data file ("data-file"); or V2V_ERR_FORMAT: a
 * VHD or VDI of no known type.  VMDK is image/vmdk.h's matter.
 *
 * Source: QEMU docs/interop/qcow2.txt; Microsoft, "Virtual Hard Disk Image
 * Format Specification", "Hard Disk Footer Format"; [MS-VHDX] 2.2.3 and
 * 2.6.2; VirtualBox include/VBox/vd.h and VDICore.h (image types, UUIDs).
 */
int header_check(const struct header *header, const char *format,
                 struct v2v_error *err);

#endif
