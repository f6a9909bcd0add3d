/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk/sd-layout.h - for sd.c and sd-text.c: a security descriptor taken
 * apart.  All pointers are into the caller's bytes. */
#ifndef V2V_DISK_SD_LAYOUT_H
#define V2V_DISK_SD_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* SECURITY_DESCRIPTOR, [MS-DTYP] 2.4.6. */
enum {
    SD_HEADER = 20,
    SD_REVISION = 1,
    SD_DACL_PRESENT = 0x0004,
    SD_DACL_AUTO_INHERIT_REQ = 0x0100,
    SD_DACL_AUTO_INHERITED = 0x0400,
    SD_DACL_PROTECTED = 0x1000,
    SD_SELF_RELATIVE = 0x8000
};

/* ACL, [MS-DTYP] 2.4.5; revision 4 is for object ACEs. */
enum {
    ACL_HEADER = 8,
    ACL_REVISION = 2,
    ACL_REVISION_DS = 4,
    ACL_MAX = UINT16_MAX
};

/* ACE_HEADER, [MS-DTYP] 2.4.4.1, and the flags of object ACEs, 2.4.4.3. */
enum {
    ACE_HEADER = 4,
    ACE_MASK = 4,
    ACE_OBJECT_INHERIT = 0x01,
    ACE_CONTAINER_INHERIT = 0x02,
    ACE_NO_PROPAGATE_INHERIT = 0x04,
    ACE_INHERIT_ONLY = 0x08,
    ACE_INHERITED = 0x10,
    OBJECT_FLAGS = 4,
    OBJECT_TYPE_PRESENT = 1,
    OBJECT_INHERITED_TYPE_PRESENT = 2,
    GUID_LEN = 16
};

/* SID, [MS-DTYP] 2.4.2.2. */
enum { SID_HEADER = 8, SID_REVISION = 1, SID_PARTS_MAX = 15 };

/* Rights.  Source: Microsoft, "File Security and Access Rights" and winnt.h
 * of the Windows SDK. */
#define GENERIC_READ UINT32_C(0x80000000)
#define GENERIC_WRITE UINT32_C(0x40000000)
#define GENERIC_EXECUTE UINT32_C(0x20000000)
#define GENERIC_ALL UINT32_C(0x10000000)
#define FILE_GENERIC_READ UINT32_C(0x00120089)
#define FILE_GENERIC_WRITE UINT32_C(0x00120116)
#define FILE_GENERIC_EXECUTE UINT32_C(0x001200A0)
#define FILE_ALL_ACCESS UINT32_C(0x001F01FF)

/* A type of ACE that decides about access. */
struct ace_type {
    uint8_t type;
    bool object;
    const char *name;
};

struct sid {
    const uint8_t *data;
    size_t len; /* bytes; 0: absent */
};

struct ace {
    uint8_t number;              /* its type, as stored */
    const struct ace_type *type; /* NULL: decides nothing; of the rest then
                                    only @len is set */
    uint8_t flags;
    uint32_t mask;
    const uint8_t *object; /* object ACE: flags and GUIDs, else empty */
    size_t object_len;
    struct sid sid;
    const uint8_t *tail; /* callback ACE: the condition; and padding */
    size_t tail_len;
    size_t len; /* bytes of the whole */
};

struct descriptor {
    uint16_t control;
    struct sid owner, group;
    bool has_dacl;
    const uint8_t *aces; /* NULL: no DACL, or a NULL DACL */
    size_t aces_len;
    unsigned ace_count;
};

/* Both: V2V_ERR_FORMAT for what does not fit in @len. */
int sd_parse_descriptor(const uint8_t *sd, size_t len, struct descriptor *ret,
                        struct v2v_error *err);
int sd_parse_ace(const uint8_t *p, size_t len, struct ace *ret,
                 struct v2v_error *err);

/* NULL: decides nothing about access, as an audit ACE or an unknown one */
const struct ace_type *sd_ace_type(uint8_t number);

#endif
