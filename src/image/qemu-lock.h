/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/qemu-lock.h - the bytes that QEMU locks in an image
 *
 * Source: QEMU block/file-posix.c, RAW_LOCK_PERM_BASE and
 * RAW_LOCK_SHARED_BASE: bytes 100 to 163 and 200 to 263, one for each
 * permission, and only ever for reading; the range leaves room for more.  Byte
 * 101 is BLK_PERM_WRITE: who writes. */
#ifndef V2V_IMAGE_QEMU_LOCK_H
#define V2V_IMAGE_QEMU_LOCK_H

enum { QEMU_LOCK_FIRST = 100, QEMU_LOCK_LEN = 200, QEMU_LOCK_WRITER = 101 };

#endif
