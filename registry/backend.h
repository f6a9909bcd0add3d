/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * registry/backend.h - what stands behind the functions of registry/hive.h
 *
 * Here, hivex (reg_hive_open()).  The functions are as of the same name there.
 */
#ifndef V2V_REGISTRY_BACKEND_H
#define V2V_REGISTRY_BACKEND_H

#include "registry/hive.h"

struct reg_hive_backend {
    int (*has_key)(struct reg_hive *hive, const char *key,
                   struct v2v_error *err);
    int (*children)(struct reg_hive *hive, const char *key,
                    struct v2v_strings *ret, struct v2v_error *err);
    int (*value_names)(struct reg_hive *hive, const char *key,
                       struct v2v_strings *ret, struct v2v_error *err);
    int (*get)(struct reg_hive *hive, const char *key, const char *name,
               uint32_t *type, struct v2v_bytes *data, struct v2v_error *err);
    int (*answered)(struct reg_hive *hive, struct v2v_error *err);
    void (*limit)(struct reg_hive *hive, uint64_t max);
    int (*apply)(struct reg_hive *hive, enum reg_hive_id id,
                 const struct reg_edits *edits, struct v2v_error *err);
    /* All of it to @take, in order. */
    int (*save)(struct reg_hive *hive, reg_take_fn *take, void *opaque,
                struct v2v_error *err);
    void (*close)(struct reg_hive *hive);
};

/* A backend's hive begins with this. */
struct reg_hive {
    const struct reg_hive_backend *backend;
};

#endif
