/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/tar.h - write a tar archive whose members carry NTFS security
 * descriptors
 *
 * Format pax: each member has an extended header with its path and with the
 * record SCHILY.xattr.system.ntfs_acl, which GNU tar --xattrs sets on what it
 * extracts and ntfs-3g stores as the file's descriptor.
 *
 * Source: POSIX, "pax Interchange Format" and "ustar Interchange Format";
 * the record's name: GNU tar manual, "Extended File Attributes".
 */
#ifndef V2V_GUEST_TAR_H
#define V2V_GUEST_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/error.h"

struct tar_member {
    const char *path; /* relative, UTF-8, without '/' at the end */
    bool directory;
    const void *data; /* content; none for a directory */
    size_t len;       /* bytes, below 8 GiB */
    const void *sd;   /* self-relative security descriptor; NULL: none */
    size_t sd_len;
    time_t mtime; /* not negative */
};

/* Append one member; parents come before what is in them.
 * -1 with V2V_ERR_INTERNAL: cannot write, no memory. */
int tar_add(int fd, const struct tar_member *member, struct v2v_error *err);

/* The two empty blocks at the end. */
int tar_end(int fd, struct v2v_error *err);

#endif
