/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a batch keeps what becomes of its lines: a ledger and the files of the
 * results; of a line alone the files are all there is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/batch-private.h"
#include "cli/json.h"
#include "cli/keys.h"
#include "image/image.h"

const char *
batch_command(const struct cli_options *options)
{
    return options->batch.check ? "check" : "inject";
}

const char *
batch_kind(const struct cli_options *options)
{
    return options->batch.check ? ".check" : options->dry_run ? ".dry-run" : "";
}

/* ---- The ledger ---- */

static char *
default_words(const struct cli_options *options, struct v2v_error *err)
{
    const struct v2v_strings *defaults = &options->batch.defaults;
    V2V_AUTO(strings) struct v2v_strings words = { 0 };
    json_t *array;
    char *text;

    for (size_t i = 0; i < defaults->count; i++) {
        V2V_AUTO(mem) char *word = cli_masked(defaults->items[i], err);

        if (word == NULL || v2v_strings_add(&words, word, err) < 0)
            return NULL;
    }
    array = json_strings(&words);
    text = json_dumps(array, JSON_COMPACT);
    json_decref(array);
    if (text == NULL)
        v2v_error_set(err, V2V_ERR_INTERNAL, "options: no memory");
    return text;
}

static int
create_ledger(struct batch *b, struct v2v_error *err)
{
    size_t count = b->items.count;
    V2V_AUTO(mem) size_t *lines = calloc(count, sizeof *lines);
    V2V_AUTO(mem) const char **identities = calloc(count, sizeof *identities);
    V2V_AUTO(mem) char *words = default_words(b->options, err);
    const struct ledger_batch batch = { .manifest = b->manifest,
                                        .digest = b->items.digest,
                                        .command = batch_command(b->options),
                                        .options = words,
                                        .program = "v2v-virtio " V2V_VERSION };
    V2V_AUTO(ledger) struct ledger *ledger = NULL;

    if (words == NULL)
        return -1;
    if (lines == NULL || identities == NULL)
        return v2v_fail_errno(err, errno, "ledger");
    for (size_t i = 0; i < count; i++) {
        lines[i] = b->items.items[i].line;
        identities[i] = b->items.items[i].identity;
    }
    return ledger_create(b->ledger_path, &batch, lines, identities, count,
                         &ledger, err);
}

static int
check_is_this(const struct batch *b, struct v2v_error *err)
{
    const struct ledger_batch *batch = ledger_batch(b->ledger);

    if (strcmp(batch->digest, b->items.digest) != 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "%s: is of another manifest than %s is now: put that "
                        "back, or move the ledger and %s away to begin anew",
                        b->ledger_path, b->manifest, b->results);
    if (strcmp(batch->command, batch_command(b->options)) != 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "%s: is of a batch of \"%s\": %s --check",
                        b->ledger_path, batch->command,
                        b->options->batch.check ? "leave out" : "it needs");
    return 0;
}

struct reader {
    const struct batch *batch;
    size_t next; /* of its items */
};

static void
take_over(const struct batch *b, struct batch_item *item,
          const struct ledger_item *known)
{
    bool was_told = item->twice != 0 && known->state == LEDGER_FAILED;
    bool stays =
        known->state == LEDGER_DONE || was_told || b->options->batch.collect;

    item->state = stays ? known->state : LEDGER_WAITING;
    item->attempts = known->attempts;
    if (known->result != NULL) {
        item->outcome = result_class(known->result);
        item->heavy |= result_wants_appliance(known->result);
    }
    if (known->interrupted != NULL)
        snprintf(item->interrupted_since, sizeof item->interrupted_since, "%s",
                 known->interrupted);
}

static int
read_item(const struct ledger_item *known, void *opaque, struct v2v_error *err)
{
    struct reader *reader = opaque;
    const struct batch *b = reader->batch;
    struct batch_item *item = &b->items.items[reader->next];

    if (reader->next == b->items.count || item->line != known->line)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "%s: line %zu is not one of the manifest",
                        b->ledger_path, known->line);
    reader->next++;
    take_over(b, item, known);
    return 0;
}

/* What others have left in the results comes first: a run whose end the ledger
 * never learnt. */
static int
read_ledger(struct batch *b, struct v2v_error *err)
{
    struct reader reader = { b, 0 };

    if (ledger_open(b->ledger_path, true, &b->ledger, err) < 0 ||
        check_is_this(b, err) < 0 ||
        ledger_collect(b->ledger, b->results, err) < 0 ||
        ledger_each(b->ledger, read_item, &reader, err) < 0)
        return -1;
    return reader.next == b->items.count
               ? 0
               : v2v_fail(err, V2V_ERR_FORMAT,
                          "%s: lacks lines of the manifest", b->ledger_path);
}

