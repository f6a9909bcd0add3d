/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/edit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

const char *
reg_hive_name(enum reg_hive_id id)
{
    static const char *const names[REG_HIVE_COUNT] = { "SYSTEM", "SOFTWARE",
                                                       "DRIVERS" };

    return names[id];
}

const char *
reg_op_name(enum reg_op op)
{
    static const char *const names[] = {
        [REG_OP_KEY] = "key",         [REG_OP_SET] = "set",
        [REG_OP_DEFAULT] = "default", [REG_OP_APPEND] = "append",
        [REG_OP_STAMP] = "stamp",     [REG_OP_DELETE] = "delete",
    };

    return names[op];
}

static void
edit_done(struct reg_edit *edit)
{
    free(edit->key);
    free(edit->name);
    free(edit->data);
}

void
reg_edits_done(struct reg_edits *edits)
{
    for (size_t i = 0; i < edits->count; i++)
        edit_done(&edits->items[i]);
    free(edits->items);
    *edits = (struct reg_edits){ 0 };
}

static int
reserve(struct reg_edits *edits, struct v2v_error *err)
{
    struct reg_edit *items =
        reallocarray(edits->items, edits->count + 1, sizeof *items);

    if (items == NULL)
        return v2v_fail_errno(err, errno, "%zu registry edits", edits->count);
    edits->items = items;
    return 0;
}

/* What Windows takes as a key's name: Microsoft, "Registry element size
 * limits".  Bytes of UTF-8 are at least as many as units of UTF-16. */
enum { KEY_PART_MAX = 255 };

static int
check_key(const char *key, struct v2v_error *err)
{
    for (const char *part = key;; part++) {
        size_t len = strcspn(part, "\\");

        if (len == 0 || len > KEY_PART_MAX)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "%s: not a registry key: a part of its path is %s",
                            key, len == 0 ? "empty" : "too long");
        for (size_t i = 0; i < len; i++)
            if ((unsigned char)part[i] < 0x20)
                return v2v_fail(err, V2V_ERR_FORMAT,
                                "%s: not a registry key: a control character",
                                key);
        part += len;
        if (*part == '\0')
            return 0;
    }
}

int
reg_value(const struct reg_place *at, enum reg_op op, const char *name,
          uint32_t type, const void *data, size_t len, struct v2v_error *err)
{
    struct reg_edit edit = {
        .hive = at->hive, .op = op, .type = type, .len = len, .why = at->why
    };

    if (check_key(at->key, err) < 0 || reserve(at->edits, err) < 0)
        return -1;
    edit.key = v2v_strdup(at->key, err);
    edit.name = v2v_strdup(name, err);
    edit.data = malloc(len > 0 ? len : 1);
    if (edit.key == NULL || edit.name == NULL || edit.data == NULL) {
        edit_done(&edit);
        return v2v_fail_errno(err, ENOMEM, "registry edit");
    }
    if (len > 0)
        memcpy(edit.data, data, len);
    at->edits->items[at->edits->count++] = edit;
    return 0;
}

int
reg_key(const struct reg_place *at, struct v2v_error *err)
{
    return reg_value(at, REG_OP_KEY, "", REG_NONE, NULL, 0, err);
}

int
reg_delete(const struct reg_place *at, struct v2v_error *err)
{
    return reg_value(at, REG_OP_DELETE, "", REG_NONE, NULL, 0, err);
}

int
reg_dword(const struct reg_place *at, const char *name, uint32_t value,
          struct v2v_error *err)
{
    uint8_t le[4];

    v2v_put_le(le, value, sizeof le);
    return reg_value(at, REG_OP_SET, name, REG_DWORD, le, sizeof le, err);
}

int
reg_qword(const struct reg_place *at, const char *name, uint64_t value,
          struct v2v_error *err)
{
    uint8_t le[8];

    v2v_put_le(le, value, sizeof le);
    return reg_value(at, REG_OP_SET, name, REG_QWORD, le, sizeof le, err);
}

static const uint8_t utf16_nul[2] = { 0, 0 };

static int
add_string(struct v2v_bytes *out, const char *text, struct v2v_error *err)
{
    if (v2v_utf16_from_utf8(text, out, err) < 0)
        return -1;
    return v2v_bytes_add(out, utf16_nul, sizeof utf16_nul, err);
}

int
reg_string(const struct reg_place *at, const char *name, uint32_t type,
           const char *text, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };

    if (add_string(&data, text, err) < 0)
        return v2v_fail_in(err, "%s", name);
    return reg_value(at, REG_OP_SET, name, type, data.data, data.len, err);
}

