/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DDInstall and the sections that belong to it.
 * Source: Microsoft, "INF DDInstall Section" and the pages that it links to,
 * one a directive. */
#include <string.h>

#include "inf-parser/private.h"

static int
read_interface(struct inf_reader *r, const struct inf_line *line,
               struct v2v_error *err)
{
    static const struct inf_directive directives[] = {
        { "AddReg", inf_read_addreg },
        { "CopyFiles", inf_read_copyfiles },
    };
    struct inf_interfaces *list = &r->install->interfaces;
    struct inf_interface *items =
        inf_pool_grow(r->pool, list->items, list->count, sizeof *items, err);
    struct inf_reader inner = *r;
    const struct inf_section *section;
    struct inf_interface *added;

    if (items == NULL || inf_list_section(r, line, 2, &section, err) < 0)
        return -1;
    list->items = items;
    added = &items[list->count];
    *added = (struct inf_interface){ 0 };
    added->guid = inf_pool_expand(r->pool, r->inf, inf_field_raw(line, 0), err);
    added->reference =
        inf_pool_expand(r->pool, r->inf, inf_field_raw(line, 1), err);
    if (added->guid == NULL || added->reference == NULL ||
        inf_flags_read(r->pool, line, 3, &added->flags, &r->install->warnings,
                       err) < 0)
        return -1;
    inner.addregs = &added->addregs;
    if (section != NULL && inf_reader_section(&inner, section, directives,
                                              INF_COUNT(directives), err) < 0)
        return -1;
    list->count++;
    return 0;
}

static int
read_wdf(struct inf_reader *r, const struct inf_line *line,
         const char *version_key, bool kernel, struct v2v_error *err)
{
    struct inf_wdfs *list = &r->install->wdfs;
    struct inf_wdf *items =
        inf_pool_grow(r->pool, list->items, list->count, sizeof *items, err);
    const struct inf_section *section;
    const char *version = NULL, *service;

    if (items == NULL || inf_list_section(r, line, 1, &section, err) < 0)
        return -1;
    list->items = items;
    service = inf_pool_expand(r->pool, r->inf, inf_field_raw(line, 0), err);
    if (service == NULL ||
        (section != NULL && inf_value(r->pool, r->inf, section, version_key, 0,
                                      &version, err) < 0))
        return -1;
    if (version == NULL)
        version = "";
    items[list->count++] =
        (struct inf_wdf){ .service = service,
                          .kmdf_version = kernel ? version : NULL,
                          .umdf_version = kernel ? NULL : version };
    return 0;
}

static int
read_kmdf(struct inf_reader *r, const struct inf_line *line,
          struct v2v_error *err)
{
    return read_wdf(r, line, "KmdfLibraryVersion", true, err);
}

static int
read_umdf(struct inf_reader *r, const struct inf_line *line,
          struct v2v_error *err)
{
    return read_wdf(r, line, "UmdfLibraryVersion", false, err);
}

static int
read_filter(struct inf_reader *r, const struct inf_line *line,
            struct v2v_error *err)
{
    struct inf_filters *list = &r->install->filters;
    struct inf_filter *items =
        inf_pool_grow(r->pool, list->items, list->count, sizeof *items, err);
    const struct inf_section *section;
    struct inf_filter filter = { 0 };

    if (items == NULL || inf_list_section(r, line, 2, &section, err) < 0)
        return -1;
    list->items = items;
    filter.service =
        inf_pool_expand(r->pool, r->inf, inf_field_raw(line, 0), err);
    if (filter.service == NULL ||
        (section != NULL &&
         (inf_value(r->pool, r->inf, section, "FilterPosition", 0,
                    &filter.position, err) < 0 ||
          inf_value(r->pool, r->inf, section, "FilterLevel", 0, &filter.level,
                    err) < 0)))
        return -1;
    items[list->count++] = filter;
    return 0;
}

static int
read_delservice(struct inf_reader *r, const struct inf_line *line,
                struct v2v_error *err)
{
    const char *name =
        inf_pool_expand(r->pool, r->inf, inf_field_raw(line, 0), err);

    return name != NULL
               ? inf_pool_add(r->pool, &r->install->delete_services, name, err)
               : -1;
}

static int
read_copyinf(struct inf_reader *r, const struct inf_line *line,
             struct v2v_error *err)
{
    return inf_read_texts(r, line, &r->install->copy_infs, err);
}

static int
read_excludeid(struct inf_reader *r, const struct inf_line *line,
               struct v2v_error *err)
{
    return inf_read_texts(r, line, &r->install->exclude_ids, err);
}

/* Hexadecimal without 0x by the document ("INF FeatureScore Directive"); with
 * it as well in real files. */
static int
read_featurescore(struct inf_reader *r, const struct inf_line *line,
                  struct v2v_error *err)
{
    const char *text =
        inf_pool_expand(r->pool, r->inf, inf_field_raw(line, 0), err);
    char *end;
    unsigned long score;

    if (text == NULL)
        return -1;
    score = strtoul(text, &end, 16);
    if (*text == '\0' || *end != '\0' || *text == '-' || score > 0xff)
        return inf_pool_warn(r->pool, &r->install->warnings, err,
                             "FeatureScore \"%.40s\" is not a byte", text);
    r->install->feature_score = (uint8_t)score;
    return 0;
}

