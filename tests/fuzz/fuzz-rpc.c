/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what a worker answers: the first byte is the question, the rest
 * comes out of the socket.  What is taken for an answer keeps its limits. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/direct-rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST = 64 << 10 }; /* what a socket holds without a reader */

static void
must(bool holds)
{
    if (!holds)
        abort();
}

static void
check_texts(const struct rpc_message *m)
{
    for (size_t i = 0; i < RPC_PARTS; i++) {
        const uint8_t *part = m->parts[i].data;

        must(part >= m->store.data &&
             part + m->parts[i].len < m->store.data + m->store.len);
        must(part[m->parts[i].len] == '\0');
    }
}

static void
ask(int fd, unsigned op)
{
    V2V_AUTO(rpc_message) struct rpc_message m = { 0 };
    struct v2v_error err = { 0 };
    enum rpc_outcome outcome = rpc_wait(fd, &direct_protocol, op, 1, &m, &err);

    if (outcome == RPC_ANSWERED) {
        must(m.op == op);
        check_texts(&m);
    } else
        must(m.store.data == NULL);
    must(outcome != RPC_SILENT); /* the other end is closed */
    if (outcome == RPC_REFUSED)
        must(err.code == V2V_ERR_GUEST || err.code == V2V_ERR_FORMAT ||
             err.code == V2V_ERR_NOT_FOUND || err.code == V2V_ERR_INTERNAL);
}

static void
be_asked(int fd)
{
    V2V_AUTO(rpc_message) struct rpc_message m = { 0 };

    if (rpc_next(fd, &direct_protocol, &m, NULL) == 1) {
        must(m.op < DIRECT_OPS);
        check_texts(&m);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];
    ssize_t n;

    if (size < 1 || size > LARGEST ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return 0;
    n = write(ends[0], data + 1, size - 1);
    close(ends[0]);
    must(n == (ssize_t)size - 1);
    if (data[0] % (DIRECT_OPS + 1) == DIRECT_OPS)
        be_asked(ends[1]);
    else
        ask(ends[1], data[0] % (DIRECT_OPS + 1));
    close(ends[1]);
    return 0;
}
