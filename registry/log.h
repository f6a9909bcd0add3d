/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * registry/log.h - replay a hive's transaction logs, as Windows would at boot
 *
 * Values in, values out: it opens no file, and empties no log.  Windows 8.1
 * and later write changes to the logs and bring the primary file up to date
 * as much as an hour later, so that a dirty SYSTEM hive is a normal one.
 * hivex knows nothing of the logs: what edits an unreplayed hive loses what
 * they hold.
 *
 * Source: M. Suhanov, "Windows registry file format specification",
 * https://github.com/msuhanov/regf; checked against dirty hives that
 * Windows 7 and 10 recovered.
 */
#ifndef V2V_REGISTRY_LOG_H
#define V2V_REGISTRY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/* The content of NAME.LOG1 or NAME.LOG2; len 0: empty or absent. */
struct reg_log {
    const void *data;
    size_t len; /* bytes */
};

enum reg_replay {
    REG_REPLAY_CLEAN,  /* nothing to do, whatever the logs hold */
    REG_REPLAY_DONE,   /* the hive is now as Windows would have it */
    REG_REPLAY_NO_LOGS /* dirty, and no log applies to it */
};

struct reg_replayed {
    enum reg_replay result;
    struct v2v_bytes hive;  /* the new hive, the caller's; empty unless DONE */
    unsigned entries;       /* log entries applied; an old log is one entry */
    uint32_t last_sequence; /* of the last of them */
    bool base_recovered;    /* the hive's base block was taken from a log */
};

/* The most to which a log may grow a hive: far above any real one, and what
 * a hostile log can cost. */
#define REG_REPLAY_MAX_HBINS (1U << 30)

/**
 * reg_replay_logs() - bring a primary file up to date
 * @hive: the whole primary file; @len: bytes
 * @logs: LOG1 and LOG2, in this order
 * @ret:  written only on success
 *
 * New logs (HvLE, Windows 8.1 and later): the log with the lower sequence
 * number is applied first, the other if it continues it; the first entry that
 * is torn, or out of sequence, ends a log.  Old logs (DIRT, up to Windows 8):
 * the newer one, or the other if that is of no use, as a whole.  A log that is
 * older than the primary file, or damaged from its beginning, counts as
 * absent.  A base block whose signature or checksum is wrong is replaced with
 * that of the newest log, and only that log is applied.
 *
 * After REG_REPLAY_DONE the hive's sequence numbers are equal and greater than
 * those of the entries applied, of both logs' base blocks, and of the hive
 * before; the checksum is right; and reg_header_read() accepts it.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT: what reg_header_read() refuses in
 * the primary file (a bad base block only if no log replaces it) or in the
 * result, or sequence numbers that leave no greater one; V2V_ERR_INTERNAL when
 * memory runs out.
 */
int reg_replay_logs(const void *hive, size_t len, const struct reg_log logs[2],
                    struct reg_replayed *ret, struct v2v_error *err);

#endif
