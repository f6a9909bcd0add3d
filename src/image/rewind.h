/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/rewind.h - the metadata of an image file as it was before a commit,
 * so that the commit can be repeated from the same start
 *
 * A commit that was killed is repeated.  Most formats stand that.  Not so two,
 * as QEMU 7.2 writes them (seen in images whose commit was killed):
 *
 *     vdi   the number of allocated blocks and the block map go out of step;
 *           the next commit gives one block to two places of the disk
 *     vhdx  the log is left with an entry in it: QEMU does not open such an
 *           image for reading, and commit fails with "Operation not supported"
 *
 * Their tables are therefore kept before a commit, and put back before it is
 * repeated.  What a commit writes that is not kept here needs not be put back:
 *
 *     data in blocks that the old tables know: the same overlay is committed,
 *         which writes all of these bytes again
 *     vdi, data in new blocks: they are numbered on from the old number of
 *         allocated blocks, which no old map entry reaches, and are written
 *         whole: what is in such a block counts for nothing, be it beyond the
 *         old end of the file or not
 *     vhdx, data in new blocks: they begin at the end of the file, rounded up
 *         to 1 MiB, whatever state and offset the BAT had (not present,
 *         zero, unmapped), and the file is made longer by a whole block.  They
 *         are not written whole, what is not written has to be zero; so the
 *         file gets its old length back and QEMU makes it longer again
 *
 * For the same reason it is harmless to keep too much: bytes inside the old
 * length that a commit changes are changed again when it is repeated.  Fixed
 * images have no new blocks, but the same headers and log.
 *
 * The other formats were seen to be repeatable: qcow2, qcow, qed, vpc, vmdk;
 * raw has no metadata.
 *
 * The rewind file, numbers little endian:
 *        0   8  "v2vrewnd"
 *        8   4  version, 1
 *       12   4  count of ranges, 1 to REWIND_RANGES_MAX
 *       16   8  length of the image file, bytes
 *       24      the ranges: 8 offset, 8 length; inside the length of the image
 *               file, ascending, none empty, apart from each other
 *               the bytes of each range, REWIND_MAX together or fewer
 *      end  32  SHA-256 of all before
 *
 * Source: Microsoft, [MS-VHDX] 2.2.2 (header), 2.2.3 (region table), 2.3
 * (log); VirtualBox VDICore.h (VDIHEADER1PLUS); where QEMU 7.2 writes: seen by
 * strace, on images with blocks of all states.
 */
#ifndef V2V_IMAGE_REWIND_H
#define V2V_IMAGE_REWIND_H

#include <stdbool.h>

#include "base/error.h"

/* Bytes.  The block map of a VDI of 128 TiB; the BAT of a VHDX of 64 TiB, the
 * largest there is, has 512 MiB with blocks of 1 MiB, and 16 MiB with those of
 * 32 MiB that Hyper-V makes. */
#define REWIND_MAX (UINT64_C(512) << 20)

/* The first MiB, two logs, and two tables of 2047 regions: [MS-VHDX] 2.2.3.1 */
enum { REWIND_RANGES_MAX = 1 + 2 + 2 * 2047 };

/* Does a repeated commit to an image of @format need a rewind file? */
bool rewind_is_needed(const char *format);

/**
 * rewind_save() - keep what a commit to @image may spoil
 * @image:  a regular file that nobody writes to
 * @format: QEMU's name; nothing is kept but for "vdi" and "vhdx"
 * @path:   the rewind file, made for this user alone; what is there is deleted,
 *          whatever the format: it is of another image, or another commit
 *
 * On return the file and its name are on stable storage.
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST: the headers make no sense, or there is
 * more than REWIND_MAX to keep (what is left of @path is the caller's to
 * delete); or V2V_ERR_INTERNAL: the host fails, its disk is full.
 */
int rewind_save(const char *image, const char *format, const char *path,
                struct v2v_error *err);

/**
 * rewind_restore() - put it back
 * @path: from rewind_save(); when there is no such file, nothing is done
 *
 * While it writes, QEMU gets none of its locks on @image.  It can be killed
 * and done again.  On return the image is on stable storage.
 *
 * Returns: 0, or -1 with V2V_ERR_BUSY: a program of QEMU's has the image,
 * which is as it was; V2V_ERR_GUEST: the rewind file is damaged, not ours, or
 * cannot be of this image, which is as it was; V2V_ERR_INTERNAL.
 */
int rewind_restore(const char *image, const char *path, struct v2v_error *err);

#endif
