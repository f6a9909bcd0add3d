/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry/cells.h - layout of hive bins and of what their cells hold
 *
 * Offsets are within a cell's content, after its length; bytes unless said
 * otherwise.
 *
 * Source: M. Suhanov, "Windows registry file format specification". */
#ifndef V2V_REGISTRY_CELLS_H
#define V2V_REGISTRY_CELLS_H

#include "registry/base-block.h"

enum { BIN_ALIGN = 0x1000, BIN_HEADER_LEN = 0x20 };
enum { BIN_AT_OFFSET = 0x04, BIN_AT_LEN = 0x08 };

enum { CELL_ALIGN = 8, CELL_HEADER_LEN = 4 };

/* Names no cell. */
#define CELL_NONE UINT32_MAX

/* "nk" */
enum {
    KEY_AT_PARENT = 0x10,
    KEY_AT_KEY_COUNT = 0x14,
    KEY_AT_KEYS = 0x1c, /* a list, if there are any */
    KEY_AT_VALUE_COUNT = 0x24,
    KEY_AT_VALUES = 0x28, /* offsets of values, if there are any */
    KEY_AT_SECURITY = 0x2c,
    KEY_AT_CLASS = 0x30,
    KEY_AT_NAME_LEN = 0x48,
    KEY_AT_CLASS_LEN = 0x4a,
    KEY_LEN = 0x4c /* the name follows */
};

/* "lf", "lh": pairs of a key's offset and a hash of its name; "li": offsets of
 * keys; "ri": offsets of such lists */
enum { LIST_AT_COUNT = 0x02, LIST_LEN = 0x04 };

/* "vk" */
enum {
    VALUE_AT_NAME_LEN = 0x02,
    VALUE_AT_DATA_LEN = 0x04,
    VALUE_AT_DATA = 0x08, /* an offset, or up to four bytes of data */
    VALUE_LEN = 0x14
};
#define VALUE_INLINE 0x80000000U

/* "db": data in several cells */
enum { BIG_AT_COUNT = 0x02, BIG_AT_LIST = 0x04, BIG_LEN = 0x08 };
enum { BIG_SEGMENT_MAX = 16344 };

/* "sk": in a ring */
enum {
    SECURITY_AT_NEXT = 0x04,
    SECURITY_AT_PREVIOUS = 0x08,
    SECURITY_AT_USERS = 0x0c, /* how many keys name it */
    SECURITY_AT_DATA_LEN = 0x10,
    SECURITY_LEN = 0x14
};

static inline uint16_t
reg_u16(const uint8_t *data, size_t offset)
{
    return (uint16_t)v2v_get_le(data + offset, 2);
}

#endif
