/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * sandbox/worker.h - a process in a sandbox that answers questions (rpc.h)
 *
 * One that dies, hangs or gives answers that are none is a failure of whatever
 * was asked, and of all that is asked afterwards.
 */
#ifndef V2V_SANDBOX_WORKER_H
#define V2V_SANDBOX_WORKER_H

#include "sandbox/rpc.h"
#include "sandbox/sandbox.h"

struct worker;

/* What it is for; copied, but for the texts. */
struct worker_job {
    const char *who;     /* for messages: "the process that ..." */
    const char *remedy;  /* what helps when it is of no use any more */
    const char *finding; /* the name of that (v2v_refuse()); or NULL */
    const struct rpc_protocol *protocol;
    int patience; /* seconds that an answer may take */

    /* In the child: answers what comes from @fd until there is no more. */
    int (*run)(int fd, void *opaque);
    /* The rest is as of sandbox_start(); @fds are those besides @fd. */
    void *opaque;
    const int *fds;
    size_t fd_count;
    uint64_t memory, files;
    unsigned cpu_seconds;
};

/* @layers: as of sandbox_start(), whose errors it has, too. */
int worker_start(const struct worker_job *job, struct worker **ret,
                 unsigned *layers, struct v2v_error *err);

/**
 * worker_ask() - a question and its answer
 * @answer: all zero; rpc_done() also after a failure
 *
 * Returns: 0, or -1 with the worker's own refusal, or V2V_ERR_INTERNAL and the
 * job's finding: it died, hangs or talks nonsense.
 */
int worker_ask(struct worker *worker, const struct rpc_message *question,
               struct rpc_message *answer, struct v2v_error *err);

/* The halves of that, for whoever has something to do in between.  An answer is
 * received before the next question is sent, whatever becomes of it. */
int worker_send(struct worker *worker, const struct rpc_message *question,
                struct v2v_error *err);
int worker_receive(struct worker *worker, unsigned op,
                   struct rpc_message *answer, struct v2v_error *err);

/* A pipe, whose other end the worker has and closes before it answers. */
struct worker_stream {
    int fd;
    uint64_t max;      /* bytes */
    rpc_take_fn *take; /* what comes from it; see rpc_stream() */
    void *opaque;
};

/* As worker_ask(), or the error of @take, after which an answer may be on its
 * way: the worker is to be abandoned. */
int worker_ask_stream(struct worker *worker, const struct rpc_message *question,
                      const struct worker_stream *stream,
                      struct rpc_message *answer, struct v2v_error *err);

/* A question whose answer is that it was done. */
int worker_tell(struct worker *worker, const struct rpc_message *question,
                struct v2v_error *err);

/* An answer that no worker of ours gives: the end of it, as above. */
int worker_distrust(struct worker *worker, const char *what,
                    struct v2v_error *err);

/* Has it been of use so far?  -1 as above. */
int worker_check(const struct worker *worker, struct v2v_error *err);

/* Wait for one that was told to end, as long as for an answer, then kill it;
 * V2V_ERR_INTERNAL unless its exit status is 0. */
int worker_end(struct worker *worker, struct v2v_error *err);

/* Kills it, if it is still there, and frees.  NULL is none. */
void worker_abandon(struct worker *worker);
V2V_AUTO_DEFINE(worker, struct worker *, worker_abandon)

/* In the child: what is done about a question; @answer has its operation. */
typedef int worker_serve_fn(void *opaque, const struct rpc_message *question,
                            struct rpc_message *answer, struct v2v_error *err);

/* One question: answered by @serve, or refused as it says.  Returns: 1, or 0
 * when nobody asks any more or what was asked is none. */
int worker_serve(int fd, const struct rpc_protocol *protocol,
                 worker_serve_fn *serve, void *opaque);

#endif
