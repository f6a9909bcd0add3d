/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * registry/edit.h - a registry change as a value
 *
 * Written once, an edit can be printed, compared and carried out.  Nothing
 * here touches a hive: hive.h does.
 */
#ifndef V2V_REGISTRY_EDIT_H
#define V2V_REGISTRY_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

/* The hives this program knows, files of System32\config. */
enum reg_hive_id { REG_SYSTEM, REG_SOFTWARE, REG_DRIVERS };
#define REG_HIVE_COUNT 3

/* "SYSTEM", "SOFTWARE", "DRIVERS": the file's name and how people say it. */
const char *reg_hive_name(enum reg_hive_id id);

/* Value types, Microsoft, "Registry value types".  A hive may hold any other
 * number: DriverDatabase keeps 0xffff0000 | DEVPROP_TYPE in places. */
enum reg_type {
    REG_NONE = 0,
    REG_SZ = 1,
    REG_EXPAND_SZ = 2,
    REG_BINARY = 3,
    REG_DWORD = 4,
    REG_MULTI_SZ = 7,
    REG_QWORD = 11
};

enum reg_op {
    REG_OP_KEY,     /* the key exists */
    REG_OP_SET,     /* the value is this */
    REG_OP_DEFAULT, /* the value exists; this, if it is absent now */
    REG_OP_APPEND,  /* the MULTI_SZ holds these strings, whatever else */
    REG_OP_STAMP, /* the value is this, if any other edit of its hive is due */
    REG_OP_DELETE /* the key, with all below it, does not exist */
};

/* "set", "append" ...: for reports */
const char *reg_op_name(enum reg_op op);

struct reg_edit {
    enum reg_hive_id hive;
    enum reg_op op;
    char *key;     /* UTF-8, relative to the hive's root, '\\' between parts */
    char *name;    /* "" is the key's default value; unused for KEY, DELETE */
    uint32_t type; /* enum reg_type, or any other number */
    uint8_t *data; /* just what the hive will hold: UTF-16LE, NULs included */
    size_t len;    /* bytes */
    const char *why; /* static text; shown by --dry-run */
};

/* All zero is an empty list.  The list owns keys, names and data. */
struct reg_edits {
    struct reg_edit *items;
    size_t count;
};

void reg_edits_done(struct reg_edits *edits);

static inline void
v2v_auto_reg_edits(struct reg_edits *edits)
{
    reg_edits_done(edits);
}

/* Where the next edits go: set once, used for a run of them. */
struct reg_place {
    struct reg_edits *edits;
    enum reg_hive_id hive;
    const char *key;
    const char *why;
};

/* Each appends one edit; all fail with V2V_ERR_INTERNAL (memory) or, for a
 * text that is not UTF-8 or a path that cannot be a key's, V2V_ERR_FORMAT. */
int reg_key(const struct reg_place *at, struct v2v_error *err);
int reg_delete(const struct reg_place *at, struct v2v_error *err);
int reg_value(const struct reg_place *at, enum reg_op op, const char *name,
              uint32_t type, const void *data, size_t len,
              struct v2v_error *err);
int reg_dword(const struct reg_place *at, const char *name, uint32_t value,
              struct v2v_error *err);
int reg_qword(const struct reg_place *at, const char *name, uint64_t value,
              struct v2v_error *err);
/* @type: REG_SZ or REG_EXPAND_SZ */
int reg_string(const struct reg_place *at, const char *name, uint32_t type,
               const char *text, struct v2v_error *err);
/* @op: REG_OP_SET or REG_OP_APPEND; @list: @count strings */
int reg_strings(const struct reg_place *at, enum reg_op op, const char *name,
                char *const *list, size_t count, struct v2v_error *err);

/* A REG_MULTI_SZ value, appended to @out; fails as the above. */
int reg_join_strings(char *const *list, size_t count, struct v2v_bytes *out,
                     struct v2v_error *err);

/* The strings of a REG_MULTI_SZ value, added to @ret: up to an empty one or
 * the end. */
int reg_split_strings(const uint8_t *data, size_t len, struct v2v_strings *ret,
                      struct v2v_error *err);

/* Drop those of which @keep is false; the others stay in their order. */
void reg_edits_keep(struct reg_edits *edits, const bool *keep);

/**
 * reg_edit_print() - append one line of text for a person and a golden file
 *
 *     SYSTEM set ControlSet001\Services\viostor "Start" dword 0
 */
int reg_edit_print(const struct reg_edit *edit, struct v2v_bytes *out,
                   struct v2v_error *err);

/* Only the value of that line: "dword 0", "sz \"x\"", "hex(3) 01,ff". */
int reg_data_print(uint32_t type, const uint8_t *data, size_t len,
                   struct v2v_bytes *out, struct v2v_error *err);

#endif
