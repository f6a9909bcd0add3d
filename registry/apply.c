/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edits against a hive: does one hold, and carrying it out. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "registry/hive-private.h"
#include "registry/hive.h"

/* What the value of @edit becomes, given what the hive holds now: for APPEND
 * the old strings and those that are missing, else the edit's own data. */
static int
wanted_data(struct reg_hive *hive, const struct reg_edit *edit,
            struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings now = { 0 };
    V2V_AUTO(strings) struct v2v_strings more = { 0 };

    if (edit->op != REG_OP_APPEND)
        return v2v_bytes_copy(edit->data, edit->len, ret, err);
    if (reg_get_strings(hive, edit->key, edit->name, &now, err) < 0 &&
        err->code != V2V_ERR_NOT_FOUND)
        return -1;
    if (reg_split_strings(edit->data, edit->len, &more, err) < 0)
        return -1;
    for (size_t i = 0; i < more.count; i++)
        if (!v2v_strings_has_nocase(&now, more.items[i]) &&
            v2v_strings_add(&now, more.items[i], err) < 0)
            return -1;
    if (reg_join_strings(now.items, now.count, ret, err) < 0)
        return v2v_fail_in(err, "%s", edit->name);
    return 0;
}

static int
value_holds(struct reg_hive *hive, const struct reg_edit *edit,
            struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes now = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes wanted = { 0 };
    uint32_t type;

    if (reg_get(hive, edit->key, edit->name, &type, &now, err) < 0)
        return err->code == V2V_ERR_NOT_FOUND ? 0 : -1;
    if (edit->op == REG_OP_DEFAULT)
        return 1;
    if (wanted_data(hive, edit, &wanted, err) < 0)
        return -1;
    return type == edit->type && now.len == wanted.len &&
           (now.len == 0 || memcmp(now.data, wanted.data, now.len) == 0);
}

int
reg_edit_holds(struct reg_hive *hive, const struct reg_edit *edit,
               struct v2v_error *err)
{
    struct v2v_error local = { 0 };
    int result;

    switch (edit->op) {
    case REG_OP_STAMP:
        return 0;
    case REG_OP_KEY:
        return reg_has_key(hive, edit->key, err);
    case REG_OP_DELETE:
        result = reg_has_key(hive, edit->key, err);
        return result < 0 ? -1 : !result;
    default:
        /* absence is an answer here: keep it out of the caller's error */
        result = value_holds(hive, edit, &local);
        if (result < 0 && err != NULL)
            *err = local;
        return result;
    }
}

/* hivex never uses space again: what @cost bytes more make of the hive. */
static int
grow(struct hivex_hive *hive, uint64_t cost, const char *key,
     struct v2v_error *err)
{
    hive->len += cost;
    if (hive->len > hive->max)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "%s: the hive would grow to more than %" PRIu64
                        " MiB: too many edits",
                        key, hive->max >> 20);
    return 0;
}

/* hivex allocates in whole pages; a cell has less than this of its own. */
enum { PAGE_COST = 4096, CELL_COST = 64 };

static bool
is_ascii(const char *text)
{
    while (*text != '\0')
        if ((unsigned char)*text++ >= 0x80)
            return false;
    return true;
}

static int
add_key(struct hivex_hive *hive, hive_node_h parent, const char *name,
        const char *key, hive_node_h *ret, struct v2v_error *err)
{
    /* the list of sub-keys is written anew */
    uint64_t list =
        CELL_COST * (uint64_t)hivex_node_nr_children(hive->h, parent);

    if (!is_ascii(name))
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "%s: cannot make key \"%s\": its name is not ASCII, "
                        "and hivex would file it where Windows does not find "
                        "it",
                        key, name);
    if (grow(hive, list + PAGE_COST, key, err) < 0)
        return -1;
    *ret = hivex_node_add_child(hive->h, parent, name);
    if (*ret == 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: cannot make key \"%s\": %s",
                        key, name, strerror(errno));
    return 0;
}

static int
make_key(struct hivex_hive *hive, const char *key, hive_node_h *ret,
         struct v2v_error *err)
{
    hive_node_h node = hive->root;

    for (const char *rest = key; *rest != '\0';) {
        V2V_AUTO(mem) char *part = NULL;
        hive_node_h child;

        if (reg_next_part(&rest, &part, err) < 0)
            return -1;
        errno = 0;
        child = hivex_node_get_child(hive->h, node, part);
        if (child == 0 && errno != 0)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "%s: the hive is damaged there: %s", key,
                            strerror(errno));
        if (child == 0 && add_key(hive, node, part, key, &child, err) < 0)
            return -1;
        node = child;
    }
    *ret = node;
    return 0;
}

/* hivex rewrites every value of the key: see REG_VALUE_MAX. */
static int
check_values_fit(struct hivex_hive *hive, hive_node_h node,
                 const struct reg_edit *edit, size_t new_len,
                 struct v2v_error *err)
{
    V2V_AUTO(mem) hive_value_h *values = hivex_node_values(hive->h, node);
    uint64_t cost = PAGE_COST + strlen(edit->name) + new_len;

