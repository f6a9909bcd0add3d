/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/vmdk.h - the files that a VMDK image is made of
 *
 * A VMDK is a sparse file ("KDMV" in front), or a text, the descriptor, that
 * names the files with the data, its extents:
 *
 *     # Disk DescriptorFile
 *     parentCID=ffffffff
 *     createType="monolithicFlat"
 *     RW 83886080 FLAT "vm-flat.vmdk" 0
 *
 * Who owns a guest may have written the descriptor, and QEMU opens whatever
 * file it names, "/etc/shadow" and "../other.img" too (seen with 7.2), to
 * write into it later.  So it is read here first, by stricter rules than
 * QEMU's: what these do not know is refused, not skipped.
 *
 * Source: VMware, "Virtual Disk Format 5.0", "The Descriptor File" and
 * "Hosted Sparse Extent Header"; what QEMU 7.2 makes of it: seen by strace.
 */
#ifndef V2V_IMAGE_VMDK_H
#define V2V_IMAGE_VMDK_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "image/header.h"

enum {
    VMDK_DESCRIPTOR_MAX = (1 << 20) - 1, /* bytes; QEMU reads no more */
    VMDK_EXTENTS_MAX = 1000              /* QEMU keeps each open; 1024 may be */
};

struct vmdk_extent {
    const char *type; /* "FLAT", "SPARSE", "VMFS" */
    const char *name; /* as written: any bytes but NUL, '"' and controls */
    uint64_t sectors; /* of 512 bytes, at most 2^48 */
    uint64_t offset;  /* of the data in the file, likewise */
};

/* All zero is an empty one. */
struct vmdk_descriptor {
    char *text;              /* what all others point into */
    const char *create_type; /* NULL: not told */
    const char *parent_cid;  /* likewise */
    struct vmdk_extent *extents;
    size_t count;
};

/**
 * vmdk_parse_descriptor() - the text of a descriptor
 * @text: @len bytes; it ends at the first NUL, as it does for QEMU, which
 *        leaves the end of an older text behind it: a new CID may be shorter
 *        (seen in images of qemu-img 7.2, one of 16)
 *
 * Each line is empty, a comment, "key=value" or an extent that can be written
 * ("RW"); a createType or parentCID comes once.  Names are not judged.  An
 * empty line before an extent is an error: QEMU 7.2 reads the extent for
 * either line.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT.
 */
int vmdk_parse_descriptor(const void *text, size_t len,
                          struct vmdk_descriptor *ret, struct v2v_error *err);

void vmdk_descriptor_done(struct vmdk_descriptor *descriptor);

/**
 * vmdk_find_files() - check a VMDK and find its extents
 * @path:      the image's absolute name, without symbolic links
 * @files:     the extents' absolute names are added, in their order; none for
 *             a sparse file, which is its own
 * @copy_only: set to what it is, a static text, when it may only be copied
 *
 * An extent is a regular file beside the descriptor and named after it:
 * vm.vmdk has vm-flat.vmdk, vm-f001.vmdk and so on, or vm-s001.vmdk and so
 * on.  With less, a descriptor could name another guest's disk.
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST (another file is named, a parent, a
 * createType not known here) or V2V_ERR_FORMAT.
 */
int vmdk_find_files(const struct header *header, const char *path,
                    struct v2v_strings *files, const char **copy_only,
                    struct v2v_error *err);

#endif
