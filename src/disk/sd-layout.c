/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk/sd-layout.h"

#include "disk/read.h"

/* The types that decide about access.  Names: [MS-DTYP] 2.5.1.1; the last has
 * none there. */
static const struct ace_type ace_types[] = {
    { 0x00, false, "A" }, { 0x01, false, "D" },  { 0x05, true, "OA" },
    { 0x06, true, "OD" }, { 0x09, false, "XA" }, { 0x0A, false, "XD" },
    { 0x0B, true, "ZA" }, { 0x0C, true, "ZD" },
};

static bool
parse_sid(const uint8_t *p, size_t len, struct sid *ret)
{
    size_t sid_len;

    if (len < SID_HEADER || p[0] != SID_REVISION || p[1] > SID_PARTS_MAX)
        return false;
    sid_len = SID_HEADER + (size_t)p[1] * 4;
    if (sid_len > len)
        return false;
    *ret = (struct sid){ p, sid_len };
    return true;
}

/* @offset: of the SID, in the header at @at; 0 there means absent. */
static int
parse_principal(const uint8_t *sd, size_t len, size_t at, const char *what,
                struct sid *ret, struct v2v_error *err)
{
    size_t offset = disk_le32(sd + at);

    *ret = (struct sid){ 0 };
    if (offset == 0)
        return 0;
    if (offset > len || !parse_sid(sd + offset, len - offset, ret))
        return v2v_fail(err, V2V_ERR_FORMAT, "bad %s at byte %zu", what,
                        offset);
    return 0;
}

static int
parse_dacl(const uint8_t *sd, size_t len, struct descriptor *d,
           struct v2v_error *err)
{
    size_t offset = disk_le32(sd + 16), size;
    const uint8_t *acl;

    if ((d->control & SD_DACL_PRESENT) == 0)
        return 0;
    d->has_dacl = true;
    if (offset == 0)
        return 0;
    if (offset > len || len - offset < ACL_HEADER)
        return v2v_fail(err, V2V_ERR_FORMAT, "DACL at byte %zu of %zu", offset,
                        len);
    acl = sd + offset;
    size = disk_le16(acl + 2);
    if (size < ACL_HEADER || size > len - offset)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "DACL at byte %zu has a size of %zu, %zu are left",
                        offset, size, len - offset);
    d->aces = acl + ACL_HEADER;
    d->aces_len = size - ACL_HEADER;
    d->ace_count = disk_le16(acl + 4);
    return 0;
}

int
sd_parse_descriptor(const uint8_t *sd, size_t len, struct descriptor *ret,
                    struct v2v_error *err)
{
    struct descriptor d = { 0 };

    if (len < SD_HEADER)
        return v2v_fail(err, V2V_ERR_FORMAT, "%zu bytes are too few", len);
    d.control = disk_le16(sd + 2);
    if (sd[0] != SD_REVISION || (d.control & SD_SELF_RELATIVE) == 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "not a self-relative one of revision 1");
    if (parse_principal(sd, len, 4, "owner", &d.owner, err) < 0 ||
        parse_principal(sd, len, 8, "group", &d.group, err) < 0 ||
        parse_dacl(sd, len, &d, err) < 0)
        return -1;
    *ret = d;
    return 0;
}

const struct ace_type *
sd_ace_type(uint8_t number)
{
    for (size_t i = 0; i < sizeof ace_types / sizeof *ace_types; i++)
        if (ace_types[i].type == number)
            return &ace_types[i];
    return NULL;
}

static size_t
object_part_len(uint32_t flags)
{
    size_t len = OBJECT_FLAGS;

    if ((flags & OBJECT_TYPE_PRESENT) != 0)
        len += GUID_LEN;
    if ((flags & OBJECT_INHERITED_TYPE_PRESENT) != 0)
        len += GUID_LEN;
    return len;
}

/* What follows the header of an ACE that decides about access. */
static bool
parse_ace_body(const uint8_t *p, size_t len, struct ace *ace)
{
    if (len < ACE_MASK)
        return false;
    ace->mask = disk_le32(p);
    p += ACE_MASK;
    len -= ACE_MASK;
    if (ace->type->object) {
        if (len < OBJECT_FLAGS || len < object_part_len(disk_le32(p)))
            return false;
        ace->object = p;
        ace->object_len = object_part_len(disk_le32(p));
        p += ace->object_len;
        len -= ace->object_len;
    }
    if (!parse_sid(p, len, &ace->sid))
        return false;
    ace->tail = p + ace->sid.len;
    ace->tail_len = len - ace->sid.len;
    return true;
}

int
sd_parse_ace(const uint8_t *p, size_t len, struct ace *ret,
             struct v2v_error *err)
{
    struct ace ace = { 0 };

    if (len < ACE_HEADER)
        return v2v_fail(err, V2V_ERR_FORMAT, "beyond the end of the DACL");
    ace.len = disk_le16(p + 2);
    if (ace.len < ACE_HEADER || ace.len % 4 != 0 || ace.len > len)
        return v2v_fail(err, V2V_ERR_FORMAT, "a size of %zu, %zu are left",
                        ace.len, len);
    ace.number = p[0];
    ace.type = sd_ace_type(p[0]);
    ace.flags = p[1];
    if (ace.type != NULL &&
        !parse_ace_body(p + ACE_HEADER, ace.len - ACE_HEADER, &ace))
        return v2v_fail(err, V2V_ERR_FORMAT, "no SID within its %zu bytes",
                        ace.len);
    *ret = ace;
    return 0;
}
