/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder as a medium.  Each part of a path is opened by itself and never
 * through a symbolic link, so that nothing outside the folder can be reached,
 * whoever changes it meanwhile. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "media/medium.h"

struct walk {
    struct media *m;
    size_t ordinal; /* entries seen, folders included */
};

static int walk_folder(struct walk *walk, int parent, const char *name,
                       const char *prefix, int depth, struct v2v_error *err);

static inline void
v2v_auto_dir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static int
walk_entry(struct walk *walk, int dir, const char *name, const char *prefix,
           int depth, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *path =
        v2v_format(err, "%s%s%s", prefix, prefix[0] != '\0' ? "/" : "", name);
    struct stat st;

    if (path == NULL)
        return -1;
    if (walk->ordinal++ == MEDIA_MAX_ENTRIES)
        return v2v_fail(err, V2V_ERR_FORMAT, "more than %d entries",
                        MEDIA_MAX_ENTRIES);
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return v2v_fail_errno(err, errno, "%s", path);
    if (S_ISDIR(st.st_mode))
        return walk_folder(walk, dir, name, path, depth + 1, err);
    if (S_ISREG(st.st_mode))
        return media_add(walk->m, path, (uint64_t)st.st_size, walk->ordinal,
                         NULL, err);
    if (S_ISLNK(st.st_mode))
        media_leave_out(&walk->m->symlinks, path);
    return 0;
}

/* @prefix: the path of this folder, "" for the medium itself */
static int
walk_folder(struct walk *walk, int parent, const char *name, const char *prefix,
            int depth, struct v2v_error *err)
{
    V2V_AUTO(dir) DIR *dir = NULL;
    struct dirent *entry;
    int fd;

    /* the deepest folder still has files, whose paths have a part more */
    if (depth >= MEDIA_MAX_DEPTH)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "folders are more than %d deep: %.60s...",
                        MEDIA_MAX_DEPTH - 1, prefix);
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return v2v_fail_errno(err, errno, "%s", prefix);
    dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return v2v_fail_errno(err, errno, "%s", prefix);
    }
    while (errno = 0, (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (walk_entry(walk, fd, entry->d_name, prefix, depth, err) < 0)
            return -1;
    }
    if (errno != 0)
        return v2v_fail_errno(err, errno, "%s", prefix);
    return 0;
}

static int
list(struct media *m, struct v2v_error *err)
{
    struct walk walk = { .m = m };

    return walk_folder(&walk, m->fd, ".", "", 0, err);
}

/* @path without its last part is opened folder by folder.
 * Returns a new descriptor of the file, or -1 and errno. */
static int
open_beneath(int root, const char *path)
{
    V2V_AUTO(mem) char *copy = strdup(path);
    V2V_AUTO(fd) int dir =
        openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *part = copy, *slash;

    while (part != NULL && dir >= 0 && (slash = strchr(part, '/')) != NULL) {
        int next;

        *slash = '\0';
        next =
            openat(dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(dir);
        dir = next;
        part = slash + 1;
    }
    if (part == NULL || dir < 0)
        return -1;
    /* not to wait for the writer of a FIFO */
    return openat(dir, part, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

static int
load_one(int root, const struct media_wish *wish, struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = open_beneath(root, wish->stored);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return v2v_fail_errno(err, errno, "cannot open");
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != wish->size)
        return v2v_fail(err, V2V_ERR_INTERNAL, "changed while in use");
    while (wish->ret->len < wish->size) {
        uint8_t buffer[65536];
        uint64_t left = wish->size - wish->ret->len;
        ssize_t n = read(fd, buffer,
                         left < sizeof buffer ? (size_t)left : sizeof buffer);

        if (n < 0)
            return v2v_fail_errno(err, errno, "read");
        if (n == 0)
            return v2v_fail(err, V2V_ERR_INTERNAL, "changed while in use");
        if (v2v_bytes_add(wish->ret, buffer, (size_t)n, err) < 0)
            return -1;
    }
    return 0;
}

static int
load(struct media *m, const struct media_wish *wishes, size_t count,
     struct v2v_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (load_one(m->fd, &wishes[i], err) < 0)
            return v2v_fail_in(err, "%s", wishes[i].stored);
    }
    return 0;
}

const struct media_kind media_folder = { .list = list, .load = load };
