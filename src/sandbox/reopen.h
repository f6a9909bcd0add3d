/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * sandbox/reopen.h - open() of "/proc/self/fd/N" in a process that can open
 * nothing
 *
 * A library that wants a file's name can be given an anonymous file so.  With
 * SECCOMP_WORKER_FILES the system call never happens: it is a signal, whose
 * handler duplicates descriptor N and returns that.  Any other name kills.
 * fstat() is served, too, where the C library uses a call that takes names.
 * Unlike a file that was really opened, it shares its offset with N, and the
 * mode in which N is open; it begins at 0.  N may be a pipe.
 *
 * Source: seccomp(2), SECCOMP_RET_TRAP.
 */
#ifndef V2V_SANDBOX_REOPEN_H
#define V2V_SANDBOX_REOPEN_H

/* Catch that signal.  -1 and errno; ENOSYS: not on this kind of processor.
 * Async-signal-safe. */
int reopen_catch(void);

#endif
