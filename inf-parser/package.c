/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CopyFiles, and the files of a whole package.
 * Source: Microsoft, "INF CopyFiles Directive". */
#include <string.h>

#include "inf-parser/private.h"

enum { DEST, SOURCE, UNUSED, FLAGS }; /* fields of a list's line */

/* A path belongs into [DestinationDirs] or [SourceDisksFiles]; here it could
 * only lead out of them. */
static bool
is_file_name(const char *name)
{
    return *name != '\0' && strpbrk(name, "\\/:") == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int
add_copy(struct inf_reader *r, const char *list, struct inf_copy copy,
         struct v2v_error *err)
{
    struct inf_copies *copies = r->copies;
    struct inf_copy *items;

    if (!is_file_name(copy.dest) || !is_file_name(copy.source))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "CopyFiles: \"%.80s\" from \"%.80s\" is not a file "
                        "name",
                        copy.dest, copy.source);
    if (inf_sources_locate(r->pool, r->inf, r->sources, list, &copy, err) < 0)
        return -1;
    items = inf_pool_grow(r->pool, copies->items, copies->count, sizeof *items,
                          err);
    if (items == NULL)
        return -1;
    copies->items = items;
    items[copies->count++] = copy;
    return 0;
}

static int
read_copy_line(struct inf_reader *r, const char *list,
               const struct inf_line *entry, struct v2v_error *err)
{
    struct inf_copy copy = { 0 };

    copy.dest =
        inf_pool_expand(r->pool, r->inf, inf_field_raw(entry, DEST), err);
    copy.source =
        inf_pool_expand(r->pool, r->inf, inf_field_raw(entry, SOURCE), err);
    if (copy.dest == NULL || copy.source == NULL ||
        inf_flags_read(r->pool, entry, FLAGS, &copy.flags,
                       &r->install->warnings, err) < 0)
        return -1;
    if (*copy.source == '\0')
        copy.source = copy.dest;
    if (*copy.dest == '\0')
        return inf_pool_warn(r->pool, &r->install->warnings, err,
                             "[%.80s]: line without a file", list);
    return add_copy(r, list, copy, err);
}

/* "@file" needs no list section. */
static int
read_direct_copy(struct inf_reader *r, const char *raw, struct v2v_error *err)
{
    const char *name = inf_pool_expand(r->pool, r->inf, raw + 1, err);

    if (name == NULL)
        return -1;
    return add_copy(r, NULL, (struct inf_copy){ .dest = name, .source = name },
                    err);
}

/* Marks @section in a set of sections; whether it was there before.  Without
 * a set, never. */
static bool
mark(uint8_t *set, const struct inf_file *inf,
     const struct inf_section *section)
{
    size_t n = inf_section_number(inf, section);
    bool before = set != NULL && set[n] != 0;

    if (set != NULL)
        set[n] = 1;
    return before;
}

int
inf_read_copyfiles(struct inf_reader *r, const struct inf_line *line,
                   struct v2v_error *err)
{
    for (size_t i = 0; i < line->count; i++) {
        const struct inf_section *list;
        const char *raw = inf_field_raw(line, i);

        if (*raw == '@') {
            if (read_direct_copy(r, raw, err) < 0)
                return -1;
            continue;
        }
        if (inf_list_section(r, line, i, &list, err) < 0 ||
            (list != NULL && !mark(r->seen_lists, r->inf, list) &&
             inf_read_list(r, list, read_copy_line, err) < 0))
            return -1;
    }
    return 0;
}

static int read_interface_files(struct inf_reader *r,
                                const struct inf_line *line,
                                struct v2v_error *err);

static const struct inf_directive file_directives[] = {
    { "CopyFiles", inf_read_copyfiles },
    { "AddInterface", read_interface_files },
};

static int
read_interface_files(struct inf_reader *r, const struct inf_line *line,
                     struct v2v_error *err)
{
    const struct inf_section *section;

    if (inf_list_section(r, line, 2, &section, err) < 0)
        return -1;
    return section != NULL
               ? inf_reader_section(r, section, file_directives, 1, err)
               : 0;
}

struct package {
    struct inf_reader reader;
    uint8_t *seen_models, *seen_installs; /* a byte for each section */
};

