/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "batch/ledger-private.h"
#include "batch/schema.h"

/* Who looks at a ledger keeps the batch from writing for moments only. */
enum { BUSY_MILLISECONDS = 10000 };

const char *
ledger_state_name(enum ledger_state state)
{
    static const char *const names[LEDGER_STATES] = {
        [LEDGER_WAITING] = "waiting",
        [LEDGER_RUNNING] = "running",
        [LEDGER_DONE] = "done",
        [LEDGER_FAILED] = "failed",
        [LEDGER_AGAIN] = "again"
    };

    return names[state];
}

/* It has to be beside the manifest: two batches are to find each other. */
static int
refuse_place(const char *name, int why, struct v2v_error *err)
{
    bool place = why == EROFS || why == EACCES || why == EPERM;

    return v2v_fail(err, V2V_ERR_USAGE, "%s: %s%s", name, strerror(why),
                    place ? ": ledger and results are written beside the "
                            "manifest: put a copy of that, with absolute names "
                            "in it, where you may write"
                          : "");
}

int
ledger_lock(const char *path, int *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = v2v_format(err, "%s.lock", path);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd;

    if (name == NULL)
        return -1;
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return refuse_place(name, errno, err);
    if (fcntl(fd, F_SETLK, &lock) == 0) {
        *ret = fd;
        return 0;
    }
    v2v_error_set(err,
                  errno == EAGAIN || errno == EACCES ? V2V_ERR_BUSY
                                                     : V2V_ERR_INTERNAL,
                  errno == EAGAIN || errno == EACCES
                      ? "%s: another batch is at work on it: --report-only "
                        "says how far it is"
                      : "%s: cannot be locked",
                  path);
    close(fd);
    return -1;
}

int
ledger_fail(const struct ledger *ledger, struct v2v_error *err)
{
    int code = sqlite3_errcode(ledger->db);
    enum v2v_error_code class = V2V_ERR_INTERNAL;

    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        class = V2V_ERR_BUSY;
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        class = V2V_ERR_FORMAT;
    return v2v_fail(err, class, "%s: %s", ledger->path,
                    sqlite3_errmsg(ledger->db));
}

static int
bind(sqlite3_stmt *statement, int i, char kind, va_list *ap)
{
    const char *text;
    long long n;

    if (kind == 'r')
        return sqlite3_bind_double(statement, i, va_arg(*ap, double));
    if (kind == 't') {
        text = va_arg(*ap, const char *);
        return sqlite3_bind_text(statement, i, text, -1, SQLITE_TRANSIENT);
    }
    n = va_arg(*ap, long long);
    return kind == 'n' && n < 0 ? sqlite3_bind_null(statement, i)
                                : sqlite3_bind_int64(statement, i, n);
}

sqlite3_stmt *
ledger_prepare(struct ledger *ledger, struct v2v_error *err, const char *sql,
               const char *kinds, ...)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(ledger->db, sql, -1, &statement, NULL);
    va_list ap;

    va_start(ap, kinds);
    for (int i = 0; result == SQLITE_OK && kinds[i] != '\0'; i++)
        result = bind(statement, i + 1, kinds[i], &ap);
    va_end(ap);
    if (result == SQLITE_OK)
        return statement;
    ledger_fail(ledger, err);
    sqlite3_finalize(statement);
    return NULL;
}

int
ledger_step(struct ledger *ledger, sqlite3_stmt *statement,
            struct v2v_error *err)
{
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        return 1;
    case SQLITE_DONE:
        return 0;
    default:
        return ledger_fail(ledger, err);
    }
}

int
ledger_finish(struct ledger *ledger, sqlite3_stmt *statement,
              struct v2v_error *err)
{
    int result;

    if (statement == NULL)
        return -1;
    result = ledger_step(ledger, statement, err);
    sqlite3_finalize(statement);
    return result < 0 ? -1 : 0;
}

