/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ntfs/internal.h - between the files of this folder */
#ifndef V2V_NTFS_INTERNAL_H
#define V2V_NTFS_INTERNAL_H

/* libntfs-3g's headers expect these to be there already. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <ntfs-3g/attrib.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/security.h>
#include <ntfs-3g/volume.h>

#include "ntfs/volume.h"

/* The largest sector: 4096 bytes, of 4K native disks. */
enum { SECTOR_MAX = 4096 };

/* The part of a disk that the library takes for its device. */
struct device {
    struct ntfs_disk disk;
    uint64_t offset, len;    /* bytes: the partition */
    uint64_t at;             /* where seek() went */
    bool written;            /* something was */
    struct v2v_error broken; /* with a code: the first failure, since which
                              * nothing is read and nothing is written */
};

extern struct ntfs_device_operations device_operations;

/* Any bytes of the partition; -1 when the device is broken, or is now. */
int device_read(struct device *device, uint64_t at, void *buf, size_t len);

struct ntfs_volume {
    struct device device;
    ntfs_volume *lib;
};

/* ---- fail.c ---- */

/* The library's messages go to v2v_trace(); the first one since the last
 * catch_messages() is part of the error that volume_fail() makes. */
void catch_messages(void);
/* Since then. */
bool library_complained(void);

/* The error of a call to the library that has just failed with @errnum: what
 * broke the device, or damage, a full volume, no memory. */
#define volume_fail(volume, errnum, err, ...)                                  \
    (volume_set_error((volume), (errnum), (err), __VA_ARGS__), -1)
void volume_set_error(const struct ntfs_volume *volume, int errnum,
                      struct v2v_error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* To be called first by what is called from outside: -1 when the device is
 * broken. */
int volume_begin(const struct ntfs_volume *volume, struct v2v_error *err);

/* ---- file.c ---- */

/* For what is only read: closing it loses nothing. */
static inline void
v2v_auto_inode(ntfs_inode **inode)
{
    if (*inode != NULL)
        ntfs_inode_close(*inode);
}

static inline void
v2v_auto_attr(ntfs_attr **attr)
{
    if (*attr != NULL)
        ntfs_attr_close(*attr);
}

/* A name as NTFS keeps it. */
struct name {
    ntfschar units[NTFS_MAX_NAME_LEN];
    int count;
};

/* V2V_ERR_GUEST when NTFS can hold no such name. */
int name_set(const char *utf8, struct name *ret, struct v2v_error *err);

/* A name in a directory: 1 and its inode, or 0 when it is absent. */
int open_child(struct ntfs_volume *volume, ntfs_inode *dir,
               const struct name *name, bool any_case, ntfs_inode **ret,
               struct v2v_error *err);

/* The long name of the one that @name, in any case, is in @dir. */
int spell(const struct ntfs_volume *volume, ntfs_inode *dir, ntfs_inode *inode,
          const struct name *name, struct name *ret, struct v2v_error *err);

/* What is at @path; an absent name is V2V_ERR_NOT_FOUND. */
int open_path(struct ntfs_volume *volume, const char *path, ntfs_inode **ret,
              struct v2v_error *err);

/* The directory of what is at @path, and the last name, a place in it. */
int open_parent(struct ntfs_volume *volume, const char *path, ntfs_inode **ret,
                const char **ret_name, struct v2v_error *err);

/* The unnamed $DATA of a file that can be read. */
int open_data(struct ntfs_volume *volume, const char *path, ntfs_inode *inode,
              ntfs_attr **ret, struct v2v_error *err);

static inline bool
is_directory(const ntfs_inode *inode)
{
    return (inode->mrec->flags & MFT_RECORD_IS_DIRECTORY) != 0;
}

static inline bool
is_reparse(const ntfs_inode *inode)
{
    return (inode->flags & FILE_ATTR_REPARSE_POINT) != 0;
}

#endif