    if (values == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: the hive is damaged there",
                        edit->key);
    if (new_len > REG_VALUE_MAX)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "%s: value \"%s\" of %zu bytes is longer than %d",
                        edit->key, edit->name, new_len, REG_VALUE_MAX);
    for (size_t i = 0; values[i] != 0; i++) {
        hive_type type;
        size_t len;

        if (hivex_value_type(hive->h, values[i], &type, &len) < 0)
            return v2v_fail(err, V2V_ERR_FORMAT,
                            "%s: the hive is damaged there", edit->key);
        if (len > REG_VALUE_MAX)
            return v2v_fail(err, V2V_ERR_INTERNAL,
                            "%s: holds a value of %zu bytes; a key with one "
                            "longer than %d cannot be edited safely",
                            edit->key, len, REG_VALUE_MAX);
        cost += CELL_COST + len + hivex_value_struct_length(hive->h, values[i]);
    }
    return grow(hive, cost, edit->key, err);
}

/* A value that exists keeps its name's spelling, as in Windows. */
static int
name_of(struct hivex_hive *hive, hive_node_h node, const struct reg_edit *edit,
        char **ret, struct v2v_error *err)
{
    hive_value_h value;

    errno = 0;
    value = hivex_node_get_value(hive->h, node, edit->name);
    if (value == 0 && errno == 0)
        *ret = v2v_strdup(edit->name, err);
    else if (value == 0 || (*ret = hivex_value_key(hive->h, value)) == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: the hive is damaged there",
                        edit->key);
    return *ret == NULL ? -1 : 0;
}

static int
set_value(struct hivex_hive *hive, const struct reg_edit *edit,
          struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    V2V_AUTO(mem) char *name = NULL;
    hive_set_value value;
    hive_node_h node;

    if (wanted_data(&hive->base, edit, &data, err) < 0 ||
        make_key(hive, edit->key, &node, err) < 0 ||
        check_values_fit(hive, node, edit, data.len, err) < 0 ||
        name_of(hive, node, edit, &name, err) < 0)
        return -1;
    value = (hive_set_value){ .key = name,
                              .t = (hive_type)edit->type,
                              .len = data.len,
                              .value = (char *)data.data };
    if (hivex_node_set_value(hive->h, node, &value, 0) < 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: cannot set value \"%s\": %s",
                        edit->key, edit->name, strerror(errno));
    return 0;
}

static int
delete_key(struct hivex_hive *hive, const char *key, struct v2v_error *err)
{
    hive_node_h node;

    if (reg_node_find(hive, key, &node, err) < 0)
        return -1;
    if (node == hive->root)
        return v2v_fail(err, V2V_ERR_INTERNAL, "a hive's root key stays");
    if (hivex_node_delete_child(hive->h, node) == 0)
        return 0;
    /* hivex knows the lists "lf" and "lh", not the "li" of older hives */
    return v2v_fail(err, errno == ENOTSUP ? V2V_ERR_INTERNAL : V2V_ERR_FORMAT,
                    "%s: cannot delete the key: %s", key, strerror(errno));
}

static int
apply_one(struct hivex_hive *hive, const struct reg_edit *edit,
          struct v2v_error *err)
{
    hive_node_h node;

    switch (edit->op) {
    case REG_OP_KEY:
        return make_key(hive, edit->key, &node, err);
    case REG_OP_DELETE:
        return delete_key(hive, edit->key, err);
    default:
        return set_value(hive, edit, err);
    }
}

/* hivex can succeed and not have done it: of two keys of one name, which a
 * damaged hive may hold, it deletes one. */
static int
check_done(struct hivex_hive *hive, const struct reg_edit *edit,
           struct v2v_error *err)
{
    int holds =
        edit->op == REG_OP_STAMP ? 1 : reg_edit_holds(&hive->base, edit, err);

    if (holds == 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "%s: \"%s\" had no effect: the hive is damaged there",
                        edit->key, reg_op_name(edit->op));
    return holds < 0 ? -1 : 0;
}

int
reg_hivex_apply(struct reg_hive *base, enum reg_hive_id id,
                const struct reg_edits *edits, struct v2v_error *err)
{
    struct hivex_hive *hive = hivex_hive_of(base);

    for (size_t i = 0; i < edits->count; i++) {
        const struct reg_edit *edit = &edits->items[i];
        int holds;

        if (edit->hive != id)
            continue;
        holds = reg_edit_holds(base, edit, err);
        if (holds < 0 ||
            (holds == 0 && (reg_hivex_make_writable(hive, err) < 0 ||
                            apply_one(hive, edit, err) < 0 ||
                            check_done(hive, edit, err) < 0)))
            return v2v_fail_in(err, "%s", reg_hive_name(id));
    }
    return 0;
}