/* An install section with those that may copy files, once. */
static int
read_install(struct package *p, const char *install, struct v2v_error *err)
{
    static const char *const suffixes[] = { "", ".CoInstallers",
                                            ".Interfaces" };
    struct inf_reader *r = &p->reader;
    const struct inf_section *actual;

    if (inf_actual_section(r->inf, install, r->arch, &actual, err) < 0)
        return -1;
    if (actual == NULL || mark(p->seen_installs, r->inf, actual))
        return 0;
    for (size_t i = 0; i < INF_COUNT(suffixes); i++) {
        V2V_AUTO(mem)
        char *name = v2v_format(err, "%s%s", inf_section_name(r->inf, actual),
                                suffixes[i]);
        const struct inf_section *section;

        if (name == NULL)
            return -1;
        section = inf_section_find(r->inf, name);
        if (section != NULL &&
            inf_reader_section(r, section, file_directives,
                               INF_COUNT(file_directives), err) < 0)
            return v2v_fail_in(err, "[%s]", name);
    }
    return 0;
}

static int
read_models(void *opaque, const struct inf_section *models,
            struct v2v_error *err)
{
    struct package *p = opaque;
    struct inf_reader *r = &p->reader;

    if (mark(p->seen_models, r->inf, models))
        return 0;
    for (size_t i = 0; i < inf_line_count(models); i++) {
        struct inf_line line = inf_line_at(r->inf, models, i);
        const char *install =
            inf_pool_expand(r->pool, r->inf, inf_field_raw(&line, 0), err);

        if (install == NULL || (line.key != NULL && *install != '\0' &&
                                read_install(p, install, err) < 0))
            return -1;
    }
    return 0;
}

/* Copies to a list of distinct source paths.  A file that is not listed in
 * an INF with a LayoutFile is one of Windows itself. */
static int
collect(const struct inf_reader *r, const struct inf_copies *copies,
        struct v2v_strings *ret, struct v2v_error *err)
{
    const struct inf_section *version = inf_section_find(r->inf, "Version");
    struct inf_index paths = { 0 };
    const char *layout;

    if (inf_value(r->pool, r->inf, version, "LayoutFile", 0, &layout, err) < 0)
        return -1;
    paths.items =
        inf_pool_alloc(r->pool, (copies->count + 1) * sizeof *paths.items, err);
    if (paths.items == NULL)
        return -1;
    for (size_t i = 0; i < copies->count; i++)
        if (copies->items[i].listed || layout == NULL)
            paths.items[paths.count++] =
                (struct inf_index_item){ copies->items[i].source_path,
                                         (uint32_t)i };
    inf_index_sort(&paths);
    for (size_t i = 0; i < copies->count; i++) {
        const char *path = copies->items[i].source_path;

        if (inf_index_find(&paths, path, strlen(path)) == (int64_t)i &&
            v2v_strings_add(ret, path, err) < 0)
            return -1;
    }
    return 0;
}

/* [DefaultInstall] and the class installers copy files, too. */
static int
read_package(struct package *p, struct v2v_error *err)
{
    static const char *const others[] = { "DefaultInstall", "ClassInstall32",
                                          "InterfaceInstall32" };
    struct inf_reader *r = &p->reader;

    if (inf_sources_new(r->pool, r->inf, r->arch, &r->sources, err) < 0 ||
        inf_models_of_arch(r->pool, r->inf, r->arch, read_models, p, err) < 0)
        return -1;
    for (size_t i = 0; i < INF_COUNT(others); i++)
        if (read_install(p, others[i], err) < 0)
            return -1;
    return 0;
}

int
inf_package_files(const struct inf_file *inf, enum inf_arch arch,
                  struct v2v_strings *ret, struct v2v_error *err)
{
    V2V_AUTO(inf_pool) struct inf_pool *pool = inf_pool_new(err);
    V2V_AUTO(strings) struct v2v_strings files = { 0 };
    size_t sections = inf_section_count(inf);
    struct inf_install nothing = { 0 }; /* for the warnings */
    struct inf_copies copies = { 0 };
    struct package p = { .reader = { .inf = inf,
                                     .arch = arch,
                                     .pool = pool,
                                     .install = &nothing,
                                     .copies = &copies } };

    if (pool == NULL)
        return -1;
    p.seen_models = inf_pool_alloc(pool, sections, err);
    p.seen_installs = inf_pool_alloc(pool, sections, err);
    p.reader.seen_lists = inf_pool_alloc(pool, sections, err);
    if (p.seen_models == NULL || p.seen_installs == NULL ||
        p.reader.seen_lists == NULL || read_package(&p, err) < 0 ||
        collect(&p.reader, &copies, &files, err) < 0)
        return -1;
    *ret = files;
    files = (struct v2v_strings){ 0 };
    return 0;
}