int
reg_join_strings(char *const *list, size_t count, struct v2v_bytes *out,
                 struct v2v_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (add_string(out, list[i], err) < 0)
            return -1;
    return v2v_bytes_add(out, utf16_nul, sizeof utf16_nul, err);
}

int
reg_strings(const struct reg_place *at, enum reg_op op, const char *name,
            char *const *list, size_t count, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };

    if (reg_join_strings(list, count, &data, err) < 0)
        return v2v_fail_in(err, "%s", name);
    return reg_value(at, op, name, REG_MULTI_SZ, data.data, data.len, err);
}

void
reg_edits_keep(struct reg_edits *edits, const bool *keep)
{
    size_t kept = 0;

    for (size_t i = 0; i < edits->count; i++) {
        struct reg_edit edit = edits->items[i];

        if (!keep[i])
            continue;
        edits->items[i] = edits->items[kept];
        edits->items[kept++] = edit;
    }
    while (edits->count > kept)
        edit_done(&edits->items[--edits->count]);
}

static int
print_text(const char *kind, const uint8_t *data, size_t len,
           struct v2v_bytes *out, struct v2v_error *err)
{
    V2V_AUTO(mem) char *text = v2v_utf8_from_utf16(data, len, err);

    if (text == NULL)
        return -1;
    v2v_make_printable(text);
    return v2v_bytes_printf(out, err, "%s \"%s\"", kind, text);
}

int
reg_split_strings(const uint8_t *data, size_t len, struct v2v_strings *ret,
                  struct v2v_error *err)
{
    for (size_t at = 0, end; at + 2 <= len; at = end + 2) {
        V2V_AUTO(mem) char *text = NULL;

        for (end = at; end + 2 <= len && (data[end] | data[end + 1]) != 0;)
            end += 2;
        if (end == at)
            break;
        text = v2v_utf8_from_utf16(data + at, end - at, err);
        if (text == NULL || v2v_strings_add(ret, text, err) < 0)
            return -1;
    }
    return 0;
}

static int
print_list(const uint8_t *data, size_t len, struct v2v_bytes *out,
           struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings list = { 0 };

    if (reg_split_strings(data, len, &list, err) < 0 ||
        v2v_bytes_printf(out, err, "multi_sz") < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++) {
        v2v_make_printable(list.items[i]);
        if (v2v_bytes_printf(out, err, "%s\"%s\"", i == 0 ? " " : ", ",
                             list.items[i]) < 0)
            return -1;
    }
    return 0;
}

static int
print_hex(uint32_t type, const uint8_t *data, size_t len, struct v2v_bytes *out,
          struct v2v_error *err)
{
    if (v2v_bytes_printf(out, err, "hex(%" PRIx32 ")", type) < 0)
        return -1;
    for (size_t i = 0; i < len; i++)
        if (v2v_bytes_printf(out, err, "%c%02x", i == 0 ? ' ' : ',', data[i]) <
            0)
            return -1;
    return 0;
}

int
reg_data_print(uint32_t type, const uint8_t *data, size_t len,
               struct v2v_bytes *out, struct v2v_error *err)
{
    if (type == REG_SZ)
        return print_text("sz", data, len, out, err);
    if (type == REG_EXPAND_SZ)
        return print_text("expand_sz", data, len, out, err);
    if (type == REG_MULTI_SZ)
        return print_list(data, len, out, err);
    if (type == REG_DWORD && len == 4)
        return v2v_bytes_printf(out, err, "dword 0x%" PRIx64,
                                v2v_get_le(data, len));
    if (type == REG_QWORD && len == 8)
        return v2v_bytes_printf(out, err, "qword 0x%" PRIx64,
                                v2v_get_le(data, len));
    return print_hex(type, data, len, out, err);
}

int
reg_edit_print(const struct reg_edit *edit, struct v2v_bytes *out,
               struct v2v_error *err)
{
    if (v2v_bytes_printf(out, err, "%s %s %s", reg_hive_name(edit->hive),
                         reg_op_name(edit->op), edit->key) < 0)
        return -1;
    if (edit->op == REG_OP_KEY || edit->op == REG_OP_DELETE)
        return v2v_bytes_printf(out, err, "\n");
    if (v2v_bytes_printf(out, err, " \"%s\" ", edit->name) < 0 ||
        reg_data_print(edit->type, edit->data, edit->len, out, err) < 0)
        return -1;
    return v2v_bytes_printf(out, err, "\n");
}
