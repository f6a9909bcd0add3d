/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

static const char name_start[] = "v2v-virtio.";

int
scratch_name(char **ret, struct v2v_error *err)
{
    const char *parent = getenv("TMPDIR");
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return v2v_fail_errno(err, errno, "getrandom");
    if (parent == NULL || *parent != '/')
        parent = "/tmp";
    *ret = v2v_format(err, "%s/%s%08" PRIx64, parent, name_start,
                      random & UINT32_MAX);
    return *ret == NULL ? -1 : 0;
}

int
scratch_make(const char *path, struct v2v_error *err)
{
    /* others may go through: with libguestfs' backend "libvirt" the appliance
     * runs as another user */
    if (mkdir(path, 0711) < 0)
        return v2v_fail_errno(err, errno, "temporary directory %s", path);
    return 0;
}

static int
delete_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    remove(path); /* what stays is in the way of its directory only */
    return 0;
}

void
scratch_delete(const char *path)
{
    struct stat st;

    /* the path may come from a state file */
    if (path != NULL &&
        strncmp(v2v_base_name(path), name_start, sizeof name_start - 1) == 0 &&
        lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid())
        nftw(path, delete_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
