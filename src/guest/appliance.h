/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/appliance.h - the backend of libguestfs: its handle, its errors as
 * ours, its parts
 */
#ifndef V2V_GUEST_APPLIANCE_H
#define V2V_GUEST_APPLIANCE_H

#include <guestfs.h>

#include "guest/backend.h"

/* A disk; what its struct disk_reader points to. */
struct appliance_disk {
    struct appliance *appliance;
    char name[12];           /* in the appliance: "/dev/sda" */
    unsigned sector_size;    /* bytes */
    uint64_t size;           /* bytes */
    struct nbd_disk *beside; /* where nobody writes, to be read past
                              * the appliance; or NULL */
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
    struct appliance_window windows[APPLIANCE_WINDOWS];
    size_t next_window; /* counts up */
};

/* The last error of libguestfs, as V2V_ERR_GUEST for a full volume, else as
 * V2V_ERR_INTERNAL; the second with context in front.  Always -1. */
int appliance_fail(const struct appliance *appliance, struct v2v_error *err);
int appliance_fail_in(const struct appliance *appliance, struct v2v_error *err,
                      const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

extern const struct guest_backend appliance_backend;

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
