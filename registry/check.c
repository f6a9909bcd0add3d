/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/check.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "registry/base-block.h"
#include "registry/cells.h"

/* One byte for every 8 bytes of the bins, where a cell may begin. */
enum mark { MARK_NONE, MARK_FREE, MARK_USED, MARK_OWNED, MARK_SECURITY };

struct check {
    const uint8_t *bins; /* offsets in a hive are from here */
    uint32_t len;
    uint8_t *marks;            /* enum mark, by offset / CELL_ALIGN */
    struct v2v_bytes security; /* an offset of 4 bytes for each key */
};

/* Where in the file, for people with a hex editor. */
static int
corrupt(uint32_t offset, const char *what, struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_FORMAT,
                    "corrupt registry hive: byte 0x%zx: %s",
                    REG_BASE_BLOCK_LEN + (size_t)offset, what);
}

/* Cells: a length, negative when in use, and the content ------------------ */

static int
mark_cells(struct check *c, uint32_t at, uint32_t end, struct v2v_error *err)
{
    while (at < end) {
        int32_t size = (int32_t)reg_u32(c->bins, at);
        /* not -size: it has no positive of its own if it is the least */
        uint32_t len = size < 0 ? 0U - (uint32_t)size : (uint32_t)size;

        if (len < CELL_ALIGN || len % CELL_ALIGN != 0 || len > end - at)
            return corrupt(at, "a cell's length is wrong", err);
        c->marks[at / CELL_ALIGN] = size < 0 ? MARK_USED : MARK_FREE;
        at += len;
    }
    return 0;
}

static int
mark_bins(struct check *c, struct v2v_error *err)
{
    for (uint32_t at = 0, len; at < c->len; at += len) {
        if (c->len - at < BIN_ALIGN || memcmp(c->bins + at, "hbin", 4) != 0)
            return corrupt(at, "no hive bin", err);
        len = reg_u32(c->bins, at + BIN_AT_LEN);
        if (reg_u32(c->bins, at + BIN_AT_OFFSET) != at || len == 0 ||
            len % BIN_ALIGN != 0 || len > c->len - at)
            return corrupt(at, "a hive bin's place or length is wrong", err);
        if (mark_cells(c, at + BIN_HEADER_LEN, at + len, err) < 0)
            return -1;
    }
    return 0;
}

static bool
is_cell(const struct check *c, uint32_t offset)
{
    return offset < c->len && offset % CELL_ALIGN == 0 &&
           c->marks[offset / CELL_ALIGN] >= MARK_USED;
}

/* Bytes of a cell's content. */
static uint32_t
content_len(const struct check *c, uint32_t offset)
{
    return 0U - reg_u32(c->bins, offset) - CELL_HEADER_LEN;
}

static const uint8_t *
content(const struct check *c, uint32_t offset)
{
    return c->bins + offset + CELL_HEADER_LEN;
}

/* The cell at @offset, which nobody else may own, has @need bytes or more and
 * is that thing.  @owner: the cell that names it, for the message. */
static int
own(struct check *c, uint32_t owner, uint32_t offset, uint64_t need,
    const char *what, const uint8_t **ret, struct v2v_error *err)
{
    if (!is_cell(c, offset))
        return corrupt(owner, what, err);
    if (c->marks[offset / CELL_ALIGN] != MARK_USED)
        return corrupt(offset, "a cell has two owners", err);
    if (content_len(c, offset) < need)
        return corrupt(offset, "a cell is too short for what it holds", err);
    c->marks[offset / CELL_ALIGN] = MARK_OWNED;
    *ret = content(c, offset);
    return 0;
}

static bool
has_tag(const uint8_t *cell, const char *tag)
{
    return memcmp(cell, tag, 2) == 0;
}

/* Values ------------------------------------------------------------------ */

static int
check_big_data(struct check *c, uint32_t offset, uint32_t data_len,
               struct v2v_error *err)
{
    static const char what[] = "the segments of a long value are not there";
    const uint8_t *cell = content(c, offset), *list, *segment;
    uint32_t count, list_at;

    if (content_len(c, offset) < BIG_LEN || !has_tag(cell, "db"))
        return corrupt(offset, "a cell is too short for what it holds", err);
    count = reg_u16(cell, BIG_AT_COUNT);
    list_at = reg_u32(cell, BIG_AT_LIST);
    if (data_len > (uint64_t)count * BIG_SEGMENT_MAX)
        return corrupt(offset, what, err);
    if (own(c, offset, list_at, 4 * (uint64_t)count, what, &list, err) < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t part = data_len < BIG_SEGMENT_MAX ? data_len : BIG_SEGMENT_MAX;

        if (own(c, list_at, reg_u32(list, 4 * (size_t)i), part, what, &segment,
                err) < 0)
            return -1;
        data_len -= part;
    }
    return 0;
}

