/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a ledger says, and what it learns from result files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "batch/ledger-private.h"

const char *
ledger_text(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

const struct ledger_batch *
ledger_batch(const struct ledger *ledger)
{
    return &ledger->batch;
}

int
ledger_read_batch(struct ledger *ledger, struct v2v_error *err)
{
    const char **to[] = { &ledger->batch.manifest, &ledger->batch.digest,
                          &ledger->batch.command,  &ledger->batch.options,
                          &ledger->batch.program,  &ledger->batch.started };
    V2V_AUTO(statement)
    sqlite3_stmt *statement =
        ledger_prepare(ledger, err,
                       "SELECT manifest, digest, command, options, program,"
                       " started FROM batch",
                       "");
    int found;

    if (statement == NULL)
        return -1;
    found = ledger_step(ledger, statement, err);
    if (found <= 0)
        return found < 0 ? -1
                         : v2v_fail(err, V2V_ERR_FORMAT, "%s: has no batch",
                                    ledger->path);
    for (int i = 0; i < 6; i++) {
        const char *text = ledger_text(statement, i);

        ledger->texts[i] = v2v_strdup(text != NULL ? text : "", err);
        if (ledger->texts[i] == NULL)
            return -1;
        *to[i] = ledger->texts[i];
    }
    return 0;
}

static bool
find_state(const char *name, enum ledger_state *ret)
{
    for (int i = 0; name != NULL && i < LEDGER_STATES; i++)
        if (strcmp(ledger_state_name((enum ledger_state)i), name) == 0) {
            *ret = (enum ledger_state)i;
            return true;
        }
    return false;
}

/* The columns of each_sql. */
enum {
    COLUMN_LINE,
    COLUMN_IDENTITY,
    COLUMN_STATE,
    COLUMN_ATTEMPTS,
    COLUMN_ATTEMPT,
    COLUMN_STARTED,
    COLUMN_ENDED,
    COLUMN_SECONDS,
    COLUMN_CPU,
    COLUMN_MEMORY,
    COLUMN_EXIT,
    COLUMN_SIGNAL,
    COLUMN_CODE,
    COLUMN_MESSAGE,
    COLUMN_BACKEND,
    COLUMN_HOST,
    COLUMN_RESULT,
    COLUMN_INTERRUPTED
};

static const char each_sql[] =
    "SELECT line, identity, state, attempts, attempt, started, ended, seconds,"
    " cpu_seconds, memory_kib, exit_status, signal, code, message, backend,"
    " host, result, interrupted FROM report ORDER BY line";

static int
copy_text(sqlite3_stmt *s, int column, char **ret, struct v2v_error *err)
{
    const char *text = ledger_text(s, column);

    if (text == NULL)
        return 0;
    *ret = v2v_strdup(text, err);
    return *ret == NULL ? -1 : 0;
}

static void
copy_time(sqlite3_stmt *s, int column, char ret[RESULT_TIME_LEN + 1])
{
    const char *text = ledger_text(s, column);

    snprintf(ret, RESULT_TIME_LEN + 1, "%s", text != NULL ? text : "");
}

static int
read_result(sqlite3_stmt *s, struct result *ret, struct v2v_error *err)
{
    bool exited = sqlite3_column_type(s, COLUMN_EXIT) != SQLITE_NULL;

    *ret = (struct result){
        .line = (size_t)sqlite3_column_int64(s, COLUMN_LINE),
        .attempt = (unsigned)sqlite3_column_int64(s, COLUMN_ATTEMPT),
        .seconds = sqlite3_column_double(s, COLUMN_SECONDS),
        .cpu_seconds = sqlite3_column_double(s, COLUMN_CPU),
        .memory_kib = (uint64_t)sqlite3_column_int64(s, COLUMN_MEMORY),
        .exit_status = exited ? sqlite3_column_int(s, COLUMN_EXIT) : -1,
        .signal = sqlite3_column_int(s, COLUMN_SIGNAL),
    };
    copy_time(s, COLUMN_STARTED, ret->started);
    copy_time(s, COLUMN_ENDED, ret->ended);
    return copy_text(s, COLUMN_CODE, &ret->code, err) < 0 ||
                   copy_text(s, COLUMN_MESSAGE, &ret->message, err) < 0 ||
                   copy_text(s, COLUMN_BACKEND, &ret->backend, err) < 0 ||
                   copy_text(s, COLUMN_HOST, &ret->host, err) < 0 ||
                   copy_text(s, COLUMN_RESULT, &ret->document, err) < 0
               ? -1
               : 0;
}

typedef int item_fn(const struct ledger_item *item, void *opaque,
                    struct v2v_error *err);

static int
tell_item(struct ledger *ledger, sqlite3_stmt *s, item_fn *fn, void *opaque,
          struct v2v_error *err)
{
    V2V_AUTO(result) struct result result = { 0 };
    bool has_result = sqlite3_column_type(s, COLUMN_ATTEMPT) != SQLITE_NULL;
    const char *identity = ledger_text(s, COLUMN_IDENTITY);
    struct ledger_item item = {
        .line = (size_t)sqlite3_column_int64(s, COLUMN_LINE),
        .identity = identity != NULL ? identity : "",
        .attempts = (unsigned)sqlite3_column_int64(s, COLUMN_ATTEMPTS),
        .interrupted = ledger_text(s, COLUMN_INTERRUPTED),
        .result = has_result ? &result : NULL
    };

    if (!find_state(ledger_text(s, COLUMN_STATE), &item.state))
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: line %zu has no state",
                        ledger->path, item.line);
    if (has_result && read_result(s, &result, err) < 0)
        return -1;
    return fn(&item, opaque, err);
}

