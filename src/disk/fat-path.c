/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/cleanup.h"
#include "disk/fat.h"

static const struct fat_entry root = { .is_directory = true };

static bool
is_called(const struct fat_entry *entry, const char *name)
{
    return v2v_equal_nocase(entry->name, name) ||
           v2v_equal_nocase(entry->short_name, name);
}

/* A name in a directory: 1 and its entry, or 0. */
static int
find(struct fat *fat, const struct fat_entry *dir, const char *name,
     struct fat_entry *ret, struct v2v_error *err)
{
    struct fat_cursor cursor;
    struct fat_entry entry;
    int more;

    if (fat_directory(fat, dir->cluster, &cursor, err) < 0)
        return -1;
    while ((more = fat_next(fat, &cursor, &entry, err)) > 0) {
        if (is_called(&entry, name)) {
            *ret = entry;
            return 1;
        }
        free(entry.name);
    }
    return more;
}

/* What is at the first names of @path, up to @len bytes; @ret's name is not
 * kept. */
static int
walk(struct fat *fat, const char *path, size_t len, struct fat_entry *ret,
     struct v2v_error *err)
{
    struct fat_entry at = root;
    size_t pos = 0;

    while ((pos += strspn(path + pos, "/")) < len) {
        size_t n = strcspn(path + pos, "/");
        V2V_AUTO(mem) char *name = v2v_strndup(path + pos, n, err);
        int found;

        if (name == NULL)
            return -1;
        if (!at.is_directory)
            return v2v_fail(err, V2V_ERR_GUEST, "%.*s is not a directory",
                            (int)pos - 1, path);
        found = find(fat, &at, name, &at, err);
        if (found < 0)
            return -1;
        if (found == 0)
            return v2v_fail(err, V2V_ERR_NOT_FOUND, "%s is absent", name);
        free(v2v_steal(at.name));
        pos += n;
    }
    *ret = at;
    return 0;
}

static int
open_directory(struct fat *fat, const char *path, struct fat_entry *ret,
               struct v2v_error *err)
{
    if (walk(fat, path, strlen(path), ret, err) < 0)
        return -1;
    return ret->is_directory
               ? 0
               : v2v_fail(err, V2V_ERR_GUEST, "%s is not a directory", path);
}

int
fat_lookup(struct fat *fat, const char *dir, const char *name, char **ret_name,
           struct fat_entry *ret, struct v2v_error *err)
{
    struct fat_entry directory, entry = { .name = NULL };
    int found;

    if (open_directory(fat, dir, &directory, err) < 0 ||
        (found = find(fat, &directory, name, &entry, err)) < 0)
        return v2v_fail_in(err, "%s", dir);
    *ret_name = found > 0 ? v2v_steal(entry.name) : v2v_strdup(name, err);
    if (*ret_name == NULL)
        return -1;
    *ret = entry;
    return found;
}

static int
add_name(struct v2v_strings *names, const struct fat_entry *entry, size_t *left,
         struct v2v_error *err)
{
    if ((*left)-- == 0)
        return v2v_fail(err, V2V_ERR_GUEST, "too many names");
    return v2v_strings_add(names, entry->name, err);
}

int
fat_list(struct fat *fat, const char *dir, size_t max, struct v2v_strings *ret,
         struct v2v_error *err)
{
    struct fat_entry directory, entry;
    struct fat_cursor cursor;
    int more;

    if (open_directory(fat, dir, &directory, err) < 0 ||
        fat_directory(fat, directory.cluster, &cursor, err) < 0)
        return v2v_fail_in(err, "%s", dir);
    while ((more = fat_next(fat, &cursor, &entry, err)) > 0) {
        int result = add_name(ret, &entry, &max, err);

        free(entry.name);
        if (result < 0)
            return v2v_fail_in(err, "%s", dir);
    }
    return more < 0 ? v2v_fail_in(err, "%s", dir) : 0;
}

int
fat_read(struct fat *fat, const char *path, uint64_t offset, size_t len,
         struct v2v_bytes *ret, struct v2v_error *err)
{
    struct fat_entry file;

    if (walk(fat, path, strlen(path), &file, err) < 0)
        return v2v_fail_in(err, "%s", path);
    if (file.is_directory)
        return v2v_fail(err, V2V_ERR_GUEST, "%s is a directory", path);
    if (fat_read_entry(fat, file.place, offset, len, ret, err) < 0)
        return v2v_fail_in(err, "%s", path);
    return 0;
}
