/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/internal.h"

#include <string.h>

#include "guest/names.h"

void
guest_node_done(struct guest_node *node)
{
    free(node->path);
    *node = (struct guest_node){ 0 };
}

char *
guest_child_path(const char *parent, const char *name, struct v2v_error *err)
{
    return v2v_format(err, "%s/%s", parent[1] == '\0' ? "" : parent, name);
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

/* From @node, which is replaced. */
static int
walk(struct guest *guest, const char *path, struct guest_node *node,
     struct v2v_error *err)
{
    for (;;) {
        V2V_AUTO(mem) char *name = NULL;
        struct guest_node child = { 0 };

        if (guest_next_name(&path, &name, err) < 0)
            return -1;
        if (name == NULL)
            return 0;
        if (check_directory(node, err) < 0 ||
            guest->backend->lookup(guest->state, node, name, &child, err) < 0)
            return -1;
        guest_node_done(node);
        *node = child;
    }
}

static int
start_at(const char *path, const struct guest_stat *stat,
         struct guest_node *node, struct v2v_error *err)
{
    node->path = v2v_strdup(path, err);
    node->stat = *stat;
    return node->path == NULL ? -1 : 0;
}

static int
walk_from_root(struct guest *guest, const char *path, struct guest_node *node,
               struct v2v_error *err)
{
    static const struct guest_stat root = { .exists = true, .is_dir = true };

    return start_at("/", &root, node, err) < 0 ? -1
                                               : walk(guest, path, node, err);
}

void
guest_forget_directory(struct guest *guest)
{
    guest_node_done(&guest->directory);
    free(guest->directory_path);
    guest->directory_path = NULL;
}

/* Makes @path, in the spelling of the caller, the directory that is known. */
static int
enter(struct guest *guest, char *path, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };

    if (guest->directory_path != NULL &&
        strcmp(guest->directory_path, path) == 0)
        return 0;
    if (walk_from_root(guest, path, &node, err) < 0 ||
        check_directory(&node, err) < 0)
        return -1;
    guest_forget_directory(guest);
    guest->directory_path = v2v_strdup(path, err);
    if (guest->directory_path == NULL)
        return -1;
    guest->directory = node;
    node = (struct guest_node){ 0 };
    return 0;
}

/* Many files of one directory are asked for in a row, and each name on the way
 * is a call to the backend.  Where nobody writes, the way stays the same. */
static int
resolve(struct guest *guest, const char *path, struct guest_node *node,
        struct v2v_error *err)
{
    const char *last = strrchr(path, '/');
    V2V_AUTO(mem) char *directory = NULL;

    if (last == NULL || guest->what.write)
        return walk_from_root(guest, path, node, err);
    directory = v2v_strndup(path, (size_t)(last - path), err);
    if (directory == NULL || enter(guest, directory, err) < 0 ||
        start_at(guest->directory.path, &guest->directory.stat, node, err) < 0)
        return -1;
    return walk(guest, last, node, err);
}

int
guest_resolve(struct guest *guest, const char *path, struct guest_node *ret,
              struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };

    if (guest_check_mounted(guest, err) < 0 ||
        resolve(guest, path, &node, err) < 0)
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
