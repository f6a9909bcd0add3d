/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree-guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "disk/ntfs.h"
#include "guest/backend.h"
#include "guest/internal.h"

struct tree_disk {
    int fd;
    uint64_t size;
    int plain; /* of a volume that was opened; -1: none */
    uint64_t plain_offset, plain_len; /* its place */
};

struct tree {
    char *dir;
    struct tree_disk *disks;
    unsigned disk_count;
    struct guest_keys keys;
    /* the mounted volume */
    char *root; /* its folder */
    bool write;
    uint64_t len; /* bytes of its partition */
};

static int
read_disk(void *opaque, uint64_t offset, void *buf, size_t len,
          struct v2v_error *err)
{
    const struct tree_disk *disk = opaque;
    bool plain = disk->plain >= 0 && offset >= disk->plain_offset &&
                 offset < disk->plain_offset + disk->plain_len;

    if (plain ? pread(disk->plain, buf, len,
                      (off_t)(offset - disk->plain_offset)) != (ssize_t)len
              : pread(disk->fd, buf, len, (off_t)offset) != (ssize_t)len)
        return v2v_fail(err, V2V_ERR_FORMAT, "the disk ends at byte %" PRIu64,
                        offset);
    return 0;
}

static int
open_disk(void *state, unsigned disk, struct disk_reader *ret,
          struct v2v_error *err)
{
    const struct tree *tree = state;

    (void)err;
    *ret = (struct disk_reader){ .read = read_disk,
                                 .opaque = &tree->disks[disk],
                                 .size = tree->disks[disk].size };
    return 0;
}

/* ---- volumes ---- */

/* DIR/0-1.raw; NULL and @err */
static char *
name_beside(const struct tree *tree, unsigned disk, unsigned partition,
            const char *suffix, struct v2v_error *err)
{
    return v2v_format(err, "%s/%u-%u.%s", tree->dir, disk, partition, suffix);
}

static int
unlock(void *state, unsigned disk, const struct disk_volume *volume,
       const char *key, bool *opened, struct v2v_error *err)
{
    struct tree *tree = state;
    struct tree_disk *to = &tree->disks[disk];
    V2V_AUTO(mem)
    char *raw = name_beside(tree, disk, volume->number, "raw", err);
    V2V_AUTO(mem)
    char *name = name_beside(tree, disk, volume->number, "key", err);
    V2V_AUTO(bytes) struct v2v_bytes right = { 0 };

    if (raw == NULL || name == NULL ||
        v2v_file_read(name, 100, &right, err) < 0)
        return v2v_fail(err, V2V_ERR_GUEST, "BitLocker: cannot be opened");
    *opened =
        right.len == strlen(key) && memcmp(right.data, key, right.len) == 0;
    if (!*opened)
        return 0;
    to->plain = open(raw, O_RDONLY | O_CLOEXEC);
    if (to->plain < 0)
        return v2v_fail_errno(err, errno, "%s", raw);
    to->plain_offset = volume->offset;
    to->plain_len = volume->len;
    return 0;
}

/* An open journal: libguestfs' ntfs-3g would not write there either. */
static int
check_writable(const struct disk_reader *disk, const struct disk_volume *volume,
               struct v2v_error *err)
{
    struct ntfs_state ntfs;

    if (ntfs_state_read(disk, volume->offset, volume->len, &ntfs, err) < 0)
        return -1;
    if (ntfs.journal != NTFS_JOURNAL_CLEAN &&
        ntfs.journal != NTFS_JOURNAL_EMPTY)
        return v2v_fail(err, V2V_ERR_GUEST, "the volume cannot be written");
    return 0;
}

static const struct disk_volume *
find_volume(const struct disk_layout *layout, unsigned partition,
            enum disk_content content)
{
    for (size_t i = 0; i < layout->count; i++)
        if (layout->volumes[i].number == partition &&
            layout->volumes[i].content == content)
            return &layout->volumes[i];
    return NULL;
}

