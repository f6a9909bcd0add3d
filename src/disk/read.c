/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk/read.h"

#include <assert.h>
#include <inttypes.h>

int
disk_read(const struct disk_reader *disk, uint64_t offset, void *buf,
          size_t len, struct v2v_error *err)
{
    assert(len <= DISK_READ_MAX);
    if (offset > disk->size || len > disk->size - offset)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "%zu bytes at byte %" PRIu64
                        " are needed, but the disk has %" PRIu64
                        ": is the image truncated?",
                        len, offset, disk->size);
    return disk->read(disk->opaque, offset, buf, len, err);
}
