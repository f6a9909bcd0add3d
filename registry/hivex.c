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
#include <sys/stat.h>
#include <unistd.h>

#include "registry/check.h"
#include "registry/header.h"
#include "registry/hive-private.h"

/* hivex takes file names only: what is open has one under /proc. */
struct proc_name {
    char path[32];
};

static struct proc_name
proc_name(int fd)
{
    struct proc_name name;

    snprintf(name.path, sizeof name.path, "/proc/self/fd/%d", fd);
    return name;
}

static void
hivex_hive_free(struct hivex_hive *hive)
{
    if (hive == NULL)
        return;
    if (hive->h != NULL)
        hivex_close(hive->h);
    if (hive->owns_fd)
        close(hive->fd);
    free(hive);
}
V2V_AUTO_DEFINE(hivex_hive, struct hivex_hive *, hivex_hive_free)

static int
open_with_hivex(struct hivex_hive *hive, int flags, struct v2v_error *err)
{
    hive_h *h = hivex_open(proc_name(hive->fd).path, flags);

    if (h == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "corrupt registry hive: %s",
                        errno == 0 ? "hivex refuses it" : strerror(errno));
    if (hive->h != NULL)
        hivex_close(hive->h);
    hive->h = h;
    hive->root = hivex_root(h);
    if (hive->root == 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "corrupt registry hive: no root key");
    return 0;
}

int
reg_hivex_make_writable(struct hivex_hive *hive, struct v2v_error *err)
{
    if (hive->writable)
        return 0;
    hive->writable = true;
    return open_with_hivex(hive, HIVEX_OPEN_WRITE, err);
}

static int
take_file(int fd, reg_take_fn *take, void *opaque, struct v2v_error *err)
{
    struct stat st;
    void *data;
    int result;

    if (fstat(fd, &st) < 0)
        return v2v_fail_errno(err, errno, "a registry hive");
    data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return v2v_fail_errno(err, errno, "a registry hive");
    result = take(opaque, data, (size_t)st.st_size, err);
    munmap(data, (size_t)st.st_size);
    return result;
}

static int
save(struct reg_hive *base, reg_take_fn *take, void *opaque,
     struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = memfd_create("hive", MFD_CLOEXEC);

    if (fd < 0)
        return v2v_fail_errno(err, errno, "memory for a registry hive");
    return reg_hive_commit(base, fd, err) < 0
               ? -1
               : take_file(fd, take, opaque, err);
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
reg_hive_commit(struct reg_hive *base, int fd, struct v2v_error *err)
{
    struct hivex_hive *hive = hivex_hive_of(base);

    if (reg_hivex_make_writable(hive, err) < 0)
        return -1;
    if (hivex_commit(hive->h, proc_name(fd).path, 0) < 0)
        return v2v_fail_errno(err, errno, "saving a registry hive");
    return 0;
}

static int
open_file(int fd, bool owns_fd, size_t len, struct reg_hive **ret,
          struct v2v_error *err)
{
    V2V_AUTO(hivex_hive) struct hivex_hive *hive = calloc(1, sizeof *hive);

    if (hive == NULL)
        return v2v_fail_errno(err, errno, "registry hive");
    *hive = (struct hivex_hive){
        .base = { &with_hivex }, .fd = fd, .len = len, .max = REG_HIVE_MAX
    };
    if (open_with_hivex(hive, 0, err) < 0)
        return -1;
    hive->owns_fd = owns_fd;
    *ret = &v2v_steal(hive)->base;
    return 0;
}

static int
check(const void *data, size_t len, struct v2v_error *err)
{
    struct reg_header header;

    return reg_header_read(data, len, &header, err) < 0
               ? -1
               : reg_hive_check(data, len, err);
}

int
reg_hive_open_file(int fd, const void *data, size_t len, struct reg_hive **ret,
                   struct v2v_error *err)
{
    return check(data, len, err) < 0 ? -1 : open_file(fd, false, len, ret, err);
}

int
reg_hive_open(const void *data, size_t len, struct reg_hive **ret,
              struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = -1;

    if (check(data, len, err) < 0)
        return -1;
    fd = memfd_create("hive", MFD_CLOEXEC);
    if (fd < 0 || v2v_fd_write(fd, data, len) < 0)
        return v2v_fail_errno(err, errno, "memory for a registry hive");
    if (open_file(fd, true, len, ret, err) < 0)
        return -1;
    fd = -1;
    return 0;
}
