/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/appliance.h - the backend of libguestfs: its handle, its errors as
 * ours, its parts
 */
#ifndef V2V_GUEST_APPLIANCE_H
#define V2V_GUEST_APPLIANCE_H

#include <guestfs.h>

#include "guest/backend.h"

/* A disk; what its struct disk_reader points to.  And what an encrypted volume
 * has become. */
struct appliance_disk {
    struct appliance *appliance;
    char name[40];           /* in the appliance: "/dev/sda" */
    unsigned sector_size;    /* bytes */
    uint64_t size;           /* bytes */
    struct nbd_disk *beside; /* where nobody writes, to be read past
                              * the appliance; or NULL */
};

/* An encrypted volume that was opened; it stays open. */
struct appliance_volume {
    const struct appliance_disk *disk; /* that it is on */
    unsigned partition;
    uint64_t offset; /* bytes from the disk's start */
    struct appliance_disk decrypted;
    struct appliance_volume *next;
};

enum { APPLIANCE_WINDOWS = 8, APPLIANCE_WINDOW_LEN = 64 << 10 };

/* A part of a disk, as it was read. */
struct appliance_window {
    const struct appliance_disk *disk; /* NULL: none */
    uint64_t offset;
    size_t len;
    uint8_t data[APPLIANCE_WINDOW_LEN];
};

struct appliance {
    guestfs_h *g;
    struct appliance_disk *disks;
    size_t disk_count;
    struct appliance_volume *volumes; /* a list; NULL at the end */
    struct appliance_window windows[APPLIANCE_WINDOWS];
    size_t next_window; /* counts up */
    bool written;       /* the volume that is mounted, or was the last, may be
                         * other than a window shows */
};

/* The last error of libguestfs, as V2V_ERR_GUEST for a full volume, else as
 * V2V_ERR_INTERNAL; the second with context in front.  Always -1. */
int appliance_fail(const struct appliance *appliance, struct v2v_error *err);
int appliance_fail_in(const struct appliance *appliance, struct v2v_error *err,
                      const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

extern const struct guest_backend appliance_backend;

/* Of a partition, or with 0 of the disk itself: "/dev/sda2". */
struct appliance_name {
    char text[64];
};
struct appliance_name appliance_name(const struct appliance_disk *disk,
                                     unsigned partition);

/* appliance-unlock.c */
int appliance_unlock(void *state, unsigned disk,
                     const struct disk_volume *volume, const char *key,
                     bool *opened, struct v2v_error *err);
/* The one that was opened and holds byte @offset of the disk, or NULL; @len:
 * bytes from there on, which become those that are like the first. */
const struct appliance_volume *
appliance_find_volume(const struct appliance_disk *disk, uint64_t offset,
                      size_t *len);
/* Nothing is mounted. */
int appliance_lock_all(const struct appliance *appliance,
                       struct v2v_error *err);
void appliance_forget_volumes(struct appliance *appliance);

/* launch.c */
int appliance_close(void *state, struct v2v_error *err);
void appliance_abandon(void *state);

/* appliance-write.c */
int appliance_make(void *state, const struct guest_new *items, size_t count,
                   struct v2v_error *err);
int appliance_write_at(void *state, const struct guest_node *file,
                       const uint8_t *data, size_t len, uint64_t offset,
                       struct v2v_error *err);
int appliance_truncate(void *state, const struct guest_node *file, uint64_t len,
                       struct v2v_error *err);
int appliance_holds(void *state, const struct guest_node *file,
                    const uint8_t *data, size_t len, struct v2v_error *err);

#endif
