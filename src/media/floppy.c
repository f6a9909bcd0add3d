/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A floppy image as a medium.  It is small: it is read for each use, so that
 * nothing of it stays in memory. */
#include <errno.h>
#include <sys/stat.h>

#include "base/text.h"
#include "media/fat.h"
#include "media/medium.h"

struct walk {
    struct media *m;
    const struct fat *fat;
    size_t count;                                       /* entries seen */
    bool entered[FAT_FIRST_CLUSTER + FAT_MAX_CLUSTERS]; /* directories */
};

bool
media_is_floppy(int fd, off_t size)
{
    uint8_t sector[FAT_BOOT_SECTOR];

    return size > 0 && size <= FAT_MAX_SIZE &&
           pread(fd, sector, sizeof sector, 0) == sizeof sector &&
           fat_is_boot_sector(sector);
}

static int
read_image(const struct media *m, struct v2v_bytes *image, struct fat *ret,
           struct v2v_error *err)
{
    uint8_t buffer[65536];
    ssize_t n;

    while ((n = pread(m->fd, buffer, sizeof buffer, (off_t)image->len)) > 0) {
        if (image->len + (size_t)n > FAT_MAX_SIZE)
            return v2v_fail(err, V2V_ERR_INTERNAL, "changed while in use");
        if (v2v_bytes_add(image, buffer, (size_t)n, err) < 0)
            return -1;
    }
    if (n < 0)
        return v2v_fail_errno(err, errno, "read");
    return fat_open(image->data, image->len, ret, err);
}

static int walk_folder(struct walk *walk, unsigned cluster, const char *prefix,
                       int depth, struct v2v_error *err);

/* The place of its directory entry tells one file from another. */
static int
walk_entry(struct walk *walk, const struct fat_entry *entry, const char *prefix,
           int depth, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *path = v2v_format(err, "%s%s%s", prefix, prefix[0] != '\0' ? "/" : "",
                            entry->name);

    if (path == NULL)
        return -1;
    if (walk->count++ == MEDIA_MAX_ENTRIES)
        return v2v_fail(err, V2V_ERR_FORMAT, "more than %d entries",
                        MEDIA_MAX_ENTRIES);
    if (entry->is_directory)
        return walk_folder(walk, entry->cluster, path, depth + 1, err);
    return media_add(walk->m, path, entry->size, entry->place, NULL, err);
}

static int
walk_folder(struct walk *walk, unsigned cluster, const char *prefix, int depth,
            struct v2v_error *err)
{
    struct fat_cursor cursor;
    struct fat_entry entry;
    int more;

    /* the deepest folder still has files, whose paths have a part more */
    if (depth >= MEDIA_MAX_DEPTH)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "folders are more than %d deep: %.60s...",
                        MEDIA_MAX_DEPTH - 1, prefix);
    if (fat_directory(walk->fat, cluster, &cursor, err) < 0)
        return v2v_fail_in(err, "%s", prefix);
    if (walk->entered[cluster])
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "damaged: %s is another folder's cluster", prefix);
    walk->entered[cluster] = true;
    while ((more = fat_next(walk->fat, &cursor, &entry, err)) > 0) {
        int result = walk_entry(walk, &entry, prefix, depth, err);

        free(entry.name);
        if (result < 0)
            return -1;
    }
    return more < 0 ? v2v_fail_in(err, "%s", prefix) : 0;
}

static int
list(struct media *m, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes image = { 0 };
    struct fat fat;
    struct walk walk = { .m = m, .fat = &fat };

    if (read_image(m, &image, &fat, err) < 0)
        return -1;
    return walk_folder(&walk, 0, "", 0, err);
}

static int
load(struct media *m, const struct media_wish *wishes, size_t count,
     struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes image = { 0 };
    struct fat fat;

    if (read_image(m, &image, &fat, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (fat_read(&fat, wishes[i].ordinal, wishes[i].ret, err) < 0)
            return v2v_fail_in(err, "%s", wishes[i].stored);
        if (wishes[i].ret->len != wishes[i].size)
            return v2v_fail(err, V2V_ERR_INTERNAL, "changed while in use");
    }
    return 0;
}

const struct media_kind media_floppy = { .list = list, .load = load };
