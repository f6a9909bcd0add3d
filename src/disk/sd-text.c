/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk/sd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "disk/read.h"
#include "disk/sd-layout.h"

/* Numbers and their abbreviations.  Source: Microsoft, "Security Descriptor
 * String Format", "ACE Strings". */
struct name {
    uint32_t value;
    const char *name;
};

static const struct name dacl_flags[] = {
    { SD_DACL_PROTECTED, "P" },
    { SD_DACL_AUTO_INHERIT_REQ, "AR" },
    { SD_DACL_AUTO_INHERITED, "AI" },
    { 0, NULL },
};

static const struct name ace_flags[] = {
    { ACE_OBJECT_INHERIT, "OI" },
    { ACE_CONTAINER_INHERIT, "CI" },
    { ACE_NO_PROPAGATE_INHERIT, "NP" },
    { ACE_INHERIT_ONLY, "IO" },
    { ACE_INHERITED, "ID" },
    { 0, NULL },
};

static const struct name generic_rights[] = {
    { GENERIC_ALL, "GA" },
    { GENERIC_READ, "GR" },
    { GENERIC_WRITE, "GW" },
    { GENERIC_EXECUTE, "GX" },
    { 0, NULL },
};

static const struct name file_rights[] = {
    { FILE_ALL_ACCESS, "FA" },
    { FILE_GENERIC_READ, "FR" },
    { FILE_GENERIC_WRITE, "FW" },
    { FILE_GENERIC_EXECUTE, "FX" },
    { 0, NULL },
};

/* Accounts that are the same on every Windows.  Source: Microsoft, "SID
 * Strings". */
static const struct {
    const char *sid;
    const char *name;
} accounts[] = {
    { "S-1-1-0", "WD" },      { "S-1-3-0", "CO" },      { "S-1-3-1", "CG" },
    { "S-1-3-4", "OW" },      { "S-1-5-4", "IU" },      { "S-1-5-11", "AU" },
    { "S-1-5-18", "SY" },     { "S-1-5-19", "LS" },     { "S-1-5-20", "NS" },
    { "S-1-5-32-544", "BA" }, { "S-1-5-32-545", "BU" }, { "S-1-15-2-1", "AC" },
};

/* "S-1-", an authority of 48 bits and 15 parts of 32 bits fit. */
enum { SID_TEXT_MAX = 200 };

static int
add_sid(struct v2v_bytes *out, struct sid sid, struct v2v_error *err)
{
    char text[SID_TEXT_MAX];
    uint64_t authority = 0;
    size_t used;

    for (size_t i = 2; i < SID_HEADER; i++)
        authority = authority << 8 | sid.data[i];
    used = (size_t)snprintf(text, sizeof text, "S-1-%" PRIu64, authority);
    for (size_t at = SID_HEADER; at < sid.len; at += 4)
        used += (size_t)snprintf(text + used, sizeof text - used, "-%" PRIu32,
                                 disk_le32(sid.data + at));
    for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++)
        if (strcmp(text, accounts[i].sid) == 0)
            return v2v_bytes_printf(out, err, "%s", accounts[i].name);
    return v2v_bytes_printf(out, err, "%s", text);
}

static int
add_names(struct v2v_bytes *out, const struct name *names, uint32_t value,
          struct v2v_error *err)
{
    for (; names->name != NULL; names++)
        if ((value & names->value) != 0 &&
            v2v_bytes_printf(out, err, "%s", names->name) < 0)
            return -1;
    return 0;
}

/* One name of a whole, or names of generic rights when there are only such. */
static int
add_rights(struct v2v_bytes *out, uint32_t mask, struct v2v_error *err)
{
    for (const struct name *n = file_rights; n->name != NULL; n++)
        if (mask == n->value)
            return v2v_bytes_printf(out, err, "%s", n->name);
    if (mask != 0 && (mask & ~(GENERIC_ALL | GENERIC_READ | GENERIC_WRITE |
                               GENERIC_EXECUTE)) == 0)
        return add_names(out, generic_rights, mask, err);
    return v2v_bytes_printf(out, err, "0x%" PRIx32, mask);
}

