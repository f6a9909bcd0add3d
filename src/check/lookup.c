/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Look-ups for which what is damaged is absent. */
#include "check/internal.h"

int
check_get(struct reg_hive *hive, const char *key, const char *name,
          uint32_t *type, struct v2v_bytes *ret, struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (key == NULL)
        return -1;
    return reg_answer(reg_get(hive, key, name, type, ret, &why), &why, err);
}

int
check_get_dword(struct reg_hive *hive, const char *key, const char *name,
                uint32_t *ret, struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (key == NULL)
        return -1;
    return reg_answer(reg_get_dword(hive, key, name, ret, &why), &why, err);
}

int
check_get_string(struct reg_hive *hive, const char *key, const char *name,
                 char **ret, struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (key == NULL)
        return -1;
    return reg_answer(reg_get_string(hive, key, name, ret, &why), &why, err);
}

int
check_get_strings(struct reg_hive *hive, const char *key, const char *name,
                  struct v2v_strings *ret, struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (key == NULL)
        return -1;
    return reg_answer(reg_get_strings(hive, key, name, ret, &why), &why, err);
}

int
check_children(struct reg_hive *hive, const char *key, struct v2v_strings *ret,
               struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (key == NULL)
        return -1;
    return reg_answer(reg_children(hive, key, ret, &why), &why, err);
}

int
check_value_names(struct reg_hive *hive, const char *key,
                  struct v2v_strings *ret, struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (key == NULL)
        return -1;
    return reg_answer(reg_value_names(hive, key, ret, &why), &why, err);
}

int
check_has_key(struct reg_hive *hive, const char *key, struct v2v_error *err)
{
    struct v2v_error why = { 0 };
    int has;

    if (key == NULL)
        return -1;
    has = reg_has_key(hive, key, &why);
    return has >= 0 ? has : reg_answer(-1, &why, err);
}

int
check_has_file(struct check *check, const char *path, struct v2v_error *err)
{
    struct v2v_error why = { 0 };
    struct guest_stat stat;

    if (path == NULL)
        return -1;
    if (guest_stat(check->in->guest, path, &stat, &why) == 0)
        return stat.exists;
    if (why.code == V2V_ERR_GUEST)
        return 1;
    return reg_answer(-1, &why, err);
}
