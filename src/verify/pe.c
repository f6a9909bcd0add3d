/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/pe.h"

#include <string.h>

#include "base/bytes.h"

/* Microsoft, "PE Format": offsets from where each header starts. */
enum {
    DOS_LEN = 0x40,
    DOS_AT_PE = 0x3c,
    PE_MARK_LEN = 4,
    COFF_LEN = 20,
    COFF_AT_SECTION_COUNT = 2,
    COFF_AT_OPTIONAL_LEN = 16,
    OPTIONAL_MAGIC_32 = 0x10b,
    OPTIONAL_MAGIC_64 = 0x20b,
    OPTIONAL_AT_DIRECTORIES_32 = 96,
    OPTIONAL_AT_DIRECTORIES_64 = 112,
    DIRECTORY_LEN = 8,
    DIRECTORY_IMPORT = 1,
    SECTION_LEN = 40,
    SECTION_AT_ADDRESS = 12,
    SECTION_AT_RAW_LEN = 16,
    SECTION_AT_RAW = 20,
    SECTION_AT_FLAGS = 36,
    IMPORT_LEN = 20,
    IMPORT_AT_NAME = 12
};

/* IMAGE_SCN_... */
#define SECTION_DISCARDABLE 0x02000000U
#define SECTION_EXECUTE 0x20000000U
#define SECTION_WRITE 0x80000000U

static const struct {
    uint16_t machine;
    enum inf_arch arch;
} machines[] = {
    { 0x014c, INF_ARCH_X86 },   { 0x8664, INF_ARCH_AMD64 },
    { 0xaa64, INF_ARCH_ARM64 }, { 0x0200, INF_ARCH_IA64 },
    { 0x01c4, INF_ARCH_ARM },
};

const char *
pe_machine_name(uint16_t machine)
{
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (machines[i].machine == machine)
            return inf_arch_name(machines[i].arch);
    return NULL;
}

uint16_t
pe_machine_of(enum inf_arch arch)
{
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (machines[i].arch == arch)
            return machines[i].machine;
    return 0;
}

void
pe_image_done(struct pe_image *image)
{
    v2v_strings_done(&image->imports);
    *image = (struct pe_image){ 0 };
}

/* A file and where its headers are in it. */
struct file {
    const uint8_t *data;
    size_t len;
    size_t coff, optional, sections; /* offsets */
    size_t optional_len, section_count;
};

static bool
has(const struct file *file, size_t at, size_t len)
{
    return at <= file->len && len <= file->len - at;
}

static uint16_t
u16(const struct file *file, size_t at)
{
    return (uint16_t)v2v_get_le(file->data + at, 2);
}

static uint32_t
u32(const struct file *file, size_t at)
{
    return (uint32_t)v2v_get_le(file->data + at, 4);
}

static int
find_headers(struct file *file, struct v2v_error *err)
{
    size_t pe;

    if (!has(file, 0, DOS_LEN) || memcmp(file->data, "MZ", 2) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "no PE image");
    pe = u32(file, DOS_AT_PE);
    if (!has(file, pe, PE_MARK_LEN + COFF_LEN) ||
        memcmp(file->data + pe, "PE\0\0", PE_MARK_LEN) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "no PE image");
    file->coff = pe + PE_MARK_LEN;
    file->optional = file->coff + COFF_LEN;
    file->optional_len = u16(file, file->coff + COFF_AT_OPTIONAL_LEN);
    file->sections = file->optional + file->optional_len;
    file->section_count = u16(file, file->coff + COFF_AT_SECTION_COUNT);
    if (!has(file, file->sections, file->section_count * SECTION_LEN))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "cut short: its headers end beyond the file");
    return 0;
}

