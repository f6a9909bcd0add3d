/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A floppy image as a medium. */
#include <errno.h>
#include <sys/stat.h>

#include "base/text.h"
#include "disk/fat.h"
#include "media/medium.h"

enum {
    MAX_SIZE = 6 << 20,  /* bytes: twice the largest that was made, 2.88 MB */
    MAX_CLUSTERS = 12288 /* of as many bytes, the smallest cluster being 512 */
};

struct walk {
    struct media *m;
    struct fat *fat;
    size_t count;                                   /* entries seen */
    bool entered[FAT_FIRST_CLUSTER + MAX_CLUSTERS]; /* directories */
};

bool
media_is_floppy(int fd, off_t size)
{
    uint8_t sector[FAT_BOOT_SECTOR];

    return size > 0 && size <= MAX_SIZE &&
           pread(fd, sector, sizeof sector, 0) == sizeof sector &&
           fat_is_boot_sector(sector);
}

static int
read_image(void *opaque, uint64_t offset, void *buf, size_t len,
           struct v2v_error *err)
{
    const struct media *m = opaque;
    ssize_t n = pread(m->fd, buf, len, (off_t)offset);

    if (n < 0)
        return v2v_fail_errno(err, errno, "read");
    return (size_t)n == len
               ? 0
               : v2v_fail(err, V2V_ERR_INTERNAL, "changed while in use");
}

static int
open_image(struct media *m, struct fat *ret, struct v2v_error *err)
{
    struct disk_reader disk = { .read = read_image, .opaque = m };
    struct stat st;

    if (fstat(m->fd, &st) < 0)
        return v2v_fail_errno(err, errno, "fstat");
    if (st.st_size > MAX_SIZE)
        return v2v_fail(err, V2V_ERR_INTERNAL, "changed while in use");
    disk.size = (uint64_t)st.st_size;
    return fat_open(&disk, 0, disk.size, ret, err);
}

static int walk_folder(struct walk *walk, uint32_t cluster, const char *prefix,
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
walk_folder(struct walk *walk, uint32_t cluster, const char *prefix, int depth,
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
    struct fat fat;
    struct walk walk = { .m = m, .fat = &fat };

    if (open_image(m, &fat, err) < 0)
        return -1;
    return walk_folder(&walk, 0, "", 0, err);
}

static int
load(struct media *m, const struct media_wish *wishes, size_t count,
     struct v2v_error *err)
{
    struct fat fat;

    if (open_image(m, &fat, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (fat_read_entry(&fat, wishes[i].ordinal, 0, MAX_SIZE, wishes[i].ret,
                           err) < 0)
            return v2v_fail_in(err, "%s", wishes[i].stored);
        if (wishes[i].ret->len != wishes[i].size)
            return v2v_fail(err, V2V_ERR_INTERNAL, "changed while in use");
    }
    return 0;
}

const struct media_kind media_floppy = { .list = list, .load = load };
