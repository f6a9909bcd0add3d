/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hives/: what the process in the sandbox answers is what registry/ says here;
 * and what becomes of one that ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>

#include "hives/hives.h"
#include "registry/base-block.h"
#include "sandbox/sandbox.h"
#include "test-processes.h"

#define HIVES BINARY_DIR "/tests/hives/"
#define CORPUS SOURCE_DIR "/tests/fuzz/corpus-hive/"

static const char *const files[] = {
    HIVES "empty",         HIVES "long",    HIVES "deep",      HIVES "bcd-on",
    CORPUS "class",        CORPUS "empty",  CORPUS "long",     CORPUS "loop",
    CORPUS "names",        CORPUS "twins",  CORPUS "security", CORPUS "tree",
    CORPUS "tree-lf",      CORPUS "values", CORPUS "tree-li",  CORPUS "tree-ri",
    SOURCE_DIR "/COPYING",
};

static struct v2v_bytes
content(const char *path)
{
    struct v2v_bytes bytes = { 0 };
    struct v2v_error err = { 0 };

    if (v2v_file_read(path, 1 << 24, &bytes, &err) < 0)
        fail_msg("%s", err.text);
    return bytes;
}

/* A hive of the fuzzer's has a base block of one sector (fuzz-hive.c). */
static void
complete(struct v2v_bytes *bytes)
{
    enum { SECTOR = 512, MISSING = REG_BASE_BLOCK_LEN - SECTOR };
    static const uint8_t zeros[MISSING];
    size_t len = bytes->len - SECTOR;

    v2v_bytes_add(bytes, zeros, MISSING, NULL);
    memmove(bytes->data + REG_BASE_BLOCK_LEN, bytes->data + SECTOR, len);
    memset(bytes->data + SECTOR, 0, MISSING);
    reg_set_u32(bytes->data, REG_AT_HBINS_LEN, (uint32_t)len);
    reg_set_u32(bytes->data, REG_AT_CHECKSUM, reg_base_checksum(bytes->data));
}

static int
open_it(const struct v2v_bytes *bytes, struct reg_hive **ret,
        struct v2v_error *err)
{
    const struct hives_source source = { .name = "Windows/X",
                                         .data = bytes->data,
                                         .len = bytes->len };

    return hives_open(&source, NULL, ret, err);
}

/* All that is in a hive, and what is not, as text. ------------------------- */

static void
add(struct v2v_bytes *out, const char *what, int result,
    const struct v2v_error *err)
{
    v2v_bytes_printf(out, NULL, "%s: %d %d %s\n", what, result,
                     result < 0 ? (int)err->code : 0,
                     result < 0 ? err->text : "");
}

static void
write_value(struct reg_hive *hive, const char *key, const char *name,
            struct v2v_bytes *out)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    struct v2v_error err = { 0 };
    uint32_t type = 0;
    int result = reg_get(hive, key, name, &type, &data, &err);

    add(out, name, result, &err);
    v2v_bytes_printf(out, NULL, "%" PRIu32 " %zu\n", type, data.len);
    if (data.len > 0)
        v2v_bytes_add(out, data.data, data.len, NULL);
}

static void
write_key(struct reg_hive *hive, const char *key, struct v2v_strings *more,
          struct v2v_bytes *out)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(strings) struct v2v_strings keys = { 0 };
    struct v2v_error err = { 0 };

    add(out, key, reg_has_key(hive, key, &err), &err);
    add(out, "keys", reg_children(hive, key, &keys, &err), &err);
    for (size_t i = 0; i < keys.count; i++) {
        V2V_AUTO(mem) char *path = v2v_format(
            NULL, "%s%s%s", key, *key == '\0' ? "" : "\\", keys.items[i]);

        v2v_strings_add(more, path, NULL);
    }
    add(out, "values", reg_value_names(hive, key, &names, &err), &err);
    for (size_t i = 0; i < names.count; i++)
        write_value(hive, key, names.items[i], out);
    write_value(hive, key, "no such value", out);
}

/* The first of its keys; those of tree-* have many. */
enum { KEYS_MAX = 200 };

static void
write_all(struct reg_hive *hive, struct v2v_bytes *out)
{
    V2V_AUTO(strings) struct v2v_strings keys = { 0 };

    v2v_strings_add(&keys, "", NULL);
    v2v_strings_add(&keys, "no\\such\\key", NULL);
    v2v_strings_add(&keys, "\xc3\x84\xce\xb1", NULL);
    for (size_t i = 0; i < keys.count && i < KEYS_MAX; i++)
        write_key(hive, keys.items[i], &keys, out);
}

