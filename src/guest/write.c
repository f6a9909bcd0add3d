/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "disk/sd.h"
#include "guest/names.h"

/* What a small file costs beside its content: a record and a name. */
#define COST_OF_FILE 8192U

/* A file or directory to be made, or a directory that is there. */
struct item {
    struct guest_node node;
    const char *asked; /* a file's path as the caller gave it */
    const void *data;
    size_t len;
    struct v2v_bytes sd; /* empty: not asked for yet */
};

struct plan {
    struct item *dirs; /* parents before children */
    size_t dir_count;
    struct item *files;
    size_t file_count;
};

static void
items_done(struct item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        guest_node_done(&items[i].node);
        v2v_bytes_done(&items[i].sd);
    }
    free(items);
}

static void
v2v_auto_plan(struct plan *plan)
{
    items_done(plan->dirs, plan->dir_count);
    items_done(plan->files, plan->file_count);
}

static int
read_sd(struct guest *guest, const struct guest_node *node,
        struct v2v_bytes *ret, struct v2v_error *err)
{
    if (guest->backend->descriptor == NULL)
        return 0;
    if (guest->backend->descriptor(guest->state, node, ret, err) < 0)
        return v2v_fail_in(err, "%s: its security descriptor", node->path);
    return 0;
}

/* Index of a directory in the plan by the path on the volume, or -1. */
static ssize_t
find_dir(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->dir_count; i++)
        if (v2v_equal_nocase(plan->dirs[i].node.path, path))
            return (ssize_t)i;
    return -1;
}

static int
add_dir(struct plan *plan, struct guest_node *node, size_t *ret,
        struct v2v_error *err)
{
    struct item *dirs =
        reallocarray(plan->dirs, plan->dir_count + 1, sizeof *dirs);

    if (dirs == NULL)
        return v2v_fail_errno(err, errno, "list of directories");
    plan->dirs = dirs;
    dirs[plan->dir_count] = (struct item){ .node = *node };
    *node = (struct guest_node){ 0 };
    *ret = plan->dir_count++;
    return 0;
}

static int
need_sd(struct guest *guest, struct item *dir, struct v2v_error *err)
{
    if (dir->sd.len > 0)
        return 0;
    return read_sd(guest, &dir->node, &dir->sd, err);
}

/* The node of @name in a directory of the plan, on the volume or to be. */
static int
child_node(struct guest *guest, const struct item *dir, const char *name,
           struct guest_node *ret, struct v2v_error *err)
{
    if (dir->node.stat.exists)
        return guest->backend->lookup(guest->state, &dir->node, name, ret, err);
    ret->path = guest_child_path(dir->node.path, name, err);
    return ret->path == NULL ? -1 : 0;
}

static int
inherit(struct guest *guest, struct item *parent, bool directory,
        struct v2v_bytes *ret, struct v2v_error *err)
{
    if (guest->backend->descriptor == NULL)
        return 0;
    if (need_sd(guest, parent, err) < 0)
        return -1;
    if (sd_inherit(parent->sd.data, parent->sd.len, directory, ret, err) < 0)
        return v2v_fail_in(err, "%s: its security descriptor",
                           parent->node.path);
    return 0;
}

/* One level down, known already or not. */
static int
plan_dir(struct guest *guest, struct plan *plan, size_t parent,
         const char *name, size_t *ret, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes sd = { 0 };
    struct item *above = &plan->dirs[parent];
    V2V_AUTO(mem)
    char *path = guest_child_path(above->node.path, name, err);
    ssize_t known;

    if (path == NULL)
        return -1;
    known = find_dir(plan, path);
    if (known >= 0) {
        *ret = (size_t)known;
        return 0;
    }
    if (child_node(guest, above, name, &node, err) < 0)
        return -1;
    if (node.stat.exists && !node.stat.is_dir)
        return v2v_fail(err, V2V_ERR_GUEST, "%s is %s", node.path,
                        node.stat.reparse
                            ? "a reparse point, which is not followed"
                            : "not a directory");
    if (!node.stat.exists && (guest_check_new_name(name, err) < 0 ||
                              inherit(guest, above, true, &sd, err) < 0))
        return -1;
    if (add_dir(plan, &node, ret, err) < 0)
        return -1;
    plan->dirs[*ret].sd = sd;
    sd = (struct v2v_bytes){ 0 };
    return 0;
}

/* The directory of a file; @name becomes the last name of the path. */
static int
plan_parents(struct guest *guest, struct plan *plan, const char *path,
             size_t *dir, char **name, struct v2v_error *err)
{
    V2V_AUTO(mem) char *here = NULL;

    *dir = 0;
    if (guest_next_name(&path, &here, err) < 0)
        return -1;
    if (here == NULL)
        return v2v_fail(err, V2V_ERR_GUEST, "no name of a file");
    for (;;) {
        V2V_AUTO(mem) char *next = NULL;

        if (guest_next_name(&path, &next, err) < 0)
            return -1;
        if (next == NULL)
            break;
        if (plan_dir(guest, plan, *dir, here, dir, err) < 0)
            return -1;
        free(here);
        here = v2v_steal(next);
    }
    *name = v2v_steal(here);
    return 0;
}