static int
mount_volume(void *state, unsigned disk, unsigned partition, enum guest_fs fs,
             bool write, struct v2v_error *err)
{
    static const enum disk_content contents[] = {
        [GUEST_NTFS] = DISK_NTFS, [GUEST_FAT] = DISK_FAT
    };
    struct tree *tree = state;
    V2V_AUTO(mem)
    char *root = v2v_format(err, "%s/%u-%u", tree->dir, disk, partition);
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    const struct disk_volume *volume;
    struct disk_reader reader;
    struct stat st;

    if (root == NULL || disk >= tree->disk_count ||
        open_disk(tree, disk, &reader, err) < 0 ||
        disk_probe(&reader, &layout, err) < 0)
        return -1;
    volume = find_volume(&layout, partition, contents[fs]);
    if (volume == NULL || stat(root, &st) < 0 || !S_ISDIR(st.st_mode))
        return v2v_fail(err, V2V_ERR_GUEST, "cannot mount it (%s): no %s",
                        disk_content_name(contents[fs]),
                        volume == NULL ? "such volume" : "folder of its files");
    if (write && check_writable(&reader, volume, err) < 0)
        return -1;
    tree->root = v2v_steal(root);
    tree->write = write;
    tree->len = volume->len;
    return 0;
}

static int
unmount_volume(void *state, struct v2v_error *err)
{
    struct tree *tree = state;

    (void)err;
    free(v2v_steal(tree->root));
    return 0;
}

static int
free_space(void *state, uint64_t *ret, struct v2v_error *err)
{
    static const uint64_t cluster = 4096;
    const struct tree *tree = state;
    char *const roots[] = { tree->root, NULL };
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    uint64_t used = 0;

    if (walk == NULL)
        return v2v_fail_errno(err, errno, "%s", tree->root);
    for (const FTSENT *at; (at = fts_read(walk)) != NULL;)
        if (at->fts_info == FTS_F)
            used += ((uint64_t)at->fts_statp->st_size + cluster - 1) / cluster *
                    cluster;
    fts_close(walk);
    *ret = used < tree->len ? tree->len - used : 0;
    return 0;
}

/* ---- reading ---- */

/* Where the host has it. */
static char *
host_path(const struct tree *tree, const char *path, struct v2v_error *err)
{
    return v2v_format(err, "%s%s", tree->root, path);
}

static int
stat_exactly(const struct tree *tree, struct guest_node *node,
             struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = host_path(tree, node->path, err);
    struct stat st;

    if (path == NULL)
        return -1;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : v2v_fail_errno(err, errno, "%s", path);
    node->stat = (struct guest_stat){
        .exists = true,
        .is_dir = S_ISDIR(st.st_mode),
        .reparse = !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode),
        .size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0,
        .file_number = st.st_ino
    };
    return 0;
}

static int
list_names(void *state, const struct guest_node *dir, struct v2v_strings *ret,
           struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = host_path(state, dir->path, err);
    DIR *stream = path != NULL ? opendir(path) : NULL;
    int rc = 0;

    if (stream == NULL)
        return v2v_fail_errno(err, errno, "%s", dir->path);
    for (const struct dirent *at; rc == 0 && (at = readdir(stream)) != NULL;)
        if (strcmp(at->d_name, ".") != 0 && strcmp(at->d_name, "..") != 0)
            rc = ret->count < GUEST_LIST_MAX
                     ? v2v_strings_add(ret, at->d_name, err)
                     : v2v_fail(err, V2V_ERR_GUEST, "more than %d names",
                                GUEST_LIST_MAX);
    closedir(stream);
    return rc;
}

