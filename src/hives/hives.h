/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * hives/hives.h - registry hives, parsed and edited by a process in a sandbox
 *
 *     this program -- sandbox/worker.h -- worker: registry/ and hivex
 *
 * A hive is as of registry/hive.h, whose functions ask the worker: each hive
 * has its own, which sees the bytes by being a copy of this process, and can
 * open nothing.  In this process nothing of them is parsed.
 *
 * With SANDBOX_OFF there is no worker: it is reg_hive_open().
 */
#ifndef V2V_HIVES_HIVES_H
#define V2V_HIVES_HIVES_H

#include "base/ranges.h"
#include "hives/file.h"
#include "registry/hive.h"
#include "registry/log.h"

struct hives_source {
    const char *name; /* for messages: "Windows/System32/config/SYSTEM" */
    const void *data; /* the whole primary file */
    size_t len;       /* bytes */
    const struct hives_file *file; /* whose @data that is; NULL: it is copied */
    const struct reg_log *logs;    /* two, to be replayed; NULL: as it is */
};

/**
 * hives_open() - replay a hive's logs, if there are any, and open the result
 * @replayed: what the logs were good for; its hive stays empty; may be NULL
 * @ret:      new; reg_hive_close() frees it and ends the worker
 *
 * A dirty hive to which no log applies is opened as it is.
 *
 * Returns: 0, or -1 with the errors of reg_replay_logs() and reg_hive_open(),
 * V2V_ERR_USAGE as sandbox_start(), or V2V_ERR_INTERNAL ("hive-parser-died"):
 * what is there killed the worker, or made it hang or talk nonsense.  Any
 * function of registry/hive.h can fail like this, and does ever after.
 */
int hives_open(const struct hives_source *source, struct reg_replayed *replayed,
               struct reg_hive **ret, struct v2v_error *err);

/**
 * hives_save() - make an edited hive's file what the hive is now
 * @hive:    of hives_open(), of no use afterwards
 * @file:    that it was opened from; logs that were replayed are in it then,
 * too
 * @changed: where it is another; added to
 *
 * Whether it can be opened is for hives_open() to say.  After a failure the
 * content of @file is void.
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL.
 */
int hives_save(struct reg_hive *hive, struct hives_file *file,
               struct v2v_ranges *changed, struct v2v_error *err);

#endif
