/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * base/cleanup.h - locals that free themselves
 *
 *     V2V_AUTO(mem) char *name = NULL;         freed when the scope ends
 *     *ret = v2v_steal(name);                  ... unless handed over
 *
 * A module with a free function of its own adds V2V_AUTO_DEFINE() to its
 * header.  A close that can lose data is called by hand and checked; the
 * automatic one is for the failing path only.
 */
#ifndef V2V_BASE_CLEANUP_H
#define V2V_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define V2V_AUTO(name) __attribute__((cleanup(v2v_auto_##name)))

/* @type: a pointer type; @fn: accepts NULL and half-built objects */
#define V2V_AUTO_DEFINE(name, type, fn)                                        \
    static inline void v2v_auto_##name(type *p)                                \
    {                                                                          \
        fn(*p);                                                                \
    }

/* The value of @p, which becomes NULL: its owner is now somebody else. */
#define v2v_steal(p)                                                           \
    (__extension__({                                                           \
        __typeof__(p) v2v_stolen_ = (p);                                       \
        (p) = NULL;                                                            \
        v2v_stolen_;                                                           \
    }))

/* V2V_AUTO(mem): anything from malloc.  V2V_AUTO(fd): an int, -1 for none. */
static inline void
v2v_auto_mem(void *p)
{
    free(*(void **)p);
}

static inline void
v2v_auto_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#endif
