/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/internal.h"

#include <inttypes.h>
#include <string.h>

static int
check_size(const char *path, uint64_t size, size_t max, struct v2v_error *err)
{
    if (max > GUEST_FILE_MAX)
        max = GUEST_FILE_MAX;
    if (size > max)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "%s: %" PRIu64 " bytes are more than the limit of %zu",
                        path, size, max);
    return 0;
}

int
guest_read(struct guest *guest, const char *path, size_t max,
           struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };

    if (guest_resolve_file(guest, path, &node, err) < 0 ||
        check_size(path, node.stat.size, max, err) < 0)
        return -1;
    if (guest->backend->read(guest->state, &node, &data, err) < 0)
        return v2v_fail_in(err, "reading %s", path);
    if (data.len != node.stat.size)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "reading %s: got %zu of %" PRIu64 " bytes", path,
                        data.len, node.stat.size);
    v2v_bytes_done(ret);
    *ret = data;
    data = (struct v2v_bytes){ 0 };
    return 0;
}

int
guest_copy(struct guest *guest, const char *path, size_t max, int fd,
           uint64_t *len, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };

    if (guest_resolve_file(guest, path, &node, err) < 0 ||
        check_size(path, node.stat.size, max, err) < 0)
        return -1;
    if (guest->backend->copy(guest->state, &node, fd, err) < 0)
        return v2v_fail_in(err, "reading %s", path);
    *len = node.stat.size;
    return 0;
}

int
guest_head(struct guest *guest, const char *path, size_t len,
           struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };

    if (guest_resolve_file(guest, path, &node, err) < 0)
        return -1;
    if (len > GUEST_CHUNK)
        len = GUEST_CHUNK;
    if (guest->backend->head(guest->state, &node, len, &data, err) < 0)
        return v2v_fail_in(err, "reading %s", path);
    v2v_bytes_done(ret);
    *ret = data;
    data = (struct v2v_bytes){ 0 };
    return 0;
}

static int
by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int
guest_list(struct guest *guest, const char *dir, struct v2v_strings *ret,
           struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (guest_resolve(guest, dir, &node, err) < 0)
        return -1;
    if (!node.stat.exists)
        return v2v_fail(err, V2V_ERR_NOT_FOUND, "%s: absent", dir);
    if (!node.stat.is_dir)
        return v2v_fail(err, V2V_ERR_GUEST, "%s: not a directory", dir);
    if (guest->backend->list(guest->state, &node, &names, err) < 0)
        return v2v_fail_in(err, "listing %s", dir);
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, by_bytes);
    v2v_strings_done(ret);
    *ret = names;
    names = (struct v2v_strings){ 0 };
    return 0;
}
