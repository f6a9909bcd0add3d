/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is the same whoever reads the hive. */
#include "registry/hive.h"

#include <inttypes.h>

#include "registry/backend.h"

void
reg_hive_close(struct reg_hive *hive)
{
    if (hive != NULL)
        hive->backend->close(hive);
}

int
reg_has_key(struct reg_hive *hive, const char *key, struct v2v_error *err)
{
    return hive->backend->has_key(hive, key, err);
}

int
reg_children(struct reg_hive *hive, const char *key, struct v2v_strings *ret,
             struct v2v_error *err)
{
    return hive->backend->children(hive, key, ret, err);
}

int
reg_value_names(struct reg_hive *hive, const char *key, struct v2v_strings *ret,
                struct v2v_error *err)
{
    return hive->backend->value_names(hive, key, ret, err);
}

int
reg_get(struct reg_hive *hive, const char *key, const char *name,
        uint32_t *type, struct v2v_bytes *data, struct v2v_error *err)
{
    return hive->backend->get(hive, key, name, type, data, err);
}

int
reg_hive_answered(struct reg_hive *hive, struct v2v_error *err)
{
    return hive->backend->answered(hive, err);
}

void
reg_hive_limit(struct reg_hive *hive, uint64_t max)
{
    hive->backend->limit(hive, max);
}

int
reg_hive_apply(struct reg_hive *hive, enum reg_hive_id id,
               const struct reg_edits *edits, struct v2v_error *err)
{
    return hive->backend->apply(hive, id, edits, err);
}

int
reg_hive_save_to(struct reg_hive *hive, reg_take_fn *take, void *opaque,
                 struct v2v_error *err)
{
    return hive->backend->save(hive, take, opaque, err);
}

static int
take_bytes(void *opaque, const void *data, size_t len, struct v2v_error *err)
{
    return v2v_bytes_add(opaque, data, len, err);
}

int
reg_hive_save(struct reg_hive *hive, struct v2v_bytes *ret,
              struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };

    if (reg_hive_save_to(hive, take_bytes, &bytes, err) < 0)
        return -1;
    v2v_bytes_done(ret);
    *ret = bytes;
    bytes = (struct v2v_bytes){ 0 };
    return 0;
}

int
reg_answer(int result, const struct v2v_error *why, struct v2v_error *err)
{
    if (result == 0)
        return 1;
    if (why->code == V2V_ERR_NOT_FOUND || why->code == V2V_ERR_FORMAT)
        return 0;
    return v2v_fail(err, why->code, "%s", why->text);
}

static int
wrong_type(const char *key, const char *name, uint32_t type,
           struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_FORMAT,
                    "%s: value \"%s\" is of type 0x%" PRIx32, key, name, type);
}

int
reg_get_dword(struct reg_hive *hive, const char *key, const char *name,
              uint32_t *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    uint32_t type;

    if (reg_get(hive, key, name, &type, &data, err) < 0)
        return -1;
    if (type != REG_DWORD || data.len != 4)
        return wrong_type(key, name, type, err);
    *ret = (uint32_t)v2v_get_le(data.data, 4);
    return 0;
}

int
reg_get_string(struct reg_hive *hive, const char *key, const char *name,
               char **ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    uint32_t type;
    char *text;

    if (reg_get(hive, key, name, &type, &data, err) < 0)
        return -1;
    if (type != REG_SZ && type != REG_EXPAND_SZ)
        return wrong_type(key, name, type, err);
    text = v2v_utf8_from_utf16(data.data, data.len, err);
    if (text == NULL)
        return -1;
    *ret = text;
    return 0;
}

int
reg_get_strings(struct reg_hive *hive, const char *key, const char *name,
                struct v2v_strings *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    uint32_t type;

    if (reg_get(hive, key, name, &type, &data, err) < 0)
        return -1;
    if (type != REG_MULTI_SZ)
        return wrong_type(key, name, type, err);
    return reg_split_strings(data.data, data.len, ret, err);
}
