/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/rpc.h - questions to the process that reads a file system, and answers
 *
 * Over a socket of the two.  A message is a head of fixed length and, behind
 * it, parts of bytes; each operation has its row in rpc_rules, which says how
 * long they may be, and what does not fit the row is refused before anything is
 * allocated.  The two are one program on one machine: numbers are as it has
 * them.
 *
 * Whoever asks trusts no answer: the other side may have been taken over by
 * what it reads.
 */
#ifndef V2V_GUEST_RPC_H
#define V2V_GUEST_RPC_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

enum rpc_op {
    RPC_HELLO,     /* -> size of the disk */
    RPC_DISK_READ, /* offset, len -> bytes */
    RPC_MOUNT,     /* offset, len, sector size, enum guest_fs, write */
    RPC_UNMOUNT,
    RPC_FREE_SPACE, /* -> bytes */
    RPC_LOOKUP,     /* directory, name -> enum rpc_entry, size, record; name */
    RPC_LIST,       /* directory -> names, a NUL behind each */
    RPC_READ,       /* offset, len; path -> bytes, fewer at the end */
    RPC_DESCRIPTOR, /* path -> bytes */
    RPC_MAKE,       /* directory; path, content, descriptor */
    RPC_WRITE_AT,   /* offset; path, content */
    RPC_TRUNCATE,   /* len; path */
    RPC_CLOSE,      /* flushes; no more after that */
    RPC_OPS
};

/* Bits of what RPC_LOOKUP finds. */
enum rpc_entry { RPC_EXISTS = 1, RPC_DIRECTORY = 2, RPC_REPARSE = 4 };

enum {
    RPC_NUMBERS = 5,
    RPC_PARTS = 3,
    RPC_CHUNK = 8 << 20 /* bytes of a file in one message */
};

/* A view. */
struct rpc_part {
    const void *data; /* of a message that was received: a NUL follows */
    size_t len;
};

/* All zero is one without anything.  Of one that was received, or that is an
 * answer, the parts lie in @store, which is its own: rpc_done(). */
struct rpc_message {
    enum rpc_op op;
    uint64_t numbers[RPC_NUMBERS];
    struct rpc_part parts[RPC_PARTS];
    struct v2v_bytes store;
};

void rpc_done(struct rpc_message *message);

static inline void
v2v_auto_rpc_message(struct rpc_message *message)
{
    rpc_done(message);
}

/* For messages: "looking up a name". */
const char *rpc_name(enum rpc_op op);

/* -1 with V2V_ERR_INTERNAL: what is to be sent does not fit its row, or, of
 * answers, the other side is gone; that nobody hears a question is for
 * rpc_wait() to say. */
int rpc_ask(int fd, const struct rpc_message *question, struct v2v_error *err);
int rpc_answer(int fd, const struct rpc_message *answer, struct v2v_error *err);
/* That it failed. */
int rpc_refuse(int fd, const struct v2v_error *why, struct v2v_error *err);

/* The next question.  Returns: 1, 0 when nobody asks any more, or -1. */
int rpc_next(int fd, struct rpc_message *ret, struct v2v_error *err);

enum rpc_outcome {
    RPC_ANSWERED,
    RPC_REFUSED,  /* @err is what the other side says */
    RPC_LOST,     /* it is gone */
    RPC_NONSENSE, /* no answer to this question; @err says what is wrong */
    RPC_SILENT    /* not all of it within @seconds */
};

/* The answer to @op; @ret: all zero, filled in when there is one. */
enum rpc_outcome rpc_wait(int fd, enum rpc_op op, int seconds,
                          struct rpc_message *ret, struct v2v_error *err);

#endif