/* All sections are in the file; none that stays is writable code. */
static int
read_sections(const struct file *file, struct pe_image *image,
              struct v2v_error *err)
{
    for (size_t i = 0; i < file->section_count; i++) {
        size_t at = file->sections + i * SECTION_LEN;
        uint32_t raw_len = u32(file, at + SECTION_AT_RAW_LEN);
        uint32_t flags = u32(file, at + SECTION_AT_FLAGS);

        if (raw_len > 0 && !has(file, u32(file, at + SECTION_AT_RAW), raw_len))
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "cut short: section %zu ends beyond the file",
                            i + 1);
        if ((flags & SECTION_EXECUTE) != 0 && (flags & SECTION_WRITE) != 0 &&
            (flags & SECTION_DISCARDABLE) == 0)
            image->writable_code = true;
    }
    return 0;
}

/* Where in the file is what is loaded at @address, and how much follows in its
 * section? */
static bool
find_address(const struct file *file, uint32_t address, size_t *at,
             size_t *left)
{
    for (size_t i = 0; i < file->section_count; i++) {
        size_t header = file->sections + i * SECTION_LEN;
        uint32_t start = u32(file, header + SECTION_AT_ADDRESS);
        uint32_t raw_len = u32(file, header + SECTION_AT_RAW_LEN);

        if (address < start || address - start >= raw_len)
            continue;
        *at = (size_t)u32(file, header + SECTION_AT_RAW) + (address - start);
        *left = raw_len - (address - start);
        return true;
    }
    return false;
}

static int
add_name(const struct file *file, uint32_t address, struct pe_image *image,
         struct v2v_error *err)
{
    char name[PE_NAME_MAX + 1] = "";
    size_t at, left, len;

    if (!find_address(file, address, &at, &left))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the name of an import is outside the file");
    len = strnlen((const char *)file->data + at,
                  left < PE_NAME_MAX ? left : PE_NAME_MAX);
    memcpy(name, file->data + at, len);
    return v2v_strings_add(&image->imports, name, err);
}

/* Address of the import table; 0: there is none. */
static uint32_t
import_table(const struct file *file)
{
    size_t directories, at;
    uint16_t magic;

    if (file->optional_len < 2)
        return 0;
    magic = u16(file, file->optional);
    if (magic != OPTIONAL_MAGIC_32 && magic != OPTIONAL_MAGIC_64)
        return 0;
    directories = magic == OPTIONAL_MAGIC_64 ? OPTIONAL_AT_DIRECTORIES_64
                                             : OPTIONAL_AT_DIRECTORIES_32;
    at = directories + DIRECTORY_IMPORT * DIRECTORY_LEN;
    if (file->optional_len < at + DIRECTORY_LEN)
        return 0;
    /* how many directories there are stands before them */
    if (u32(file, file->optional + directories - 4) <= DIRECTORY_IMPORT)
        return 0;
    return u32(file, file->optional + at);
}

static int
read_imports(const struct file *file, struct pe_image *image,
             struct v2v_error *err)
{
    uint32_t table = import_table(file);
    size_t at, left;

    if (table == 0)
        return 0;
    if (!find_address(file, table, &at, &left))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the import table is outside the file");
    for (; left >= IMPORT_LEN; at += IMPORT_LEN, left -= IMPORT_LEN) {
        uint32_t name = u32(file, at + IMPORT_AT_NAME);

        if (name == 0) /* the last one is all zero */
            return 0;
        if (image->imports.count == PE_IMPORTS_MAX)
            return v2v_fail(err, V2V_ERR_FORMAT, "more than %d imports",
                            PE_IMPORTS_MAX);
        if (add_name(file, name, image, err) < 0)
            return -1;
    }
    return v2v_fail(err, V2V_ERR_FORMAT, "the import table has no end");
}

int
pe_read(const void *data, size_t len, struct pe_image *ret,
        struct v2v_error *err)
{
    V2V_AUTO(pe_image) struct pe_image image = { 0 };
    struct file file = { .data = data, .len = len };

    if (find_headers(&file, err) < 0)
        return -1;
    image.machine = u16(&file, file.coff);
    if (read_sections(&file, &image, err) < 0 ||
        read_imports(&file, &image, err) < 0)
        return -1;
    *ret = image;
    image = (struct pe_image){ 0 };
    return 0;
}
