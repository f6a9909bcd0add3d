/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hive that another process has.  What that says is not believed: it may have
 * been taken over by what it reads. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "hives/private.h"
#include "registry/backend.h"
#include "sandbox/worker.h"

int hives_patience = 300;

/* For the largest hives it takes some seconds. */
enum { WORKER_CPU_SECONDS = 300 };

/* The hive at its largest with its logs replayed, and hivex's copy; beyond what
 * this process has. */
#define WORKER_MEMORY (UINT64_C(4) << 30)
#define WORKER_FILES (UINT64_C(2) << 30)

struct remote {
    struct reg_hive base;
    struct worker *worker;
    int pipe;  /* where a saved hive comes from; -1: none */
    char *who; /* for messages */
};

static struct remote *
remote_of(struct reg_hive *base)
{
    return (struct remote *)base;
}

static const char remedy[] =
    "the hive is damaged in a way that its parser does not stand: let Windows "
    "check it, or restore it from a backup";

/* Reading ------------------------------------------------------------------ */

static int
has_key(struct reg_hive *base, const char *key, struct v2v_error *err)
{
    struct remote *remote = remote_of(base);
    const struct rpc_message m = { .op = HIVES_HAS_KEY,
                                   .parts = { rpc_part_of(key) } };
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };

    if (worker_ask(remote->worker, &m, &answer, err) < 0)
        return -1;
    if (answer.numbers[0] > 1)
        return worker_distrust(remote->worker, "a key that is half there", err);
    return (int)answer.numbers[0];
}

static bool
is_utf8(const char *text)
{
    uint32_t character;

    for (size_t n; *text != '\0'; text += n)
        if ((n = v2v_utf8_char(text, &character)) == 0)
            return false;
    return true;
}

static int
ask_names(struct reg_hive *base, unsigned op, const char *key,
          struct v2v_strings *ret, struct v2v_error *err)
{
    struct remote *remote = remote_of(base);
    const struct rpc_message m = { .op = op, .parts = { rpc_part_of(key) } };
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
    const char *name, *end;

    if (worker_ask(remote->worker, &m, &answer, err) < 0)
        return -1;
    name = answer.parts[0].data;
    end = name + answer.parts[0].len;
    if (name < end && end[-1] != '\0')
        return worker_distrust(remote->worker, "names without an end", err);
    for (; name < end; name += strlen(name) + 1) {
        if (!is_utf8(name))
            return worker_distrust(remote->worker, "a name that is no UTF-8",
                                   err);
        if (v2v_strings_add(ret, name, err) < 0)
            return -1;
    }
    return 0;
}

static int
children(struct reg_hive *base, const char *key, struct v2v_strings *ret,
         struct v2v_error *err)
{
    return ask_names(base, HIVES_CHILDREN, key, ret, err);
}

static int
value_names(struct reg_hive *base, const char *key, struct v2v_strings *ret,
            struct v2v_error *err)
{
    return ask_names(base, HIVES_VALUE_NAMES, key, ret, err);
}

static int
get(struct reg_hive *base, const char *key, const char *name, uint32_t *type,
    struct v2v_bytes *data, struct v2v_error *err)
{
    struct remote *remote = remote_of(base);
    const struct rpc_message m = {
        .op = HIVES_GET, .parts = { rpc_part_of(key), rpc_part_of(name) }
    };
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };

    if (worker_ask(remote->worker, &m, &answer, err) < 0)
        return -1;
    if (answer.numbers[0] > UINT32_MAX)
        return worker_distrust(remote->worker, "a type that is none", err);
    v2v_bytes_done(data);
    *type = (uint32_t)answer.numbers[0];
    return v2v_bytes_copy(answer.parts[0].data, answer.parts[0].len, data, err);
}

/* Editing ------------------------------------------------------------------ */

static int
answered(struct reg_hive *base, struct v2v_error *err)
{
    return worker_check(remote_of(base)->worker, err);
}

/* Whether it was heard is for the next question to find out. */
static void
limit(struct reg_hive *base, uint64_t max)
{
    worker_tell(remote_of(base)->worker,
                &(struct rpc_message){ .op = HIVES_LIMIT, .numbers = { max } },
                NULL);
}

static int
send_edit(struct remote *remote, const struct reg_edit *edit,
          struct v2v_error *err)
{
    const struct rpc_message m = { .op = HIVES_EDIT,
                                   .numbers = { edit->op, edit->type },
                                   .parts = { rpc_part_of(edit->key),
                                              rpc_part_of(edit->name),
                                              { edit->data, edit->len } } };

    return worker_tell(remote->worker, &m, err);
}

static int
apply(struct reg_hive *base, enum reg_hive_id id, const struct reg_edits *edits,
      struct v2v_error *err)
{
    struct remote *remote = remote_of(base);

