/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The door to hivex, but for apply.c. */
#include "registry/hive.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "registry/check.h"
#include "registry/header.h"
#include "registry/hive-private.h"

/* hivex takes file names only: an anonymous file has one under /proc. */
struct anonymous_file {
    int fd;
    char path[32];
};

static int
anonymous_file_new(struct anonymous_file *ret, struct v2v_error *err)
{
    ret->fd = memfd_create("hive", MFD_CLOEXEC);
    if (ret->fd < 0)
        return v2v_fail_errno(err, errno, "memory for a registry hive");
    snprintf(ret->path, sizeof ret->path, "/proc/self/fd/%d", ret->fd);
    return 0;
}

static void
hivex_hive_free(struct hivex_hive *hive)
{
    if (hive == NULL)
        return;
    if (hive->h != NULL)
        hivex_close(hive->h);
    free(hive);
}
V2V_AUTO_DEFINE(hivex_hive, struct hivex_hive *, hivex_hive_free)

static int
open_with_hivex(const struct anonymous_file *file, struct hivex_hive **ret,
                struct v2v_error *err)
{
    V2V_AUTO(hivex_hive) struct hivex_hive *hive = calloc(1, sizeof *hive);

    if (hive == NULL)
        return v2v_fail_errno(err, errno, "registry hive");
    hive->h = hivex_open(file->path, HIVEX_OPEN_WRITE);
    if (hive->h == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "corrupt registry hive: %s",
                        errno == 0 ? "hivex refuses it" : strerror(errno));
    hive->root = hivex_root(hive->h);
    if (hive->root == 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "corrupt registry hive: no root key");
    *ret = v2v_steal(hive);
    return 0;
}

static int
check_saved(const struct v2v_bytes *bytes, struct v2v_error *err)
{
    struct reg_header header;

    if (reg_header_read(bytes->data, bytes->len, &header, err) < 0 ||
        reg_hive_check(bytes->data, bytes->len, err) < 0) {
        err->code = V2V_ERR_INTERNAL;
        return v2v_fail_in(err, "what hivex would write");
    }
    return 0;
}

static int
save(struct reg_hive *base, struct v2v_bytes *ret, struct v2v_error *err)
{
    struct hivex_hive *hive = hivex_hive_of(base);
    struct anonymous_file file;
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
    int result = 0;

    if (anonymous_file_new(&file, err) < 0)
        return -1;
    if (hivex_commit(hive->h, file.path, 0) < 0)
        result = v2v_fail_errno(err, errno, "saving a registry hive");
    if (result == 0)
        result = v2v_file_read(file.path, SIZE_MAX, &bytes, err);
    close(file.fd);
    if (result < 0 || check_saved(&bytes, err) < 0)
        return -1;
    v2v_bytes_done(ret);
    *ret = bytes;
    bytes = (struct v2v_bytes){ 0 };
    return 0;
}

int
reg_next_part(const char **path, char **ret, struct v2v_error *err)
{
    size_t len = strcspn(*path, "\\");

    *ret = v2v_strndup(*path, len, err);
    if (*ret == NULL)
        return -1;
    *path += len + ((*path)[len] == '\\');
    return 0;
}

static int
damaged(const char *key, struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_FORMAT, "%s: the hive is damaged there: %s",
                    key, strerror(errno));
}

int
reg_node_find(struct hivex_hive *hive, const char *key, hive_node_h *ret,
              struct v2v_error *err)
{
    hive_node_h node = hive->root;

    for (const char *rest = key; node != 0 && *rest != '\0';) {
        V2V_AUTO(mem) char *part = NULL;

        if (reg_next_part(&rest, &part, err) < 0)
            return -1;
        errno = 0;
        node = hivex_node_get_child(hive->h, node, part);
        /* absent is 0 with errno 0 */
        if (node == 0 && errno != 0)
            return damaged(key, err);
    }
    *ret = node;
    return 0;
}

static int
need_node(struct hivex_hive *hive, const char *key, hive_node_h *ret,
          struct v2v_error *err)
{
    if (reg_node_find(hive, key, ret, err) < 0)
        return -1;
    if (*ret == 0)
        return v2v_fail(err, V2V_ERR_NOT_FOUND, "%s: no such key", key);
    return 0;
}

static int
has_key(struct reg_hive *base, const char *key, struct v2v_error *err)
{
    struct hivex_hive *hive = hivex_hive_of(base);
    hive_node_h node;

    if (reg_node_find(hive, key, &node, err) < 0)
        return -1;
    return node != 0;
}