static int
open_ledger(struct batch *b, struct v2v_error *err)
{
    bool exists = access(b->ledger_path, F_OK) == 0;

    if (exists && !b->options->batch.resume && !b->options->batch.collect)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "%s: this batch was begun before: --resume goes on "
                        "with it; to begin anew, move that file and %s away",
                        b->ledger_path, b->results);
    if (!exists && create_ledger(b, err) < 0)
        return -1;
    return read_ledger(b, err);
}

/* ---- One line, of which its files alone know ---- */

/* A file that is damaged is as if it were not there. */
static void
read_result(struct batch *b, struct batch_item *item, struct result *last)
{
    struct v2v_error why = { 0 };

    if (result_read(b->results, b->items.digest, item->line, last, &why) < 0) {
        if (why.code != V2V_ERR_NOT_FOUND)
            v2v_warn("batch", "result-damaged", "%s", why.text);
        return;
    }
    item->attempts = last->attempt;
    if (last->exit_status == V2V_OK && b->options->batch.resume)
        item->state = LEDGER_DONE;
}

static int
read_files(struct batch *b, struct batch_item *item, struct v2v_error *err)
{
    V2V_AUTO(result) struct result last = { 0 };
    struct result_begun begun = { 0 };
    struct v2v_error why = { 0 };

    read_result(b, item, &last);
    if (result_read_begun(b->results, b->items.digest, item->line, &begun,
                          &why) < 0) {
        *err = why;
        return why.code == V2V_ERR_INTERNAL ? -1 : 0;
    }
    if (begun.attempt < last.attempt ||
        (begun.attempt == last.attempt && last.signal == 0))
        return 0; /* that was another batch, with a ledger */
    item->attempts = begun.attempt;
    memcpy(item->interrupted_since, begun.started, sizeof begun.started);
    return 0;
}

/* ---- Both ---- */

static int
make_folder(const char *path, struct v2v_error *err)
{
    struct stat st;

    if (mkdir(path, 0777) == 0)
        return 0;
    if (errno != EEXIST)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: %s", path, strerror(errno));
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode)
               ? 0
               : v2v_fail(err, V2V_ERR_USAGE, "%s: not a folder", path);
}

static int
name_files(struct batch *b, struct v2v_error *err)
{
    if (image_absolute_name(b->options->batch.manifest, &b->manifest, err) < 0)
        return -1;
    b->ledger_path =
        v2v_format(err, "%s%s.ledger", b->manifest, batch_kind(b->options));
    b->results =
        v2v_format(err, "%s%s.results", b->manifest, batch_kind(b->options));
    return b->ledger_path == NULL || b->results == NULL ? -1 : 0;
}

int
batch_open(struct batch *b, struct v2v_error *err)
{
    if (name_files(b, err) < 0)
        return -1;
    if (b->options->batch.line != 0)
        return make_folder(b->results, err) < 0
                   ? -1
                   : read_files(b, &b->items.items[0], err);
    return ledger_lock(b->ledger_path, &b->lock, err) < 0 ||
                   make_folder(b->results, err) < 0
               ? -1
               : open_ledger(b, err);
}

int
batch_tell_begin(struct batch *b, const struct batch_item *item,
                 struct v2v_error *err)
{
    const char *since = *item->interrupted_since != '\0'
                            ? item->interrupted_since
                            : item->begun;
    struct result_begun begun = { .attempt = item->attempts };

    memcpy(begun.started, since, sizeof begun.started);
    return result_begin(b->results, b->items.digest, item->line, &begun, err);
}

int
batch_note_begin(struct batch *b, const struct batch_item *item,
                 struct v2v_error *err)
{
    return b->ledger == NULL ? batch_tell_begin(b, item, err)
                             : ledger_begin(b->ledger, item->line,
                                            item->attempts, item->begun, err);
}

/* The file is the truth and comes first. */
int
batch_note_end(struct batch *b, const struct result *result,
               enum ledger_state state, struct v2v_error *err)
{
    if (result_write(b->results, b->items.digest, result, err) < 0)
        return -1;
    if (b->ledger != NULL && ledger_end(b->ledger, result, state, err) < 0)
        return -1;
    return result->signal != 0 ? 0 : result_end(b->results, result->line, err);
}
