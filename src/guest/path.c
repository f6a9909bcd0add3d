/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/names.h"

void
guest_node_done(struct guest_node *node)
{
    free(node->path);
    *node = (struct guest_node){ 0 };
}

/* ntfs-3g shows a reparse point as a symbolic link (or a socket, or a device,
 * for some of WSL's): whatever is neither file nor directory. */
static void
set_stat(const struct guestfs_statns *st, struct guest_stat *ret)
{
    mode_t type = (mode_t)st->st_mode & S_IFMT;

    ret->exists = true;
    ret->is_dir = type == S_IFDIR;
    ret->reparse = type != S_IFDIR && type != S_IFREG;
    ret->size = type == S_IFREG && st->st_size > 0 ? (uint64_t)st->st_size : 0;
    ret->file_number = (uint64_t)st->st_ino; /* ntfs-3g mounts with use_ino */
}

static int
stat_exactly(struct guest *guest, const char *path, struct guest_stat *ret,
             struct v2v_error *err)
{
    struct guestfs_statns *st = guestfs_lstatns(guest->g, path);

    *ret = (struct guest_stat){ 0 };
    if (st == NULL && guestfs_last_errno(guest->g) == ENOENT)
        return 0;
    if (st == NULL)
        return guest_fail(guest, err, "%s", path);
    set_stat(st, ret);
    guestfs_free_statns(st);
    return 0;
}

/* As spelled first: that is one call, and mostly right.  Then the appliance
 * looks through the directory; for an absent name it gives back what it got.
 */
int
guest_lookup(struct guest *guest, const char *parent, const char *name,
             struct guest_node *ret, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };
    V2V_AUTO(mem) char *spelled = NULL;

    node.path =
        v2v_format(err, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, name);
    if (node.path == NULL ||
        stat_exactly(guest, node.path, &node.stat, err) < 0)
        return -1;
    if (!node.stat.exists) {
        spelled = guestfs_case_sensitive_path(guest->g, node.path);
        if (spelled == NULL)
            return guest_fail(guest, err, "%s", node.path);
        if (strcmp(spelled, node.path) != 0) {
            free(node.path);
            node.path = v2v_steal(spelled);
            if (stat_exactly(guest, node.path, &node.stat, err) < 0)
                return -1;
        }
    }
    *ret = node;
    node = (struct guest_node){ 0 };
    return 0;
}

static int
check_directory(const struct guest_node *node, struct v2v_error *err)
{
    if (!node->stat.exists)
        return v2v_fail(err, V2V_ERR_NOT_FOUND, "%s is absent", node->path);
    if (node->stat.reparse)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "%s is a reparse point, which is not followed",
                        node->path);
    if (!node->stat.is_dir)
        return v2v_fail(err, V2V_ERR_GUEST, "%s is not a directory",
                        node->path);
    return 0;
}

static int
walk(struct guest *guest, const char *path, struct guest_node *node,
     struct v2v_error *err)
{
    node->path = v2v_strdup("/", err);
    node->stat = (struct guest_stat){ .exists = true, .is_dir = true };
    if (node->path == NULL)
        return -1;
    for (;;) {
        V2V_AUTO(mem) char *name = NULL;
        struct guest_node child = { 0 };

        if (guest_next_name(&path, &name, err) < 0)
            return -1;
        if (name == NULL)
            return 0;
        if (check_directory(node, err) < 0 ||
            guest_lookup(guest, node->path, name, &child, err) < 0)
            return -1;
        guest_node_done(node);
        *node = child;
    }
}

int
guest_resolve(struct guest *guest, const char *path, struct guest_node *ret,
              struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };

    if (!guest->mounted)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%s: no volume is mounted",
                        path);
    if (walk(guest, path, &node, err) < 0)
        return v2v_fail_in(err, "%s", path);
    *ret = node;
    node = (struct guest_node){ 0 };
    return 0;
}

int
guest_resolve_file(struct guest *guest, const char *path,
                   struct guest_node *ret, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };

    if (guest_resolve(guest, path, &node, err) < 0)
        return -1;
    if (!node.stat.exists)
        return v2v_fail(err, V2V_ERR_NOT_FOUND, "%s: absent", path);
    if (node.stat.reparse)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "%s: a reparse point, whose content only Windows "
                        "knows",
                        path);
    if (node.stat.is_dir)
        return v2v_fail(err, V2V_ERR_GUEST, "%s: a directory", path);
    *ret = node;
    node = (struct guest_node){ 0 };
    return 0;
}

int
guest_stat(struct guest *guest, const char *path, struct guest_stat *ret,
           struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };
    struct v2v_error why = { 0 };

    if (guest_resolve(guest, path, &node, &why) < 0 &&
        why.code != V2V_ERR_NOT_FOUND)
        return v2v_fail(err, why.code, "%s", why.text);
    *ret = node.stat; /* all zero when a directory on the way is absent */
    return 0;
}