static int
check_value(struct check *c, uint32_t owner, uint32_t offset,
            struct v2v_error *err)
{
    const uint8_t *value, *data;
    uint32_t data_len, data_at;

    if (own(c, owner, offset, VALUE_LEN, "a value is not there", &value, err) <
        0)
        return -1;
    if (!has_tag(value, "vk") ||
        content_len(c, offset) - VALUE_LEN < reg_u16(value, VALUE_AT_NAME_LEN))
        return corrupt(offset, "not a value", err);
    data_len = reg_u32(value, VALUE_AT_DATA_LEN);
    data_at = reg_u32(value, VALUE_AT_DATA);
    if (data_len & VALUE_INLINE)
        return (data_len & ~VALUE_INLINE) <= 4
                   ? 0
                   : corrupt(offset, "a value's length is wrong", err);
    if (own(c, offset, data_at, 0, "a value's data is not there", &data, err) <
        0)
        return -1;
    if (content_len(c, data_at) >= data_len)
        return 0;
    return check_big_data(c, data_at, data_len, err);
}

static int
check_values(struct check *c, uint32_t key_at, const uint8_t *key,
             struct v2v_error *err)
{
    uint32_t count = reg_u32(key, KEY_AT_VALUE_COUNT);
    uint32_t list_at = reg_u32(key, KEY_AT_VALUES);
    const uint8_t *list;

    if (count == 0)
        return 0;
    if (own(c, key_at, list_at, 4 * (uint64_t)count,
            "a key's list of values is not there", &list, err) < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        if (check_value(c, list_at, reg_u32(list, 4 * (size_t)i), err) < 0)
            return -1;
    return 0;
}

/* Keys -------------------------------------------------------------------- */

/* A key whose sub-keys are to be looked at. */
struct place {
    uint32_t key_at;
    unsigned depth;
    uint64_t seen; /* sub-keys so far */
};

static int check_key(struct check *c, uint32_t owner, uint32_t offset,
                     const struct place *parent, struct v2v_error *err);

/* @index: the list stands in an "ri", in which no second one stands. */
static int
check_list(struct check *c, uint32_t owner, uint32_t offset, bool index,
           struct place *place, struct v2v_error *err)
{
    static const char what[] = "a key's list of sub-keys is not there";
    const uint8_t *list;
    size_t count, step;

    if (own(c, owner, offset, LIST_LEN, what, &list, err) < 0)
        return -1;
    step = has_tag(list, "lf") || has_tag(list, "lh")               ? 8
           : has_tag(list, "li") || (has_tag(list, "ri") && !index) ? 4
                                                                    : 0;
    if (step == 0)
        return corrupt(offset, "not a list of sub-keys", err);
    count = reg_u16(list, LIST_AT_COUNT);
    if (content_len(c, offset) - LIST_LEN < count * step)
        return corrupt(offset, "a cell is too short for what it holds", err);
    for (size_t i = 0; i < count; i++) {
        uint32_t item = reg_u32(list, LIST_LEN + i * step);
        int result = has_tag(list, "ri")
                         ? check_list(c, offset, item, true, place, err)
                         : check_key(c, offset, item, place, err);

        if (result < 0)
            return -1;
    }
    if (!has_tag(list, "ri"))
        place->seen += count;
    return 0;
}

static int
check_children(struct check *c, uint32_t key_at, const uint8_t *key,
               unsigned depth, struct v2v_error *err)
{
    uint32_t count = reg_u32(key, KEY_AT_KEY_COUNT);
    struct place place = { .key_at = key_at, .depth = depth };

    if (count == 0)
        return 0;
    if (check_list(c, key_at, reg_u32(key, KEY_AT_KEYS), false, &place, err) <
        0)
        return -1;
    if (place.seen != count)
        return corrupt(key_at, "a key's count of sub-keys is wrong", err);
    return 0;
}

/* The same cell serves many keys. */
static int
note_security(struct check *c, uint32_t key_at, uint32_t offset,
              struct v2v_error *err)
{
    uint8_t *mark;

