/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * facts/find.h - the Windows in an opened image: where it is, whether it may
 * be written, and its hives
 */
#ifndef V2V_FACTS_FIND_H
#define V2V_FACTS_FIND_H

#include "facts/facts.h"
#include "guest/guest.h"

/* Take the only Windows there is. */
#define FACTS_ANY_PARTITION (-1)

/**
 * facts_find_windows() - the system volume
 * @partition: the partition's number, or FACTS_ANY_PARTITION
 * @facts:     all zero; partition and system_root are set
 *
 * Leaves the volume mounted read-only.
 *
 * Returns: 0, or -1 with
 * V2V_ERR_GUEST: no Windows; two or more (the text names their partitions);
 *     a Windows that must not be written: hibernated, Fast Startup, the
 *     volume dirty or its journal unclean; BitLocker
 * V2V_ERR_FORMAT: not a disk image
 */
int facts_find_windows(struct guest *guest, int partition, struct facts *facts,
                       struct v2v_error *err);

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
int facts_load(struct guest *guest, int partition,
               const struct facts_allow *allow, struct facts_hives *hives,
               struct facts *facts, struct v2v_error *err);

#endif
