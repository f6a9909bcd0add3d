/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inf-dump - what the parser sees in an INF file, for people and tests */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "inf-parser/install.h"

static void
print_string(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;

    putchar('"');
    for (; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            printf("\\%c", *p);
        else if (*p < 0x20)
            printf("\\u%04x", *p);
        else if (*p == 0xed && p[1] >= 0xa0) { /* an unpaired surrogate */
            printf("\\u%04x", 0xd000U | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU));
            p += 2;
        } else
            putchar(*p);
    }
    putchar('"');
}

static void
print_line(const struct inf_line *line, size_t section, size_t number)
{
    printf("{\"t\":\"line\",\"s\":%zu,\"l\":%zu,\"key\":", section, number);
    if (line->key != NULL)
        print_string(line->key);
    else
        fputs("null", stdout);
    printf(",\"n\":%zu,\"f\":[", line->count);
    for (size_t i = 0; i < line->count; i++) {
        if (i > 0)
            putchar(',');
        print_string(inf_field_raw(line, i));
    }
    puts("]}");
}

static int
print_raw(const struct v2v_bytes *data, struct v2v_error *err)
{
    V2V_AUTO(inf) struct inf_file *inf = NULL;
    struct inf_failure where = { 0 };

    if (inf_parse_where(data->data, data->len, &inf, &where, err) < 0) {
        printf("{\"t\":\"open\",\"ok\":false,\"err\":%u,\"line\":%u}\n",
               (unsigned)where.code, (unsigned)where.line);
        return -1;
    }
    puts("{\"t\":\"open\",\"ok\":true}");
    for (size_t s = 0; s < inf_section_count(inf); s++) {
        const struct inf_section *section = inf_section_at(inf, s);

        printf("{\"t\":\"section\",\"i\":%zu,\"name\":", s);
        print_string(inf_section_name(inf, section));
        printf(",\"lines\":%zu}\n", inf_line_count(section));
        for (size_t i = 0; i < inf_line_count(section); i++) {
            struct inf_line line = inf_line_at(inf, section, i);

            print_line(&line, s, i);
        }
    }
    return 0;
}

static void
print_files(const struct inf_copies *copies)
{
    for (size_t i = 0; i < copies->count; i++) {
        const struct inf_copy *c = &copies->items[i];

        printf("  copy %d:%s\\%s from %s\n", c->dirid, c->subdir, c->dest,
               c->source_path);
    }
}

static int
print_install(const struct inf_file *inf, const char *name,
              const struct inf_target *target, struct v2v_error *err)
{
    V2V_AUTO(inf_install) struct inf_install in = { 0 };

    if (inf_install_load(inf, name, target, &in, err) < 0)
        return -1;
    printf("install %s: %zu reg, %zu hw reg, %zu wdf\n", in.actual,
           in.addregs.count, in.hw_addregs.count, in.wdfs.count);
    print_files(&in.copies);
    print_files(&in.coinstaller_copies);
    for (size_t i = 0; i < in.services.count; i++) {
        const struct inf_service *s = &in.services.items[i];

        printf("  service %s: flags 0x%x type %u start %u error %u binary %s "
               "group %s event %s, %zu reg\n",
               s->name, (unsigned)s->flags, (unsigned)s->type,
               (unsigned)s->start, (unsigned)s->error_control, s->binary_raw,
               s->group != NULL ? s->group : "-",
               s->event_log != NULL ? s->event_log : "-", s->addregs.count);
    }
    for (size_t i = 0; i < in.warnings.count; i++)
        printf("  warning: %s\n", in.warnings.items[i]);
    return 0;
}

/* Each model, and each install section once (as far as its models stand
 * together). */
static int
print_models(const struct inf_file *inf, const struct inf_target *target,
             struct v2v_error *err)
{
    V2V_AUTO(inf_models) struct inf_models models = { 0 };
    const char *last = "";

    if (inf_models_select(inf, target, &models, err) < 0)
        return -1;
    for (size_t i = 0; i < models.sections.count; i++)
        printf("models %s\n", models.sections.items[i]);
    for (size_t i = 0; i < models.count; i++) {
        const struct inf_model *m = &models.items[i];

        printf("device %s: %s", m->description, m->hardware_id);
        for (size_t k = 0; k < m->compatible_ids.count; k++)
            printf(", %s", m->compatible_ids.items[k]);
        printf(" -> %s\n", m->install);
        if (strcmp(last, m->install) != 0 &&
            print_install(inf, m->install, target, err) < 0)
            return -1;
        last = m->install;
    }
    return 0;
}

static int
parse_target(char **arg, struct inf_target *ret, struct v2v_error *err)
{
    struct inf_target t = { 0 };
    enum inf_arch a = INF_ARCH_X86;

    while (a < INF_ARCH_ARM && strcmp(inf_arch_name(a), arg[0]) != 0)
        a++;
    t.arch = a;
    if (strcmp(inf_arch_name(a), arg[0]) != 0 ||
        sscanf(arg[1], "%u.%u.%u", &t.major, &t.minor, &t.build) != 3 ||
        sscanf(arg[2], "%u", &t.product_type) != 1)
        return v2v_fail(err, V2V_ERR_USAGE, "%s %s %s is no Windows", arg[0],
                        arg[1], arg[2]);
    *ret = t;
    return 0;
}

static int
print_device(const struct v2v_bytes *data, char **arg, struct v2v_error *err)
{
    V2V_AUTO(inf) struct inf_file *inf = NULL;
    V2V_AUTO(inf_version) struct inf_version version = { 0 };
    V2V_AUTO(strings) struct v2v_strings files = { 0 };
    const struct inf_driver_ver *v = &version.driver_ver;
    struct inf_target target;

    if (parse_target(arg, &target, err) < 0 ||
        inf_parse(data->data, data->len, &inf, err) < 0 ||
        inf_version_parse(inf, target.arch, &version, err) < 0)
        return -1;
    printf("version %s %s catalog %s, %u-%02u-%02u %u.%u.%u.%u\n",
           version.class_name != NULL ? version.class_name : "-",
           version.class_guid != NULL ? version.class_guid : "-",
           version.catalog != NULL ? version.catalog : "-", v->year, v->month,
           v->day, v->version[0], v->version[1], v->version[2], v->version[3]);
    if (print_models(inf, &target, err) < 0 ||
        inf_package_files(inf, target.arch, &files, err) < 0)
        return -1;
    for (size_t i = 0; i < files.count; i++)
        printf("file %s\n", files.items[i]);
    return 0;
}

int
main(int argc, char **argv)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    struct v2v_error err = { 0 };
    bool raw = argc == 3 && strcmp(argv[1], "raw") == 0;
    bool device = argc == 6 && strcmp(argv[1], "device") == 0;

    if (!raw && !device) {
        fputs("usage: inf-dump raw FILE\n"
              "       inf-dump device FILE ARCH MAJOR.MINOR.BUILD TYPE\n",
              stderr);
        return V2V_ERR_USAGE;
    }
    if (v2v_file_read(argv[2], INF_FILE_MAX, &data, &err) < 0 ||
        (raw ? print_raw(&data, &err) : print_device(&data, argv + 3, &err)) <
            0) {
        v2v_error_prefix(&err, "%s", argv[2]);
        fprintf(stderr, "inf-dump: %s\n", err.text);
        return (int)err.code;
    }
    return 0;
}
