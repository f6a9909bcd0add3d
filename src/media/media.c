/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "media/media.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/text.h"
#include "media/medium.h"

void
media_leave_out(struct media_left_out *what, const char *path)
{
    if (what->count++ == 0)
        snprintf(what->first, sizeof what->first, "%s", path);
}

/* '\' and ':' would be separators in the guest, where these names end up. */
static bool
is_safe_part(const char *part, size_t len)
{
    if (len == 0 || (len == 1 && part[0] == '.') ||
        (len == 2 && memcmp(part, "..", 2) == 0))
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)part[i];

        if (c < 0x20 || c == 0x7f || c == '\\' || c == ':')
            return false;
    }
    return true;
}

/* The number of parts, or 0 when one of them is unsafe. */
static size_t
count_safe_parts(const char *path)
{
    size_t count = 0;

    for (;;) {
        size_t len = strcspn(path, "/");

        if (!is_safe_part(path, len))
            return 0;
        count++;
        if (path[len] == '\0')
            return count;
        path += len + 1;
    }
}

static int
grow(struct media *m, struct v2v_error *err)
{
    size_t cap = m->cap > 0 ? 2 * m->cap : 256;
    struct media_entry *entries;

    if (m->count < m->cap)
        return 0;
    entries = realloc(m->entries, cap * sizeof *entries);
    if (entries == NULL)
        return v2v_fail_errno(err, errno, "list of files");
    m->entries = entries;
    m->cap = cap;
    return 0;
}

int
media_add(struct media *m, const char *path, uint64_t size, size_t ordinal,
          const char *link, struct v2v_error *err)
{
    V2V_AUTO(mem) char *own_path = NULL;
    V2V_AUTO(mem) char *own_link = NULL;
    size_t parts;

    if (strlen(path) > MEDIA_MAX_PATH)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "a path is longer than %d bytes: %.60s...",
                        MEDIA_MAX_PATH, path);
    parts = count_safe_parts(path);
    if (parts == 0) {
        media_leave_out(&m->unsafe, path);
        return 0;
    }
    if (parts > MEDIA_MAX_DEPTH)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "a path has more than %d parts: %.60s...",
                        MEDIA_MAX_DEPTH, path);

    own_path = v2v_strdup(path, err);
    if (own_path == NULL || grow(m, err) < 0)
        return -1;
    if (link != NULL && (own_link = v2v_strdup(link, err)) == NULL)
        return -1;
    m->entries[m->count++] = (struct media_entry){
        .file = { .path = own_path, .size = size },
        .path = own_path,
        .link = own_link,
        .ordinal = ordinal,
    };
    v2v_steal(own_path);
    v2v_steal(own_link);
    return 0;
}

static int
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

/* ASCII case only, as base/text.h compares. */
static int
compare_nocase(const char *a, const char *b)
{
    size_t i = 0;

    while (a[i] != '\0' && lower(a[i]) == lower(b[i]))
        i++;
    return lower(a[i]) - lower(b[i]);
}

/* Then bytes, so that names that differ in case only, which Rock Ridge
 * allows, have an order as well. */
static int
compare_paths(const char *a, const char *b)
{
    int result = compare_nocase(a, b);

    return result != 0 ? result : strcmp(a, b);
}

static int
compare_entries(const void *a, const void *b)
{
    return compare_paths(((const struct media_entry *)a)->path,
                         ((const struct media_entry *)b)->path);
}

static int
sort_entries(struct media *m, struct v2v_error *err)
{
    if (m->count > 0)
        qsort(m->entries, m->count, sizeof *m->entries, compare_entries);
    for (size_t i = 1; i < m->count; i++) {
        if (strcmp(m->entries[i - 1].path, m->entries[i].path) == 0)
            return v2v_fail(err, V2V_ERR_FORMAT, "%s is listed twice",
                            m->entries[i].path);
    }
    return 0;
}

static const struct media_entry *
find_entry(const struct media *m, char *path)
{
    const struct media_entry key = { .path = path };

    return bsearch(&key, m->entries, m->count, sizeof *m->entries,
                   compare_entries);
}

/* A hard link has neither size nor content of its own. */
static int
resolve_links(struct media *m, struct v2v_error *err)
{
    for (size_t i = 0; i < m->count; i++) {
        struct media_entry *entry = &m->entries[i];
        const struct media_entry *target;

        if (entry->link == NULL)
            continue;
        target = find_entry(m, entry->link);
        if (target == NULL || target->link != NULL)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "%s is a hard link to %s, which is not there",
                            entry->path, entry->link);
        entry->file.size = target->file.size;
        entry->ordinal = target->ordinal;
    }
    return 0;
}

static void
warn_of_left_out(const struct media *m)
{
    if (m->unsafe.count > 0)
        v2v_warn("media", "media-unsafe-name",
                 "%s: %zu files with unsafe names are left out, such as \"%s\"",
                 m->name, m->unsafe.count, m->unsafe.first);
    if (m->symlinks.count > 0)
        v2v_warn("media", "media-symlink",
                 "%s: %zu symbolic links are left out, such as \"%s\"", m->name,
                 m->symlinks.count, m->symlinks.first);
}

