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
    int partition; /* its number, FACTS_ANY, or FACTS_FIRST: any, and of
                      several the first */
};
#define FACTS_ANY (-1)
#define FACTS_FIRST (-2)

/**
 * facts_find_windows() - look into every volume of every disk; into an
 * encrypted one with the machine's keys
 * @facts: all zero; disks, volumes, disk, partition, system_root, has_bcd,
 *         test_signing and hibernated are set; after a failure disks and
 *         volumes say what was seen
 *
 * Nothing is written, and nothing judged: a Windows that must not be written
 * (hibernated, a dirty volume, an unclean journal) is found like any other, and
 * check/ says so.  The boot configuration (BCD) is that of the system disk; if
 * that has none, of the first disk that has one.
 *
 * Leaves the system volume mounted read-only.
 *
 * Returns: 0, or -1 with
 * V2V_ERR_USAGE: no Windows at @root, but elsewhere
 * V2V_ERR_GUEST: no Windows, and why not ("no-windows", "windows-unreadable",
 *     "bitlocker-locked", "bitlocker-suspended", "bitlocker-key-wrong",
 *     "bitlocker-unreadable", "dynamic-disk", "storage-spaces", "refs"); two or
 *     more ("several-windows"; the text names disks and partitions)
 * V2V_ERR_FORMAT: no Windows, and one disk is no disk image
 *     ("disk-unreadable"); nor is the disk of @root
 */
int facts_find_windows(struct guest *guest, const struct facts_root *root,
                       struct facts *facts, struct v2v_error *err);

/**
 * facts_load_hives() - SYSTEM, SOFTWARE and, where there is one, DRIVERS
 * @ret: all zero; facts_hives_done() even after a failure
 *
 * A dirty hive is brought up to date from its transaction logs, in memory; one
 * without logs that apply is read as it is: see facts_hive.replay.
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST (a hive is absent: "hive-missing"; no
 * plain file: "hive-corrupt"), V2V_ERR_FORMAT ("hive-corrupt"), and the other
 * errors of guest_read().
 */
int facts_load_hives(struct guest *guest, const struct facts *facts,
                     struct facts_hives *ret, struct v2v_error *err);

/**
 * facts_reload_hives() - see that the volume holds what was made of the hives,
 * and open them as they are there
 * @hives: of facts_load_hives(), edited (apply/) or not
 *
 * The system volume is mounted anew, read-only, and stays so.  Every byte of
 * the files is compared; what is not as it was to be is V2V_ERR_INTERNAL.
 *
 * Returns: 0, or -1 with that or the errors of facts_load_hives().
 */
int facts_reload_hives(struct guest *guest, const struct facts *facts,
                       struct facts_hives *hives, struct v2v_error *err);

/**
 * facts_load() - all of it: find, load, read, and the names in Windows\INF
 * @hives, @facts: all zero
 *
 * Returns: 0, or -1 with the errors of these; V2V_ERR_GUEST ("hibernated"):
 * damaged hives of a hibernated Windows; ("folder-redirected"): Windows\INF is
 * not where Windows has it.
 */
int facts_load(struct guest *guest, const struct facts_root *root,
               struct facts_hives *hives, struct facts *facts,
               struct v2v_error *err);

#endif