int
ledger_run(struct ledger *ledger, const char *sql, struct v2v_error *err)
{
    return sqlite3_exec(ledger->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : ledger_fail(ledger, err);
}

void
ledger_close(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    sqlite3_close(ledger->db);
    for (size_t i = 0; i < sizeof ledger->texts / sizeof *ledger->texts; i++)
        free(ledger->texts[i]);
    free(ledger->path);
    free(ledger);
}

static int
open_database(const char *path, int flags, struct ledger **ret,
              struct v2v_error *err)
{
    V2V_AUTO(ledger) struct ledger *ledger = calloc(1, sizeof *ledger);

    if (ledger == NULL)
        return v2v_fail_errno(err, errno, "%s", path);
    ledger->path = v2v_strdup(path, err);
    if (ledger->path == NULL)
        return -1;
    if (sqlite3_open_v2(path, &ledger->db, flags, NULL) != SQLITE_OK)
        return ledger_fail(ledger, err);
    sqlite3_busy_timeout(ledger->db, BUSY_MILLISECONDS);
    *ret = v2v_steal(ledger);
    return 0;
}

/* -1: it has none, or an error. */
static long long
read_pragma(struct ledger *ledger, const char *sql, struct v2v_error *err)
{
    V2V_AUTO(statement)
    sqlite3_stmt *statement = ledger_prepare(ledger, err, sql, "");

    if (statement == NULL || ledger_step(ledger, statement, err) <= 0)
        return -1;
    return sqlite3_column_int64(statement, 0);
}

static int
check_is_ours(struct ledger *ledger, struct v2v_error *err)
{
    long long version;

    if (read_pragma(ledger, "PRAGMA application_id", err) !=
        LEDGER_APPLICATION_ID)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: not the ledger of a batch",
                        ledger->path);
    version = read_pragma(ledger, "PRAGMA user_version", err);
    if (version != LEDGER_SCHEMA)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "%s: a ledger of version %lld; this program knows %d",
                        ledger->path, version, LEDGER_SCHEMA);
    return 0;
}

int
ledger_open(const char *path, bool write, struct ledger **ret,
            struct v2v_error *err)
{
    V2V_AUTO(ledger) struct ledger *ledger = NULL;
    struct stat st;

    if (stat(path, &st) < 0 && errno == ENOENT)
        return v2v_fail(
            err, V2V_ERR_NOT_FOUND,
            "%s: there is none: no batch of this manifest has begun", path);
    if (open_database(path,
                      write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY,
                      &ledger, err) < 0 ||
        check_is_ours(ledger, err) < 0 || ledger_read_batch(ledger, err) < 0)
        return -1;
    *ret = v2v_steal(ledger);
    return 0;
}

static int
write_items(struct ledger *ledger, const size_t *lines,
            const char *const *identities, size_t count, struct v2v_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (ledger_finish(
                ledger,
                ledger_prepare(ledger, err,
                               "INSERT INTO items (line, identity, state)"
                               " VALUES (?, ?, 'waiting')",
                               "it", (long long)lines[i], identities[i]),
                err) < 0)
            return -1;
    return 0;
}

static int
write_batch(struct ledger *ledger, const struct ledger_batch *batch,
            struct v2v_error *err)
{
    char now[RESULT_TIME_LEN + 1];

    result_now(now);
    return ledger_finish(
        ledger,
        ledger_prepare(ledger, err,
                       "INSERT INTO batch (manifest, digest, command, options,"
                       " program, started) VALUES (?, ?, ?, ?, ?, ?)",
                       "tttttt", batch->manifest, batch->digest, batch->command,
                       batch->options, batch->program, now),
        err);
}

/* WAL at the end: the mode stays in the file. */
static int
fill(struct ledger *ledger, const struct ledger_batch *batch,
     const size_t *lines, const char *const *identities, size_t count,
     struct v2v_error *err)
{
    char pragmas[128];

    snprintf(pragmas, sizeof pragmas,
             "PRAGMA application_id = %d; PRAGMA user_version = %d; BEGIN",
             LEDGER_APPLICATION_ID, LEDGER_SCHEMA);
    if (ledger_run(ledger, pragmas, err) < 0 ||
        ledger_run(ledger, ledger_schema, err) < 0 ||
        write_batch(ledger, batch, err) < 0 ||
        write_items(ledger, lines, identities, count, err) < 0)
        return -1;
    return ledger_run(ledger, "COMMIT; PRAGMA journal_mode = WAL", err);
}

