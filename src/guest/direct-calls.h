/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest/direct-calls.h - what the two halves of the backend without an
 * appliance share: direct.c starts and ends it, direct-calls.c asks its worker
 */
#ifndef V2V_GUEST_DIRECT_CALLS_H
#define V2V_GUEST_DIRECT_CALLS_H

#include "guest/backend.h"
#include "guest/direct-rpc.h"
#include "image/nbd.h"
#include "sandbox/worker.h"

struct direct {
    struct nbd_server *server;
    struct worker *worker;
    bool write;
    struct disk_reader reader; /* through the worker */
    struct disk_layout layout;
};

extern const struct guest_backend direct_backend;

/* direct-calls.c.  @answer: all zero; rpc_done() also after a failure. */
int direct_ask(struct direct *d, const struct rpc_message *question,
               struct rpc_message *answer, struct v2v_error *err);

/* A question whose answer is that it was done. */
int direct_tell(struct direct *d, const struct rpc_message *question,
                struct v2v_error *err);

/* Of a struct disk_reader; @opaque is the struct direct. */
int direct_read_disk(void *opaque, uint64_t offset, void *buf, size_t len,
                     struct v2v_error *err);

/* direct.c */
int direct_close(void *state, struct v2v_error *err);
void direct_abandon(void *state);

#endif
