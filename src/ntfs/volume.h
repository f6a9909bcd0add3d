/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * ntfs/volume.h - the files of an NTFS volume, through libntfs-3g
 *
 * The only folder that knows libntfs-3g.  It runs in a sandboxed process of its
 * own (guest/direct.c): what it parses is the guest's, and libntfs-3g has had
 * faults there.  It opens no file of the host and prints nothing; what the
 * library says is caught and becomes part of the error.
 *
 * It judges neither names nor policy, which guest/ does for every backend:
 * functions are those of struct guest_backend (guest/backend.h), whose comments
 * hold here too.  Paths are absolute and as ntfs_lookup() spelled them.  (No
 * function has a name of the library's; ntfs_mount() is one.)
 *
 * What it refuses to mount, finally (V2V_ERR_GUEST, with the finding's name in
 * check/codes.c): for writing, a volume that is hibernated, has an unclean or
 * version 2 journal, or is marked dirty; for reading it mounts those as they
 * are, and changes nothing.
 *
 * Every result of the library is checked.  After an I/O error, or a write that
 * did not end but for want of room, the volume is broken: each later call
 * fails, and nothing is written any more.
 *
 * Errors: V2V_ERR_GUEST as the backend table says, V2V_ERR_FORMAT what is
 * damaged, V2V_ERR_INTERNAL for I/O and memory.
 */
#ifndef V2V_NTFS_VOLUME_H
#define V2V_NTFS_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

/* The bytes of a disk.  Functions return 0, or -1 with @err.  They are asked
 * for whole sectors, but for the rest of a disk that ends in part of one. */
struct ntfs_disk {
    void *opaque;
    uint64_t size;        /* bytes */
    unsigned sector_size; /* 512 or 4096 */
    int (*read)(void *opaque, uint64_t offset, void *buf, size_t len,
                struct v2v_error *err);
    int (*write)(void *opaque, uint64_t offset, const void *buf, size_t len,
                 struct v2v_error *err); /* NULL: read-only */
    int (*flush)(void *opaque, struct v2v_error *err);
};

struct ntfs_volume;

/* @offset, @len: the partition, bytes.  @disk is copied; its opaque lives as
 * long as the volume. */
int ntfs_mount_at(const struct ntfs_disk *disk, uint64_t offset, uint64_t len,
                  bool write, struct ntfs_volume **ret, struct v2v_error *err);

/* Writes what is pending, sees that what was written can be mounted, and
 * flushes; the volume is gone in any case. */
int ntfs_unmount(struct ntfs_volume *volume, struct v2v_error *err);

/* Give it up; nothing more is written.  NULL is fine. */
void ntfs_abandon(struct ntfs_volume *volume);
V2V_AUTO_DEFINE(ntfs_volume, struct ntfs_volume *, ntfs_abandon)

int ntfs_free_space(struct ntfs_volume *volume, uint64_t *ret,
                    struct v2v_error *err);

struct ntfs_entry {
    bool exists;
    bool is_dir; /* and no reparse point */
    bool reparse;
    bool encrypted, compressed; /* EFS; LZNT1 */
    uint64_t size;              /* 0 for a directory or a reparse point */
    uint64_t record;            /* in the MFT */
};

/* One name in the directory @dir, as it is spelled there or else without regard
 * to case; @ret_name: as it is spelled there, the long name where that is a
 * short one, or as asked for where it is absent; new. */
int ntfs_lookup(struct ntfs_volume *volume, const char *dir, const char *name,
                char **ret_name, struct ntfs_entry *ret, struct v2v_error *err);

/* Appends the long names in @dir, without "." and "..", NTFS' own files
 * ("$MFT") and names that no path can hold; more than @max is V2V_ERR_GUEST. */
int ntfs_list(struct ntfs_volume *volume, const char *dir, size_t max,
              struct v2v_strings *ret, struct v2v_error *err);

/* @len bytes from @offset, or what there is of them, appended to @ret. */
int ntfs_read(struct ntfs_volume *volume, const char *path, uint64_t offset,
              size_t len, struct v2v_bytes *ret, struct v2v_error *err);

/* Its self-relative security descriptor; of a reparse point itself. */
int ntfs_descriptor(struct ntfs_volume *volume, const char *path,
                    struct v2v_bytes *ret, struct v2v_error *err);

/* A new file or directory with this descriptor in a directory that is there; a
 * file or reparse point of that name (without regard to case) is replaced by
 * it, and its name's spelling kept as in @path.  Times are now, the parent's
 * as well; the data is not compressed, in as few runs as possible. */
int ntfs_make(struct ntfs_volume *volume, const char *path, bool directory,
              const void *data, size_t len, const void *sd, size_t sd_len,
              struct v2v_error *err);

/* Into a file that is there and neither a reparse point nor encrypted
 * (V2V_ERR_GUEST); its descriptor, attributes and identity stay, its times
 * are now. */
int ntfs_write_at(struct ntfs_volume *volume, const char *path,
                  const void *data, size_t len, uint64_t offset,
                  struct v2v_error *err);
int ntfs_truncate(struct ntfs_volume *volume, const char *path, uint64_t len,
                  struct v2v_error *err);

#endif
