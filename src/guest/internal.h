/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/internal.h - what the files of this folder share: the handle of
 * libguestfs, its errors as ours, and the look-up of paths
 */
#ifndef V2V_GUEST_INTERNAL_H
#define V2V_GUEST_INTERNAL_H

#include <guestfs.h>

#include "guest/guest.h"

/* libguestfs' messages hold 4 MiB; less keeps each call short. */
#define GUEST_CHUNK ((size_t)1 << 20)

/* A disk; what its struct disk_reader points to. */
struct guest_device {
    struct guest *guest;
    char name[12]; /* in the appliance: "/dev/sda" */
};

struct guest {
    guestfs_h *g;
    bool mounted;
    struct guest_device *disks;
    unsigned disk_count;
};

/* The last error of libguestfs, as V2V_ERR_GUEST for a full volume, else as
 * V2V_ERR_INTERNAL, with context in front; always -1. */
int guest_fail(struct guest *guest, struct v2v_error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A path as it is on the volume. */
struct guest_node {
    char *path; /* absolute, in the spelling of the volume as far as it
                   exists, then as asked for; "/" is the root */
    struct guest_stat stat;
};

void guest_node_done(struct guest_node *node);

static inline void
v2v_auto_guest_node(struct guest_node *node)
{
    guest_node_done(node);
}

/**
 * guest_lookup() - one name in a directory that exists
 * @parent: absolute, in the volume's spelling
 * Absent is a result.  V2V_ERR_INTERNAL, or V2V_ERR_GUEST for a file whose
 * kind is none that Windows has.
 */
int guest_lookup(struct guest *guest, const char *parent, const char *name,
                 struct guest_node *ret, struct v2v_error *err);

/**
 * guest_resolve() - a whole path; its last name may be a reparse point or
 * absent, names before it must be directories
 * V2V_ERR_NOT_FOUND when a directory on the way is absent.
 */
int guest_resolve(struct guest *guest, const char *path, struct guest_node *ret,
                  struct v2v_error *err);

/* A regular file that is there and no reparse point, or -1. */
int guest_resolve_file(struct guest *guest, const char *path,
                       struct guest_node *ret, struct v2v_error *err);

#endif
