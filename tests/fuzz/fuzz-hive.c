/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile hives, read and edited.  Input: the first sector of a base block and
 * the hive bins; the checksum is made right first, for no fuzzer guesses it,
 * and the bins' length, for only the header's reader looks at it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base-block.h"
#include "registry/header.h"
#include "registry/hive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is walked at most: lists of a hostile hive may share their cells. */
enum { SECTOR = 512, MAX_DEPTH = 6, MAX_KEYS = 200, MAX_INPUT = 1 << 16 };

/* Keys by their paths; the first ones become the edits' places. */
struct walk {
    struct reg_hive *hive;
    struct v2v_strings keys;
};

static struct v2v_bytes
make_hive(const uint8_t *data, size_t len)
{
    static const uint8_t zeros[REG_BASE_BLOCK_LEN - SECTOR];
    struct v2v_bytes ret = { 0 };
    size_t hbins_len = (len - SECTOR) / REG_BASE_BLOCK_LEN * REG_BASE_BLOCK_LEN;

    if (v2v_bytes_add(&ret, data, SECTOR, NULL) < 0 ||
        v2v_bytes_add(&ret, zeros, sizeof zeros, NULL) < 0 ||
        v2v_bytes_add(&ret, data + SECTOR, len - SECTOR, NULL) < 0)
        abort();
    reg_set_u32(ret.data, REG_AT_HBINS_LEN, (uint32_t)hbins_len);
    reg_set_u32(ret.data, REG_AT_CHECKSUM, reg_base_checksum(ret.data));
    return ret;
}

/* A failure says something, success leaves the error alone. */
static int
judge(int result, struct v2v_error *err)
{
    if (result < 0 && err->text[0] == '\0')
        abort();
    *err = (struct v2v_error){ 0 };
    return result;
}

static void
read_values(struct walk *walk, const char *key)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct v2v_error err = { 0 };

    judge(reg_value_names(walk->hive, key, &names, &err), &err);
    for (size_t i = 0; i < names.count && i < MAX_KEYS; i++) {
        V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
        V2V_AUTO(strings) struct v2v_strings list = { 0 };
        V2V_AUTO(mem) char *text = NULL;
        uint32_t type;

        judge(reg_get(walk->hive, key, names.items[i], &type, &data, &err),
              &err);
        judge(reg_get_string(walk->hive, key, names.items[i], &text, &err),
              &err);
        judge(reg_get_strings(walk->hive, key, names.items[i], &list, &err),
              &err);
    }
}

static void
read_keys(struct walk *walk, const char *key, unsigned depth)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct v2v_error err = { 0 };

    if (depth > MAX_DEPTH || walk->keys.count >= MAX_KEYS)
        return;
    if (v2v_strings_add(&walk->keys, key, NULL) < 0)
        abort();
    read_values(walk, key);
    judge(reg_children(walk->hive, key, &names, &err), &err);
    for (size_t i = 0; i < names.count; i++) {
        V2V_AUTO(mem)
        char *child = v2v_format(NULL, "%s%s%s", key, *key == '\0' ? "" : "\\",
                                 names.items[i]);

        if (child == NULL)
            abort();
        read_keys(walk, child, depth + 1);
    }
}

/* Each kind of edit at one place; what @at->key may not be is left out. */
static void
add_edits(struct reg_place *at, const char *key)
{
    V2V_AUTO(mem) char *below = v2v_format(NULL, "%s\\New\\Deep", key);
    V2V_AUTO(mem) char *beside = v2v_format(NULL, "%s-2", key);
    char *list[] = { (char[]){ "one" }, (char[]){ "two" } };
    static const uint8_t blob[300];
    struct v2v_error err = { 0 };

    if (below == NULL || beside == NULL)
        abort();
    at->key = key;
    judge(reg_dword(at, "Start", 3, &err), &err);
    judge(reg_string(at, "", REG_SZ, "default", &err), &err);
    judge(reg_strings(at, REG_OP_APPEND, "List", list, 2, &err), &err);
    judge(reg_value(at, REG_OP_DEFAULT, "Blob", REG_BINARY, blob, sizeof blob,
                    &err),
          &err);
    at->key = below;
    judge(reg_dword(at, "Start", 3, &err), &err);
    at->key = beside;
    judge(reg_key(at, &err), &err);
}

/* One edit after the other, each as a run of its own: a failed one leaves the
 * hive of no use, and the next would not be reached. */
static void
apply_to_copy(const struct v2v_bytes *bytes, const struct reg_edits *edits)
{
    V2V_AUTO(reg_hive) struct reg_hive *hive = NULL;
    V2V_AUTO(reg_hive) struct reg_hive *again = NULL;
    V2V_AUTO(bytes) struct v2v_bytes saved = { 0 };
    struct reg_header header;
    struct v2v_error err = { 0 };

    if (judge(reg_hive_open(bytes->data, bytes->len, &hive, &err), &err) < 0 ||
        judge(reg_hive_apply(hive, REG_SYSTEM, edits, &err), &err) < 0 ||
        judge(reg_hive_save(hive, &saved, &err), &err) < 0)
        return;
    if (reg_header_read(saved.data, saved.len, &header, &err) < 0 ||
        header.dirty ||
        reg_hive_open(saved.data, saved.len, &again, &err) < 0) {
        fprintf(stderr, "what was saved: %s\n", err.text);
        abort();
    }
    for (size_t i = 0; i < edits->count; i++)
        if (reg_edit_holds(again, &edits->items[i], &err) != 1) {
            fprintf(stderr, "%s %s \"%s\": does not hold: %s\n",
                    reg_op_name(edits->items[i].op), edits->items[i].key,
                    edits->items[i].name, err.text);
            abort();
        }
}

static void
apply_edits(const struct v2v_bytes *bytes, const struct v2v_strings *keys)
{
    for (size_t i = 0; i < keys->count; i += 1 + keys->count / 4) {
        V2V_AUTO(reg_edits) struct reg_edits set = { 0 };
        V2V_AUTO(reg_edits) struct reg_edits gone = { 0 };
        struct reg_place at = { &set, REG_SYSTEM, "", "fuzz" };
        struct v2v_error err = { 0 };

        add_edits(&at, keys->items[i]);
        apply_to_copy(bytes, &set);
        at = (struct reg_place){ &gone, REG_SYSTEM, keys->items[i], "fuzz" };
        judge(reg_delete(&at, &err), &err);
        apply_to_copy(bytes, &gone);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
    V2V_AUTO(reg_hive) struct reg_hive *hive = NULL;
    struct walk walk = { 0 };
    struct v2v_error err = { 0 };

    if (len < SECTOR || len > MAX_INPUT)
        return 0;
    bytes = make_hive(data, len);
    reg_needs_logs(bytes.data, bytes.len);
    if (judge(reg_hive_open(bytes.data, bytes.len, &hive, &err), &err) < 0)
        return 0;
    walk.hive = hive;
    read_keys(&walk, "", 0);
    apply_edits(&bytes, &walk.keys);
    v2v_strings_done(&walk.keys);
    return 0;
}
