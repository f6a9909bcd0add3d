/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/backend.h - what an implementation of guest.h has to bring
 *
 * What Windows demands of a path or a name, what is refused and what a new
 * file inherits is decided once, above this table (path.c, read.c, write.c,
 * patch.c).  A backend knows one file system in one way: it is asked for names
 * that are there or to be made, never for a path that nobody has walked.
 *
 * Paths here are absolute and as lookup() spelled them; "/" is the root of the
 * mounted volume.  They hold no "." or "..", a reparse point as their last name
 * only, and those of a struct guest_new no name that Windows would not create.
 *
 * A function returns 0, or -1 with V2V_ERR_INTERNAL unless said otherwise.
 * It is called with a mounted volume, but for those of whole disks, mount()
 * and what ends the guest.  Outputs are untouched after a failure.
 */
#ifndef V2V_GUEST_BACKEND_H
#define V2V_GUEST_BACKEND_H

#include "disk/probe.h"
#include "guest/guest.h"

/* What one head() gives at most. */
#define GUEST_CHUNK ((size_t)1 << 20)

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

/* The path of a name in a directory: a new string. */
char *guest_child_path(const char *parent, const char *name,
                       struct v2v_error *err);

/* A file or directory to be made; views, nothing of it is owned. */
struct guest_new {
    const char *path;
    bool directory;
    const void *data; /* content; none for a directory */
    size_t len;
    const void *sd; /* self-relative security descriptor; NULL: the volume has
                     * none */
    size_t sd_len;
};

enum guest_fs { GUEST_NTFS, GUEST_FAT };

struct guest_backend {
    const char *name; /* for reports: "libguestfs" */

    /* As guest_disk(); @disk is below guest_disk_count(). */
    int (*disk)(void *state, unsigned disk, struct disk_reader *ret,
                struct v2v_error *err);

    /* As guest_unlock(), with one key; @opened: false when it is not its.
     * NULL: this backend is never given a disk with such a volume. */
    int (*unlock)(void *state, unsigned disk, const struct disk_volume *volume,
                  const char *key, bool *opened, struct v2v_error *err);

    /* As guest_mount(), with V2V_ERR_GUEST; nothing is mounted. */
    int (*mount)(void *state, unsigned disk, unsigned partition,
                 enum guest_fs fs, bool write, struct v2v_error *err);
    int (*unmount)(void *state, struct v2v_error *err);
    int (*free_space)(void *state, uint64_t *ret, struct v2v_error *err);

    /* One name, without regard to case, in a directory that exists.  Absent
     * is a result: the path is then as asked for.  @ret is all zero; new. */
    int (*lookup)(void *state, const struct guest_node *dir, const char *name,
                  struct guest_node *ret, struct v2v_error *err);
    /* The names in a directory, without "." and "..", in any order, appended.
     * V2V_ERR_GUEST for more than GUEST_LIST_MAX. */
    int (*list)(void *state, const struct guest_node *dir,
                struct v2v_strings *ret, struct v2v_error *err);
    /* A whole file of at most GUEST_FILE_MAX; @ret is all zero. */
    int (*read)(void *state, const struct guest_node *file,
                struct v2v_bytes *ret, struct v2v_error *err);
    /* The same, written to @fd. */
    int (*copy)(void *state, const struct guest_node *file, int fd,
                struct v2v_error *err);
    /* The first @len bytes, at most GUEST_CHUNK, or all of a shorter file. */
    int (*head)(void *state, const struct guest_node *file, size_t len,
                struct v2v_bytes *ret, struct v2v_error *err);
    /* The security descriptor of what is there, of a reparse point itself; a
     * function that is NULL: there are none, and nothing is inherited. */
    int (*descriptor)(void *state, const struct guest_node *node,
                      struct v2v_bytes *ret, struct v2v_error *err);

    /* Directories before what is in them; none of them exists.  A file, or a
     * reparse point, that exists is replaced by a new one. */
    int (*make)(void *state, const struct guest_new *items, size_t count,
                struct v2v_error *err);
    /* All of @data into a file that is there, which may grow. */
    int (*write_at)(void *state, const struct guest_node *file,
                    const uint8_t *data, size_t len, uint64_t offset,
                    struct v2v_error *err);
    int (*truncate)(void *state, const struct guest_node *file, uint64_t len,
                    struct v2v_error *err);
    /* Read the file back: -1 when it holds anything but this. */
    int (*holds)(void *state, const struct guest_node *file,
                 const uint8_t *data, size_t len, struct v2v_error *err);

    /* Nothing is mounted: all that was written reaches the disks' images. */
    int (*close)(void *state, struct v2v_error *err);
    /* Frees @state, after close() or without it. */
    void (*abandon)(void *state);
};

/* What guest_open() chooses from.  As it, on their own; direct_open() is in
 * guest/direct.h. */
int appliance_open(const struct guest_machine *machine, struct guest **ret,
                   struct v2v_error *err);

/* A guest of @disk_count disks; takes @state over, also after a failure. */
int guest_new(const struct guest_backend *backend, void *state,
              unsigned disk_count, struct guest **ret, struct v2v_error *err);

#endif
