/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A security descriptor string of an INF's Security value: a DACL, no more.
 *
 * Source: Microsoft, "Security Descriptor String Format", "ACE Strings", "SID
 * Strings"; MS-DTYP 2.4.4 and 2.4.6 for the binary form, which equals what a
 * Windows 10 1709 hive holds for "D:P(A;;GA;;;BA)(A;;GA;;;SY)". */
#include <ctype.h>
#include <string.h>

#include "plan/plan-private.h"

enum {
    SE_DACL_PRESENT = 0x0004,
    SE_DACL_AUTO_INHERITED = 0x0400,
    SE_DACL_PROTECTED = 0x1000,
    SE_SELF_RELATIVE = 0x8000,
    DESCRIPTOR_LEN = 20,
    ACL_HEADER_LEN = 8,
    ACE_HEADER_LEN = 8, /* with the mask */
    ACL_REVISION = 2,
    SID_PARTS_MAX = 15
};

struct token {
    const char *name;
    uint32_t value;
};

static const struct token ace_types[] = { { "A", 0 }, { "D", 1 } };

static const struct token ace_flags[] = { { "OI", 0x01 },
                                          { "CI", 0x02 },
                                          { "NP", 0x04 },
                                          { "IO", 0x08 },
                                          { "ID", 0x10 } };

static const struct token ace_rights[] = {
    { "GA", 0x10000000 }, { "GX", 0x20000000 }, { "GW", 0x40000000 },
    { "GR", 0x80000000 }, { "RC", 0x00020000 }, { "SD", 0x00010000 },
    { "WD", 0x00040000 }, { "WO", 0x00080000 }, { "FA", 0x001f01ff },
    { "FR", 0x00120089 }, { "FW", 0x00120116 }, { "FX", 0x001200a0 },
};

