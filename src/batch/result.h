/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * batch/result.h - how one run of one line ended; kept as a file
 *
 * The files in the folder MANIFEST.results are what several machines share,
 * and the truth: a ledger can be made of them alone (ledger_collect()).  N is
 * the number of the line in the manifest:
 *     N.json   a struct result, see below; whole or not there
 *     N.log    what the runs of the line said on standard error, one after the
 *              other
 *     N.part   the document that a run is about to write; of no meaning to
 *              others
 *     N.begun  where there is no ledger to say it: a run has begun, and none
 *              has ended since that was not told to; see struct result_begun
 *
 * N.json is one JSON object:
 *     "schema"       1
 *     "batch"        digest of the manifest
 *     "line", "attempt"   numbers, the first is 1
 *     "host"         where it ran
 *     "started", "ended"  UTC, "2026-01-31T12:00:00.000Z"
 *     "seconds"      that it took; "cpu_seconds", "memory_kib": CPU time and
 *                    the largest process of it
 *     "exit_status"  0 ... 255 or null; "signal": null, or the signal that
 *                    ended it
 *     "code"         null when exit_status is 0; else why, as below
 *     "message"      the same for people; null
 *     "backend"      "direct", "libguestfs" or null: no guest was opened
 *     "result"       what the command printed with --json, or null: it printed
 *                    nothing that is JSON
 *
 * Codes are those of the error or, of "check", of the first finding that
 * blocks; of a failure without a document "internal".  And of the batch itself:
 *     listed-twice   an earlier line has the same image or machine
 *     interrupted    the batch was told to end, and ended this run
 *     killed         a signal that nobody of the batch sent: memory?
 */
#ifndef V2V_BATCH_RESULT_H
#define V2V_BATCH_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

#include "base/error.h"

enum {
    RESULT_TIME_LEN = 24,           /* "2026-01-31T12:00:00.000Z" */
    RESULT_DOCUMENT_MAX = 64 << 20, /* bytes of a document that is kept */
};

struct result {
    size_t line;
    unsigned attempt;
    char *host;
    char started[RESULT_TIME_LEN + 1], ended[RESULT_TIME_LEN + 1];
    double seconds, cpu_seconds;
    uint64_t memory_kib;
    int exit_status;                /* -1: it was killed */
    int signal;                     /* 0: none */
    char *code, *message, *backend; /* NULL: see above */
    char *document;                 /* JSON, or NULL */
};

/* A time of CLOCK_REALTIME, and now, as above: their order is that of strcmp().
 */
void result_time(const struct timespec *time, char ret[RESULT_TIME_LEN + 1]);
void result_now(char ret[RESULT_TIME_LEN + 1]);

/* Of a run that a signal ended: who ran it had sent that. */
int result_say_interrupted(struct result *result, struct v2v_error *err);

/* Its message for where @identity stands beside it: without that name in front.
 * "" when there is none. */
const char *result_message_beside(const struct result *result,
                                  const char *identity);

/**
 * result_judge() - fill in what its document and its status say of a run
 * @status:   as waitpid() gives it
 * @document: what it printed; need not be JSON
 * @ret:      line to memory_kib are the caller's; the rest is filled in
 */
int result_judge(int status, const void *document, size_t len,
                 struct result *ret, struct v2v_error *err);

/* The class of failure of a run: its exit status, V2V_ERR_INTERNAL when it was
 * killed. */
enum v2v_error_code result_class(const struct result *result);

/* The direct backend does not serve its guest ("direct-not-served"). */
bool result_wants_appliance(const struct result *result);

/* FOLDER/N.EXTENSION; a new string. */
char *result_path(const char *folder, size_t line, const char *extension,
                  struct v2v_error *err);

/* Into N.json.  @batch: the manifest's digest. */
int result_write(const char *folder, const char *batch,
                 const struct result *result, struct v2v_error *err);

/**
 * result_read() - N.json
 * @ret: written only on success; result_done()
 *
 * Returns: 0, or -1 with V2V_ERR_NOT_FOUND: there is none, or it is of another
 * manifest; V2V_ERR_FORMAT: damaged.
 */
int result_read(const char *folder, const char *batch, size_t line,
                struct result *ret, struct v2v_error *err);

/* N.begun: one JSON object with the same names. */
struct result_begun {
    unsigned attempt;                  /* the last that has begun */
    char started[RESULT_TIME_LEN + 1]; /* the first of those that have begun
                                        * since one has ended by itself */
};

/* What was begun replaces what was begun before. */
int result_begin(const char *folder, const char *batch, size_t line,
                 const struct result_begun *begun, struct v2v_error *err);

/* Errors as those of result_read(). */
int result_read_begun(const char *folder, const char *batch, size_t line,
                      struct result_begun *ret, struct v2v_error *err);

/* There is nothing begun any more. */
int result_end(const char *folder, size_t line, struct v2v_error *err);

void result_done(struct result *result);

static inline void
v2v_auto_result(struct result *result)
{
    result_done(result);
}

#endif
