/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/appliance.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "guest/cksum.h"
#include "guest/tar.h"

/* No member for a directory that is there: tar would set its times. */
static int
archive(int fd, const struct guest_new *items, size_t count,
        struct v2v_error *err)
{
    time_t now = time(NULL);

    for (size_t i = 0; i < count; i++) {
        const struct tar_member member = { .path = items[i].path + 1,
                                           .directory = items[i].directory,
                                           .data = items[i].data,
                                           .len = items[i].len,
                                           .sd = items[i].sd,
                                           .sd_len = items[i].sd_len,
                                           .mtime = now };

        if (tar_add(fd, &member, err) < 0)
            return -1;
    }
    return tar_end(fd, err);
}

int
appliance_make(void *state, const struct guest_new *items, size_t count,
               struct v2v_error *err)
{
    const struct appliance *appliance = state;
    V2V_AUTO(fd) int fd = memfd_create("guest files", MFD_CLOEXEC);
    char name[32];

    if (fd < 0)
        return v2v_fail_errno(err, errno, "memfd_create");
    if (archive(fd, items, count, err) < 0)
        return -1;
    /* opened anew by this name, so read from its start */
    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    if (guestfs_tar_in_opts(appliance->g, name, "/", GUESTFS_TAR_IN_OPTS_XATTRS,
                            1, -1) < 0)
        return appliance_fail_in(appliance, err, "writing files");
    return 0;
}

int
appliance_write_at(void *state, const struct guest_node *file,
                   const uint8_t *data, size_t len, uint64_t offset,
                   struct v2v_error *err)
{
    const struct appliance *appliance = state;

    while (len > 0) {
        int n = guestfs_pwrite(appliance->g, file->path, (const char *)data,
                               len, (int64_t)offset);

        if (n < 0)
            return appliance_fail_in(appliance, err, "writing at byte %" PRIu64,
                                     offset);
        if (n == 0 || (size_t)n > len)
            return v2v_fail(err, V2V_ERR_INTERNAL,
                            "writing at byte %" PRIu64 ": no progress", offset);
        data += n;
        offset += (size_t)n;
        len -= (size_t)n;
    }
    return 0;
}

int
appliance_truncate(void *state, const struct guest_node *file, uint64_t len,
                   struct v2v_error *err)
{
    const struct appliance *appliance = state;

    if (guestfs_truncate_size(appliance->g, file->path, (int64_t)len) < 0)
        return appliance_fail_in(appliance, err, "shrinking it");
    return 0;
}

/* The appliance reads all of the file: it also tells when what was changed is
 * not what the caller thought it held.  The checksum is cksum(1)'s, which
 * counts the length. */
int
appliance_holds(void *state, const struct guest_node *file, const uint8_t *data,
                size_t len, struct v2v_error *err)
{
    const struct appliance *appliance = state;
    V2V_AUTO(mem)
    char *sum = guestfs_checksum(appliance->g, "crc", file->path);
    char expected[16];

    if (sum == NULL)
        return appliance_fail_in(appliance, err, "reading it back");
    snprintf(expected, sizeof expected, "%" PRIu32, guest_cksum(data, len));
    if (strcmp(sum, expected) != 0)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "it does not hold what was written (checksum %s, not "
                        "%s)",
                        sum, expected);
    return 0;
}
