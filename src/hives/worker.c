/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process in the sandbox.  It has no log and no standard error; what goes
 * wrong is an answer. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "hives/private.h"
#include "sandbox/worker.h"

struct work {
    const struct hives_source *source;
    struct reg_hive *hive;  /* NULL: not yet open */
    struct reg_edits edits; /* until they are applied; of no hive */
    int pipe;               /* -1: it was written */
};

static int
open_hive(struct work *w, const struct rpc_message *m,
          struct rpc_message *answer, struct v2v_error *err)
{
    struct reg_replayed replayed;

    (void)m;
    if (w->hive != NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "it is open");
    if (hives_open_here(w->source, &replayed, &w->hive, err) < 0)
        return -1;
    /* hivex has a mapping of its own */
    if (w->source->file != NULL)
        hives_file_let_go(w->source->file);
    answer->numbers[0] = replayed.result;
    answer->numbers[1] = replayed.entries;
    answer->numbers[2] = replayed.last_sequence;
    answer->numbers[3] = replayed.base_recovered;
    return 0;
}

static int
has_key(struct work *w, const struct rpc_message *m, struct rpc_message *answer,
        struct v2v_error *err)
{
    int has = reg_has_key(w->hive, rpc_text(m, 0), err);

    answer->numbers[0] = has > 0;
    return has < 0 ? -1 : 0;
}

static int
answer_names(const struct v2v_strings *names, struct rpc_message *answer,
             struct v2v_error *err)
{
    for (size_t i = 0; i < names->count; i++)
        if (v2v_bytes_add(&answer->store, names->items[i],
                          strlen(names->items[i]) + 1, err) < 0)
            return -1;
    rpc_set_part(answer);
    return 0;
}

static int
children(struct work *w, const struct rpc_message *m,
         struct rpc_message *answer, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    return reg_children(w->hive, rpc_text(m, 0), &names, err) < 0
               ? -1
               : answer_names(&names, answer, err);
}

static int
value_names(struct work *w, const struct rpc_message *m,
            struct rpc_message *answer, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    return reg_value_names(w->hive, rpc_text(m, 0), &names, err) < 0
               ? -1
               : answer_names(&names, answer, err);
}

static int
get(struct work *w, const struct rpc_message *m, struct rpc_message *answer,
    struct v2v_error *err)
{
    uint32_t type;

    if (reg_get(w->hive, rpc_text(m, 0), rpc_text(m, 1), &type, &answer->store,
                err) < 0)
        return -1;
    rpc_set_part(answer);
    answer->numbers[0] = type;
    return 0;
}

static int
limit(struct work *w, const struct rpc_message *m, struct rpc_message *answer,
      struct v2v_error *err)
{
    (void)answer;
    (void)err;
    reg_hive_limit(w->hive, m->numbers[0]);
    return 0;
}

/* Whose it is will be known. */
static int
add_edit(struct work *w, const struct rpc_message *m,
         struct rpc_message *answer, struct v2v_error *err)
{
    const struct reg_place at = { .edits = &w->edits, .key = rpc_text(m, 0) };

    (void)answer;
    if (m->numbers[0] > REG_OP_DELETE)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no such edit");
    return reg_value(&at, (enum reg_op)m->numbers[0], rpc_text(m, 1),
                     (uint32_t)m->numbers[1], m->parts[2].data, m->parts[2].len,
                     err);
}

static int
apply(struct work *w, const struct rpc_message *m, struct rpc_message *answer,
      struct v2v_error *err)
{
    V2V_AUTO(reg_edits) struct reg_edits edits = w->edits;

    (void)answer;
    w->edits = (struct reg_edits){ 0 };
    if (m->numbers[0] >= REG_HIVE_COUNT)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no such hive");
    for (size_t i = 0; i < edits.count; i++)
        edits.items[i].hive = (enum reg_hive_id)m->numbers[0];
    return reg_hive_apply(w->hive, (enum reg_hive_id)m->numbers[0], &edits,
                          err);
}

/* Its end tells that there is no more. */
static int
save(struct work *w, const struct rpc_message *m, struct rpc_message *answer,
     struct v2v_error *err)
{
    int result, pipe = w->pipe;

    (void)m;
    (void)answer;
    if (pipe < 0)
        return v2v_fail(err, V2V_ERR_INTERNAL, "it was saved before");
    result = reg_hive_commit(w->hive, pipe, err);
    w->pipe = -1;
    close(pipe);
    return result;
}

static int (*const operations[HIVES_OPS])(struct work *w,
                                          const struct rpc_message *m,
                                          struct rpc_message *answer,
                                          struct v2v_error *err) = {
    [HIVES_OPEN] = open_hive,    [HIVES_HAS_KEY] = has_key,
    [HIVES_CHILDREN] = children, [HIVES_VALUE_NAMES] = value_names,
    [HIVES_GET] = get,           [HIVES_LIMIT] = limit,
    [HIVES_EDIT] = add_edit,     [HIVES_APPLY] = apply,
    [HIVES_SAVE] = save,
};

static int
carry_out(void *opaque, const struct rpc_message *m, struct rpc_message *answer,
          struct v2v_error *err)
{
    struct work *w = opaque;

    if (w->hive == NULL && m->op != HIVES_OPEN)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no hive is open");
    return operations[m->op](w, m, answer, err);
}

int
hives_work(int fd, int pipe, const struct hives_source *source)
{
    struct work w = { .source = source, .pipe = pipe };

    v2v_log_set(NULL, NULL);
    while (worker_serve(fd, &hives_protocol, carry_out, &w))
        continue;
    return 0; /* what it has goes with it */
}
