/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of a batch: a child that runs it, and what became of that. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/batch-private.h"
#include "cli/console.h"
#include "cli/definition.h"
#include "image/image.h"

/* ---- The child ---- */

/* An output that came into being since then is that of the run that was
 * killed: what was there before would have kept it from starting. */
static bool
has_made_output(const char *output, const char *since)
{
    struct stat st;
    char changed[RESULT_TIME_LEN + 1];

    if (stat(output, &st) < 0)
        return false;
    result_time(&st.st_ctim, changed);
    return strcmp(changed, since) >= 0;
}

/* In place a run that is repeated sees that there is nothing to do.  With an
 * output it would be refused, since that exists. */
static bool
was_done_before(const struct batch_item *item)
{
    const struct cli_options *options = &item->options;
    const char *since = item->interrupted_since;
    enum image_recovered what;
    struct v2v_error err = { 0 };

    if (*since == '\0' || options->output == NULL)
        return false;
    if (image_recover(options->output, options->work_dir, &what, &err) < 0) {
        console_error(&err);
        return false;
    }
    if (!has_made_output(options->output, since))
        return false;
    fprintf(stderr,
            "v2v-virtio: %s: is what the run that was interrupted made\n",
            options->output);
    return true;
}

/* In a child of the batch. */
static int
work(size_t i, void *opaque)
{
    struct batch *b = opaque;
    const struct batch_item *item = &b->items.items[i];

    fprintf(stderr, "-- attempt %u, %s\n", item->attempts, item->begun);
    definition_set_ops(&item->options);
    if (was_done_before(item))
        return V2V_OK;
    return b->run(&item->options);
}

/* ---- It begins ---- */

unsigned
batch_weight(bool heavy)
{
    return heavy ? BATCH_WEIGHT_APPLIANCE : BATCH_WEIGHT_DIRECT;
}

/* Whatever is not the direct backend's business shows at once; what is not
 * is queued again, with its weight. */
static void
choose_backend(struct batch_item *item)
{
    if (item->is_auto)
        item->options.backend = item->heavy ? GUEST_AUTO : GUEST_DIRECT;
}

int
batch_start(struct batch *b, struct batch_item *item, struct v2v_error *err)
{
    V2V_AUTO(mem) char *out = result_path(b->results, item->line, "part", err);
    V2V_AUTO(mem) char *log = result_path(b->results, item->line, "log", err);
    struct pool_job job = { .id = (size_t)(item - b->items.items),
                            .memory_mib = batch_weight(item->heavy),
                            .stdout_path = out,
                            .stderr_path = log,
                            .work = work,
                            .opaque = b };

    if (out == NULL || log == NULL)
        return -1;
    choose_backend(item);
    item->attempts++;
    item->start = v2v_milliseconds();
    result_now(item->begun);
    if (batch_note_begin(b, item, err) < 0)
        return -1;
    item->state = LEDGER_RUNNING;
    return pool_start(b->pool, &job, err);
}

/* ---- It has ended ---- */

/* A JSON document and SQLite are to say the same. */
static double
to_milliseconds(double seconds)
{
    return (double)(long long)(seconds * 1000 + 0.5) / 1000;
}

static double
cpu_seconds(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

static int
make_result(const struct batch *b, const struct pool_end *end,
            struct result *ret, struct v2v_error *err)
{
    const struct batch_item *item = &b->items.items[end->id];
    V2V_AUTO(mem) char *part = result_path(b->results, item->line, "part", err);
    V2V_AUTO(bytes) struct v2v_bytes document = { 0 };
    struct v2v_error why = { 0 };
    char host[256] = "";

    if (part == NULL)
        return -1;
    if (v2v_file_read(part, RESULT_DOCUMENT_MAX, &document, &why) < 0)
        v2v_bytes_done(&document);
    unlink(part);
    gethostname(host, sizeof host - 1);
    *ret = (struct result){ .line = item->line,
                            .attempt = item->attempts,
                            .host = v2v_strdup(host, err),
                            .seconds = to_milliseconds(end->seconds),
                            .cpu_seconds =
                                to_milliseconds(cpu_seconds(&end->usage)),
                            .memory_kib = (uint64_t)end->usage.ru_maxrss };
    if (ret->host == NULL)
        return -1;
    memcpy(ret->started, item->begun, sizeof ret->started);
    result_now(ret->ended);
    return result_judge(end->status, document.data, document.len, ret, err);
}

unsigned
batch_pause(const struct cli_options *options, unsigned tries)
{
    unsigned pause = options->batch.retry_pause;

    for (unsigned i = 1; i < tries && pause < 3600; i++)
        pause *= 2;
    return pause;
}

/* Is it to be run again, and when? */
static enum ledger_state
next_state(const struct batch *b, struct batch_item *item,
           const struct result *result)
{
    enum ledger_state state = ledger_state_after(result);

    if (state != LEDGER_AGAIN)
        return state;
    if (result_wants_appliance(result)) {
        if (!item->is_auto)
            return LEDGER_FAILED;
        item->heavy = true;
        item->due = 0;
        return LEDGER_AGAIN;
    }
    if (b->ledger == NULL) /* who runs the line decides that */
        return LEDGER_AGAIN;
    if (b->stopped == 0 && item->tries++ >= b->options->batch.retries)
        return LEDGER_FAILED;
    item->due = v2v_milliseconds() +
                (int64_t)batch_pause(b->options, item->tries) * 1000;
    return LEDGER_AGAIN;
}

static int
record(struct batch *b, struct batch_item *item, const struct result *result,
       struct v2v_error *err)
{
    item->state = next_state(b, item, result);
    item->outcome = result_class(result);
    item->asks_for_more = item->state == LEDGER_AGAIN && result->signal == 0;
    if (batch_note_end(b, result, item->state, err) < 0)
        return -1;
    batch_show_ended(b, item, result);
    return 0;
}

/* A node that was taken for dead goes on, and somebody else has run the line
 * meanwhile.  What was done stays done; else the last word counts. */
static bool
was_done_elsewhere(const struct batch *b, struct result *own)
{
    V2V_AUTO(result) struct result other = { 0 };

    if (result_read(b->results, b->items.digest, own->line, &other, NULL) < 0 ||
        other.attempt < own->attempt)
        return false;
    own->attempt = other.attempt + 1;
    return other.exit_status == V2V_OK && own->exit_status != V2V_OK;
}

int
batch_finish(struct batch *b, const struct pool_end *end, struct v2v_error *err)
{
    struct batch_item *item = &b->items.items[end->id];
    V2V_AUTO(result) struct result result = { 0 };

    if (make_result(b, end, &result, err) < 0 ||
        (item->was_killed && result_say_interrupted(&result, err) < 0))
        return -1;
    if (b->ledger == NULL && was_done_elsewhere(b, &result)) {
        item->state = LEDGER_DONE;
        return 0;
    }
    return record(b, item, &result, err);
}

int
batch_refuse_repeat(struct batch *b, struct batch_item *item,
                    struct v2v_error *err)
{
    V2V_AUTO(result)
    struct result result = { .line = item->line,
                             .attempt = ++item->attempts,
                             .exit_status = V2V_ERR_USAGE };

    result_now(result.started);
    result_now(result.ended);
    result.code = v2v_strdup("listed-twice", err);
    result.message =
        v2v_format(err,
                   "line %zu has the same image or machine as line %zu, or "
                   "writes the same file: only line %zu is run",
                   item->line, item->twice, item->twice);
    if (result.code == NULL || result.message == NULL)
        return -1;
    return record(b, item, &result, err);
}