static int
read_driverver(struct inf_reader *r, const struct inf_line *line,
               struct v2v_error *err)
{
    const char *date =
        inf_pool_expand(r->pool, r->inf, inf_field_raw(line, 0), err);
    const char *version =
        inf_pool_expand(r->pool, r->inf, inf_field_raw(line, 1), err);

    if (date == NULL || version == NULL)
        return -1;
    r->install->has_driver_ver = true;
    inf_driver_ver_parse(date, version, &r->install->driver_ver);
    return 0;
}

static int
read_reboot(struct inf_reader *r, const struct inf_line *line,
            struct v2v_error *err)
{
    (void)line;
    (void)err;
    r->install->reboot = true;
    return 0;
}

static const struct inf_directive main_directives[] = {
    { "CopyFiles", inf_read_copyfiles }, { "AddReg", inf_read_addreg },
    { "DelReg", inf_read_delreg },       { "FeatureScore", read_featurescore },
    { "ExcludeID", read_excludeid },     { "DriverVer", read_driverver },
    { "CopyINF", read_copyinf },         { "Reboot", read_reboot },
    { "Restart", read_reboot },
};
static const struct inf_directive registry_directives[] = {
    { "AddReg", inf_read_addreg },
    { "DelReg", inf_read_delreg },
};
static const struct inf_directive service_directives[] = {
    { "AddService", inf_read_addservice },
    { "DelService", read_delservice },
};
static const struct inf_directive coinstaller_directives[] = {
    { "AddReg", inf_read_addreg },
    { "CopyFiles", inf_read_copyfiles },
};
static const struct inf_directive interface_directives[] = {
    { "AddInterface", read_interface },
};
static const struct inf_directive wdf_directives[] = {
    { "KmdfService", read_kmdf },
    { "UmdfService", read_umdf },
};
static const struct inf_directive filter_directives[] = {
    { "AddFilter", read_filter },
};

/* A section that belongs to the install section, and where its parts go. */
struct part {
    const char *suffix;
    const struct inf_directive *directives;
    size_t count;
    struct inf_addregs *addregs;
    struct inf_delregs *delregs;
    struct inf_copies *copies;
};

/* The suffix goes behind the decoration: with [X.NTamd64], [X.Services] is
 * never looked at. */
static int
read_part(const struct inf_reader *outer, const struct part *part,
          struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *name = v2v_format(err, "%s%s", outer->install->actual, part->suffix);
    const struct inf_section *section;
    struct inf_reader r = *outer;

    if (name == NULL)
        return -1;
    section = inf_section_find(r.inf, name);
    if (section == NULL)
        return 0;
    r.addregs = part->addregs;
    r.delregs = part->delregs;
    r.copies = part->copies;
    if (inf_reader_section(&r, section, part->directives, part->count, err) < 0)
        return v2v_fail_in(err, "[%s]", name);
    if (part->directives == wdf_directives)
        r.install->has_wdf_section = true;
    return 0;
}

#define DIRECTIVES(array) array, INF_COUNT(array)

static int
read_parts(struct inf_reader *r, struct v2v_error *err)
{
    struct inf_install *in = r->install;
    const struct part parts[] = {
        { "", DIRECTIVES(main_directives), &in->addregs, &in->delregs,
          &in->copies },
        { ".HW", DIRECTIVES(registry_directives), &in->hw_addregs,
          &in->hw_delregs, NULL },
        { ".Services", DIRECTIVES(service_directives), NULL, NULL, NULL },
        { ".CoInstallers", DIRECTIVES(coinstaller_directives),
          &in->coinstaller_addregs, NULL, &in->coinstaller_copies },
        { ".Interfaces", DIRECTIVES(interface_directives), NULL, NULL,
          &in->interface_copies },
        { ".Wdf", DIRECTIVES(wdf_directives), NULL, NULL, NULL },
        { ".Filters", DIRECTIVES(filter_directives), NULL, NULL, NULL },
    };

    for (size_t i = 0; i < INF_COUNT(parts); i++)
        if (read_part(r, &parts[i], err) < 0)
            return -1;
    return 0;
}

int
inf_install_load(const struct inf_file *inf, const char *install,
                 const struct inf_target *target, struct inf_install *ret,
                 struct v2v_error *err)
{
    V2V_AUTO(inf_pool) struct inf_pool *pool = inf_pool_new(err);
    struct inf_install in = { .feature_score = 0xff };
    struct inf_reader r = {
        .inf = inf, .arch = target->arch, .pool = pool, .install = &in
    };
    const struct inf_section *section;

    if (pool == NULL ||
        inf_actual_section(inf, install, target->arch, &section, err) < 0)
        return -1;
    if (section == NULL)
        return v2v_fail(err, V2V_ERR_NOT_FOUND, "no install section [%s]",
                        install);
    in.actual = inf_section_name(inf, section);
    if (inf_sources_new(pool, inf, target->arch, &r.sources, err) < 0 ||
        read_parts(&r, err) < 0)
        return -1;
    in.pool = v2v_steal(pool);
    *ret = in;
    return 0;
}

void
inf_install_done(struct inf_install *install)
{
    inf_pool_free(install->pool);
    *install = (struct inf_install){ 0 };
}
