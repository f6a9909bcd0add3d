/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/qemu-img.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "image/child.h"

enum {
    ARGS_MAX = 16,
    OUTPUT_MAX = 16 << 20 /* a VMDK may list thousands of extents */
};

static int
slurp(int fd, struct v2v_bytes *ret, struct v2v_error *err)
{
    char name[64];

    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return v2v_file_read(name, OUTPUT_MAX, ret, err);
}

int
qemu_img(const char *const *args, struct v2v_bytes *out, struct v2v_error *err)
{
    V2V_AUTO(fd) int out_fd = memfd_create("qemu-img stdout", MFD_CLOEXEC);
    V2V_AUTO(child) struct child child = CHILD_NONE;
    const char *argv[ARGS_MAX + 2] = { "qemu-img" };

    if (out_fd < 0)
        return v2v_fail_errno(err, errno, "memfd_create");
    for (size_t i = 0; args[i] != NULL && i < ARGS_MAX; i++)
        argv[i + 1] = args[i];
    if (child_start(argv, out_fd, -1, NULL, &child, err) < 0)
        return -1;
    if (child_wait(&child, err) < 0)
        return v2v_fail_in(err, "qemu-img %s", args[0]);
    return out == NULL ? 0 : slurp(out_fd, out, err);
}
