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
#include "registry/log.h"

/* Frees what @hive holds; it is all zero afterwards. */
void facts_hive_done(struct facts_hive *hive);

static inline void
v2v_auto_facts_hive(struct facts_hive *hive)
{
    facts_hive_done(hive);
}

/**
 * facts_hive_read() - a hive's file, and what its transaction logs add to it
 * @max:  bytes, of the file and of each log
 * @hive: all zero but for its path, which the mounted volume has; bytes and
 *        logs are filled in
 * @ret:  for facts_hive_open(), which frees it; REG_REPLAY_NO_LOGS: the hive is
 *        dirty, and whether it may be opened as it is, is the caller's choice
 *
 * The logs are PATH.LOG1 and PATH.LOG2; for a dirty hive of which neither holds
 * anything, PATH.LOG.
 *
 * Returns: 0, or -1 with the errors of guest_read() and reg_replay_logs().
 */
int facts_hive_read(struct guest *guest, size_t max, struct facts_hive *hive,
                    struct reg_replayed *ret, struct v2v_error *err);

/* Fills in hive->hive; fails as reg_hive_open() does. */
int facts_hive_open(struct facts_hive *hive, struct reg_replayed *replayed,
                    struct v2v_error *err);

#endif
