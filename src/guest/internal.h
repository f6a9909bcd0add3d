/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/internal.h - what the files above the table of guest/backend.h share:
 * the handle, and the look-up of paths
 */
#ifndef V2V_GUEST_INTERNAL_H
#define V2V_GUEST_INTERNAL_H

#include "guest/backend.h"

/* Which volume, and how; compared as bytes. */
struct guest_mounted {
    unsigned disk, partition;
    enum guest_fs fs;
    unsigned write;
};

/* A directory on the way to what was asked for. */
struct guest_directory {
    char *asked; /* "Windows/INF", as the caller spelled it; NULL: unused */
    struct guest_node node;
};

enum { GUEST_DIRECTORIES = 32 };

struct guest {
    const struct guest_backend *backend;
    void *state;   /* the backend's */
    char why[160]; /* not the first choice; "": it is, or there was none */
    unsigned disk_count;
    struct guest_keys *keys; /* the machine's; NULL: none */
    bool mounted;
    struct guest_mounted what; /* without meaning unless @mounted */
    struct guest_directory directories[GUEST_DIRECTORIES]; /* of that volume */
    size_t next_directory;                                 /* counts up */
};

/* Of a volume that is no longer the mounted one. */
void guest_forget_directories(struct guest *guest);

/* V2V_ERR_INTERNAL unless a volume is mounted. */
int guest_check_mounted(const struct guest *guest, struct v2v_error *err);

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
