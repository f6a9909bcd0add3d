/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * base/process.h - what all children of this program have in common
 *
 * Between fork() and what the child is for, only what a signal handler may call
 * may be called (signal-safety(7)); these may.
 */
#ifndef V2V_BASE_PROCESS_H
#define V2V_BASE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * v2v_fork() - a child that calls @child, which does not return
 *
 * All signals wait in it until v2v_default_signals(): no handler of ours may
 * run there.  Returns: its pid, or -1 and errno.
 */
pid_t v2v_fork(void (*child)(void *opaque), void *opaque);

/* Our handlers are not for the child; what is ignored (nohup) stays so. -1 and
 * errno. */
int v2v_default_signals(void);

/* The kernel kills the caller when the thread that started it ends; @parent is
 * its pid, and may be gone by now.  A change of user id undoes it (prctl(2),
 * PR_SET_PDEATHSIG).  -1 and errno. */
int v2v_die_with(pid_t parent);

/* Has a child ended, or does it within that time?  It is still to be waited
 * for. */
bool v2v_ends_within(pid_t pid, int milliseconds);

/* waitpid(), for a child that is there: its status. */
int v2v_reap(pid_t pid);

#endif
