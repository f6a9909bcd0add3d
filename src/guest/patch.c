/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/internal.h"

#include <inttypes.h>

#include "base/log.h"

static int
patch(struct guest *guest, const struct guest_node *file, const uint8_t *data,
      size_t len, const struct v2v_ranges *changed, struct v2v_error *err)
{
    const struct guest_backend *backend = guest->backend;
    size_t written = 0;

    for (size_t i = 0; i < changed->count; i++) {
        const struct v2v_range *r = &changed->items[i];

        if (backend->write_at(guest->state, file, data + r->start,
                              r->end - r->start, r->start, err) < 0)
            return -1;
        written += r->end - r->start;
    }
    if (len < file->stat.size &&
        backend->truncate(guest->state, file, len, err) < 0)
        return -1;
    v2v_fact("guest", "%s: %zu of %zu bytes written in %zu pieces", file->path,
             written, len, changed->count);
    return 0;
}

int
guest_patch_file(struct guest *guest, const char *path, size_t old_len,
                 const void *data, size_t len, const struct v2v_ranges *changed,
                 struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };

    if (guest_resolve_file(guest, path, &node, err) < 0)
        return -1;
    if (node.stat.size != old_len)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "%s: has %" PRIu64 " bytes, not the %zu that were read",
                        path, node.stat.size, old_len);
    if (len > GUEST_FILE_MAX)
        return v2v_fail(err, V2V_ERR_GUEST, "%s: %zu bytes are too many", path,
                        len);
    if (patch(guest, &node, data, len, changed, err) < 0)
        return v2v_fail_in(err, "%s", path);
    return 0;
}

int
guest_check_content(struct guest *guest, const char *path, const void *data,
                    size_t len, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };

    if (guest_resolve_file(guest, path, &node, err) < 0)
        return -1;
    if (guest->backend->holds(guest->state, &node, data, len, err) < 0)
        return v2v_fail_in(err, "%s", path);
    return 0;
}
