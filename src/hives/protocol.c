/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hives/private.h"

#include "registry/check.h"

enum {
    /* of 255 UTF-16 units each, three bytes in UTF-8, and '\\'; of a value
     * 16383.  Source: Microsoft, "Registry element size limits". */
    KEY_LEN = REG_DEPTH_MAX * (255 * 3 + 1),
    NAME_LEN = 16383 * 3,
    /* of values, and of all names that one key has: far above any real one */
    DATA_LEN = 64 << 20
};

#define KEY RPC_TEXT(KEY_LEN)
#define NAME RPC_TEXT(NAME_LEN)
#define DATA RPC_DATA(DATA_LEN)

static const struct rpc_rule rules[HIVES_OPS] = {
    [HIVES_OPEN] = { "opening a hive", { 0 }, { 4, { { 0 } } } },
    [HIVES_HAS_KEY] = { "looking up a key", { 0, { KEY } }, { 1, { { 0 } } } },
    [HIVES_CHILDREN] = { "listing keys", { 0, { KEY } }, { 0, { DATA } } },
    [HIVES_VALUE_NAMES] = { "listing values", { 0, { KEY } }, { 0, { DATA } } },
    [HIVES_GET] = { "reading a value", { 0, { KEY, NAME } }, { 1, { DATA } } },
    [HIVES_LIMIT] = { "limiting a hive", { 1, { { 0 } } }, { 0 } },
    [HIVES_EDIT] = { "preparing an edit", { 2, { KEY, NAME, DATA } }, { 0 } },
    [HIVES_APPLY] = { "editing a hive", { 1, { { 0 } } }, { 0 } },
    [HIVES_SAVE] = { "saving a hive", { 0 }, { 0 } },
};

const struct rpc_protocol hives_protocol = { rules, HIVES_OPS, NULL };
