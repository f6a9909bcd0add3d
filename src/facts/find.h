/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * facts/find.h - the Windows on a guest's disks: where it is, whether it may
 * be written, and its hives
 */
#ifndef V2V_FACTS_FIND_H
#define V2V_FACTS_FIND_H

#include "facts/facts.h"
#include "guest/guest.h"

/* Which Windows: the only one for which these hold. */
struct facts_root {
    int disk;      /* its index, from 0, or FACTS_ANY */
    int partition; /* its number, or FACTS_ANY */
};
#define FACTS_ANY (-1)

/**
 * facts_find_windows() - the system volume
 * @facts: all zero; disk, partition, system_root, has_bcd and test_signing are
 *         set
 *
 * All volumes of all disks are looked into, none is written.  The boot
 * configuration (BCD) is that of the system disk; if that has none, of the
 * first disk that has one.  Only the system volume has to be one that may be
 * written: a data disk may be blank, dynamic, encrypted, dirty or hibernated
 * as it likes, as long as a Windows is found elsewhere.
 *
 * Leaves the system volume mounted read-only.
 *
 * Warnings: "volume-unreadable", an NTFS or EFI system partition could not be
 * looked into; "boot-volume-unclean", the BCD lies on an NTFS other than the
 * system volume that was not unmounted cleanly.
 *
 * Returns: 0, or -1 with
 * V2V_ERR_USAGE: no Windows at @root, but elsewhere
 * V2V_ERR_GUEST: no Windows, and why not, as in BitLocker; two or more (the
 *     text names disks and partitions); a Windows that must not be written:
 *     hibernated, Fast Startup, the volume dirty or its journal unclean
 * V2V_ERR_FORMAT: no Windows, and one disk is no disk image; nor is the disk
 *     of @root
 */
int facts_find_windows(struct guest *guest, const struct facts_root *root,
                       struct facts *facts, struct v2v_error *err);

/**
 * facts_load_hives() - SYSTEM, SOFTWARE and, where there is one, DRIVERS
 * @ret: all zero; facts_hives_done() even after a failure
 *
 * A dirty hive is brought up to date from its transaction logs, in memory.
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST (a dirty hive without logs that apply,
 * and not allowed), V2V_ERR_FORMAT (corrupt), and the errors of guest_read().
 */
int facts_load_hives(struct guest *guest, const struct facts *facts,
                     const struct facts_allow *allow, struct facts_hives *ret,
                     struct v2v_error *err);

/**
 * facts_load() - all of it: find, load, read, and the names in Windows\INF
 * @hives, @facts: all zero
 */
int facts_load(struct guest *guest, const struct facts_root *root,
               const struct facts_allow *allow, struct facts_hives *hives,
               struct facts *facts, struct v2v_error *err);

#endif
