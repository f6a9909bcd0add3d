/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of registry/ that call hivex. */
#ifndef V2V_REGISTRY_HIVE_PRIVATE_H
#define V2V_REGISTRY_HIVE_PRIVATE_H

#include <hivex.h>

#include "registry/backend.h"

struct hivex_hive {
    struct reg_hive base;
    int fd;        /* the file; hivex maps it until the first edit */
    bool owns_fd;  /* it is nobody else's */
    bool writable; /* hivex has a copy of its own */
    hive_h *h;
    hive_node_h root;
    uint64_t len; /* bytes at most, if it were saved now */
    uint64_t max; /* the bound for that */
};

static inline struct hivex_hive *
hivex_hive_of(struct reg_hive *base)
{
    return (struct hivex_hive *)base;
}

/* Before the first edit; what was found is void then, but for the root. */
int reg_hivex_make_writable(struct hivex_hive *hive, struct v2v_error *err);

/* reg_hive_apply(). */
int reg_hivex_apply(struct reg_hive *base, enum reg_hive_id id,
                    const struct reg_edits *edits, struct v2v_error *err);

/* The node of @key, 0 when absent; -1 with V2V_ERR_FORMAT. */
int reg_node_find(struct hivex_hive *hive, const char *key, hive_node_h *ret,
                  struct v2v_error *err);

/* A part of a key's path: @*part .. up to the next '\\', and past it. */
int reg_next_part(const char **path, char **ret, struct v2v_error *err);

#endif
