/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * tests/tools/tree-guest.h - a guest whose volumes are folders of the host
 *
 * The second backend of guest/guest.h, for tests: no appliance, milliseconds.
 * All that lies above guest/backend.h is the program's own.
 *
 *   DIR/disk0.raw, DIR/disk1.raw ...  the disks, without a gap in the numbers
 *   DIR/0-1/                          the files of disk 0, partition 1, which
 *                                     the disk's own partition table has as
 *                                     NTFS or FAT; what that holds is not read
 *
 *   DIR/0-1.key, DIR/0-1.raw         of a partition that is encrypted: the key
 *                                     that opens it, and what it holds then
 *   DIR/keys                          what --key says: lines "NAME DISK
 * PARTITION KEY", where NAME is "all", an identifier, or of a place
 *
 * fixtures/mkguest --tree makes one; tests/tools/tree-from-image.sh does of
 * any images.  A second disk is another tree's, moved: B/disk0.raw to
 * A/disk1.raw, B/0-1 to A/1-1.
 *
 * As on NTFS, names are found without regard to case.  A host's symbolic link
 * (or anything else that is neither file nor directory) is a reparse point, and
 * a file's number is the host's.  There are no security descriptors.  Free are
 * the bytes of the partition less those of the files, in clusters of 4 KiB.
 */
#ifndef V2V_TESTS_TREE_GUEST_H
#define V2V_TESTS_TREE_GUEST_H

#include "guest/guest.h"

/**
 * tree_guest_open() - @dir as a guest; it is written in place
 *
 * Mounting is V2V_ERR_GUEST for a volume without a folder, one that is not of
 * the file system asked for, and, for writing, one whose journal is open.
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE: no DIR/disk0.raw.
 */
int tree_guest_open(const char *dir, struct guest **ret, struct v2v_error *err);

#endif
