/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/json-path.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

json_t *
json_path(const char *path)
{
    V2V_AUTO(mem) char *hex = NULL;
    json_t *text;

    if (path == NULL)
        return json_null();
    text = json_string(path);
    if (text != NULL)
        return text;
    hex = calloc(strlen(path) + 1, 2);
    for (size_t i = 0; hex != NULL && path[i] != '\0'; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)path[i]);
    return hex == NULL ? NULL : json_pack("{s:s}", "hex", hex);
}

static int
from_hex(const char *hex, char **ret, struct v2v_error *err)
{
    size_t len = strlen(hex) / 2;
    V2V_AUTO(mem) char *path = calloc(len + 1, 1);

    if (path == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    for (size_t i = 0; i < len; i++) {
        unsigned byte;

        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return v2v_fail(err, V2V_ERR_FORMAT, "a name's bytes: %s", hex);
        path[i] = (char)byte;
    }
    *ret = v2v_steal(path);
    return 0;
}

int
json_path_get(const json_t *value, char **ret, struct v2v_error *err)
{
    const char *text = json_string_value(value);
    const char *hex = json_string_value(json_object_get(value, "hex"));

    *ret = NULL;
    if (value == NULL || json_is_null(value))
        return 0;
    if (text == NULL && hex == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "a name is neither text nor hex");
    if (hex != NULL)
        return from_hex(hex, ret, err);
    *ret = v2v_strdup(text, err);
    return *ret == NULL ? -1 : 0;
}
