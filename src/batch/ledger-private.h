/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch/ledger-private.h - the two files that talk to SQLite */
#ifndef V2V_BATCH_LEDGER_PRIVATE_H
#define V2V_BATCH_LEDGER_PRIVATE_H

#include <sqlite3.h>

#include "batch/ledger.h"

struct ledger {
    char *path;
    sqlite3 *db;
    char *texts[6]; /* of @batch */
    struct ledger_batch batch;
};

/* What SQLite says is wrong; -1 with V2V_ERR_INTERNAL, V2V_ERR_BUSY (somebody
 * else writes to it) or V2V_ERR_FORMAT (damaged, or no database). */
int ledger_fail(const struct ledger *ledger, struct v2v_error *err);

/**
 * ledger_prepare() - a statement with its parameters
 * @kinds: a letter each: "t" const char * (NULL is NULL), "i" long long,
 *         "n" long long (negative is NULL), "r" double
 *
 * Returns: a statement, sqlite3_finalize() ends it; or NULL and @err.
 */
sqlite3_stmt *ledger_prepare(struct ledger *ledger, struct v2v_error *err,
                             const char *sql, const char *kinds, ...);

/* One that gives no rows: carried out. */
int ledger_finish(struct ledger *ledger, sqlite3_stmt *statement,
                  struct v2v_error *err);
int ledger_run(struct ledger *ledger, const char *sql, struct v2v_error *err);

/* The next row: 1; there is none: 0; or -1. */
int ledger_step(struct ledger *ledger, sqlite3_stmt *statement,
                struct v2v_error *err);

static inline void
v2v_auto_statement(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

/* A column as text; NULL is NULL.  Lives until the next step. */
const char *ledger_text(sqlite3_stmt *statement, int column);

/* Fills in ledger->batch; V2V_ERR_FORMAT. */
int ledger_read_batch(struct ledger *ledger, struct v2v_error *err);

#endif
