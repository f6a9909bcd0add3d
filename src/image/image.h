/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/image.h - the image file on the host: its locks, its overlay, the
 * commit
 *
 * All changes go to a qcow2 overlay; the image itself is first written by
 * image_commit().  A run that dies before that leaves the image bit for bit
 * as it was.  A run that dies inside the commit leaves the overlay and a
 * marker file, and repeating the commit finishes it.
 *
 * Beside the image:
 *     vm.qcow2.v2v-overlay   what is not committed yet
 *     vm.qcow2.v2v-commit    exists while qemu-img commit works
 * The overlay may be in image_options.work_dir, with a hash of the image's path
 * in its name; the marker stays beside the image.  A block device has no good
 * place beside it: it needs a work_dir, for both.
 *
 * Nothing here looks into the guest: file systems are guest/'s matter.
 * qemu-img does all work on image formats; it is run without a shell.
 */
#ifndef V2V_IMAGE_IMAGE_H
#define V2V_IMAGE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct image;

struct image_options {
    const char *format;   /* QEMU's name: "raw", "qcow2"; NULL: by magic */
    const char *work_dir; /* for the overlay; NULL: beside the image */
};

enum {
    IMAGE_HEAD_LEN = 512, /* of a file's start: all that magics need */
    IMAGE_TAIL_LEN = 512  /* of its end: a VHD's footer */
};

/**
 * image_format_by_magic() - QEMU's name of an image format
 * @head:   the first IMAGE_HEAD_LEN bytes, zeroes beyond the end of the file
 * @tail:   the last IMAGE_TAIL_LEN bytes, likewise
 * @size:   of the file, bytes
 *
 * Returns: a static string, or NULL when no magic is known: the file is raw
 * or no image at all.
 *
 * A guest that owns a raw disk can write any magic into it.  Who knows that a
 * file is raw says so in image_options; and whatever a header says, an image
 * that names other files of the host is refused by image_open().  A VMDK
 * descriptor (text, names other files by design) counts only in a file too
 * small to be a Windows disk.
 *
 * Source: QEMU docs/interop (qcow2, qed, parallels), block/vmdk.c,
 * block/vhdx.h, block/vpc.c, block/vdi.c: where each probe looks.
 */
const char *image_format_by_magic(const void *head, const void *tail,
                                  uint64_t size);

/**
 * image_open() - check that an image may be worked on, and lock it
 * @path:    any file name; ':' and a leading '-' have no meaning
 * @options: may be NULL
 * @ret:     new; image_close() frees and unlocks it
 *
 * Our lock is an OFD write lock on one byte that QEMU does not use, held until
 * image_close(); flock() would be a lock on all bytes where the file is on NFS
 * and so shut out our own qemu-img.  A leftover overlay of a run that died
 * before its commit is deleted with the warning "stale-overlay"; this is safe
 * since the image was not yet written then.
 *
 * Returns: 0, or -1 with
 * V2V_ERR_USAGE   missing, or neither a regular file nor a block device; a
 *                 block device without a work_dir; no such work_dir
 * V2V_ERR_GUEST   read-only (no write bit at all counts, even for root); it
 *                 has a backing file or an external data file; encrypted;
 *                 marked corrupt; of a kind that QEMU cannot write; a commit
 *                 was interrupted and has to be finished first
 * V2V_ERR_BUSY    another v2v-virtio holds it, or a virtual machine or QEMU
 *                 tool does
 * V2V_ERR_FORMAT  not a disk image (a raw one has a boot sector), or
 *                 qemu-img cannot open it as the format given or found
 * V2V_ERR_INTERNAL  qemu-img cannot be run, or the host fails
 *
 * Source of QEMU's locks: QEMU block/file-posix.c, RAW_LOCK_PERM_BASE 100
 * and RAW_LOCK_SHARED_BASE 200: byte BASE + n is locked for permission n.
 */
int image_open(const char *path, const struct image_options *options,
               struct image **ret, struct v2v_error *err);

/* QEMU's name, "qcow2"; pass it on: nobody may guess it again. */
const char *image_format(const struct image *image);
/**
 * image_overlay_create() - the empty qcow2 overlay that takes all changes
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL: the overlay cannot be made, or
 * less than IMAGE_FREE_SPACE_MIN is free where it goes (the host's trouble,
 * not the guest's).
 */
int image_overlay_create(struct image *image, struct v2v_error *err);

/* An injection writes some 20 MiB, and 100 more where the whole SOFTWARE hive
 * is rewritten; the same again in the image when that is sparse. */
#define IMAGE_FREE_SPACE_MIN (UINT64_C(256) << 20)

/* Where the overlay is: absolute; its format is "qcow2".  NULL before
 * image_overlay_create() and after the commit. */
const char *image_overlay_path(const struct image *image);

/**
 * image_commit() - write the overlay's content into the image
 *
 * Everybody who wrote to the overlay has closed it.  On return the image is
 * on stable storage, and overlay and marker are gone.
 *
 * Returns: 0, or -1 with V2V_ERR_BUSY (a virtual machine has just taken the
 * image, which is as it was) or V2V_ERR_INTERNAL.  After the latter it may be
 * half written: overlay and marker stay (image_close() leaves them), and the
 * text names the command that finishes the commit.
 */
int image_commit(struct image *image, struct v2v_error *err);

/* Deletes an overlay that was not committed, unlocks, frees; NULL is fine. */
void image_close(struct image *image);
V2V_AUTO_DEFINE(image, struct image *, image_close)

#endif
