/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of AddReg and DelReg sections.
 * Source: Microsoft, "INF AddReg Directive", "INF DelReg Directive";
 * setupapi.h, FLG_ADDREG_...; winnt.h, REG_... */
#include <string.h>

#include "inf-parser/private.h"

enum { ROOT, SUBKEY, NAME, FLAGS, DATA }; /* fields of a line */

enum { REG_NONE, REG_SZ, REG_EXPAND_SZ, REG_BINARY, REG_DWORD };
enum { REG_MULTI_SZ = 7, REG_QWORD = 11 };

static const uint32_t type_mask = 0xffff0001;

/* Flags without the low bit: text.  With it: bytes, of the type in the high
 * word but for those listed here. */
static const struct {
    uint32_t flags, type;
} types[] = {
    { 0x00000000, REG_SZ },        { 0x00010000, REG_MULTI_SZ },
    { 0x00020000, REG_EXPAND_SZ }, { 0x00000001, REG_BINARY },
    { 0x00010001, REG_DWORD },     { 0x00020001, REG_NONE },
};

static uint32_t
type_of(uint32_t flags)
{
    for (size_t i = 0; i < INF_COUNT(types); i++)
        if (types[i].flags == (flags & type_mask))
            return types[i].type;
    return flags & INF_ADDREG_BINVALUE ? flags >> 16 : REG_SZ;
}

static const char *
root_of(const char *text)
{
    static const char *const roots[] = { "HKR", "HKLM", "HKCR", "HKCU", "HKU" };

    for (size_t i = 0; i < INF_COUNT(roots); i++)
        if (v2v_equal_nocase(text, roots[i]))
            return roots[i];
    return NULL;
}

/* Fields up to the last that is not empty: trailing commas say nothing. */
static size_t
used_fields(const struct inf_line *line)
{
    size_t n = line->count;

    while (n > 0 && *inf_field_raw(line, n - 1) == '\0')
        n--;
    return n;
}

int
inf_flags_read(struct inf_pool *pool, const struct inf_line *line, size_t field,
               uint32_t *ret, struct v2v_strings *warnings,
               struct v2v_error *err)
{
    const char *text =
        inf_pool_expand(pool, line->inf, inf_field_raw(line, field), err);

    if (text == NULL)
        return -1;
    if (inf_integer(text, ret, NULL) == 0)
        return 0;
    *ret = 0;
    return inf_pool_warn(pool, warnings, err,
                         "flags \"%.40s\" are not a number, read as 0", text);
}

/* The three fields that AddReg and DelReg share; @root NULL: skip the line. */
static int
read_place(struct inf_pool *pool, const struct inf_line *line,
           const char *place[3], struct v2v_strings *warnings,
           struct v2v_error *err)
{
    for (size_t i = ROOT; i <= NAME; i++) {
        place[i] =
            inf_pool_expand(pool, line->inf, inf_field_raw(line, i), err);
        if (place[i] == NULL)
            return -1;
    }
    if (root_of(place[ROOT]) == NULL &&
        inf_pool_warn(pool, warnings, err,
                      "\"%.40s\" is not a registry root, line ignored",
                      place[ROOT]) < 0)
        return -1;
    place[ROOT] = root_of(place[ROOT]);
    return 0;
}

int
inf_addreg_read(struct inf_pool *pool, const struct inf_line *line,
                struct inf_addregs *list, struct v2v_strings *warnings,
                struct v2v_error *err)
{
    struct inf_addreg *items;
    const char *place[3];
    uint32_t flags;

    if (read_place(pool, line, place, warnings, err) < 0 ||
        inf_flags_read(pool, line, FLAGS, &flags, warnings, err) < 0)
        return -1;
    if (place[ROOT] == NULL || (flags & INF_ADDREG_DELREG) != 0)
        return 0;
    items = inf_pool_grow(pool, list->items, list->count, sizeof *items, err);
    if (items == NULL)
        return -1;
    list->items = items;
    items[list->count++] = (struct inf_addreg){
        .root = place[ROOT],
        .subkey = place[SUBKEY],
        .name = place[NAME],
        .flags = flags,
        .type = type_of(flags),
        .key_only =
            (flags & (INF_ADDREG_KEYONLY | INF_ADDREG_KEYONLY_COMMON)) != 0 ||
            (*place[NAME] == '\0' && used_fields(line) <= DATA),
        .line = *line,
    };
    return 0;
}

