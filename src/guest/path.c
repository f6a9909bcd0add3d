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

void
guest_forget_directories(struct guest *guest)
{
    for (size_t i = 0; i < GUEST_DIRECTORIES; i++) {
        free(guest->directories[i].asked);
        guest->directories[i].asked = NULL;
        guest_node_done(&guest->directories[i].node);
    }
}

static int
copy_node(const struct guest_node *from, struct guest_node *ret,
          struct v2v_error *err)
{
    ret->stat = from->stat;
    ret->path = v2v_strdup(from->path, err);
    return ret->path == NULL ? -1 : 0;
}

static int
remember(struct guest *guest, const char *asked, size_t len,
         const struct guest_node *node, struct v2v_error *err)
{
    struct guest_directory *oldest =
        &guest->directories[guest->next_directory++ % GUEST_DIRECTORIES];

    free(oldest->asked);
    guest_node_done(&oldest->node);
    oldest->asked = v2v_strndup(asked, len, err);
    return oldest->asked == NULL ? -1 : copy_node(node, &oldest->node, err);
}

/* Each name on the way is a call to the backend, and most files that are asked
 * for lie in a few directories.  These stay what they are: nobody else writes,
 * and we replace none.  @asked: the path so far, @len bytes of the caller's. */
static int
find_directory(struct guest *guest, const struct guest_node *parent,
               const char *name, const char *asked, size_t len,
               struct guest_node *ret, struct v2v_error *err)
{
    for (size_t i = 0; i < GUEST_DIRECTORIES; i++) {
        const struct guest_directory *known = &guest->directories[i];

        if (known->asked != NULL && strlen(known->asked) == len &&
            memcmp(known->asked, asked, len) == 0)
            return copy_node(&known->node, ret, err);
    }
    if (guest->backend->lookup(guest->state, parent, name, ret, err) < 0)
        return -1;
    return ret->stat.is_dir ? remember(guest, asked, len, ret, err) : 0;
}

/* From @node, the root, which is replaced. */
static int
walk(struct guest *guest, const char *path, struct guest_node *node,
     struct v2v_error *err)
{
    const char *asked = path;

    for (;;) {
        V2V_AUTO(mem) char *name = NULL;
        V2V_AUTO(guest_node) struct guest_node child = { 0 };

        if (guest_next_name(&path, &name, err) < 0)
            return -1;
        if (name == NULL)
            return 0;
        if (check_directory(node, err) < 0 ||
            (*path == '/' ? find_directory(guest, node, name, asked,
                                           (size_t)(path - asked), &child, err)
                          : guest->backend->lookup(guest->state, node, name,
                                                   &child, err)) < 0)
            return -1;
        guest_node_done(node);
        *node = child;
        child = (struct guest_node){ 0 };
    }
}

int
guest_resolve(struct guest *guest, const char *path, struct guest_node *ret,
              struct v2v_error *err)
{
    V2V_AUTO(guest_node)
    struct guest_node node = { .stat = { .exists = true, .is_dir = true } };

    if (guest_check_mounted(guest, err) < 0)
        return v2v_fail_in(err, "%s", path);
    node.path = v2v_strdup("/", err);
    if (node.path == NULL || walk(guest, path, &node, err) < 0)
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