/* The name in the directory's own spelling; as it is when it is absent. */
static int
spell(void *state, const struct guest_node *dir, const char *name, char **ret,
      struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (list_names(state, dir, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (v2v_equal_nocase(names.items[i], name))
            name = names.items[i];
    *ret = guest_child_path(dir->path, name, err);
    return *ret == NULL ? -1 : 0;
}

static int
lookup(void *state, const struct guest_node *dir, const char *name,
       struct guest_node *ret, struct v2v_error *err)
{
    V2V_AUTO(guest_node) struct guest_node node = { 0 };

    node.path = guest_child_path(dir->path, name, err);
    if (node.path == NULL || stat_exactly(state, &node, err) < 0)
        return -1;
    if (!node.stat.exists) {
        free(v2v_steal(node.path));
        if (spell(state, dir, name, &node.path, err) < 0 ||
            stat_exactly(state, &node, err) < 0)
            return -1;
    }
    *ret = node;
    node = (struct guest_node){ 0 };
    return 0;
}

static int
read_whole(void *state, const struct guest_node *file, struct v2v_bytes *ret,
           struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = host_path(state, file->path, err);

    return path == NULL ? -1 : v2v_file_read(path, GUEST_FILE_MAX, ret, err);
}

static int
copy_whole(void *state, const struct guest_node *file, int fd,
           struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };

    if (read_whole(state, file, &bytes, err) < 0)
        return -1;
    if (v2v_fd_write(fd, bytes.data, bytes.len) < 0)
        return v2v_fail_errno(err, errno, "%s", file->path);
    return 0;
}

static int
read_head(void *state, const struct guest_node *file, size_t len,
          struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = host_path(state, file->path, err);
    V2V_AUTO(mem) char *data = malloc(len + 1);
    V2V_AUTO(fd) int fd = -1;
    ssize_t got;

    if (path == NULL || data == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    got = pread(fd, data, len, 0);
    if (got < 0)
        return v2v_fail_errno(err, errno, "%s", path);
    return v2v_bytes_copy(data, (size_t)got, ret, err);
}

/* ---- writing ---- */

static int
check_written(const struct tree *tree, struct v2v_error *err)
{
    if (!tree->write)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "the volume is mounted to be read only");
    return 0;
}

/* A file that is replaced: hard links elsewhere keep the old content. */
static int
make_item(const char *path, const struct guest_new *item)
{
    V2V_AUTO(fd) int fd = -1;

    if (item->directory)
        return mkdir(path, 0777);
    if (unlink(path) < 0 && errno != ENOENT)
        return -1;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return fd < 0 ? -1 : v2v_fd_write(fd, item->data, item->len);
}

static int
make(void *state, const struct guest_new *items, size_t count,
     struct v2v_error *err)
{
    if (check_written(state, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        V2V_AUTO(mem) char *path = host_path(state, items[i].path, err);

        if (path == NULL)
            return -1;
        if (make_item(path, &items[i]) < 0)
            return v2v_fail_errno(err, errno, "%s", path);
    }
    return 0;
}

static int
write_at(void *state, const struct guest_node *file, const uint8_t *data,
         size_t len, uint64_t offset, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = host_path(state, file->path, err);
    V2V_AUTO(fd) int fd = -1;

    if (path == NULL || check_written(state, err) < 0)
        return -1;
    fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || lseek(fd, (off_t)offset, SEEK_SET) < 0 ||
        v2v_fd_write(fd, data, len) < 0)
        return v2v_fail_errno(err, errno, "%s", path);
    return 0;
}

static int
truncate_file(void *state, const struct guest_node *file, uint64_t len,
              struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = host_path(state, file->path, err);

    if (path == NULL || check_written(state, err) < 0)
        return -1;
    if (truncate(path, (off_t)len) < 0)
        return v2v_fail_errno(err, errno, "%s", path);
    return 0;
}

static int
holds(void *state, const struct guest_node *file, const uint8_t *data,
      size_t len, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes now = { 0 };

    if (read_whole(state, file, &now, err) < 0)
        return -1;
    if (now.len != len || (len > 0 && memcmp(now.data, data, len) != 0))
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "it does not hold what was written");
    return 0;
}