static void
edit(struct reg_hive *hive, struct v2v_bytes *out)
{
    static char *const list[] = { "one", "zw\xc3\xb6lf" };
    V2V_AUTO(reg_edits) struct reg_edits edits = { 0 };
    struct reg_place at = { &edits, REG_SYSTEM, "A\\B", "test" };
    V2V_AUTO(bytes) struct v2v_bytes saved = { 0 };
    struct v2v_error err = { 0 };
    int result;

    reg_key(&at, &err);
    reg_dword(&at, "Start", 3, &err);
    reg_strings(&at, REG_OP_APPEND, "List", list, 2, &err);
    reg_string(&at, "\xce\xb1", REG_SZ, "\xf0\x9f\x90\xa7", &err);
    at.key = "A\\B\\C";
    reg_value(&at, REG_OP_DEFAULT, "", REG_BINARY, "x\0y", 3, &err);
    reg_delete(&at, &err);
    at.hive = REG_SOFTWARE; /* not for this one */
    reg_key(&at, &err);
    at = (struct reg_place){ &edits, REG_SYSTEM, "key", "test" };
    reg_dword(&at, "value", 1, &err);
    result = reg_hive_apply(hive, REG_SYSTEM, &edits, &err);
    add(out, "apply", result, &err);
    for (size_t i = 0; result == 0 && i < edits.count; i++)
        add(out, "holds", reg_edit_holds(hive, &edits.items[i], &err), &err);
    if (result == 0)
        add(out, "save", reg_hive_save(hive, &saved, &err), &err);
    v2v_bytes_add(out, saved.data, saved.len, NULL);
}

static void
write_about(const struct v2v_bytes *bytes, enum sandbox_mode mode,
            struct v2v_bytes *out)
{
    V2V_AUTO(reg_hive) struct reg_hive *hive = NULL;
    struct v2v_error err = { 0 };

    sandbox_set_mode(mode);
    add(out, "open", open_it(bytes, &hive, &err), &err);
    if (hive == NULL)
        return;
    write_all(hive, out);
    edit(hive, out);
    assert_int_equal(reg_hive_answered(hive, &err), 0);
}

static void
test_it_says_the_same(void **state)
{
    int before = open_descriptors();

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
        V2V_AUTO(bytes) struct v2v_bytes here = { 0 };
        V2V_AUTO(bytes) struct v2v_bytes there = { 0 };

        bytes = content(files[i]);
        if (strstr(files[i], "/corpus-hive/") != NULL)
            complete(&bytes);
        /* first: what this process has loaded for itself helps it */
        write_about(&bytes, SANDBOX_AUTO, &there);
        write_about(&bytes, SANDBOX_OFF, &here);
        if (here.len != there.len ||
            memcmp(here.data, there.data, here.len) != 0)
            fail_msg("%s:\n%.*s\n%.*s", files[i], (int)here.len,
                     (char *)here.data, (int)there.len, (char *)there.data);
        assert_int_equal(open_descriptors(), before);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    }
}

/* Its end ------------------------------------------------------------------ */

/* Of our only child. */
static pid_t
child(void)
{
    char name[64];
    int pid = -1;
    FILE *f;

    snprintf(name, sizeof name, "/proc/self/task/%d/children", (int)getpid());
    f = fopen(name, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &pid), 1);
    fclose(f);
    return pid;
}

/* A hexadecimal number of its status. */
static long
field(pid_t pid, const char *label)
{
    char name[64], line[256];
    long value = -1;
    FILE *f;

    snprintf(name, sizeof name, "/proc/%d/status", (int)pid);
    f = fopen(name, "r");
    assert_non_null(f);
    while (value < 0 && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, label, strlen(label)) == 0)
            value = strtol(line + strlen(label), NULL, 16);
    fclose(f);
    return value;
}

static struct reg_hive *
opened(void)
{
    V2V_AUTO(bytes) struct v2v_bytes bytes = content(HIVES "empty");
    struct reg_hive *hive = NULL;
    struct v2v_error err = { 0 };

    sandbox_set_mode(SANDBOX_AUTO);
    if (open_it(&bytes, &hive, &err) < 0)
        fail_msg("%s", err.text);
    return hive;
}

static void
is_broken(struct reg_hive *hive, const char *text)
{
    struct v2v_strings names = { 0 };
    struct v2v_error err = { 0 };

    assert_int_equal(reg_children(hive, "", &names, &err), -1);
    assert_int_equal(err.code, V2V_ERR_INTERNAL);
    assert_string_equal(err.finding, "hive-parser-died");
    if (strstr(err.text, text) == NULL || strstr(err.text, "Windows/X") == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(reg_hive_answered(hive, &err), -1);
    assert_string_equal(err.finding, "hive-parser-died");
}

static void
test_it_is_in_a_sandbox(void **state)
{
    struct reg_hive *hive = opened();
    pid_t pid = child();

    (void)state;
    assert_int_equal(field(pid, "Seccomp:"), 2); /* a filter */
    assert_int_equal(field(pid, "NoNewPrivs:"), 1);
    assert_int_equal(field(pid, "CapEff:"), 0);
    assert_true(field(pid, "Uid:") != 0);
    reg_hive_close(hive);
    assert_false(is_running(pid));
}

static void
test_it_is_killed(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes saved = { 0 };
    struct v2v_error err = { 0 };
    struct reg_hive *hive = opened();

    (void)state;
    kill(child(), SIGSEGV);
    is_broken(hive, "died (signal 11, Segmentation fault)");
    is_broken(hive, "died (signal 11, Segmentation fault)"); /* ever after */
    assert_int_equal(reg_hive_save(hive, &saved, &err), -1);
    assert_int_equal(reg_has_key(hive, "A", &err), -1);
    reg_hive_limit(hive, 1);
    reg_hive_close(hive);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_says_the_same),
        cmocka_unit_test(test_it_is_in_a_sandbox),
        cmocka_unit_test(test_it_is_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
