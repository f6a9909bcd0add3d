/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/json-path.h - names of files in the JSON that image/ keeps on disk.
 *
 * JSON is Unicode and a file's name is bytes: one that is not UTF-8 becomes
 * {"hex": "2f73..."} in place of a string. */
#ifndef V2V_IMAGE_JSON_PATH_H
#define V2V_IMAGE_JSON_PATH_H

#include <jansson.h>

#include "base/error.h"

/* NULL is JSON's null; NULL when memory runs out. */
json_t *json_path(const char *path);

/* @ret: a new string, NULL for null or an absent value; -1 with
 * V2V_ERR_FORMAT for anything else. */
int json_path_get(const json_t *value, char **ret, struct v2v_error *err);

#endif