/* Under another name until it is whole. */
static int
make(const char *name, const struct ledger_batch *batch, const size_t *lines,
     const char *const *identities, size_t count, struct v2v_error *err)
{
    V2V_AUTO(ledger) struct ledger *ledger = NULL;
    int result;

    unlink(name);
    if (open_database(name, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &ledger,
                      err) < 0) {
        if (err != NULL)
            err->code = V2V_ERR_USAGE;
        return -1;
    }
    result = fill(ledger, batch, lines, identities, count, err);
    if (result < 0)
        unlink(name);
    return result;
}

int
ledger_create(const char *path, const struct ledger_batch *batch,
              const size_t *lines, const char *const *identities, size_t count,
              struct ledger **ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = v2v_format(err, "%s" V2V_NEW_SUFFIX, path);
    struct stat st;

    if (name == NULL)
        return -1;
    if (lstat(path, &st) == 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: is there already", path);
    if (make(name, batch, lines, identities, count, err) < 0)
        return -1;
    if (rename(name, path) < 0)
        return v2v_fail_errno(err, errno, "%s", path);
    if (v2v_sync_directory_of(path, err) < 0)
        return -1;
    return ledger_open(path, true, ret, err);
}

/* A failed COMMIT leaves the transaction open. */
static int
end_transaction(struct ledger *ledger, int result, struct v2v_error *err)
{
    if (result == 0)
        result = ledger_run(ledger, "COMMIT", err);
    if (result < 0)
        ledger_run(ledger, "ROLLBACK", NULL);
    return result;
}

static int
begin(struct ledger *ledger, size_t line, unsigned attempt, const char *started,
      struct v2v_error *err)
{
    if (ledger_finish(
            ledger,
            ledger_prepare(ledger, err,
                           "INSERT OR REPLACE INTO attempts (line, attempt,"
                           " started) VALUES (?, ?, ?)",
                           "iit", (long long)line, (long long)attempt, started),
            err) < 0)
        return -1;
    return ledger_finish(
        ledger,
        ledger_prepare(ledger, err,
                       "UPDATE items SET state = 'running', attempts = ?"
                       " WHERE line = ?",
                       "ii", (long long)attempt, (long long)line),
        err);
}

int
ledger_begin(struct ledger *ledger, size_t line, unsigned attempt,
             const char *started, struct v2v_error *err)
{
    if (ledger_run(ledger, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    return end_transaction(ledger, begin(ledger, line, attempt, started, err),
                           err);
}

static int
end(struct ledger *ledger, const struct result *r, enum ledger_state state,
    struct v2v_error *err)
{
    if (ledger_finish(
            ledger,
            ledger_prepare(
                ledger, err,
                "INSERT OR REPLACE INTO attempts (line, attempt, host, started,"
                " ended, seconds, cpu_seconds, memory_kib, exit_status, signal,"
                " code, message, backend)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                "iitttrrinnttt", (long long)r->line, (long long)r->attempt,
                r->host, r->started, r->ended, r->seconds, r->cpu_seconds,
                (long long)r->memory_kib, (long long)r->exit_status,
                r->signal > 0 ? (long long)r->signal : -1LL, r->code,
                r->message, r->backend),
            err) < 0)
        return -1;
    return ledger_finish(
        ledger,
        ledger_prepare(ledger, err,
                       "UPDATE items SET state = ?, result = ?,"
                       " attempts = max(attempts, ?) WHERE line = ?",
                       "ttii", ledger_state_name(state), r->document,
                       (long long)r->attempt, (long long)r->line),
        err);
}

int
ledger_end(struct ledger *ledger, const struct result *result,
           enum ledger_state state, struct v2v_error *err)
{
    if (ledger_run(ledger, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    return end_transaction(ledger, end(ledger, result, state, err), err);
}
