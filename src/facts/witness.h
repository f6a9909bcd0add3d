/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * facts/witness.h - places of the disk that show that Windows has run
 *
 * Whoever starts a Windows changes them: mounting its volume for writing moves
 * the restart pages of the journal, and the base block of a hive holds sequence
 * numbers that each write to the hive increments.
 */
#ifndef V2V_FACTS_WITNESS_H
#define V2V_FACTS_WITNESS_H

#include "disk/ntfs.h"
#include "facts/facts.h"
#include "image/image.h"

/* The journal and the hives, each in pieces as small as clusters can be. */
enum { FACTS_WITNESSES = (1 + REG_HIVE_COUNT) * NTFS_EXTENTS_MAX };

/**
 * facts_witnesses() - where they are
 * @disk:  the system disk as it will be after the commit
 * @ret:   @count of them, in the order journal, SYSTEM, SOFTWARE, DRIVERS
 *
 * One that cannot be located (a hive that Windows compressed) is left out.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT (the partition is not there) or what
 * @disk's read returned.
 */
int facts_witnesses(const struct facts *facts, const struct facts_hives *hives,
                    const struct disk_reader *disk,
                    struct image_witness ret[FACTS_WITNESSES], size_t *count,
                    struct v2v_error *err);

#endif
