/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * registry/log-private.h - what the two formats of logs share
 *
 * A log begins with a copy of the hive's base block, cut to one sector.
 */
#ifndef V2V_REGISTRY_LOG_PRIVATE_H
#define V2V_REGISTRY_LOG_PRIVATE_H

#include "registry/base-block.h"
#include "registry/log.h"

enum {
    LOG_SECTOR = 512,
    LOG_PAGE = 0x1000 /* hive bins are multiples of it */
};

/* File types in a base block. */
enum { LOG_TYPE_PRIMARY = 0, LOG_TYPE_OLD = 1, LOG_TYPE_NEW = 6 };

/* Is @hbins_len a size that a hive may have? */
bool log_hbins_len_ok(uint32_t hbins_len);

/* Make the hive large enough for @hbins_len, with zeros, and say so in its
 * base block.  It never becomes a shorter file. */
int log_resize(struct v2v_bytes *hive, uint32_t hbins_len,
               struct v2v_error *err);

/* Both: @log has a sound base block of its format; @ret->hive is a copy of the
 * primary file and at least a base block long.  What applies is added to
 * @ret->entries and @ret->last_sequence. */
int log_new_apply(const struct reg_log *log, struct reg_replayed *ret,
                  struct v2v_error *err);
int log_old_apply(const struct reg_log *log, struct reg_replayed *ret,
                  struct v2v_error *err);

#endif