static int
add_guid(struct v2v_bytes *out, const uint8_t *g, struct v2v_error *err)
{
    return v2v_bytes_printf(
        out, err, "%08" PRIx32 "-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
        disk_le32(g), disk_le16(g + 4), disk_le16(g + 6), g[8], g[9], g[10],
        g[11], g[12], g[13], g[14], g[15]);
}

/* "type;inherited type", either may be empty */
static int
add_object(struct v2v_bytes *out, const struct ace *ace, struct v2v_error *err)
{
    const uint8_t *guid;
    uint32_t flags;

    if (ace->object_len == 0)
        return v2v_bytes_printf(out, err, ";");
    flags = disk_le32(ace->object);
    guid = ace->object + OBJECT_FLAGS;
    if ((flags & OBJECT_TYPE_PRESENT) != 0) {
        if (add_guid(out, guid, err) < 0)
            return -1;
        guid += GUID_LEN;
    }
    if (v2v_bytes_printf(out, err, ";") < 0)
        return -1;
    return (flags & OBJECT_INHERITED_TYPE_PRESENT) != 0
               ? add_guid(out, guid, err)
               : 0;
}

static int
add_ace(struct v2v_bytes *out, const struct ace *ace, struct v2v_error *err)
{
    if (ace->type == NULL)
        return v2v_bytes_printf(out, err, "(type 0x%02x, %zu bytes)",
                                ace->number, ace->len);
    if (v2v_bytes_printf(out, err, "(%s;", ace->type->name) < 0 ||
        add_names(out, ace_flags, ace->flags, err) < 0 ||
        v2v_bytes_printf(out, err, ";") < 0 ||
        add_rights(out, ace->mask, err) < 0 ||
        v2v_bytes_printf(out, err, ";") < 0 || add_object(out, ace, err) < 0 ||
        v2v_bytes_printf(out, err, ";") < 0 || add_sid(out, ace->sid, err) < 0)
        return -1;
    if (ace->tail_len > 0 &&
        v2v_bytes_printf(out, err, ";%zu bytes", ace->tail_len) < 0)
        return -1;
    return v2v_bytes_printf(out, err, ")");
}

static int
add_dacl(struct v2v_bytes *out, const struct descriptor *d,
         struct v2v_error *err)
{
    size_t at = 0;

    if (!d->has_dacl)
        return 0;
    if (v2v_bytes_printf(out, err, "D:") < 0 ||
        add_names(out, dacl_flags, d->control, err) < 0)
        return -1;
    if (d->aces == NULL)
        return v2v_bytes_printf(out, err, "NO_ACCESS_CONTROL");
    for (unsigned i = 0; i < d->ace_count; i++) {
        struct ace ace;

        if (sd_parse_ace(d->aces + at, d->aces_len - at, &ace, err) < 0)
            return v2v_fail_in(err, "security descriptor: ACE %u", i + 1);
        if (add_ace(out, &ace, err) < 0)
            return -1;
        at += ace.len;
    }
    return 0;
}

int
sd_to_text(const void *sd, size_t len, char **ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes out = { 0 };
    struct descriptor d;

    if (sd_parse_descriptor(sd, len, &d, err) < 0)
        return v2v_fail_in(err, "security descriptor");
    if (d.owner.len > 0 && (v2v_bytes_printf(&out, err, "O:") < 0 ||
                            add_sid(&out, d.owner, err) < 0))
        return -1;
    if (d.group.len > 0 && (v2v_bytes_printf(&out, err, "G:") < 0 ||
                            add_sid(&out, d.group, err) < 0))
        return -1;
    if (add_dacl(&out, &d, err) < 0 || v2v_bytes_add(&out, "", 1, err) < 0)
        return -1;
    *ret = (char *)v2v_steal(out.data);
    return 0;
}
