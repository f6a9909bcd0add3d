/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * sandbox/sandbox.h - a process that holds what it was given and nothing else
 *
 * For code that parses what a guest wrote.  Layers, each used where the kernel
 * has it: own user id (when we are root), no_new_privs, Landlock, seccomp,
 * resource limits.
 *
 * Sources: landlock(7), seccomp(2), prctl(2), setrlimit(2).
 */
#ifndef V2V_SANDBOX_SANDBOX_H
#define V2V_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum sandbox_mode {
    SANDBOX_AUTO,    /* what the kernel has; a missing layer is a warning */
    SANDBOX_REQUIRE, /* a missing layer is V2V_ERR_USAGE */
    SANDBOX_OFF
};

enum sandbox_layer {
    SANDBOX_USER = 1, /* nobody, when started as root */
    SANDBOX_NO_NEW_PRIVS = 2,
    SANDBOX_LANDLOCK = 4,
    SANDBOX_SECCOMP = 8,
    SANDBOX_LIMITS = 16
};

/**
 * sandbox_start() - run @work in a child that holds @fds and nothing else
 * @work:   in the child; what it returns is the child's exit status.  It has no
 *          other descriptors than @fds (under their numbers) and 0 to 2, which
 *          are /dev/null; it can open, connect, fork and exec nothing
 * @memory: bytes of address space it may have beyond what it starts with
 *
 * The child dies when the thread that called this does.
 *
 * Returns: its pid, or -1.
 */
pid_t sandbox_start(enum sandbox_mode mode, int (*work)(void *opaque),
                    void *opaque, const int *fds, size_t fd_count,
                    uint64_t memory, struct v2v_error *err);

/**
 * sandbox_files() - Landlock for a program that is about to be executed: it
 *                   can read @read_only and the system's programs and
 *                   libraries, write @read_write, and open nothing else
 *
 * To be called in the child between fork() and exec(); only async-signal-safe
 * when prepared: sandbox_files_prepare() opens the rules before the fork.
 */
struct sandbox_files;
int sandbox_files_prepare(enum sandbox_mode mode, const char *const *read_only,
                          const char *const *read_write,
                          struct sandbox_files **ret, struct v2v_error *err);
int sandbox_files_enter(const struct sandbox_files *files); /* -1 and errno */
void sandbox_files_free(struct sandbox_files *files);

/* Which layers this kernel and user can have: bits of enum sandbox_layer. */
unsigned sandbox_layers(void);

/* "user id, no_new_privs, Landlock, seccomp, limits", of @layers. */
void sandbox_names(unsigned layers, char *ret, size_t size);

#endif
