/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "guest/ranges.h"

static int
write_range(struct guest *guest, const char *path, const uint8_t *data,
            struct range r, struct v2v_error *err)
{
    while (r.start < r.end) {
        int n = guestfs_pwrite(guest->g, path, (const char *)data + r.start,
                               r.end - r.start, (int64_t)r.start);

        if (n < 0)
            return guest_fail(guest, err, "writing at byte %zu", r.start);
        if (n == 0 || (size_t)n > r.end - r.start)
            return v2v_fail(err, V2V_ERR_INTERNAL,
                            "writing at byte %zu: no progress", r.start);
        r.start += (size_t)n;
    }
    return 0;
}

/* The appliance reads all of the file: it also tells when @old was not what
 * the file held. */
static int
verify(struct guest *guest, const char *path, const void *new, size_t new_len,
       struct v2v_error *err)
{
    int64_t size = guestfs_filesize(guest->g, path);
    V2V_AUTO(mem) char *sum = NULL;
    char expected[16];

    if (size < 0)
        return guest_fail(guest, err, "reading it back");
    if ((uint64_t)size != new_len)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "it has %" PRId64 " bytes after writing, not %zu", size,
                        new_len);
    sum = guestfs_checksum(guest->g, "crc", path);
    if (sum == NULL)
        return guest_fail(guest, err, "reading it back");
    snprintf(expected, sizeof expected, "%" PRIu32, range_cksum(new, new_len));
    if (strcmp(sum, expected) != 0)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "it does not hold what was written (checksum %s, not "
                        "%s)",
                        sum, expected);
    return 0;
}

static int
patch(struct guest *guest, const char *path, const uint8_t *old, size_t old_len,
      const uint8_t *new, size_t new_len, struct v2v_error *err)
{
    struct range r = { 0, 0 };
    size_t written = 0, calls = 0;

    while (range_next(old, old_len, new, new_len, r.end, &r)) {
        if (write_range(guest, path, new, r, err) < 0)
            return -1;
        written += r.end - r.start;
        calls++;
    }
    if (new_len < old_len &&
        guestfs_truncate_size(guest->g, path, (int64_t)new_len) < 0)
        return guest_fail(guest, err, "shrinking it");
    v2v_fact("guest", "%s: %zu of %zu bytes written in %zu pieces", path,
             written, new_len, calls);
    return verify(guest, path, new, new_len, err);
}

int
guest_patch_file(struct guest *guest, const char *path, const void *old,
                 size_t old_len, const void *new, size_t new_len,
                 struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };

    if (guest_resolve_file(guest, path, &node, err) < 0)
        return -1;
    if (node.stat.size != old_len)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "%s: has %" PRIu64 " bytes, not the %zu that were read",
                        path, node.stat.size, old_len);
    if (new_len > GUEST_FILE_MAX)
        return v2v_fail(err, V2V_ERR_GUEST, "%s: %zu bytes are too many", path,
                        new_len);
    if (patch(guest, node.path, old, old_len, new, new_len, err) < 0)
        return v2v_fail_in(err, "%s", path);
    return 0;
}