static const struct {
    const char *alias;
    const char *sid;
} sid_aliases[] = {
    { "SY", "S-1-5-18" }, { "BA", "S-1-5-32-544" }, { "BU", "S-1-5-32-545" },
    { "WD", "S-1-1-0" },  { "AU", "S-1-5-11" },     { "LS", "S-1-5-19" },
    { "NS", "S-1-5-20" }, { "IU", "S-1-5-4" },      { "AC", "S-1-15-2-1" },
    { "RC", "S-1-5-12" },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int
unknown(const char *what, const char *text, struct v2v_error *err)
{
    return v2v_refuse(err, V2V_ERR_DRIVER, "driver-inf",
                      "security descriptor: %s \"%s\" is not known here", what,
                      text);
}

/* A run of tokens, "OICI": their values together. */
static int
tokens_parse(const struct token *table, size_t count, const char *what,
             const char *text, uint32_t *ret, struct v2v_error *err)
{
    uint32_t value = 0;

    for (const char *rest = text; *rest != '\0';) {
        size_t i = 0;

        while (i < count &&
               strncmp(rest, table[i].name, strlen(table[i].name)) != 0)
            i++;
        if (i == count)
            return unknown(what, text, err);
        value |= table[i].value;
        rest += strlen(table[i].name);
    }
    *ret = value;
    return 0;
}

/* A number at *@text, digits of @base only, of at most 32 bits. */
static bool
number_parse(const char **text, int base, uint32_t *ret)
{
    unsigned long long n;
    char *end;

    if (!isxdigit((unsigned char)**text))
        return false;
    n = strtoull(*text, &end, base);
    if (end == *text || n > UINT32_MAX)
        return false;
    *ret = (uint32_t)n;
    *text = end;
    return true;
}

static int
rights_parse(const char *text, uint32_t *ret, struct v2v_error *err)
{
    const char *rest = text + 2;

    if (strncasecmp(text, "0x", 2) != 0)
        return tokens_parse(ace_rights, COUNT(ace_rights), "right", text, ret,
                            err);
    if (!number_parse(&rest, 16, ret) || *rest != '\0')
        return unknown("right", text, err);
    return 0;
}

/* "S-1-5-32-544": revision, count, authority (big endian), parts */
static int
sid_add(const char *name, struct v2v_bytes *out, struct v2v_error *err)
{
    const char *text = name;
    uint32_t parts[1 + SID_PARTS_MAX]; /* the authority first */
    uint8_t head[8] = { 1 };
    size_t count = 0;

    for (size_t i = 0; i < COUNT(sid_aliases); i++)
        if (strcmp(name, sid_aliases[i].alias) == 0)
            text = sid_aliases[i].sid;
    if (strncmp(text, "S-1", 3) != 0)
        return unknown("account", name, err);
    for (text += 3; *text == '-' && count < COUNT(parts); count++) {
        text++;
        if (!number_parse(&text, 10, &parts[count]))
            return unknown("account", name, err);
    }
    if (*text != '\0' || count == 0 || parts[0] > UINT8_MAX)
        return unknown("account", name, err);
    head[1] = (uint8_t)(count - 1);
    head[7] = (uint8_t)parts[0];
    if (v2v_bytes_add(out, head, sizeof head, err) < 0)
        return -1;
    for (size_t i = 1; i < count; i++)
        if (v2v_bytes_add_le(out, parts[i], 4, err) < 0)
            return -1;
    return 0;
}

/* @text: what stands between the parentheses, cut up here */
static int
ace_add(char *text, struct v2v_bytes *out, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes sid = { 0 };
    char *fields[6] = { NULL };
    uint32_t type, flags, rights;
    size_t count = 0;

    for (char *field = text; field != NULL && count < 6; count++)
        fields[count] = strsep(&field, ";"), text = field;
    if (count != 6 || text != NULL || *fields[3] != '\0' || *fields[4] != '\0')
        return unknown("entry", fields[0], err);
    if (tokens_parse(ace_types, COUNT(ace_types), "entry type", fields[0],
                     &type, err) < 0 ||
        tokens_parse(ace_flags, COUNT(ace_flags), "entry flag", fields[1],
                     &flags, err) < 0 ||
        rights_parse(fields[2], &rights, err) < 0 ||
        sid_add(fields[5], &sid, err) < 0)
        return -1;
    if (v2v_bytes_add_le(out, type, 1, err) < 0 ||
        v2v_bytes_add_le(out, flags, 1, err) < 0 ||
        v2v_bytes_add_le(out, (uint32_t)(ACE_HEADER_LEN + sid.len), 2, err) <
            0 ||
        v2v_bytes_add_le(out, rights, 4, err) < 0)
        return -1;
    return v2v_bytes_add(out, sid.data, sid.len, err);
}

static int
aces_add(char *text, struct v2v_bytes *out, uint32_t *count,
         struct v2v_error *err)
{
    for (*count = 0; *text != '\0'; ++*count) {
        char *end = strchr(text, ')');

        if (*text != '(' || end == NULL)
            return unknown("text", text, err);
        *end = '\0';
        if (ace_add(text + 1, out, err) < 0)
            return -1;
        text = end + 1;
    }
    return 0;
}

int
plan_sddl(const char *sddl, struct v2v_bytes *ret, struct v2v_error *err)
{
    static const struct token dacl_flags[] = {
        { "P", SE_DACL_PROTECTED }, { "AI", SE_DACL_AUTO_INHERITED }
    };
    V2V_AUTO(bytes) struct v2v_bytes aces = { 0 };
    V2V_AUTO(mem) char *copy = v2v_strdup(sddl, err);
    V2V_AUTO(mem) char *flags_text = NULL;
    uint32_t flags, count;
    size_t flags_len;

    if (copy == NULL)
        return -1;
    if (strncmp(copy, "D:", 2) != 0)
        return unknown("form", sddl, err);
    flags_len = strcspn(copy + 2, "(");
    flags_text = v2v_strndup(copy + 2, flags_len, err);
    if (flags_text == NULL ||
        tokens_parse(dacl_flags, COUNT(dacl_flags), "flag", flags_text, &flags,
                     err) < 0 ||
        aces_add(copy + 2 + flags_len, &aces, &count, err) < 0)
        return -1;
    if (aces.len > UINT16_MAX - ACL_HEADER_LEN)
        return unknown("length of", sddl, err);
    /* revision, no resource manager, control, no owner, no group, no SACL */
    if (v2v_bytes_add_le(ret, 1, 2, err) < 0 ||
        v2v_bytes_add_le(ret, flags | SE_DACL_PRESENT | SE_SELF_RELATIVE, 2,
                         err) < 0 ||
        v2v_bytes_add_le(ret, 0, 4, err) < 0 ||
        v2v_bytes_add_le(ret, 0, 4, err) < 0 ||
        v2v_bytes_add_le(ret, 0, 4, err) < 0 ||
        v2v_bytes_add_le(ret, DESCRIPTOR_LEN, 4, err) < 0)
        return -1;
    if (v2v_bytes_add_le(ret, ACL_REVISION, 2, err) < 0 ||
        v2v_bytes_add_le(ret, (uint32_t)(ACL_HEADER_LEN + aces.len), 2, err) <
            0 ||
        v2v_bytes_add_le(ret, count, 4, err) < 0)
        return -1;
    return v2v_bytes_add(ret, aces.data, aces.len, err);
}
