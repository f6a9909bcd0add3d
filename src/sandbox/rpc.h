/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * sandbox/rpc.h - questions to a process in a sandbox, and answers
 *
 * Over a socket of the two.  A message is a head of fixed length and, behind
 * it, parts of bytes; each operation has its rule, which says how
 * long they may be, and what does not fit it is refused before anything is
 * allocated.  The two are one program on one machine: numbers are as it has
 * them.
 *
 * Whoever asks trusts no answer: the other side may have been taken over by
 * what it reads.
 */
#ifndef V2V_SANDBOX_RPC_H
#define V2V_SANDBOX_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

enum {
    RPC_NUMBERS = 5,
    RPC_PARTS = 3,
    RPC_FINDING_MAX = 64, /* bytes of a finding's name */
    RPC_PIECE = 1 << 20   /* of a stream */
};

/* What a message may hold; zero: no such number or part. */
struct rpc_shape {
    unsigned numbers;
    struct {
        size_t max;   /* bytes */
        bool is_text; /* without NULs */
    } parts[RPC_PARTS];
};

/* clang-format off */
#define RPC_TEXT(max) { (max), true }
#define RPC_DATA(max) { (max), false }
/* clang-format on */

struct rpc_rule {
    const char *name; /* for messages: "looking up a name" */
    struct rpc_shape question, answer;
};

struct rpc_protocol {
    const struct rpc_rule *rules; /* by operation */
    unsigned count;
    const char *const *findings; /* that a refusal may name, NULL at the end;
                                  * NULL: none */
};

/* A view. */
struct rpc_part {
    const void *data; /* of a message that was received: a NUL follows */
    size_t len;
};

/* All zero is one without anything.  Of one that was received, or that is an
 * answer, the parts lie in @store, which is its own: rpc_done(). */
struct rpc_message {
    unsigned op;
    uint64_t numbers[RPC_NUMBERS];
    struct rpc_part parts[RPC_PARTS];
    struct v2v_bytes store;
};

void rpc_done(struct rpc_message *message);

static inline struct rpc_part
rpc_part_of(const char *text)
{
    return (struct rpc_part){ text, strlen(text) };
}

/* A part that is a text, of a message that was received. */
static inline const char *
rpc_text(const struct rpc_message *message, size_t part)
{
    return message->parts[part].data;
}

/* What is in the store is the answer's only part. */
static inline void
rpc_set_part(struct rpc_message *answer)
{
    answer->parts[0] =
        (struct rpc_part){ answer->store.data, answer->store.len };
}

static inline void
v2v_auto_rpc_message(struct rpc_message *message)
{
    rpc_done(message);
}

/* -1 with V2V_ERR_INTERNAL: what is to be sent does not fit its row, or, of
 * answers, the other side is gone; that nobody hears a question is for
 * rpc_wait() to say. */
int rpc_ask(int fd, const struct rpc_protocol *protocol,
            const struct rpc_message *question, struct v2v_error *err);
int rpc_answer(int fd, const struct rpc_protocol *protocol,
               const struct rpc_message *answer, struct v2v_error *err);
/* That it failed. */
int rpc_refuse(int fd, const struct v2v_error *why, struct v2v_error *err);

/* The next question.  Returns: 1, 0 when nobody asks any more, or -1. */
int rpc_next(int fd, const struct rpc_protocol *protocol,
             struct rpc_message *ret, struct v2v_error *err);

enum rpc_outcome {
    RPC_ANSWERED,
    RPC_REFUSED,  /* @err is what the other side says */
    RPC_LOST,     /* it is gone */
    RPC_NONSENSE, /* no answer to this question; @err says what is wrong */
    RPC_SILENT    /* not all of it within @seconds */
};

/* The answer to @op; @ret: all zero, filled in when there is one. */
enum rpc_outcome rpc_wait(int fd, const struct rpc_protocol *protocol,
                          unsigned op, int seconds, struct rpc_message *ret,
                          struct v2v_error *err);

/* Something that takes bytes, in order, piece by piece.  0, or -1. */
typedef int rpc_take_fn(void *opaque, const void *data, size_t len,
                        struct v2v_error *err);

/**
 * rpc_stream() - what comes from a pipe until nobody has its other end
 * @seconds: for all of it
 * @max:     bytes
 * @take:    gets pieces of RPC_PIECE bytes, but for the last
 *
 * Returns: RPC_ANSWERED; RPC_REFUSED when @take has failed; RPC_NONSENSE: there
 * is more than @max; RPC_SILENT; RPC_LOST: it cannot be read.
 */
enum rpc_outcome rpc_stream(int fd, int seconds, uint64_t max,
                            rpc_take_fn *take, void *opaque,
                            struct v2v_error *err);

#endif