static int
open_file(struct media *m, struct v2v_error *err)
{
    struct stat st;

    /* not to wait for the writer of a FIFO */
    m->fd = open(m->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (m->fd < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s", strerror(errno));
    if (fstat(m->fd, &st) < 0)
        return v2v_fail_errno(err, errno, "fstat");
    if (S_ISDIR(st.st_mode))
        m->kind = &media_folder;
    else if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
        m->kind =
            media_is_floppy(m->fd, st.st_size) ? &media_floppy : &media_iso;
    else
        return v2v_fail(err, V2V_ERR_USAGE, "neither an image nor a folder");
    return 0;
}

int
media_open(const char *path, struct media **ret, struct v2v_error *err)
{
    V2V_AUTO(media) struct media *m = calloc(1, sizeof *m);

    if (m == NULL)
        return v2v_fail_errno(err, errno, "%s", path);
    m->fd = -1;
    m->name = v2v_strdup(path, err);
    if (m->name == NULL || open_file(m, err) < 0 || m->kind->list(m, err) < 0 ||
        sort_entries(m, err) < 0 || resolve_links(m, err) < 0) {
        v2v_error_name_class(err, V2V_ERR_FORMAT, "medium-unreadable");
        return v2v_fail_in(err, "%s", path);
    }
    warn_of_left_out(m);
    v2v_fact("media", "%s: %zu files", path, m->count);
    *ret = v2v_steal(m);
    return 0;
}

void
media_close(struct media *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->count; i++) {
        free(m->entries[i].path);
        free(m->entries[i].link);
    }
    free(m->entries);
    if (m->fd >= 0)
        close(m->fd);
    free(m->name);
    free(m);
}

size_t
media_lower_bound(const struct media *m, const char *path)
{
    size_t from = 0, to = m->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (compare_nocase(m->entries[middle].path, path) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const char *
media_name(const struct media *m)
{
    return m->name;
}

size_t
media_count(const struct media *m)
{
    return m->count;
}

const struct media_file *
media_at(const struct media *m, size_t i)
{
    assert(i < m->count);
    return &m->entries[i].file;
}

static int
compare_wishes(const void *a, const void *b)
{
    size_t x = ((const struct media_wish *)a)->ordinal;
    size_t y = ((const struct media_wish *)b)->ordinal;

    return x < y ? -1 : x > y;
}

static int
make_wishes(const struct media *m, const size_t *indexes, size_t count,
            struct v2v_bytes *ret, struct media_wish *wishes,
            struct v2v_error *err)
{
    uint64_t total = 0;

    for (size_t i = 0; i < count; i++) {
        const struct media_entry *entry;

        assert(indexes[i] < m->count);
        entry = &m->entries[indexes[i]];
        if (entry->file.size > MEDIA_MAX_FILE)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "%s: larger than %llu MiB, not loaded", entry->path,
                            (unsigned long long)(MEDIA_MAX_FILE >> 20));
        total += entry->file.size;
        if (total > MEDIA_MAX_LOAD)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "%s: more than %llu MiB in all, not loaded",
                            entry->path,
                            (unsigned long long)(MEDIA_MAX_LOAD >> 20));
        wishes[i] = (struct media_wish){
            .ordinal = entry->ordinal,
            .stored = entry->link != NULL ? entry->link : entry->path,
            .size = entry->file.size,
            .ret = &ret[i],
        };
    }
    qsort(wishes, count, sizeof *wishes, compare_wishes);
    return 0;
}

/* Hard links and repeats: load once, copy afterwards.  @wishes is moved
 * together so that each ordinal is there once, the others go to @copies. */
static size_t
split_repeats(struct media_wish *wishes, size_t count,
              struct media_wish *copies)
{
    size_t unique = 0;

    for (size_t i = 0; i < count; i++) {
        if (unique > 0 && wishes[unique - 1].ordinal == wishes[i].ordinal)
            copies[i - unique] = wishes[i];
        else
            wishes[unique++] = wishes[i];
    }
    return unique;
}

static int
copy_repeats(const struct media_wish *wishes, size_t unique,
             const struct media_wish *copies, size_t count,
             struct v2v_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct media_wish *from =
            bsearch(&copies[i], wishes, unique, sizeof *wishes, compare_wishes);

        assert(from != NULL);
        if (v2v_bytes_copy(from->ret->data, from->ret->len, copies[i].ret,
                           err) < 0)
            return -1;
    }
    return 0;
}

static int
load_all(struct media *m, const size_t *indexes, size_t count,
         struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) struct media_wish *wishes = NULL;
    V2V_AUTO(mem) struct media_wish *copies = NULL;
    size_t unique;

    wishes = calloc(count, sizeof *wishes);
    copies = calloc(count, sizeof *copies);
    if (wishes == NULL || copies == NULL)
        return v2v_fail_errno(err, errno, "list of files to load");
    if (make_wishes(m, indexes, count, ret, wishes, err) < 0)
        return -1;
    unique = split_repeats(wishes, count, copies);
    if (m->kind->load(m, wishes, unique, err) < 0)
        return -1;
    return copy_repeats(wishes, unique, copies, count - unique, err);
}

int
media_load(struct media *m, const size_t *indexes, size_t count,
           struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) struct v2v_bytes *loaded = NULL;

    if (count == 0)
        return 0;
    loaded = calloc(count, sizeof *loaded);
    if (loaded == NULL)
        return v2v_fail_errno(err, errno, "%s", m->name);
    if (load_all(m, indexes, count, loaded, err) < 0) {
        for (size_t i = 0; i < count; i++)
            v2v_bytes_done(&loaded[i]);
        return v2v_fail_in(err, "%s", m->name);
    }
    memcpy(ret, loaded, count * sizeof *ret);
    return 0;
}