int
ledger_each(struct ledger *ledger, item_fn *fn, void *opaque,
            struct v2v_error *err)
{
    V2V_AUTO(statement)
    sqlite3_stmt *s = ledger_prepare(ledger, err, each_sql, "");
    int more;

    if (s == NULL)
        return -1;
    while ((more = ledger_step(ledger, s, err)) > 0)
        if (tell_item(ledger, s, fn, opaque, err) < 0)
            return -1;
    return more;
}

enum ledger_state
ledger_state_after(const struct result *result)
{
    bool again =
        result->exit_status == V2V_ERR_BUSY || result_wants_appliance(result) ||
        (result->code != NULL && strcmp(result->code, "interrupted") == 0);

    if (result->exit_status == V2V_OK)
        return LEDGER_DONE;
    return again ? LEDGER_AGAIN : LEDGER_FAILED;
}

struct known {
    size_t line;
    enum ledger_state state;
    unsigned ended; /* the last attempt that is known to have; 0: none */
};

struct book {
    struct known *items;
    size_t count;
};

static int
note(const struct ledger_item *item, void *opaque, struct v2v_error *err)
{
    struct book *book = opaque;
    struct known *items =
        reallocarray(book->items, book->count + 1, sizeof *items);

    if (items == NULL)
        return v2v_fail_errno(err, errno, "ledger");
    book->items = items;
    items[book->count++] =
        (struct known){ item->line, item->state,
                        item->result != NULL ? item->result->attempt : 0 };
    return 0;
}

/* A file that cannot be read is none: the line is run again. */
static int
warn_damaged(const struct v2v_error *why)
{
    if (why->code != V2V_ERR_NOT_FOUND)
        v2v_warn("batch", "result-damaged", "%s", why->text);
    return 0;
}

/* @ended: the last attempt that is known to have. */
static int
collect_end(struct ledger *ledger, const char *folder, size_t line,
            unsigned *ended, struct v2v_error *err)
{
    V2V_AUTO(result) struct result result = { 0 };
    struct v2v_error why = { 0 };

    if (result_read(folder, ledger->batch.digest, line, &result, &why) < 0)
        return warn_damaged(&why);
    if (result.attempt <= *ended)
        return 0;
    *ended = result.attempt;
    return ledger_end(ledger, &result, ledger_state_after(&result), err);
}

static int
collect_one(struct ledger *ledger, const char *folder,
            const struct known *known, struct v2v_error *err)
{
    unsigned ended = known->ended;
    struct result_begun begun;
    struct v2v_error why = { 0 };

    if (collect_end(ledger, folder, known->line, &ended, err) < 0)
        return -1;
    if (result_read_begun(folder, ledger->batch.digest, known->line, &begun,
                          &why) < 0)
        return warn_damaged(&why);
    return begun.attempt <= ended
               ? 0
               : ledger_begin(ledger, known->line, begun.attempt, begun.started,
                              err);
}

int
ledger_collect(struct ledger *ledger, const char *folder, struct v2v_error *err)
{
    V2V_AUTO(mem) struct known *items = NULL;
    struct book book = { 0 };
    int result = ledger_each(ledger, note, &book, err);

    items = book.items;
    for (size_t i = 0; result == 0 && i < book.count; i++)
        result = collect_one(ledger, folder, &items[i], err);
    return result;
}