static int
plan_file(struct guest *guest, struct plan *plan, struct item *file,
          struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = NULL;
    size_t dir;

    if (plan_parents(guest, plan, file->asked, &dir, &name, err) < 0 ||
        child_node(guest, &plan->dirs[dir], name, &file->node, err) < 0)
        return -1;
    if (file->node.stat.is_dir)
        return v2v_fail(err, V2V_ERR_GUEST, "%s is a directory",
                        file->node.path);
    if (file->node.stat.exists)
        return read_sd(guest, &file->node, &file->sd, err);
    if (guest_check_new_name(name, err) < 0)
        return -1;
    return inherit(guest, &plan->dirs[dir], false, &file->sd, err);
}

static int
plan_root(struct plan *plan, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node root = {
        .path = v2v_strdup("/", err), .stat = { .exists = true, .is_dir = true }
    };
    size_t index;

    return root.path == NULL ? -1 : add_dir(plan, &root, &index, err);
}

/* Twice the same, or a file and a directory of one path: the plan is wrong. */
static int
check_distinct(const struct plan *plan, struct v2v_error *err)
{
    for (size_t i = 0; i < plan->file_count; i++) {
        const char *path = plan->files[i].node.path;

        for (size_t k = 0; k < i; k++)
            if (v2v_equal_nocase(plan->files[k].node.path, path))
                return v2v_fail(err, V2V_ERR_INTERNAL, "%s: written twice",
                                path);
        if (find_dir(plan, path) >= 0)
            return v2v_fail(err, V2V_ERR_INTERNAL,
                            "%s: both a file and a directory", path);
    }
    return 0;
}

static int
make_plan(struct guest *guest, const struct guest_file *files, size_t count,
          struct plan *plan, struct v2v_error *err)
{
    plan->files = calloc(count, sizeof *plan->files);
    if (plan->files == NULL)
        return v2v_fail_errno(err, errno, "list of files");
    plan->file_count = count;
    if (plan_root(plan, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct item *file = &plan->files[i];

        file->asked = files[i].path;
        file->data = files[i].data;
        file->len = files[i].len;
        if (plan_file(guest, plan, file, err) < 0)
            return v2v_fail_in(err, "%s", file->asked);
    }
    return check_distinct(plan, err);
}

/* Replaced files count in full: tar makes the new before the old is gone. */
static int
check_space(struct guest *guest, const struct plan *plan, struct v2v_error *err)
{
    uint64_t need = 0, have = 0;

    for (size_t i = 0; i < plan->file_count; i++)
        need += plan->files[i].len + COST_OF_FILE;
    if (guest_free_space(guest, &have, err) < 0)
        return -1;
    if (need > have)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "the volume has %" PRIu64 " KiB free, the files need "
                        "%" PRIu64,
                        have >> 10, need >> 10);
    return 0;
}

static struct guest_new
new_item(const struct item *item, bool directory)
{
    return (struct guest_new){ .path = item->node.path,
                               .directory = directory,
                               .data = item->data,
                               .len = item->len,
                               .sd = item->sd.data,
                               .sd_len = item->sd.len };
}

/* What is to be made, in order: directories that are there stay as they are. */
static int
list_new(const struct plan *plan, struct guest_new **ret, size_t *ret_count,
         struct v2v_error *err)
{
    struct guest_new *items =
        calloc(plan->dir_count + plan->file_count, sizeof *items);
    size_t count = 0;

    if (items == NULL)
        return v2v_fail_errno(err, errno, "list of files");
    for (size_t i = 0; i < plan->dir_count; i++)
        if (!plan->dirs[i].node.stat.exists)
            items[count++] = new_item(&plan->dirs[i], true);
    for (size_t i = 0; i < plan->file_count; i++)
        items[count++] = new_item(&plan->files[i], false);
    *ret = items;
    *ret_count = count;
    return 0;
}

/* tar only warns when an extended attribute cannot be set, and ntfs-3g gives
 * a file without one to Everyone. */
static int
verify_item(struct guest *guest, const struct guest_new *item,
            struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes sd = { 0 };
    V2V_AUTO(guest_node) struct guest_node now = { 0 };

    if (guest_resolve(guest, item->path, &now, err) < 0)
        return -1;
    if (!now.stat.exists || now.stat.reparse ||
        now.stat.is_dir != item->directory ||
        (!item->directory && now.stat.size != item->len))
        return v2v_fail(err, V2V_ERR_INTERNAL, "%s: not as written",
                        item->path);
    if (read_sd(guest, &now, &sd, err) < 0)
        return -1;
    if (sd.len != item->sd_len ||
        (sd.len > 0 && memcmp(sd.data, item->sd, sd.len) != 0))
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "%s: its security descriptor is not as written",
                        item->path);
    return 0;
}

int
guest_write_files(struct guest *guest, const struct guest_file *files,
                  size_t count, struct v2v_error *err)
{
    V2V_AUTO(plan) struct plan plan = { 0 };
    V2V_AUTO(mem) struct guest_new *items = NULL;
    size_t item_count;

    if (count == 0)
        return 0;
    if (guest_check_mounted(guest, err) < 0 ||
        make_plan(guest, files, count, &plan, err) < 0 ||
        check_space(guest, &plan, err) < 0 ||
        list_new(&plan, &items, &item_count, err) < 0 ||
        guest->backend->make(guest->state, items, item_count, err) < 0)
        return -1;
    for (size_t i = 0; i < item_count; i++)
        if (verify_item(guest, &items[i], err) < 0)
            return -1;
    return 0;
}
