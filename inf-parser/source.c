/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a file of the package lies and where it goes.
 * Source: Microsoft, "INF SourceDisksNames Section", "INF SourceDisksFiles
 * Section", "INF DestinationDirs Section". */
#include <string.h>

#include "inf-parser/private.h"

/* A section and its keys, sorted. */
struct table {
    const struct inf_section *section;
    struct inf_index index;
};

/* Entries of the architecture's own section come before the generic one's. */
enum { OWN, GENERIC, TABLES };

struct inf_sources {
    struct table files[TABLES], disks[TABLES];
    struct table destinations;
};

enum { FILE_DISK, FILE_SUBDIR }; /* fields of SourceDisksFiles */
enum { DISK_CABINET = 1, DISK_PATH = 3, DISK_FLAGS = 4 }; /* ...Names */

static const uint32_t disk_flag_cabinet = 0x10;
static const uint32_t dirid_minus_one = UINT32_MAX;

/* Disk ids compare as numbers: "0x1" is "1". */
static const char *
normal_disk(struct inf_pool *pool, const char *id, struct v2v_error *err)
{
    V2V_AUTO(mem) char *text = NULL;
    uint32_t number;

    if (inf_integer(id, &number, NULL) < 0)
        return id;
    text = v2v_format(err, "%u", (unsigned)number);
    return text != NULL ? inf_pool_text(pool, text, err) : NULL;
}

static int
index_table(struct inf_pool *pool, const struct inf_file *inf, const char *name,
            bool by_number, struct table *ret, struct v2v_error *err)
{
    const struct inf_section *section = inf_section_find(inf, name);
    struct inf_index index = { 0 };

    ret->section = section;
    if (section == NULL)
        return 0;
    index.items = inf_pool_alloc(
        pool, (inf_line_count(section) + 1) * sizeof *index.items, err);
    if (index.items == NULL)
        return -1;
    for (size_t i = 0; i < inf_line_count(section); i++) {
        struct inf_line line = inf_line_at(inf, section, i);
        const char *key = line.key;

        if (key == NULL)
            continue;
        key = inf_pool_expand(pool, inf, key, err);
        if (key != NULL && by_number)
            key = normal_disk(pool, key, err);
        if (key == NULL)
            return v2v_fail_in(err, "[%s]", name);
        index.items[index.count++] =
            (struct inf_index_item){ key, (uint32_t)i };
    }
    inf_index_sort(&index);
    ret->index = index;
    return 0;
}

static bool
find_line(const struct inf_file *inf, const struct table *table,
          const char *key, struct inf_line *ret)
{
    int64_t found = inf_index_find(&table->index, key, strlen(key));

    if (found >= 0)
        *ret = inf_line_at(inf, table->section, (size_t)found);
    return found >= 0;
}

/* The architecture suffix has no "nt" here. */
static int
index_pair(struct inf_pool *pool, const struct inf_file *inf, const char *name,
           enum inf_arch arch, bool by_number, struct table *ret,
           struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *own = v2v_format(err, "%s.%s", name, inf_arch_name(arch));

    if (own == NULL ||
        index_table(pool, inf, own, by_number, &ret[OWN], err) < 0)
        return -1;
    return index_table(pool, inf, name, by_number, &ret[GENERIC], err);
}

int
inf_sources_new(struct inf_pool *pool, const struct inf_file *inf,
                enum inf_arch arch, struct inf_sources **ret,
                struct v2v_error *err)
{
    struct inf_sources *s = inf_pool_alloc(pool, sizeof *s, err);

    if (s == NULL ||
        index_pair(pool, inf, "SourceDisksFiles", arch, false, s->files, err) <
            0 ||
        index_pair(pool, inf, "SourceDisksNames", arch, true, s->disks, err) <
            0 ||
        index_table(pool, inf, "DestinationDirs", false, &s->destinations,
                    err) < 0)
        return -1;
    *ret = s;
    return 0;
}

/* Appends the parts of @text with @separator in front of each but the first.
 * A part that would leave the folder is refused: the path is joined to one of
 * the host's or the guest's. */
static int
add_parts(struct v2v_bytes *path, const char *text, char separator,
          struct v2v_error *err)
{
    for (size_t len; *text != '\0'; text += len) {
        text += strspn(text, "\\/");
        len = strcspn(text, "\\/");
        if (len == 0 || (len == 1 && *text == '.'))
            continue;
        if ((len == 2 && memcmp(text, "..", 2) == 0) ||
            memchr(text, ':', len) != NULL)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "path \"%.80s\" leaves its folder", text);
        if ((path->len > 0 && v2v_bytes_add(path, &separator, 1, err) < 0) ||
            v2v_bytes_add(path, text, len, err) < 0)
            return -1;
    }
    return 0;
}

