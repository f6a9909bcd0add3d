/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * facts/hive.h - one hive file of a guest, as Windows would have it
 *
 * For the hives that are edited and for the BCD, which is only read.
 */
#ifndef V2V_FACTS_HIVE_H
#define V2V_FACTS_HIVE_H

#include "facts/facts.h"
#include "guest/guest.h"

/* SOFTWARE is the largest: 200 MB have been seen. */
#define FACTS_HIVE_MAX ((size_t)512 << 20)

/* Frees what @hive holds; it is all zero afterwards. */
void facts_hive_done(struct facts_hive *hive);

static inline void
v2v_auto_facts_hive(struct facts_hive *hive)
{
    facts_hive_done(hive);
}

/**
 * facts_hive_load() - open a hive's file with what its transaction logs add
 * @max:  bytes, of the file and of each log
 * @hive: all zero but for its path, which the mounted volume has
 *
 * The logs are PATH.LOG1 and PATH.LOG2; for a dirty hive of which neither holds
 * anything, PATH.LOG.  A dirty hive to which none applies is opened as it is.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT ("hive-corrupt") or the errors of
 * guest_read().
 */
int facts_hive_load(struct guest *guest, size_t max, struct facts_hive *hive,
                    struct v2v_error *err);

/* The second half of that: when the file and its logs' places are known. */
int facts_hive_open(struct guest *guest, size_t max, struct facts_hive *hive,
                    struct v2v_error *err);

#endif
