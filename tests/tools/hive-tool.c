/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hive-tool edit HIVE EDITS OUT, hive-tool replay HIVE LOG1 LOG2 OUT
 *
 * What registry/ makes of a hive, for tests that read it back with other
 * programs.  EDITS has a line for each edit, five fields between tabs:
 *
 *     OP  KEY  NAME  TYPE  DATA
 *
 * with TYPE a number and DATA hexadecimal.  A log that is absent is empty.
 * After a failure there is no OUT, and the bytes that were given are as they
 * were. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "registry/hive.h"
#include "registry/log.h"

static const size_t largest = 512 << 20;

static int
parse_op(const char *name, enum reg_op *ret, struct v2v_error *err)
{
    for (enum reg_op op = REG_OP_KEY; op <= REG_OP_DELETE; op++) {
        if (strcmp(name, reg_op_name(op)) != 0)
            continue;
        *ret = op;
        return 0;
    }
    return v2v_fail(err, V2V_ERR_USAGE, "%s: no such edit", name);
}

static int
parse_hex(const char *hex, struct v2v_bytes *ret, struct v2v_error *err)
{
    for (unsigned byte; *hex != '\0'; hex += 2) {
        if (sscanf(hex, "%2x", &byte) != 1 || hex[1] == '\0')
            return v2v_fail(err, V2V_ERR_USAGE, "%s: not hexadecimal", hex);
        if (v2v_bytes_add_le(ret, byte, 1, err) < 0)
            return -1;
    }
    return 0;
}

static int
parse_line(char *line, struct reg_edits *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    struct reg_place at = { .edits = ret, .hive = REG_SYSTEM, .why = "test" };
    const char *op = strsep(&line, "\t"), *name, *type;
    enum reg_op parsed;

    at.key = strsep(&line, "\t");
    name = strsep(&line, "\t");
    type = strsep(&line, "\t");
    if (line == NULL)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: not five fields", op);
    if (parse_op(op, &parsed, err) < 0 || parse_hex(line, &data, err) < 0)
        return -1;
    return reg_value(&at, parsed, name, (uint32_t)strtoul(type, NULL, 0),
                     data.data, data.len, err);
}

static int
load_edits(const char *path, struct reg_edits *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    char *rest;

    if (v2v_file_read(path, largest, &text, err) < 0 ||
        v2v_bytes_add(&text, "", 1, err) < 0)
        return -1;
    rest = (char *)text.data;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        if (*line != '\0' && parse_line(line, ret, err) < 0)
            return -1;
    return 0;
}

static int
apply(const struct v2v_bytes *hive, const struct reg_edits *edits,
      struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(reg_hive) struct reg_hive *open = NULL;
    V2V_AUTO(reg_hive) struct reg_hive *again = NULL;

    if (reg_hive_open(hive->data, hive->len, &open, err) < 0 ||
        reg_hive_apply(open, REG_SYSTEM, edits, err) < 0 ||
        reg_hive_save(open, ret, err) < 0)
        return -1;
    return reg_hive_open(ret->data, ret->len, &again, err);
}

static int
edit(char **argv, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = { 0 }, before = { 0 }, out = { 0 };
    V2V_AUTO(reg_edits) struct reg_edits edits = { 0 };
    int result;

    if (v2v_file_read(argv[0], largest, &hive, err) < 0 ||
        v2v_bytes_copy(hive.data, hive.len, &before, err) < 0 ||
        load_edits(argv[1], &edits, err) < 0)
        return -1;
    result = apply(&hive, &edits, &out, err);
    if (memcmp(hive.data, before.data, hive.len) != 0)
        return v2v_fail(err, V2V_ERR_USAGE, "the caller's bytes changed");
    return result < 0 ? -1 : v2v_file_replace(argv[2], out.data, out.len, err);
}

static int
replay(char **argv, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = { 0 }, log1 = { 0 }, log2 = { 0 };
    struct reg_replayed replayed = { 0 };
    int result;

    if (v2v_file_read(argv[0], largest, &hive, err) < 0 ||
        v2v_file_read(argv[1], largest, &log1, err) < 0 ||
        v2v_file_read(argv[2], largest, &log2, err) < 0)
        return -1;

    const struct reg_log logs[2] = { { log1.data, log1.len },
                                     { log2.data, log2.len } };

    if (reg_replay_logs(hive.data, hive.len, logs, &replayed, err) < 0)
        return -1;
    if (replayed.result != REG_REPLAY_DONE)
        return v2v_fail(err, V2V_ERR_USAGE, "nothing to replay");
    result =
        v2v_file_replace(argv[3], replayed.hive.data, replayed.hive.len, err);
    v2v_bytes_done(&replayed.hive);
    return result;
}

int
main(int argc, char **argv)
{
    struct v2v_error err = { 0 };
    int result;

    if (argc == 5 && strcmp(argv[1], "edit") == 0)
        result = edit(argv + 2, &err);
    else if (argc == 6 && strcmp(argv[1], "replay") == 0)
        result = replay(argv + 2, &err);
    else
        result = v2v_fail(&err, V2V_ERR_USAGE,
                          "usage: %s edit HIVE EDITS OUT, or %s replay HIVE "
                          "LOG1 LOG2 OUT",
                          argv[0], argv[0]);
    if (result < 0)
        fprintf(stderr, "%s\n", err.text);
    return result < 0 ? (int)err.code : 0;
}
