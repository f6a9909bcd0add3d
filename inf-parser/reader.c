/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks a section of directives, follows Needs=, and reads the directives
 * that several kinds of section share.
 * Source: Microsoft, "INF DDInstall Section"; for the choice of the section,
 * SetupDiGetActualSectionToInstallEx(). */
#include <string.h>

#include "inf-parser/private.h"

int
inf_actual_section(const struct inf_file *inf, const char *name,
                   enum inf_arch arch, const struct inf_section **ret,
                   struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *by_arch = v2v_format(err, "%s.nt%s", name, inf_arch_name(arch));
    V2V_AUTO(mem) char *nt = v2v_format(err, "%s.nt", name);
    const struct inf_section *found;

    if (by_arch == NULL || nt == NULL)
        return -1;
    found = inf_section_find(inf, by_arch);
    if (found == NULL)
        found = inf_section_find(inf, nt);
    if (found == NULL)
        found = inf_section_find(inf, name);
    *ret = found;
    return 0;
}

int
inf_reader_warn_absent(struct inf_reader *r, const char *name,
                       struct v2v_error *err)
{
    return inf_pool_warn(r->pool, &r->install->warnings, err,
                         "no section [%.80s]", name);
}

static const struct inf_directive *
find_directive(const struct inf_directive *directives, size_t count,
               const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (v2v_equal_nocase(directives[i].key, key))
            return &directives[i];
    return NULL;
}

/* Reads the lines of one key, or those of all directives if @only is NULL. */
static int
read_lines(struct inf_reader *r, const struct inf_section *section,
           const struct inf_directive *directives, size_t count,
           struct v2v_error *err)
{
    for (size_t i = 0; i < inf_line_count(section); i++) {
        struct inf_line line = inf_line_at(r->inf, section, i);
        const struct inf_directive *d;
        const char *key;

        if (inf_pool_step(r->pool, err) < 0)
            return -1;
        if (line.key == NULL)
            continue;
        key = inf_pool_expand(r->pool, r->inf, line.key, err);
        if (key == NULL)
            return -1;
        d = find_directive(directives, count, key);
        if (d != NULL && d->read(r, &line, err) < 0)
            return -1;
    }
    return 0;
}

static int
read_include(struct inf_reader *r, const struct inf_line *line,
             struct v2v_error *err)
{
    return inf_read_texts(r, line, &r->install->includes, err);
}

static bool
is_being_read(const struct inf_reader *r, const struct inf_section *section)
{
    for (; r != NULL; r = r->outer)
        if (r->section == section)
            return true;
    return false;
}

/* A needed section goes through the same choice as an install section.  One
 * that is not here belongs to an Include'd INF of Windows, and so does one
 * that needs its own name: usbport.inf is used like that. */
static int
read_needed(struct inf_reader *r, const char *name, struct v2v_error *err)
{
    const struct inf_section *section;

    if (inf_actual_section(r->inf, name, r->arch, &section, err) < 0)
        return -1;
    if (section == NULL || is_being_read(r, section))
        return inf_pool_add(r->pool, &r->install->foreign_needs, name, err);
    return inf_reader_section(r, section, r->directives, r->directive_count,
                              err);
}

static int
read_needs(struct inf_reader *r, const struct inf_line *line,
           struct v2v_error *err)
{
    for (size_t i = 0; i < line->count; i++) {
        const char *name =
            inf_pool_expand(r->pool, r->inf, inf_field_raw(line, i), err);

        if (name == NULL || (*name != '\0' && read_needed(r, name, err) < 0))
            return -1;
    }
    return 0;
}

static const struct inf_directive needs_directives[] = {
    { "Needs", read_needs },
    { "Include", read_include },
};

/* The documents do not say whether Needs= comes before or after the section's
 * own directives; before, a section can overrule what it builds on. */
int
inf_reader_section(struct inf_reader *r, const struct inf_section *section,
                   const struct inf_directive *directives, size_t count,
                   struct v2v_error *err)
{
    struct inf_reader inner = *r;
    int result;

    inner.directives = directives;
    inner.directive_count = count;
    inner.section = section;
    inner.outer = r;
    if (++inner.depth > INF_NEST_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "[%.80s]: Needs is nested deeper than %d",
                        inf_section_name(r->inf, section), INF_NEST_MAX);
    result = read_lines(&inner, section, needs_directives,
                        INF_COUNT(needs_directives), err);
    if (result == 0)
        result = read_lines(&inner, section, directives, count, err);
    r->numbers_seen |= inner.numbers_seen;
    return result;
}

int
inf_read_texts(struct inf_reader *r, const struct inf_line *line,
               struct v2v_strings *list, struct v2v_error *err)
{
    for (size_t i = 0; i < line->count; i++) {
        const char *text =
            inf_pool_expand(r->pool, r->inf, inf_field_raw(line, i), err);

        if (text == NULL ||
            (*text != '\0' && inf_pool_add(r->pool, list, text, err) < 0))
            return -1;
    }
    return 0;
}

int
inf_list_section(struct inf_reader *r, const struct inf_line *line, size_t i,
                 const struct inf_section **ret, struct v2v_error *err)
{
    const char *name =
        inf_pool_expand(r->pool, r->inf, inf_field_raw(line, i), err);

    if (name == NULL)
        return -1;
    *ret = *name != '\0' ? inf_section_find(r->inf, name) : NULL;
    if (*ret == NULL && *name != '\0')
        return inf_reader_warn_absent(r, name, err);
    return 0;
}

/* Hands each line of the list sections that @line names to @read. */
static int
read_lists(struct inf_reader *r, const struct inf_line *line,
           int (*read)(struct inf_reader *r, const char *list,
                       const struct inf_line *entry, struct v2v_error *err),
           struct v2v_error *err)
{
    for (size_t i = 0; i < line->count; i++) {
        const struct inf_section *list;

        if (inf_list_section(r, line, i, &list, err) < 0 ||
            (list != NULL && inf_read_list(r, list, read, err) < 0))
            return -1;
    }
    return 0;
}

int
inf_read_list(struct inf_reader *r, const struct inf_section *list,
              int (*read)(struct inf_reader *r, const char *list,
                          const struct inf_line *entry, struct v2v_error *err),
              struct v2v_error *err)
{
    const char *name = inf_section_name(r->inf, list);

    for (size_t i = 0; i < inf_line_count(list); i++) {
        struct inf_line entry = inf_line_at(r->inf, list, i);

        if (inf_pool_step(r->pool, err) < 0 || read(r, name, &entry, err) < 0)
            return v2v_fail_in(err, "[%s]", name);
    }
    return 0;
}

static int
read_addreg_line(struct inf_reader *r, const char *list,
                 const struct inf_line *entry, struct v2v_error *err)
{
    (void)list;
    return inf_addreg_read(r->pool, entry, r->addregs, &r->install->warnings,
                           err);
}

static int
read_delreg_line(struct inf_reader *r, const char *list,
                 const struct inf_line *entry, struct v2v_error *err)
{
    (void)list;
    return inf_delreg_read(r->pool, entry, r->delregs, &r->install->warnings,
                           err);
}

int
inf_read_addreg(struct inf_reader *r, const struct inf_line *line,
                struct v2v_error *err)
{
    return read_lists(r, line, read_addreg_line, err);
}

int
inf_read_delreg(struct inf_reader *r, const struct inf_line *line,
                struct v2v_error *err)
{
    return read_lists(r, line, read_delreg_line, err);
}
