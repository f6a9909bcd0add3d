/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * sandbox/sandbox.h - processes that can reach what they were given and
 * nothing else
 *
 * For code that parses what a guest wrote: our own in a child without exec()
 * (sandbox_start()), and QEMU's programs (sandbox_files_prepare()).  It is made
 * of layers, each used where the kernel and the user have it.  Nothing here
 * parses anything.
 *
 * Sources: landlock(7), seccomp(2), prctl(2), setrlimit(2).
 */
#ifndef V2V_SANDBOX_SANDBOX_H
#define V2V_SANDBOX_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

enum sandbox_mode {
    SANDBOX_AUTO,    /* what there is; what is not is the warning
                      * "sandbox-partial", once a run */
    SANDBOX_REQUIRE, /* a missing layer is V2V_ERR_USAGE ("sandbox-partial") */
    SANDBOX_OFF      /* no layers: a plain child */
};

/* For all that is started afterwards; SANDBOX_AUTO at first. */
void sandbox_set_mode(enum sandbox_mode mode);
enum sandbox_mode sandbox_mode(void);

/* Bits. */
enum sandbox_layer {
    SANDBOX_USER = 1,         /* nobody's user id, when we are root */
    SANDBOX_NO_NEW_PRIVS = 2, /* no set-user-ID program can help it */
    SANDBOX_LANDLOCK = 4,     /* no file or TCP port, and, with a kernel from
                               * 6.12 on, no other process */
    SANDBOX_SECCOMP = 8,      /* system calls */
    SANDBOX_LIMITS = 16       /* memory, processor time, descriptors */
};

/* "user id, Landlock, seccomp", of a set of layers. */
void sandbox_names(unsigned layers, char *ret, size_t size);

/* What is run, and what it may use up. */
struct sandbox_work {
    /* In the child; the result is its exit status.  It can read and write its
     * descriptors and have memory; any other system call kills it with SIGSYS.
     * So libraries must have loaded what they need before.  With @files, it can
     * make files in memory (memfd_create(2)) and open() them again by their
     * names below /proc/self/fd, for libraries that want names; those only. */
    int (*run)(void *opaque);
    void *opaque;
    const int *fds; /* stay open there under their numbers, above 2, and are all
                     * it has: 0 to 2 are /dev/null */
    size_t fd_count;      /* at most SANDBOX_FDS_MAX */
    uint64_t memory;      /* bytes of address space beyond what we have now */
    uint64_t files;       /* bytes to which files in memory may grow; 0: it can
                           * make none */
    unsigned cpu_seconds; /* then SIGXCPU kills it */
};

enum { SANDBOX_FDS_MAX = 8 };

/**
 * sandbox_start() - run something in a child that holds nothing else
 * @layers: those that it is in; may be NULL
 *
 * It dies when the thread that called this does; the caller waits for it.
 *
 * Returns: its pid, when it is in all its layers, or -1 with V2V_ERR_USAGE (see
 * SANDBOX_REQUIRE) or V2V_ERR_INTERNAL.
 */
pid_t sandbox_start(const struct sandbox_work *work, unsigned *layers,
                    struct v2v_error *err);

/* What a program of the system is allowed to open; NULL: what we may. */
struct sandbox_files;

/**
 * sandbox_files_prepare() - for a program that is about to be executed
 * @program:    its name, looked up in $PATH
 * @read_only, @read_write: files, absolute, NULL at the end
 * @ret:        new; NULL with SANDBOX_OFF
 *
 * It can read and execute the system's programs and libraries, and open these
 * files; no others.  It can make no socket.  As root it keeps what opens the
 * files of others, and no other power.  What was open stays so.
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE (see SANDBOX_REQUIRE) or
 * V2V_ERR_INTERNAL.  A file that is not there is left out: the program says
 * more about it than we could.
 */
int sandbox_files_prepare(const char *program, const char *const *read_only,
                          const char *const *read_write,
                          struct sandbox_files **ret, struct v2v_error *err);

/* In the child, between fork() and exec(): calls only what a signal handler
 * may.  -1 and errno. */
int sandbox_files_enter(const struct sandbox_files *files);

void sandbox_files_free(struct sandbox_files *files);
V2V_AUTO_DEFINE(sandbox_files, struct sandbox_files *, sandbox_files_free)

#endif
