/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * sandbox/landlock.h - Landlock by its system calls: a set of rules is a
 * descriptor
 *
 * A set denies all that the kernel's Landlock knows, but for what is allowed.
 * Functions return -1 and errno; ENOSYS and EOPNOTSUPP: this kernel has none.
 *
 * Source: Linux include/uapi/linux/landlock.h and
 * Documentation/userspace-api/landlock.rst.
 */
#ifndef V2V_SANDBOX_LANDLOCK_H
#define V2V_SANDBOX_LANDLOCK_H

enum landlock_use {
    LANDLOCK_READ,   /* a file */
    LANDLOCK_WRITE,  /* and read it */
    LANDLOCK_EXECUTE /* and read it, or all that is below */
};

/* A new descriptor, closed by exec(). */
int landlock_new(void);

/* A path that is not there is allowed nothing, which is no failure. */
int landlock_allow(int rules, const char *path, enum landlock_use use);

/* For ever, and for all children; no_new_privs is set.  Async-signal-safe. */
int landlock_enter(int rules);

#endif