/* ---- the guest ---- */

static int
close_tree(void *state, struct v2v_error *err)
{
    (void)state;
    (void)err;
    return 0;
}

static void
abandon(void *state)
{
    struct tree *tree = state;

    for (unsigned i = 0; i < tree->disk_count; i++) {
        close(tree->disks[i].fd);
        if (tree->disks[i].plain >= 0)
            close(tree->disks[i].plain);
    }
    guest_keys_done(&tree->keys);
    free(tree->disks);
    free(tree->root);
    free(tree->dir);
    free(tree);
}

static const struct guest_backend tree_backend = {
    .name = "folders",
    .disk = open_disk,
    .unlock = unlock,
    .mount = mount_volume,
    .unmount = unmount_volume,
    .free_space = free_space,
    .lookup = lookup,
    .list = list_names,
    .read = read_whole,
    .copy = copy_whole,
    .head = read_head,
    .make = make,
    .write_at = write_at,
    .truncate = truncate_file,
    .holds = holds,
    .close = close_tree,
    .abandon = abandon,
};

/* The disks that are there, numbered from 0. */
static int
open_disks(struct tree *tree, struct v2v_error *err)
{
    for (;;) {
        V2V_AUTO(mem)
        char *path =
            v2v_format(err, "%s/disk%u.raw", tree->dir, tree->disk_count);
        int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        struct tree_disk *disks;
        struct stat st;

        if (fd < 0 && path != NULL && tree->disk_count > 0)
            return 0;
        if (fd < 0)
            return v2v_fail(err, V2V_ERR_USAGE, "%s/disk0.raw: %s", tree->dir,
                            strerror(errno));
        disks = reallocarray(tree->disks, tree->disk_count + 1, sizeof *disks);
        if (disks == NULL || fstat(fd, &st) < 0) {
            close(fd);
            return v2v_fail_errno(err, errno, "%s", path);
        }
        tree->disks = disks;
        disks[tree->disk_count++] = (struct tree_disk){
            .fd = fd, .size = (uint64_t)st.st_size, .plain = -1
        };
    }
}

static int
add_key(struct tree *tree, const char *name, unsigned disk, unsigned partition,
        const char *text, struct v2v_error *err)
{
    struct guest_key *key = guest_keys_add(&tree->keys, err);

    if (key == NULL)
        return -1;
    key->kind = strcmp(name, "all") == 0 ? GUEST_KEY_ALL
                : bitlocker_is_id(name)  ? GUEST_KEY_ID
                                         : GUEST_KEY_PLACE;
    key->disk = disk;
    key->partition = partition;
    key->name = v2v_strdup(name, err);
    key->text = v2v_strdup(text, err);
    return key->name == NULL || key->text == NULL ? -1 : 0;
}

static int
read_keys(struct tree *tree, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = v2v_format(err, "%s/keys", tree->dir);
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    char name[100], text[100];
    unsigned disk, partition;
    int rc = 0;

    while (rc == 0 && file != NULL &&
           fscanf(file, "%99s %u %u %99s", name, &disk, &partition, text) == 4)
        rc = add_key(tree, name, disk, partition, text, err);
    if (file != NULL)
        fclose(file);
    return rc;
}

int
tree_guest_open(const char *dir, struct guest **ret, struct v2v_error *err)
{
    struct tree *tree = calloc(1, sizeof *tree);

    if (tree == NULL)
        return v2v_fail_errno(err, errno, "tree");
    tree->dir = v2v_strdup(dir, err);
    if (tree->dir == NULL || open_disks(tree, err) < 0 ||
        read_keys(tree, err) < 0) {
        abandon(tree);
        return -1;
    }
    if (guest_new(&tree_backend, tree, tree->disk_count, ret, err) < 0)
        return -1;
    (*ret)->keys = &tree->keys;
    return 0;
}
