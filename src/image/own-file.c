/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/own-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"

bool
own_file_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static int
check_owner(const char *path, const struct stat *st, struct v2v_error *err)
{
    if (S_ISREG(st->st_mode) && st->st_nlink == 1 &&
        (st->st_uid == geteuid() || st->st_uid == 0))
        return 0;
    return v2v_refuse(err, V2V_ERR_GUEST, "foreign-file",
                      "%s: not written by this user: go on as its owner, or "
                      "delete it if it is not this program's",
                      path);
}

int
own_file_open(const char *path, int flags, int *ret, struct v2v_error *err)
{
    V2V_AUTO(fd)
    int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    struct stat st;

    if (fd < 0 && (errno == ELOOP || errno == ENXIO)) /* a link, a FIFO */
        return check_owner(path, &(struct stat){ 0 }, err);
    if (fd < 0 || fstat(fd, &st) < 0)
        return v2v_fail_errno(err, errno, "%s", path);
    if (check_owner(path, &st, err) < 0)
        return -1;
    *ret = fd;
    fd = -1;
    return 0;
}

int
own_file_read(const char *path, off_t max, json_t **ret, struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = -1;
    struct stat st;

    if (own_file_open(path, O_RDONLY, &fd, err) < 0)
        return -1;
    if (fstat(fd, &st) < 0)
        return v2v_fail_errno(err, errno, "%s", path);
    *ret = st.st_size <= max ? json_loadfd(fd, 0, NULL) : NULL;
    return 0;
}

int
own_file_delete(const char *path, struct v2v_error *err)
{
    if (path == NULL)
        return -1;
    if (unlink(path) < 0 && errno != ENOENT)
        return v2v_fail_errno(err, errno, "deleting %s", path);
    return 0;
}

int
own_file_make(const char *path, struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = -1;

    if (own_file_delete(path, err) < 0)
        return -1;
    return own_file_open(path, O_WRONLY | O_CREAT | O_EXCL, &fd, err);
}
