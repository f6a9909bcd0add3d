/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk/sd.h"

#include <string.h>

#include "disk/read.h"
#include "disk/sd-layout.h"

static const struct {
    uint32_t generic;
    uint32_t specific;
} file_rights[] = {
    { GENERIC_READ, FILE_GENERIC_READ },
    { GENERIC_WRITE, FILE_GENERIC_WRITE },
    { GENERIC_EXECUTE, FILE_GENERIC_EXECUTE },
    { GENERIC_ALL, FILE_ALL_ACCESS },
};

#define SID1(authority, a)                                                     \
    {                                                                          \
        1, 1, 0, 0, 0, 0, 0, authority, a, 0, 0, 0                             \
    }
static const uint8_t sid_creator_owner[] = SID1(3, 0);
static const uint8_t sid_creator_group[] = SID1(3, 1);
static const uint8_t sid_system[] = SID1(5, 18);
static const uint8_t sid_administrators[] = { 1,  2, 0, 0, 0,  0, 0, 5,
                                              32, 0, 0, 0, 32, 2, 0, 0 };

static const struct sid owner_of_child = { sid_administrators,
                                           sizeof sid_administrators };
static const struct sid group_of_child = { sid_system, sizeof sid_system };

static bool
sid_equals(struct sid sid, const void *data, size_t len)
{
    return sid.len == len && memcmp(sid.data, data, len) == 0;
}

static int
format_ace(const struct ace *ace, struct v2v_bytes *out, struct v2v_error *err)
{
    const uint8_t start[] = { ace->number, ace->flags };
    size_t len =
        ACE_HEADER + ACE_MASK + ace->object_len + ace->sid.len + ace->tail_len;

    if (v2v_bytes_add(out, start, sizeof start, err) < 0 ||
        v2v_bytes_add_le(out, len, 2, err) < 0 ||
        v2v_bytes_add_le(out, ace->mask, 4, err) < 0 ||
        v2v_bytes_add(out, ace->object, ace->object_len, err) < 0 ||
        v2v_bytes_add(out, ace->sid.data, ace->sid.len, err) < 0)
        return -1;
    return v2v_bytes_add(out, ace->tail, ace->tail_len, err);
}

static bool
has_ace(const struct v2v_bytes *aces, const struct v2v_bytes *ace)
{
    for (size_t at = 0; at < aces->len; at += disk_le16(aces->data + at + 2))
        if (disk_le16(aces->data + at + 2) == ace->len &&
            memcmp(aces->data + at, ace->data, ace->len) == 0)
            return true;
    return false;
}

/* The second of two equal ACEs decides nothing, wherever it stands. */
static int
add_ace(struct v2v_bytes *aces, const struct ace *ace, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };

    if (format_ace(ace, &bytes, err) < 0)
        return -1;
    if (has_ace(aces, &bytes))
        return 0;
    if (bytes.len > ACL_MAX - ACL_HEADER - aces->len)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the inherited ACL is larger than %d bytes", ACL_MAX);
    return v2v_bytes_add(aces, bytes.data, bytes.len, err);
}

static uint32_t
map_generic(uint32_t mask)
{
    uint32_t mapped = mask;

    for (size_t i = 0; i < sizeof file_rights / sizeof *file_rights; i++)
        if ((mask & file_rights[i].generic) != 0)
            mapped =
                (mapped & ~file_rights[i].generic) | file_rights[i].specific;
    return mapped;
}

static struct sid
replace_creator(struct sid sid)
{
    if (sid_equals(sid, sid_creator_owner, sizeof sid_creator_owner))
        return owner_of_child;
    if (sid_equals(sid, sid_creator_group, sizeof sid_creator_group))
        return group_of_child;
    return sid;
}

static bool
is_for_other_objects(const struct ace *ace)
{
    return ace->object_len > 0 &&
           (disk_le32(ace->object) & OBJECT_INHERITED_TYPE_PRESENT) != 0;
}

static int
inherit_ace(const struct ace *ace, bool directory, struct v2v_bytes *aces,
            struct v2v_error *err)
{
    uint8_t wanted = directory ? ACE_CONTAINER_INHERIT : ACE_OBJECT_INHERIT;
    uint8_t inherit = ace->flags & (ACE_OBJECT_INHERIT | ACE_CONTAINER_INHERIT);
    bool effective = (inherit & wanted) != 0 && !is_for_other_objects(ace);
    bool passed_on = directory && inherit != 0 &&
                     (ace->flags & ACE_NO_PROPAGATE_INHERIT) == 0;
    struct ace here = *ace, below = *ace;
    bool generic;

