/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

static const char name_start[] = "v2v-virtio.";
static const char locked_start[] = "v2v-virtio.read-";

static bool
starts_with(const char *name, const char *start)
{
    return strncmp(name, start, strlen(start)) == 0;
}

static const char *
parent(void)
{
    /* as libguestfs, whose files go there, too: guestfs(3), "ENVIRONMENT
     * VARIABLES" */
    static const char *const names[] = { "LIBGUESTFS_TMPDIR", "TMPDIR" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *dir = getenv(names[i]);

        if (dir != NULL && *dir == '/')
            return dir;
    }
    return "/tmp";
}

static int
random_name(const char *start, char **ret, struct v2v_error *err)
{
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return v2v_fail_errno(err, errno, "getrandom");
    *ret = v2v_format(err, "%s/%s%08" PRIx64, parent(), start,
                      random & UINT32_MAX);
    return *ret == NULL ? -1 : 0;
}

int
scratch_name(char **ret, struct v2v_error *err)
{
    return random_name(name_start, ret, err);
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
    if (path != NULL && starts_with(v2v_base_name(path), name_start) &&
        lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid())
        nftw(path, delete_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Locks -------------------------------------------------------------------- */

/* Is the open directory still the one of that name? */
static bool
is_named(int fd, const char *path)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* -1: it is gone, or somebody has it. */
static int
open_locked(const char *path)
{
    V2V_AUTO(fd)
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int ret = -1;

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_named(fd, path)) {
        ret = fd;
        fd = -1;
    }
    return ret;
}

static void
sweep_one(const char *name)
{
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/%s", parent(), name);
    V2V_AUTO(fd) int lock = path != NULL ? open_locked(path) : -1;

    if (lock >= 0)
        scratch_delete(path);
}

void
scratch_sweep(void)
{
    DIR *dir = opendir(parent());
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (starts_with(entry->d_name, locked_start))
            sweep_one(entry->d_name);
    if (dir != NULL)
        closedir(dir);
}

/* Somebody who sweeps may come between the directory and its lock: another one
 * is made then. */
int
scratch_make_locked(char **path, int *lock, struct v2v_error *err)
{
    enum { TRIES = 16 };

    scratch_sweep();
    for (int i = 0; i < TRIES; i++) {
        V2V_AUTO(mem) char *made = NULL;

        if (random_name(locked_start, &made, err) < 0 ||
            scratch_make(made, err) < 0)
            return -1;
        *lock = open_locked(made);
        if (*lock >= 0) {
            *path = v2v_steal(made);
            return 0;
        }
    }
    return v2v_fail(err, V2V_ERR_INTERNAL,
                    "%s: a temporary directory cannot be locked", parent());
}