    for (size_t i = 0; i < edits->count; i++)
        if (edits->items[i].hive == id &&
            send_edit(remote, &edits->items[i], err) < 0)
            return v2v_fail_in(err, "%s", reg_hive_name(id));
    return worker_tell(
        remote->worker,
        &(struct rpc_message){ .op = HIVES_APPLY, .numbers = { id } }, err);
}

struct saving {
    reg_take_fn *take;
    void *opaque;
    uint64_t len; /* so far */
};

static int
take_piece(void *opaque, const void *data, size_t len, struct v2v_error *err)
{
    struct saving *saving = opaque;

    saving->len += len;
    return saving->take(saving->opaque, data, len, err);
}

static int
save(struct reg_hive *base, reg_take_fn *take, void *opaque,
     struct v2v_error *err)
{
    struct remote *remote = remote_of(base);
    struct saving saving = { take, opaque, 0 };
    const struct worker_stream stream = { remote->pipe, REG_HIVE_MAX,
                                          take_piece, &saving };
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };

    if (worker_ask_stream(remote->worker,
                          &(struct rpc_message){ .op = HIVES_SAVE }, &stream,
                          &answer, err) < 0)
        return -1;
    if (saving.len == 0)
        return worker_distrust(remote->worker, "a hive without a byte", err);
    return 0;
}

/* Start and end ------------------------------------------------------------ */

static void
close_remote(struct reg_hive *base)
{
    struct remote *remote = remote_of(base);

    worker_abandon(remote->worker);
    if (remote->pipe >= 0)
        close(remote->pipe);
    free(remote->who);
    free(remote);
}

static const struct reg_hive_backend by_a_worker = {
    .has_key = has_key,
    .children = children,
    .value_names = value_names,
    .get = get,
    .answered = answered,
    .limit = limit,
    .apply = apply,
    .save = save,
    .close = close_remote,
};

struct job {
    const struct hives_source *source;
    int pipe;
};

static int
work(int fd, void *opaque)
{
    const struct job *job = opaque;

    return hives_work(fd, job->pipe, job->source);
}

/* @pipe: the worker's end. */
static int
start_worker(struct remote *remote, const struct hives_source *source, int pipe,
             struct v2v_error *err)
{
    struct job job = { source, pipe };
    int fds[] = { pipe, source->file != NULL ? source->file->reader : -1 };
    const struct worker_job w = { .who = remote->who,
                                  .remedy = remedy,
                                  .finding = "hive-parser-died",
                                  .protocol = &hives_protocol,
                                  .patience = hives_patience,
                                  .run = work,
                                  .opaque = &job,
                                  .fds = fds,
                                  .fd_count = source->file != NULL ? 2 : 1,
                                  .memory = WORKER_MEMORY,
                                  .files = WORKER_FILES,
                                  .cpu_seconds = WORKER_CPU_SECONDS };

    reg_hive_preload();
    return worker_start(&w, &remote->worker, NULL, err);
}

static int
start(struct remote *remote, const struct hives_source *source,
      struct v2v_error *err)
{
    int ends[2], result;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return v2v_fail_errno(err, errno, "pipe");
    remote->pipe = ends[0];
    fcntl(ends[0], F_SETPIPE_SZ, RPC_PIECE); /* or it is slower */
    result = start_worker(remote, source, ends[1], err);
    close(ends[1]);
    return result;
}

/* The answer to the first question. */
static int
take_replayed(struct remote *remote, const struct rpc_message *answer,
              struct reg_replayed *ret, struct v2v_error *err)
{
    if (answer->numbers[0] > REG_REPLAY_NO_LOGS ||
        answer->numbers[1] > UINT_MAX || answer->numbers[2] > UINT32_MAX ||
        answer->numbers[3] > 1)
        return worker_distrust(remote->worker, "a replay that is none", err);
    *ret = (struct reg_replayed){ .result = (enum reg_replay)answer->numbers[0],
                                  .entries = (unsigned)answer->numbers[1],
                                  .last_sequence = (uint32_t)answer->numbers[2],
                                  .base_recovered = answer->numbers[3] != 0 };
    return 0;
}

int
hives_open_remote(const struct hives_source *source,
                  struct reg_replayed *replayed, struct reg_hive **ret,
                  struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
    struct remote *remote = calloc(1, sizeof *remote);
    V2V_AUTO(reg_hive) struct reg_hive *hive = NULL;
    struct reg_replayed r;

    if (remote == NULL)
        return v2v_fail_errno(err, errno, "registry hive");
    hive = &remote->base;
    hive->backend = &by_a_worker;
    remote->pipe = -1;
    remote->who =
        v2v_format(err, "the process that parses the hive %s", source->name);
    if (remote->who == NULL || start(remote, source, err) < 0 ||
        worker_ask(remote->worker, &(struct rpc_message){ .op = HIVES_OPEN },
                   &answer, err) < 0 ||
        take_replayed(remote, &answer, &r, err) < 0)
        return -1;
    if (replayed != NULL)
        *replayed = r;
    *ret = v2v_steal(hive);
    return 0;
}