int
inf_delreg_read(struct inf_pool *pool, const struct inf_line *line,
                struct inf_delregs *list, struct v2v_strings *warnings,
                struct v2v_error *err)
{
    struct inf_delreg *items;
    const char *place[3];
    uint32_t flags;

    if (read_place(pool, line, place, warnings, err) < 0 ||
        inf_flags_read(pool, line, FLAGS, &flags, warnings, err) < 0)
        return -1;
    if (place[ROOT] == NULL)
        return 0;
    items = inf_pool_grow(pool, list->items, list->count, sizeof *items, err);
    if (items == NULL)
        return -1;
    list->items = items;
    items[list->count++] = (struct inf_delreg){
        .root = place[ROOT],
        .subkey = place[SUBKEY],
        .name = *place[NAME] != '\0' ? place[NAME] : NULL,
        .flags = flags,
    };
    return 0;
}

static const uint8_t nul_utf16[2] = { 0, 0 };

/* Field @i, expanded, in UTF-16LE with its NUL.  @empty: it was "". */
static int
add_text(const struct inf_line *line, size_t i, const struct inf_dirs *dirs,
         struct v2v_bytes *out, bool *empty, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *text = inf_expand(line->inf, inf_field_raw(line, i), dirs, err);

    if (text == NULL)
        return -1;
    *empty = *text == '\0';
    if (v2v_utf16_from_utf8(text, out, err) < 0)
        return -1;
    return v2v_bytes_add(out, nul_utf16, sizeof nul_utf16, err);
}

/* An empty string would end the list early: Windows stops there. */
static int
add_texts(const struct inf_line *line, const struct inf_dirs *dirs,
          struct v2v_bytes *out, struct v2v_error *err)
{
    for (size_t i = DATA; i < line->count; i++) {
        bool empty;

        if (add_text(line, i, dirs, out, &empty, err) < 0)
            return -1;
        if (empty)
            return 0; /* its NUL is the list's */
    }
    return v2v_bytes_add(out, nul_utf16, sizeof nul_utf16, err);
}

/* One byte a field, hexadecimal.  The documents have no "0x"; one in ten real
 * lines has. */
static int
add_byte(const struct inf_line *line, size_t i, const struct inf_dirs *dirs,
         struct v2v_bytes *out, struct v2v_error *err)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    V2V_AUTO(mem)
    char *text = inf_expand(line->inf, inf_field_raw(line, i), dirs, err);
    const char *hex = text;
    uint8_t byte;

    if (text == NULL)
        return -1;
    if (v2v_has_prefix_nocase(hex, "0x") && hex[2] != '\0')
        hex += 2;
    if (hex[strspn(hex, digits)] != '\0' || strlen(hex) > 2)
        return v2v_fail(err, V2V_ERR_FORMAT, "\"%.40s\" is not a byte", text);
    byte = (uint8_t)strtoul(hex, NULL, 16);
    return v2v_bytes_add(out, &byte, 1, err);
}

static int
add_dword(const struct inf_line *line, const struct inf_dirs *dirs,
          struct v2v_bytes *out, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *text = inf_expand(line->inf, inf_field_raw(line, DATA), dirs, err);
    uint32_t value;

    if (text == NULL || inf_integer(text, &value, err) < 0)
        return -1;
    return v2v_bytes_add_le(out, value, sizeof value, err);
}

static int
add_data(const struct inf_addreg *reg, const struct inf_dirs *dirs,
         struct v2v_bytes *out, struct v2v_error *err)
{
    size_t fields = used_fields(&reg->line);
    bool empty;

    if (reg->type == REG_MULTI_SZ && (reg->flags & INF_ADDREG_BINVALUE) == 0)
        return add_texts(&reg->line, dirs, out, err);
    if ((reg->flags & INF_ADDREG_BINVALUE) == 0)
        return add_text(&reg->line, DATA, dirs, out, &empty, err);
    if (reg->type == REG_DWORD && fields <= DATA + 1)
        return add_dword(&reg->line, dirs, out, err);
    for (size_t i = DATA; i < fields; i++)
        if (add_byte(&reg->line, i, dirs, out, err) < 0)
            return -1;
    return 0;
}

int
inf_addreg_data(const struct inf_addreg *reg, const struct inf_dirs *dirs,
                struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes out = { 0 };

    if (add_data(reg, dirs, &out, err) < 0)
        return v2v_fail_in(err, "%s\\%s, value \"%s\"", reg->root, reg->subkey,
                           reg->name);
    *ret = out;
    out = (struct v2v_bytes){ 0 };
    return 0;
}
