/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory integrity (HVCI): the hypervisor lets no page of the kernel be both
 * written and executed, and Windows loads no driver that asks for one.
 *
 * Source: Microsoft, "Implement HVCI compatible code": no section that is
 * writable and executable, sections aligned to pages.  Sections that are
 * discarded after initialisation are not counted, as Azure's
 * repair-script-library (win-fix-code-integrity) does not.  Layout: Microsoft,
 * "PE Format". */
#include "catalog/pe.h"
#include "check/internal.h"

enum {
    PE_OFFSET = 0x3c,     /* u32: where "PE\0\0" is */
    PE_SECTIONS = 6,      /* u16, from there: how many */
    PE_OPTIONAL_LEN = 20, /* u16 */
    PE_OPTIONAL = 24,
    PE_ALIGNMENT = PE_OPTIONAL + 32, /* u32 SectionAlignment */
    SECTION_LEN = 40,
    SECTION_FLAGS = 36, /* u32 */
    PAGE = 0x1000
};
static const uint32_t discardable = 0x02000000, executable = 0x20000000,
                      writable = 0x80000000;

/* What is wrong with it, static; NULL: nothing, or it is no driver. */
static const char *
find_fault(const uint8_t *data, size_t len)
{
    size_t pe, at, count;

    if (!catalog_is_pe(data, len))
        return NULL;
    pe = v2v_get_le(data + PE_OFFSET, 4);
    if (len < PE_ALIGNMENT + 4 || pe > len - PE_ALIGNMENT - 4)
        return NULL;
    count = v2v_get_le(data + pe + PE_SECTIONS, 2);
    at = pe + PE_OPTIONAL + v2v_get_le(data + pe + PE_OPTIONAL_LEN, 2);
    for (size_t i = 0;
         i < count && len >= SECTION_LEN && at <= len - SECTION_LEN;
         i++, at += SECTION_LEN) {
        uint32_t flags = (uint32_t)v2v_get_le(data + at + SECTION_FLAGS, 4);

        if ((flags & executable) && (flags & writable) &&
            !(flags & discardable))
            return "has a section that is writable and executable";
    }
    return v2v_get_le(data + pe + PE_ALIGNMENT, 4) % PAGE != 0
               ? "has sections that are not aligned to pages"
               : NULL;
}

static int
check_package(struct check *check, const struct driver_package *package,
              struct v2v_error *err)
{
    for (size_t i = 0; i < package->file_count; i++) {
        const struct driver_file *file = &package->files[i];
        const char *fault = v2v_has_suffix_nocase(file->name, ".sys")
                                ? find_fault(file->data.data, file->data.len)
                                : NULL;

        if (fault != NULL &&
            check_found(check, "driver-hvci", err,
                        "%s/%s %s, and memory integrity is on (SYSTEM\\%s\\"
                        "Control\\DeviceGuard\\Scenarios\\"
                        "HypervisorEnforcedCodeIntegrity)",
                        package->source, file->name, fault,
                        check->control_set) < 0)
            return -1;
    }
    return 0;
}

int
check_memory_integrity(struct check *check, struct v2v_error *err)
{
    const struct drivers_choice *choice = check->in->choice;

    if (!check->in->facts->hvci)
        return 0;
    if (choice == NULL)
        return check_not_looked(check,
                                "whether memory integrity (HVCI), which is on, "
                                "accepts the drivers",
                                "no driver medium was given", err);
    for (size_t i = 0; i < choice->count; i++)
        if (check_package(check, &choice->items[i], err) < 0)
            return -1;
    return 0;
}