static const char *
pool_path(struct inf_pool *pool, struct v2v_bytes *path, struct v2v_error *err)
{
    if (v2v_bytes_add(path, "", 1, err) < 0)
        return NULL;
    return inf_pool_text(pool, (const char *)path->data, err);
}

/* A field, expanded, as parts of a path. */
static int
add_field(struct inf_pool *pool, const struct inf_line *line, size_t i,
          char separator, struct v2v_bytes *path, struct v2v_error *err)
{
    const char *text =
        inf_pool_expand(pool, line->inf, inf_field_raw(line, i), err);

    return text != NULL ? add_parts(path, text, separator, err) : -1;
}

/* The disk's path and cabinet. */
static int
add_disk(struct inf_pool *pool, const struct inf_file *inf,
         const struct inf_sources *s, const struct inf_line *file,
         struct inf_copy *copy, struct v2v_bytes *path, struct v2v_error *err)
{
    const char *id =
        inf_pool_expand(pool, inf, inf_field_raw(file, FILE_DISK), err);
    struct inf_line disk;
    const char *cabinet;
    uint32_t flags = 0;

    if (id == NULL || (id = normal_disk(pool, id, err)) == NULL)
        return -1;
    if (!find_line(inf, &s->disks[OWN], id, &disk) &&
        !find_line(inf, &s->disks[GENERIC], id, &disk))
        return 0;
    cabinet =
        inf_pool_expand(pool, inf, inf_field_raw(&disk, DISK_CABINET), err);
    if (cabinet == NULL)
        return -1;
    (void)inf_integer(inf_field_raw(&disk, DISK_FLAGS), &flags, NULL);
    if ((flags & disk_flag_cabinet) != 0 ||
        v2v_has_suffix_nocase(cabinet, ".cab"))
        copy->cabinet = cabinet;
    return add_field(pool, &disk, DISK_PATH, '/', path, err);
}

static int
locate_source(struct inf_pool *pool, const struct inf_file *inf,
              const struct inf_sources *s, struct inf_copy *copy,
              struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes path = { 0 };
    struct inf_line file;

    copy->cabinet = "";
    copy->listed = find_line(inf, &s->files[OWN], copy->source, &file) ||
                   find_line(inf, &s->files[GENERIC], copy->source, &file);
    if (copy->listed &&
        (add_disk(pool, inf, s, &file, copy, &path, err) < 0 ||
         add_field(pool, &file, FILE_SUBDIR, '/', &path, err) < 0))
        return -1;
    if (add_parts(&path, copy->source, '/', err) < 0)
        return -1;
    copy->source_path = pool_path(pool, &path, err);
    return copy->source_path != NULL ? 0 : -1;
}

static int
locate_destination(struct inf_pool *pool, const struct inf_file *inf,
                   const struct inf_sources *s, const char *list,
                   struct inf_copy *copy, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes path = { 0 };
    struct inf_line line;
    const char *text;
    uint32_t dirid;

    copy->dirid = INF_DIRID_NONE;
    copy->subdir = "";
    if ((list == NULL || !find_line(inf, &s->destinations, list, &line)) &&
        !find_line(inf, &s->destinations, "DefaultDestDir", &line))
        return 0;
    text = inf_pool_expand(pool, inf, inf_field_raw(&line, 0), err);
    if (text == NULL || inf_integer(text, &dirid, err) < 0)
        return v2v_fail_in(err, "[DestinationDirs] %s", line.key);
    if (dirid == dirid_minus_one)
        dirid = INF_DIRID_ABSOLUTE;
    copy->dirid = dirid <= INT32_MAX ? (int)dirid : INF_DIRID_NONE;
    if (dirid == INF_DIRID_ABSOLUTE) {
        copy->subdir = inf_pool_expand(pool, inf, inf_field_raw(&line, 1), err);
        return copy->subdir != NULL ? 0 : -1;
    }
    if (add_field(pool, &line, 1, '\\', &path, err) < 0)
        return v2v_fail_in(err, "[DestinationDirs] %s", line.key);
    copy->subdir = pool_path(pool, &path, err);
    return copy->subdir != NULL ? 0 : -1;
}

int
inf_sources_locate(struct inf_pool *pool, const struct inf_file *inf,
                   const struct inf_sources *sources, const char *list,
                   struct inf_copy *copy, struct v2v_error *err)
{
    if (locate_source(pool, inf, sources, copy, err) < 0)
        return v2v_fail_in(err, "source of %s", copy->source);
    return locate_destination(pool, inf, sources, list, copy, err);
}