/* The names of keys or values, whose handles end in 0; takes over @handles. */
static int
add_names(struct hivex_hive *hive, const char *key, size_t *handles,
          char *(*name_of)(hive_h *, size_t), struct v2v_strings *ret,
          struct v2v_error *err)
{
    V2V_AUTO(mem) size_t *list = handles;

    if (list == NULL)
        return damaged(key, err);
    for (size_t i = 0; list[i] != 0; i++) {
        V2V_AUTO(mem) char *name = name_of(hive->h, list[i]);

        if (name == NULL)
            return damaged(key, err);
        if (v2v_strings_add(ret, name, err) < 0)
            return -1;
    }
    return 0;
}

static int
children(struct reg_hive *base, const char *key, struct v2v_strings *ret,
         struct v2v_error *err)
{
    struct hivex_hive *hive = hivex_hive_of(base);
    hive_node_h node;

    if (need_node(hive, key, &node, err) < 0)
        return -1;
    return add_names(hive, key, hivex_node_children(hive->h, node),
                     hivex_node_name, ret, err);
}

static int
value_names(struct reg_hive *base, const char *key, struct v2v_strings *ret,
            struct v2v_error *err)
{
    struct hivex_hive *hive = hivex_hive_of(base);
    hive_node_h node;

    if (need_node(hive, key, &node, err) < 0)
        return -1;
    return add_names(hive, key, hivex_node_values(hive->h, node),
                     hivex_value_key, ret, err);
}

static int
get(struct reg_hive *base, const char *key, const char *name, uint32_t *type,
    struct v2v_bytes *data, struct v2v_error *err)
{
    struct hivex_hive *hive = hivex_hive_of(base);
    V2V_AUTO(mem) char *bytes = NULL;
    hive_value_h value;
    hive_node_h node;
    hive_type t = hive_t_none;
    size_t len = 0;

    if (need_node(hive, key, &node, err) < 0)
        return -1;
    errno = 0;
    value = hivex_node_get_value(hive->h, node, name);
    if (value == 0 && errno != 0)
        return damaged(key, err);
    if (value == 0)
        return v2v_fail(err, V2V_ERR_NOT_FOUND, "%s: no value \"%s\"", key,
                        name);
    bytes = hivex_value_value(hive->h, value, &t, &len);
    if (bytes == NULL)
        return damaged(key, err);
    v2v_bytes_done(data);
    *type = (uint32_t)t;
    return v2v_bytes_copy(bytes, len, data, err);
}

static int
answered(struct reg_hive *base, struct v2v_error *err)
{
    (void)base;
    (void)err;
    return 0;
}

static void
limit(struct reg_hive *base, uint64_t max)
{
    hivex_hive_of(base)->max = max;
}

static void
close_hive(struct reg_hive *base)
{
    hivex_hive_free(hivex_hive_of(base));
}

static const struct reg_hive_backend with_hivex = {
    .has_key = has_key,
    .children = children,
    .value_names = value_names,
    .get = get,
    .answered = answered,
    .limit = limit,
    .apply = reg_hivex_apply,
    .save = save,
    .close = close_hive,
};

/* The conversions that hivex 1.3.23 asks for (lib/utf16.c); the C library keeps
 * a module while something uses it. */
void
reg_hive_preload(void)
{
    static const char *const names[][2] = { { "UTF-8", "LATIN1" },
                                            { "LATIN1", "UTF-8" },
                                            { "UTF-8", "UTF-16LE" },
                                            { "UTF-16LE", "UTF-8" } };
    static iconv_t loaded[sizeof names / sizeof *names];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (loaded[i] == NULL)
            loaded[i] = iconv_open(names[i][0], names[i][1]);
}

int
reg_hive_open(const void *data, size_t len, struct reg_hive **ret,
              struct v2v_error *err)
{
    struct anonymous_file file;
    struct hivex_hive *hive = NULL;
    struct reg_header header;
    int result;

    if (reg_header_read(data, len, &header, err) < 0 ||
        reg_hive_check(data, len, err) < 0 ||
        anonymous_file_new(&file, err) < 0)
        return -1;
    if (v2v_fd_write(file.fd, data, len) < 0)
        result = v2v_fail_errno(err, errno, "memory for a registry hive");
    else
        result = open_with_hivex(&file, &hive, err);
    close(file.fd);
    if (result < 0)
        return -1;
    hive->base.backend = &with_hivex;
    hive->len = len;
    hive->max = REG_HIVE_MAX;
    *ret = &hive->base;
    return 0;
}
