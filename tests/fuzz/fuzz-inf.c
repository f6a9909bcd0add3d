/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an INF: every section, every expansion, every device. */
#include "inf-parser/install.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
read_all_fields(const struct inf_file *inf)
{
    for (size_t s = 0; s < inf_section_count(inf); s++) {
        const struct inf_section *section = inf_section_at(inf, s);

        for (size_t i = 0; i < inf_line_count(section); i++) {
            struct inf_line line = inf_line_at(inf, section, i);

            for (size_t f = 0; f < line.count; f++)
                free(inf_expand(inf, inf_field_raw(&line, f), NULL, NULL));
        }
    }
}

static void
read_registry(const struct inf_addregs *list)
{
    for (size_t i = 0; i < list->count; i++) {
        V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };

        inf_addreg_data(&list->items[i], NULL, &bytes, NULL);
    }
}

static void
read_devices(const struct inf_file *inf, const struct inf_target *target)
{
    V2V_AUTO(inf_models) struct inf_models models = { 0 };
    V2V_AUTO(inf_version) struct inf_version version = { 0 };
    V2V_AUTO(strings) struct v2v_strings files = { 0 };

    inf_version_parse(inf, target->arch, &version, NULL);
    inf_package_files(inf, target->arch, &files, NULL);
    if (inf_models_select(inf, target, &models, NULL) < 0)
        return;
    for (size_t i = 0; i < models.count && i < 4; i++) {
        V2V_AUTO(inf_install) struct inf_install in = { 0 };

        if (inf_install_load(inf, models.items[i].install, target, &in, NULL))
            continue;
        read_registry(&in.addregs);
        read_registry(&in.hw_addregs);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct inf_target targets[] = {
        { INF_ARCH_AMD64, 10, 0, 26100, 1, 0 },
        { INF_ARCH_X86, 6, 1, 7601, 3, 0x80 },
    };
    V2V_AUTO(inf) struct inf_file *inf = NULL;

    if (inf_parse(data, len, &inf, NULL) < 0)
        return 0;
    read_all_fields(inf);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        read_devices(inf, &targets[i]);
    return 0;
}
