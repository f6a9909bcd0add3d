/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * sandbox/seccomp.h - filters of system calls, made before they are used
 *
 * The door to libseccomp, which is optional: without it, there are none.
 * Functions return -1 and errno; ENOSYS: no libseccomp, or a kernel without.
 */
#ifndef V2V_SANDBOX_SECCOMP_H
#define V2V_SANDBOX_SECCOMP_H

#include <linux/filter.h>

enum seccomp_policy {
    SECCOMP_WORKER, /* memory, and descriptors that are open; all else kills */
    SECCOMP_WORKER_FILES, /* files in memory, too; open() is SIGSYS that can be
                           * caught (reopen.h) */
    SECCOMP_PROGRAM /* no sockets, no io_uring, no other process' memory */
};

/* All zero is none; seccomp_done() frees it. */
struct seccomp_filter {
    struct sock_filter *code;
    unsigned short count;
};

int seccomp_make(enum seccomp_policy policy, struct seccomp_filter *ret);

/* For ever, and for all children; no_new_privs is set.  Async-signal-safe. */
int seccomp_enter(const struct seccomp_filter *filter);

void seccomp_done(struct seccomp_filter *filter);

#endif
