/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hives/private.h - what the two processes share */
#ifndef V2V_HIVES_PRIVATE_H
#define V2V_HIVES_PRIVATE_H

#include "hives/hives.h"
#include "sandbox/rpc.h"

enum hives_op {
    HIVES_OPEN,        /* -> enum reg_replay, entries, last sequence, base */
    HIVES_HAS_KEY,     /* key -> 0 or 1 */
    HIVES_CHILDREN,    /* key -> names, a NUL behind each */
    HIVES_VALUE_NAMES, /* the same */
    HIVES_GET,         /* key, name -> type; data */
    HIVES_LIMIT,       /* bytes */
    HIVES_EDIT,        /* enum reg_op, type; key, name, data: one more */
    HIVES_APPLY,       /* hive's id: the edits since the last time */
    HIVES_SAVE,        /* the hive, through the pipe; once */
    HIVES_OPS
};

extern const struct rpc_protocol hives_protocol;

/* Seconds that an answer may take: the largest hives take some.  Tests want
 * less than the 300 it is. */
extern int hives_patience;

/* In this process. */
int hives_open_here(const struct hives_source *source,
                    struct reg_replayed *replayed, struct reg_hive **ret,
                    struct v2v_error *err);

/* By a worker. */
int hives_open_remote(const struct hives_source *source,
                      struct reg_replayed *replayed, struct reg_hive **ret,
                      struct v2v_error *err);

/* What the worker does.  @fd: where questions come from; @pipe: where the hive
 * goes when it is saved.  Returns: its exit status. */
int hives_work(int fd, int pipe, const struct hives_source *source);

#endif
