/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/qemu-img.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/log.h"
#include "image/child.h"

enum {
    ARGS_MAX = 16,
    WATCH_MS = 100,
    OUTPUT_MAX = 16 << 20 /* a VMDK may list thousands of extents */
};

static int
slurp(int fd, struct v2v_bytes *ret, struct v2v_error *err)
{
    char name[64];

    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return v2v_file_read(name, OUTPUT_MAX, ret, err);
}

/* What stands at the end of "    (12.34/100%)\r", written again and again.
 * Source: QEMU's util/qemu-progress.c. */
static void
tell_progress(int fd)
{
    char tail[24] = "";
    off_t len = lseek(fd, 0, SEEK_END);
    const char *at;
    unsigned whole, hundredths;

    if (len < (off_t)sizeof tail - 1 ||
        pread(fd, tail, sizeof tail - 1, len - (off_t)sizeof tail + 1) < 0)
        return;
    at = strrchr(tail, '(');
    if (at != NULL && sscanf(at, "(%3u.%2u/100%%)", &whole, &hundredths) == 2)
        v2v_progress("image", whole * 100 + hundredths, 10000);
}

static int
run(const char *const *args, int out_fd, bool watched, struct v2v_error *err)
{
    V2V_AUTO(child) struct child child = CHILD_NONE;
    V2V_AUTO(fd) int ended = -1;
    struct pollfd end = { .events = POLLIN };
    const char *argv[ARGS_MAX + 2] = { "qemu-img" };

    if (out_fd < 0)
        return v2v_fail_errno(err, errno, "memfd_create");
    for (size_t i = 0; args[i] != NULL && i < ARGS_MAX; i++)
        argv[i + 1] = args[i];
    if (child_start(argv, out_fd, -1, NULL, &child, err) < 0)
        return -1;
    end.fd = ended = watched ? pidfd_open(child.pid, 0) : -1;
    while (ended >= 0 && poll(&end, 1, WATCH_MS) == 0)
        tell_progress(out_fd);
    if (child_wait(&child, err) < 0)
        return v2v_fail_in(err, "qemu-img %s", args[0]);
    return 0;
}

int
qemu_img_watched(const char *const *args, struct v2v_error *err)
{
    V2V_AUTO(fd) int out_fd = memfd_create("qemu-img stdout", MFD_CLOEXEC);

    return run(args, out_fd, true, err);
}

int
qemu_img(const char *const *args, struct v2v_bytes *out, struct v2v_error *err)
{
    V2V_AUTO(fd) int out_fd = memfd_create("qemu-img stdout", MFD_CLOEXEC);

    if (run(args, out_fd, false, err) < 0)
        return -1;
    return out == NULL ? 0 : slurp(out_fd, out, err);
}
