/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hive that another process has.  What that says is not believed: it may have
 * been taken over by what it reads. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "hives/private.h"
#include "registry/backend.h"
#include "sandbox/worker.h"

int hives_patience = 300;

/* For the largest hives it takes some seconds. */
enum { WORKER_CPU_SECONDS = 300 };

/* The hive at its largest with its logs replayed, hivex's copy and what it is
 * saved as; beyond what this process has. */
#define WORKER_MEMORY (UINT64_C(4) << 30)
#define WORKER_FILES (UINT64_C(2) << 30)

struct remote {
    struct reg_hive base;
    struct worker *worker;
    char *who; /* for messages */
};

static struct remote *
remote_of(struct reg_hive *base)
{
    return (struct remote *)base;
}

static struct rpc_part
part_of(const char *text)
{
    return (struct rpc_part){ text, strlen(text) };
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
                                   .parts = { part_of(key) } };
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
    const struct rpc_message m = { .op = op, .parts = { part_of(key) } };
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
    const struct rpc_message m = { .op = HIVES_GET,
                                   .parts = { part_of(key), part_of(name) } };
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
                                   .parts = { part_of(edit->key),
                                              part_of(edit->name),
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

static int
read_saved(struct remote *remote, uint8_t *data, size_t len,
           struct v2v_error *err)
{
    for (size_t done = 0, n; done < len; done += n) {
        V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
        struct rpc_message m = { .op = HIVES_SAVED };

        n = len - done < HIVES_CHUNK ? len - done : (size_t)HIVES_CHUNK;
        m.numbers[0] = done;
        m.numbers[1] = n;
        if (worker_ask(remote->worker, &m, &answer, err) < 0)
            return -1;
        if (answer.parts[0].len != n)
            return worker_distrust(remote->worker, "a piece of another length",
                                   err);
        memcpy(data + done, answer.parts[0].data, n);
    }
    return 0;
}

static int
save(struct reg_hive *base, struct v2v_bytes *ret, struct v2v_error *err)
{
    struct remote *remote = remote_of(base);
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
    size_t len;

    if (worker_ask(remote->worker, &(struct rpc_message){ .op = HIVES_SAVE },
                   &answer, err) < 0)
        return -1;
    if (answer.numbers[0] == 0 || answer.numbers[0] > WORKER_FILES)
        return worker_distrust(remote->worker, "a hive of no possible length",
                               err);
    len = (size_t)answer.numbers[0];
    bytes.data = malloc(len);
    if (bytes.data == NULL)
        return v2v_fail_errno(err, errno, "registry hive");
    bytes.len = bytes.cap = len;
    if (read_saved(remote, bytes.data, len, err) < 0)
        return -1;
    v2v_bytes_done(ret);
    *ret = bytes;
    bytes = (struct v2v_bytes){ 0 };
    return 0;
}

/* Start and end ------------------------------------------------------------ */

static void
close_remote(struct reg_hive *base)
{
    struct remote *remote = remote_of(base);

    worker_abandon(remote->worker);
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

static int
work(int fd, void *opaque)
{
    return hives_work(fd, opaque);
}

static int
start(struct remote *remote, const struct hives_source *source,
      struct v2v_error *err)
{
    struct hives_source copy = *source;
    const struct worker_job job = { .who = remote->who,
                                    .remedy = remedy,
                                    .finding = "hive-parser-died",
                                    .protocol = &hives_protocol,
                                    .patience = hives_patience,
                                    .run = work,
                                    .opaque = &copy,
                                    .memory = WORKER_MEMORY,
                                    .files = WORKER_FILES,
                                    .cpu_seconds = WORKER_CPU_SECONDS };

    reg_hive_preload();
    return worker_start(&job, &remote->worker, NULL, err);
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
