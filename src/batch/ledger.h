/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * batch/ledger.h - the book of a batch: what has become of each line
 *
 * A SQLite database, MANIFEST.ledger, in WAL mode, so that others can look
 * while the batch runs; its tables are in batch/schema.h.  The door to SQLite.
 * Each function is one transaction: a batch that is killed leaves a ledger that
 * says what was known.
 *
 * Not for a folder that several machines share: there the result files are the
 * truth (batch/result.h), and a ledger is collected from them at the end.
 */
#ifndef V2V_BATCH_LEDGER_H
#define V2V_BATCH_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "batch/result.h"

struct ledger;

enum ledger_state {
    LEDGER_WAITING, /* not begun */
    LEDGER_RUNNING, /* begun; when nobody has the lock: interrupted */
    LEDGER_DONE,    /* exit status 0 */
    LEDGER_FAILED,  /* any other, and no attempt left */
    LEDGER_AGAIN,   /* it is to be run again: busy, interrupted, or for want of
                     * the appliance */
    LEDGER_STATES
};

/* "waiting", "running", "done", "failed", "again" */
const char *ledger_state_name(enum ledger_state state);

/* What a run that ended like that leaves: done; again, after
 * V2V_ERR_BUSY, "interrupted" and "direct-not-served"; else failed. */
enum ledger_state ledger_state_after(const struct result *result);

/* What the batch is.  Texts of a batch that was read live as long as the
 * ledger. */
struct ledger_batch {
    const char *manifest; /* absolute name */
    const char *digest;   /* of the manifest */
    const char *command;  /* "inject" or "check" */
    const char *options;  /* for all lines: a JSON array of words */
    const char *program;  /* "v2v-virtio 0.1.0" */
    const char *started;  /* UTC, when the ledger was made; not for
                             ledger_create() */
};

/* A line of it; texts live until the callback returns. */
struct ledger_item {
    size_t line;
    const char *identity; /* absolute name of the (first) image, or
                           * "domain NAME" */
    enum ledger_state state;
    unsigned attempts;       /* that were begun */
    const char *interrupted; /* when the first of its last attempts began whose
                              * end is not known, or is to have been
                              * interrupted; NULL: there is none */
    const struct result *result; /* of the last that ended; NULL: none has */
};

/**
 * ledger_lock() - be the only batch of this ledger
 * @path: of the ledger; the lock is a file beside it, PATH.lock, which stays
 * @ret:  a descriptor; who closes it, or any other of that file, unlocks
 *
 * A lock of this process (F_SETLK): children do not have it, and it dies with
 * us.  Returns: 0, or -1 with V2V_ERR_BUSY, or V2V_ERR_USAGE: the file cannot
 * be made.
 */
int ledger_lock(const char *path, int *ret, struct v2v_error *err);

/**
 * ledger_create() - a new one, with every line waiting
 * @identities: [i] of lines[i]
 *
 * Whole or not there.  Returns: 0, or -1 with V2V_ERR_USAGE: there is a file
 * of this name, or the folder cannot be written.
 */
int ledger_create(const char *path, const struct ledger_batch *batch,
                  const size_t *lines, const char *const *identities,
                  size_t count, struct ledger **ret, struct v2v_error *err);

/**
 * ledger_open() - one that exists
 * @write: false: only to be read, also while a batch writes to it
 *
 * Returns: 0, or -1 with V2V_ERR_NOT_FOUND: there is none; V2V_ERR_FORMAT: not
 * a ledger of ours, or of a version that is not known, or damaged.
 */
int ledger_open(const char *path, bool write, struct ledger **ret,
                struct v2v_error *err);

void ledger_close(struct ledger *ledger);
V2V_AUTO_DEFINE(ledger, struct ledger *, ledger_close)

const struct ledger_batch *ledger_batch(const struct ledger *ledger);

/* An attempt begins: the line is running.  @attempt: the first is 1. */
int ledger_begin(struct ledger *ledger, size_t line, unsigned attempt,
                 const char *started, struct v2v_error *err);

/* An attempt has ended, or was found to have (another machine's). */
int ledger_end(struct ledger *ledger, const struct result *result,
               enum ledger_state state, struct v2v_error *err);

/**
 * ledger_collect() - take over what the result files say
 * @folder: MANIFEST.results
 *
 * For each line whose result file is of an attempt that the ledger does not
 * know to have ended, that is what became of it: ledger_state_after().  One
 * of which nothing is known but that it has begun is running.  A file that is
 * damaged is as if it were not there; warning "result-damaged".
 */
int ledger_collect(struct ledger *ledger, const char *folder,
                   struct v2v_error *err);

/* Calls @fn for each line in the order of the manifest, until it returns -1,
 * which is returned. */
int ledger_each(struct ledger *ledger,
                int (*fn)(const struct ledger_item *item, void *opaque,
                          struct v2v_error *err),
                void *opaque, struct v2v_error *err);

#endif