    if (offset == CELL_NONE)
        return 0;
    if (!is_cell(c, offset))
        return corrupt(key_at, "a key's security is not there", err);
    mark = &c->marks[offset / CELL_ALIGN];
    if (*mark == MARK_OWNED)
        return corrupt(offset, "a cell has two owners", err);
    *mark = MARK_SECURITY;
    return v2v_bytes_add(&c->security, &offset, sizeof offset, err);
}

static int
check_key(struct check *c, uint32_t owner, uint32_t offset,
          const struct place *parent, struct v2v_error *err)
{
    unsigned depth = parent == NULL ? 0 : parent->depth + 1;
    const uint8_t *key, *class_name;
    uint32_t class_at;

    if (depth > REG_DEPTH_MAX)
        return corrupt(offset, "keys lie too deep", err);
    if (own(c, owner, offset, KEY_LEN, "a key is not there", &key, err) < 0)
        return -1;
    if (!has_tag(key, "nk") ||
        content_len(c, offset) - KEY_LEN < reg_u16(key, KEY_AT_NAME_LEN))
        return corrupt(offset, "not a key", err);
    if (parent != NULL && reg_u32(key, KEY_AT_PARENT) != parent->key_at)
        return corrupt(offset, "a key has another parent", err);
    class_at = reg_u32(key, KEY_AT_CLASS);
    if (class_at != CELL_NONE &&
        own(c, offset, class_at, reg_u16(key, KEY_AT_CLASS_LEN),
            "a key's class name is not there", &class_name, err) < 0)
        return -1;
    if (note_security(c, offset, reg_u32(key, KEY_AT_SECURITY), err) < 0 ||
        check_values(c, offset, key, err) < 0)
        return -1;
    return check_children(c, offset, key, depth, err);
}

/* Security ---------------------------------------------------------------- */

static bool
is_security(const struct check *c, uint32_t offset)
{
    return is_cell(c, offset) && c->marks[offset / CELL_ALIGN] != MARK_OWNED &&
           content_len(c, offset) >= SECURITY_LEN &&
           has_tag(content(c, offset), "sk");
}

/* One cell that @users keys name. */
static int
check_security(const struct check *c, uint32_t offset, size_t users,
               struct v2v_error *err)
{
    const uint8_t *cell = content(c, offset);

    if (!is_security(c, offset) || content_len(c, offset) - SECURITY_LEN <
                                       reg_u32(cell, SECURITY_AT_DATA_LEN))
        return corrupt(offset, "not a security cell", err);
    if (!is_security(c, reg_u32(cell, SECURITY_AT_NEXT)) ||
        !is_security(c, reg_u32(cell, SECURITY_AT_PREVIOUS)))
        return corrupt(offset, "a security cell's neighbour is none", err);
    if (reg_u32(cell, SECURITY_AT_USERS) < users)
        return corrupt(offset, "a security cell counts too few keys", err);
    return 0;
}

static int
compare_offsets(const void *a, const void *b)
{
    uint32_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static int
check_all_security(const struct check *c, struct v2v_error *err)
{
    const uint32_t *list = (const uint32_t *)(const void *)c->security.data;
    size_t count = c->security.len / sizeof *list;

    if (count == 0)
        return 0;
    qsort(c->security.data, count, sizeof *list, compare_offsets);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && list[end] == list[i];)
            end++;
        if (check_security(c, list[i], end - i, err) < 0)
            return -1;
    }
    return 0;
}

int
reg_hive_check(const void *data, size_t len, struct v2v_error *err)
{
    const uint8_t *bytes = data;
    struct check c = { .bins = bytes + REG_BASE_BLOCK_LEN };
    int result;

    if (len < REG_BASE_BLOCK_LEN ||
        reg_u32(bytes, REG_AT_HBINS_LEN) > len - REG_BASE_BLOCK_LEN)
        return v2v_fail(err, V2V_ERR_FORMAT, "not a registry hive");
    c.len = reg_u32(bytes, REG_AT_HBINS_LEN);
    c.marks = calloc(c.len / CELL_ALIGN + 1, 1);
    if (c.marks == NULL)
        return v2v_fail_errno(err, errno, "marks of a registry hive's cells");
    result = mark_bins(&c, err);
    if (result == 0)
        result = check_key(&c, reg_u32(bytes, REG_AT_ROOT),
                           reg_u32(bytes, REG_AT_ROOT), NULL, err);
    if (result == 0)
        result = check_all_security(&c, err);
    v2v_bytes_done(&c.security);
    free(c.marks);
    return result;
}
