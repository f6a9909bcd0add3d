/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A medium of any bytes: listed, and its first files read.  libarchive asks
 * malloc for what a directory's size claims, up to 4 GB that it never touches:
 * the fuzzer's limit on a single allocation has to be higher (scripts/test.sh
 * sets it). */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "media/media.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
load_some(struct media *media)
{
    static const size_t some = 4;
    size_t indexes[4];
    struct v2v_bytes contents[4] = { { 0 } };
    size_t count = 0;

    for (; count < some && count < media_count(media); count++)
        indexes[count] = count;
    if (media_load(media, indexes, count, contents, NULL) == 0)
        for (size_t i = 0; i < count; i++)
            v2v_bytes_done(&contents[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    V2V_AUTO(fd) int fd = memfd_create("medium", MFD_CLOEXEC);
    struct media *media = NULL;
    char path[64];

    if (fd < 0 || write(fd, data, len) != (ssize_t)len)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (media_open(path, &media, NULL) == 0) {
        load_some(media);
        media_close(media);
    }
    return 0;
}
