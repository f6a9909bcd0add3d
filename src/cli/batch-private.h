/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/batch-private.h - a batch, and what its parts do with it */
#ifndef V2V_CLI_BATCH_PRIVATE_H
#define V2V_CLI_BATCH_PRIVATE_H

#include "batch/ledger.h"
#include "batch/manifest.h"
#include "batch/pool.h"
#include "cli/batch.h"

/* A line of the manifest. */
struct batch_item {
    size_t line;    /* its number in the manifest */
    char *identity; /* absolute name of the (first) image, "domain NAME" */
    size_t twice;   /* the line before that has the same image or machine, or
                     * writes the same file; 0: none */
    struct v2v_strings words;   /* the command line; options points into it */
    struct cli_options options; /* for supervise() */

    /* What has become of it in this run of the batch and before. */
    enum ledger_state state;
    unsigned attempts;  /* that were begun */
    unsigned tries;     /* of this run that ended as "busy" or "interrupted" */
    bool is_auto;       /* --backend auto: direct first */
    bool heavy;         /* it needs the appliance, or may */
    bool was_killed;    /* by this batch, which was told twice to end */
    bool asks_for_more; /* it ended, to be run again, and nobody told it to */
    int64_t due;        /* v2v_milliseconds(): not before */
    int64_t start;      /* of the last attempt, v2v_milliseconds() */
    char begun[RESULT_TIME_LEN + 1]; /* the same, in UTC; "": none */
    char interrupted_since[RESULT_TIME_LEN + 1]; /* the batch went away while it
                                                  * ran, begun then; or "" */
    enum v2v_error_code outcome; /* class of the last that ended */
};

struct batch_items {
    struct batch_item *items; /* in the order of the manifest */
    size_t count;
    char digest[MANIFEST_DIGEST_LEN + 1]; /* of the manifest */
};

/* The table on a terminal. */
struct batch_table {
    bool live;      /* standard error is a terminal */
    unsigned drawn; /* lines of it that stand there */
    int64_t start;  /* v2v_milliseconds() */
    size_t ended;   /* in this run of the batch */
};

struct batch {
    const struct cli_options *options;
    int (*run)(const struct cli_options *options); /* a line's command */
    struct batch_items items;
    char *manifest; /* absolute; and what lies beside it */
    char *ledger_path, *results;
    int lock;              /* of the ledger; -1: not ours */
    struct ledger *ledger; /* NULL: of one line its files alone know */
    struct pool_caps caps;
    struct pool *pool;
    struct batch_table table;
    int stopped;   /* the signal that ends the batch; 0: none */
    bool requeued; /* as a task of Slurm: it comes once more */
    struct answer *answer;
};

/* ---- batch-items.c ---- */

/**
 * batch_load() - the manifest's lines as command lines
 * @options: of the batch; with --line only that one is looked at
 * @ret:     written only on success; batch_items_done()
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE or V2V_ERR_FORMAT: the manifest or lines
 * of it are bad; these are all named on standard error, the text says how many.
 */
int batch_load(const struct cli_options *options, struct batch_items *ret,
               struct v2v_error *err);
void batch_items_done(struct batch_items *items);

static inline void
v2v_auto_batch_items(struct batch_items *items)
{
    batch_items_done(items);
}

/* ---- batch-book.c: what is known of the lines, and kept ---- */

/* "inject" or "check" */
const char *batch_command(const struct cli_options *options);

/* Of one manifest a check, a dry run and an injection are batches of their own,
 * each with files of its own: "", ".check" or ".dry-run", which stands behind
 * the manifest's name. */
const char *batch_kind(const struct cli_options *options);

/**
 * batch_open() - the ledger, locked, or one line's files; and what they know
 *
 * --resume where nothing was begun begins; --collect makes what is missing.
 * Returns: 0, or -1 with V2V_ERR_BUSY: another batch has the ledger;
 * V2V_ERR_USAGE: it was begun and this is no --resume, or it is of another
 * manifest or command, or nothing can be written there; V2V_ERR_FORMAT: it is
 * damaged.
 */
int batch_open(struct batch *b, struct v2v_error *err);

/* The last attempt of the item has begun. */
int batch_note_begin(struct batch *b, const struct batch_item *item,
                     struct v2v_error *err);

/* The same in its file, for whoever runs the line next. */
int batch_tell_begin(struct batch *b, const struct batch_item *item,
                     struct v2v_error *err);

int batch_note_end(struct batch *b, const struct result *result,
                   enum ledger_state state, struct v2v_error *err);

/* ---- batch-line.c: one line ---- */

/* What a run weighs, MiB: the peak of the whole tree of its processes, as
 * tests/bench/measure.py measures it, on a guest with a SOFTWARE hive of 96 MB
 * and a SYSTEM of 15 MB: 280 with the direct backend, 1075 with an appliance of
 * libguestfs 1.48; and some more, for hives twice as large. */
enum { BATCH_WEIGHT_DIRECT = 512, BATCH_WEIGHT_APPLIANCE = 1536 };

unsigned batch_weight(bool heavy);

/* Seconds before the next of @tries. */
unsigned batch_pause(const struct cli_options *options, unsigned tries);

/* Its run, in a child. */
int batch_start(struct batch *b, struct batch_item *item,
                struct v2v_error *err);

/* Which has ended: is it done, failed, or to be run again, and when? */
int batch_finish(struct batch *b, const struct pool_end *end,
                 struct v2v_error *err);

/* One that is the same as another line is not run, and said so. */
int batch_refuse_repeat(struct batch *b, struct batch_item *item,
                        struct v2v_error *err);

/* ---- batch-loop.c: all of them ---- */

/* Until none is left, or somebody wants it to end. */
int batch_run_all(struct batch *b, struct v2v_error *err);

/* ---- batch-slurm.c: others run the lines ---- */

/**
 * batch_submit() - the lines that wait, as jobs of Slurm
 *
 * An array of tasks for those that need no appliance, one for those that do;
 * several, if they are many; and a job after them, "--collect".  Says on
 * standard output which, or, with --json, in the answer's details.
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE: there is no Slurm here, or it does not
 * want them; V2V_ERR_BUSY: others of this manifest are still there.
 */
int batch_submit(struct batch *b, struct v2v_error *err);

/* Has this process, a task, as much memory as a run with an appliance needs? */
bool batch_slurm_has_room(void);

/**
 * batch_requeue() - the task in which we are, once more
 *
 * No more often than --retries says, and once for memory.  Returns: it will
 * be.  If not, standard error says why.
 */
bool batch_requeue(const struct cli_options *options,
                   const struct batch_item *item);

/* ---- batch-show.c: what people see ---- */

void batch_show_begin(struct batch *b);
void batch_show_clear(struct batch *b); /* the table goes away */
void batch_show_ended(struct batch *b, const struct batch_item *item,
                      const struct result *result);
void batch_show_table(struct batch *b);
void batch_show_end(struct batch *b);

/* The details of its JSON document, out of its ledger; NULL: a failure.
 * @caps: NULL: nothing is run. */
json_t *batch_json(struct ledger *ledger, const struct pool_caps *caps,
                   struct v2v_error *err);

/* ---- batch-report.c: the files of --report ---- */

/* Before the batch: V2V_ERR_USAGE when one of them cannot be written. */
int batch_check_reports(const struct cli_options *options,
                        struct v2v_error *err);
int batch_write_reports(const struct cli_options *options,
                        struct ledger *ledger, struct v2v_error *err);

/* --report-only: of a ledger that is there; whoever writes to it goes on. */
int batch_report_only(const struct cli_options *options, struct answer *answer,
                      struct v2v_error *err);

#endif