    here.flags = ACE_INHERITED;
    here.mask = map_generic(ace->mask);
    here.sid = replace_creator(ace->sid);
    generic = here.mask != ace->mask || here.sid.data != ace->sid.data;
    below.flags = inherit | ACE_INHERITED;
    if (effective && passed_on && !generic)
        return add_ace(aces, &below, err);
    below.flags |= ACE_INHERIT_ONLY;
    if (effective && add_ace(aces, &here, err) < 0)
        return -1;
    return passed_on ? add_ace(aces, &below, err) : 0;
}

static int
inherit_aces(const struct descriptor *parent, bool directory,
             struct v2v_bytes *aces, struct v2v_error *err)
{
    size_t at = 0;

    if (parent->aces == NULL)
        return 0;
    for (unsigned i = 0; i < parent->ace_count; i++) {
        struct ace ace;

        if (sd_parse_ace(parent->aces + at, parent->aces_len - at, &ace, err) <
            0)
            return v2v_fail_in(err, "ACE %u", i + 1);
        if (ace.type != NULL && inherit_ace(&ace, directory, aces, err) < 0)
            return -1;
        at += ace.len;
    }
    return 0;
}

static int
add_default_aces(struct v2v_bytes *aces, struct v2v_error *err)
{
    const struct ace system = { .mask = FILE_ALL_ACCESS,
                                .sid = group_of_child };
    const struct ace administrators = { .mask = FILE_ALL_ACCESS,
                                        .sid = owner_of_child };

    return add_ace(aces, &system, err) < 0
               ? -1
               : add_ace(aces, &administrators, err);
}

static unsigned
count_aces(const struct v2v_bytes *aces, bool *object)
{
    unsigned count = 0;

    *object = false;
    for (size_t at = 0; at < aces->len; at += disk_le16(aces->data + at + 2)) {
        *object = *object || sd_ace_type(aces->data[at])->object;
        count++;
    }
    return count;
}

/* In the order that Windows' own descriptors have in $Secure: the DACL, the
 * owner, the group. */
static int
format_descriptor(const struct v2v_bytes *aces, struct v2v_bytes *out,
                  struct v2v_error *err)
{
    static const uint8_t revision[] = { SD_REVISION, 0 };
    size_t acl_len = ACL_HEADER + aces->len;
    bool object;
    unsigned count = count_aces(aces, &object);

    if (v2v_bytes_add(out, revision, sizeof revision, err) < 0 ||
        v2v_bytes_add_le(
            out, SD_SELF_RELATIVE | SD_DACL_PRESENT | SD_DACL_AUTO_INHERITED, 2,
            err) < 0 ||
        v2v_bytes_add_le(out, SD_HEADER + acl_len, 4, err) < 0 ||
        v2v_bytes_add_le(out, SD_HEADER + acl_len + owner_of_child.len, 4,
                         err) < 0 ||
        v2v_bytes_add_le(out, 0, 4, err) < 0 || /* no SACL */
        v2v_bytes_add_le(out, SD_HEADER, 4, err) < 0)
        return -1;
    if (v2v_bytes_add_le(out, object ? ACL_REVISION_DS : ACL_REVISION, 2, err) <
            0 ||
        v2v_bytes_add_le(out, acl_len, 2, err) < 0 ||
        v2v_bytes_add_le(out, count, 4, err) < 0 ||
        v2v_bytes_add(out, aces->data, aces->len, err) < 0 ||
        v2v_bytes_add(out, owner_of_child.data, owner_of_child.len, err) < 0)
        return -1;
    return v2v_bytes_add(out, group_of_child.data, group_of_child.len, err);
}

int
sd_inherit(const void *parent, size_t len, bool directory,
           struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes aces = { 0 }, sd = { 0 };
    struct descriptor d;

    if (sd_parse_descriptor(parent, len, &d, err) < 0 ||
        inherit_aces(&d, directory, &aces, err) < 0)
        return v2v_fail_in(err, "security descriptor");
    if ((aces.len == 0 && add_default_aces(&aces, err) < 0) ||
        format_descriptor(&aces, &sd, err) < 0)
        return -1;
    *ret = sd;
    sd = (struct v2v_bytes){ 0 };
    return 0;
}
