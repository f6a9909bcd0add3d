/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/child.h - run one of QEMU's programs as a child that dies with us
 *
 * No shell, LC_ALL=C, standard input is /dev/null.  File names are to be
 * absolute: only then does QEMU take "a:b" as a name and not as a protocol,
 * and "-a" not as an option.
 *
 * The child has a process group of its own, so that a Ctrl-C at the terminal
 * reaches us and not a commit that is half done.  When we die, however that
 * comes, the kernel kills it (prctl(2), PR_SET_PDEATHSIG).  "We" is the thread
 * that called child_start(): it is to live as long as the child is wanted.
 * This program has one thread.
 */
#ifndef V2V_IMAGE_CHILD_H
#define V2V_IMAGE_CHILD_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"
#include "sandbox/sandbox.h"

struct child {
    const char *program; /* as argv[0] was: "qemu-img" */
    pid_t pid;           /* -1: none, or it was waited for */
    int said;            /* a file in memory: its standard error; -1: none */
};

#define CHILD_NONE                                                             \
    {                                                                          \
        .pid = -1, .said = -1                                                  \
    }

/**
 * child_start() - start a program of the package qemu-utils
 * @argv:     argv[0], static, is looked up in $PATH; NULL at the end
 * @out:      becomes its standard output; -1: nobody reads that
 * @listener: a listening socket, handed over as systemd does it (descriptor 3,
 *            LISTEN_FDS, LISTEN_PID); -1: none
 * @sandbox:  what it may open; NULL: what we may
 * @ret:      written only on success; child_done() when it is not needed
 *
 * @out and @listener stay open here and stay the caller's.
 *
 * Returns: 0, the program runs; or -1 with V2V_ERR_INTERNAL: it is not
 * installed, cannot be run, or the system is out of something.
 *
 * Source: sd_listen_fds(3).
 */
int child_start(const char *const *argv, int out, int listener,
                const struct sandbox_files *sandbox, struct child *ret,
                struct v2v_error *err);

/**
 * child_wait() - wait until it ends
 *
 * Returns: 0, it ended with status 0; or -1 with
 * V2V_ERR_FORMAT    it failed; the text is what it said
 * V2V_ERR_BUSY      it failed to get a lock of an image
 * V2V_ERR_INTERNAL  it was killed; the text has what it said before
 */
int child_wait(struct child *child, struct v2v_error *err);

/* For one that should end by itself, and may not: after a second it is asked
 * to (SIGTERM), a minute later it is killed, as one that was stopped has to be.
 * child_wait() comes next, and knows which it was. */
void child_end(const struct child *child);

/* What it has said on its standard error so far, without its name in front
 * and line ends behind: new, "" for nothing.  NULL with V2V_ERR_INTERNAL. */
char *child_said(const struct child *child, struct v2v_error *err);

/* Kill it if it still runs; all that belongs to it is gone then. */
void child_done(struct child *child);

static inline void
v2v_auto_child(struct child *child)
{
    child_done(child);
}

#endif
