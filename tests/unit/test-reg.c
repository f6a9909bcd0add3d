/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry/: edits as values, and against a hive that fixtures/mkhive made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registry/edit.h"
#include "registry/header.h"
#include "registry/hive.h"

#define HIVE BINARY_DIR "/tests/hives/empty"
/* keys with values of more than 16344 bytes: tests/registry/long.reg */
#define LONG_HIVE BINARY_DIR "/tests/hives/long"

struct fixture {
    struct v2v_bytes bytes;
    struct reg_hive *hive;
    struct reg_edits edits;
    struct reg_place at;
};

static int
open_fixture(const char *path, void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct v2v_error err = { 0 };

    if (f == NULL || v2v_file_read(path, 1 << 20, &f->bytes, &err) < 0 ||
        reg_hive_open(f->bytes.data, f->bytes.len, &f->hive, &err) < 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    f->at = (struct reg_place){ &f->edits, REG_SYSTEM, "A\\B", "test" };
    *state = f;
    return 0;
}

static int
setup(void **state)
{
    return open_fixture(HIVE, state);
}

static int
setup_long(void **state)
{
    return open_fixture(LONG_HIVE, state);
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    reg_edits_done(&f->edits);
    reg_hive_close(f->hive);
    v2v_bytes_done(&f->bytes);
    free(f);
    return 0;
}

static void
assert_printed(const struct fixture *f, const char *expected)
{
    struct v2v_bytes text = { 0 };
    struct v2v_error err = { 0 };

    for (size_t i = 0; i < f->edits.count; i++)
        assert_int_equal(reg_edit_print(&f->edits.items[i], &text, &err), 0);
    assert_int_equal(v2v_bytes_add(&text, "", 1, &err), 0);
    assert_string_equal((char *)text.data, expected);
    v2v_bytes_done(&text);
}

static void
test_edits_print_as_a_line_each(void **state)
{
    struct fixture *f = *state;
    char *list[] = { (char[]){ "oem3.inf" }, (char[]){ "oem4.inf" } };
    struct v2v_error err = { 0 };

    assert_int_equal(reg_key(&f->at, &err), 0);
    assert_int_equal(reg_dword(&f->at, "Start", 3, &err), 0);
    assert_int_equal(reg_qword(&f->at, "FileSize", 0x129ae, &err), 0);
    assert_int_equal(reg_string(&f->at, "", REG_SZ, "caf\xc3\xa9", &err), 0);
    assert_int_equal(
        reg_strings(&f->at, REG_OP_APPEND, "Owners", list, 2, &err), 0);
    assert_int_equal(reg_value(&f->at, REG_OP_SET, "oem3.inf", REG_BINARY,
                               "\x01\xff\x00\x00", 4, &err),
                     0);
    assert_int_equal(
        reg_value(&f->at, REG_OP_SET, "none", REG_NONE, NULL, 0, &err), 0);
    assert_int_equal(reg_delete(&f->at, &err), 0);
    assert_printed(f, "SYSTEM key A\\B\n"
                      "SYSTEM set A\\B \"Start\" dword 0x3\n"
                      "SYSTEM set A\\B \"FileSize\" qword 0x129ae\n"
                      "SYSTEM set A\\B \"\" sz \"caf\xc3\xa9\"\n"
                      "SYSTEM append A\\B \"Owners\" multi_sz \"oem3.inf\", "
                      "\"oem4.inf\"\n"
                      "SYSTEM set A\\B \"oem3.inf\" hex(3) 01,ff,00,00\n"
                      "SYSTEM set A\\B \"none\" hex(0)\n"
                      "SYSTEM delete A\\B\n");
}

static void
assert_holds(struct fixture *f, int expected)
{
    struct v2v_error err = { 0 };

    for (size_t i = 0; i < f->edits.count; i++)
        assert_int_equal(reg_edit_holds(f->hive, &f->edits.items[i], &err),
                         expected);
}

/* Applied, saved, opened again: everything is there, to the byte. */
static void
test_edits_survive_a_round_trip(void **state)
{
    static uint8_t large[REG_VALUE_MAX];
    struct fixture *f = *state;
    struct v2v_bytes saved = { 0 };
    struct v2v_error err = { 0 };
    struct reg_header header;

    memset(large, 0x5a, sizeof large);
    assert_int_equal(reg_dword(&f->at, "dword", 0x80000000, &err), 0);
    assert_int_equal(reg_string(&f->at, "text", REG_EXPAND_SZ,
                                "%SystemRoot%\\\xe2\x82\xac", &err),
                     0);
    assert_int_equal(
        reg_value(&f->at, REG_OP_SET, "none", REG_NONE, NULL, 0, &err), 0);
    assert_int_equal(
        reg_value(&f->at, REG_OP_SET, "prop", 0xffff0013, "abc", 3, &err), 0);
    assert_int_equal(reg_value(&f->at, REG_OP_SET, "large", REG_BINARY, large,
                               sizeof large, &err),
                     0);
    f->at.key = "A\\%SystemRoot%/System32/x.sys";
    assert_int_equal(reg_key(&f->at, &err), 0);
    assert_holds(f, 0);
    assert_int_equal(reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err), 0);
    assert_holds(f, 1);
    assert_int_equal(reg_hive_save(f->hive, &saved, &err), 0);
    assert_int_equal(reg_header_read(saved.data, saved.len, &header, &err), 0);
    assert_false(header.dirty);
    reg_hive_close(f->hive);
    f->hive = NULL;
    assert_int_equal(reg_hive_open(saved.data, saved.len, &f->hive, &err), 0);
    assert_holds(f, 1);
    v2v_bytes_done(&saved);
}

static void
test_other_hives_edits_are_left_alone(void **state)
{
    struct fixture *f = *state;
    struct v2v_error err = { 0 };

    f->at.hive = REG_DRIVERS;
    assert_int_equal(reg_dword(&f->at, "x", 1, &err), 0);
    assert_int_equal(reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err), 0);
    assert_int_equal(reg_has_key(f->hive, "A", &err), 0);
}

static void
test_append_adds_only_what_is_missing(void **state)
{
    struct fixture *f = *state;
    char *first[] = { (char[]){ "!old" }, (char[]){ "OEM3.inf" } };
    char *second[] = { (char[]){ "oem3.inf" }, (char[]){ "oem5.inf" } };
    struct v2v_strings now = { 0 };
    struct v2v_error err = { 0 };

    assert_int_equal(reg_strings(&f->at, REG_OP_SET, "Owners", first, 2, &err),
                     0);
    assert_int_equal(
        reg_strings(&f->at, REG_OP_APPEND, "owners", second, 2, &err), 0);
    assert_int_equal(reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err), 0);
    assert_int_equal(reg_get_strings(f->hive, "a\\b", "Owners", &now, &err), 0);
    assert_int_equal(now.count, 3);
    assert_string_equal(now.items[0], "!old");
    assert_string_equal(now.items[1], "OEM3.inf");
    assert_string_equal(now.items[2], "oem5.inf");
    v2v_strings_done(&now);
}

static void
test_default_keeps_what_is_there(void **state)
{
    struct fixture *f = *state;
    struct v2v_error err = { 0 };
    uint32_t now = 0;

    assert_int_equal(reg_dword(&f->at, "x", 7, &err), 0);
    assert_int_equal(reg_dword(&f->at, "x", 8, &err), 0);
    f->edits.items[1].op = REG_OP_DEFAULT;
    assert_int_equal(reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err), 0);
    assert_int_equal(reg_get_dword(f->hive, "A\\B", "X", &now, &err), 0);
    assert_int_equal(now, 7);
}

static void
test_delete_takes_the_whole_key(void **state)
{
    struct fixture *f = *state;
    struct v2v_error err = { 0 };

    assert_int_equal(reg_dword(&f->at, "x", 7, &err), 0);
    f->at.key = "A";
    assert_int_equal(reg_delete(&f->at, &err), 0);
    assert_int_equal(reg_delete(&f->at, &err), 0); /* absent: holds already */
    assert_int_equal(reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err), 0);
    assert_int_equal(reg_has_key(f->hive, "A", &err), 0);
}

static void
assert_refused(struct fixture *f, const char *message)
{
    V2V_AUTO(bytes) struct v2v_bytes before = { 0 };
    struct v2v_error err = { 0 };

    assert_int_equal(v2v_bytes_copy(f->bytes.data, f->bytes.len, &before, &err),
                     0);
    assert_int_equal(reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err), -1);
    assert_int_equal(err.code, V2V_ERR_INTERNAL);
    assert_string_equal(err.text, message);
    /* what the caller gave stays as it was */
    assert_int_equal(before.len, f->bytes.len);
    assert_memory_equal(before.data, f->bytes.data, before.len);
}

/* A value of @len bytes, with the op of the first edit. */
static void
add_value(struct fixture *f, enum reg_op op, const char *name, size_t len)
{
    static uint8_t data[REG_VALUE_MAX + 1];

    assert_true(len <= sizeof data);
    assert_int_equal(reg_value(&f->at, op, name, REG_BINARY, data, len, NULL),
                     0);
}

static void
test_a_long_value_is_refused(void **state)
{
    struct fixture *f = *state;

    add_value(f, REG_OP_SET, "large", REG_VALUE_MAX + 1);
    assert_refused(f, "SYSTEM: A\\B: value \"large\" of 16345 bytes "
                      "is longer than 16344");
}

/* Not the data of the edit are too long, but what they make of the value. */
static void
test_a_list_that_grows_too_long_is_refused(void **state)
{
    static char item[7000];
    struct fixture *f = *state;
    char *list[] = { item };

    for (int i = 0; i < 2; i++) {
        memset(item, 'a' + i, sizeof item - 1);
        assert_int_equal(
            reg_strings(&f->at, REG_OP_APPEND, "list", list, 1, NULL), 0);
    }
    assert_refused(f, "SYSTEM: A\\B: value \"list\" of 28002 bytes "
                      "is longer than 16344");
}

/* hivex would write the key's other value as one cell, which Windows reads as
 * something else. */
static void
test_a_key_with_a_long_value_is_refused(void **state)
{
    static const enum reg_op ops[] = { REG_OP_SET, REG_OP_DEFAULT,
                                       REG_OP_STAMP };
    struct fixture *f = *state;

    f->at.key = "Long\\Two";
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        add_value(f, ops[i], "New", 4);
        assert_refused(f, "SYSTEM: Long\\Two: holds a value of 16345 bytes; a "
                          "key with one longer than 16344 cannot be edited "
                          "safely");
        reg_edits_done(&f->edits);
    }
}

static void
read_long(struct fixture *f, size_t len)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    struct v2v_error err = { 0 };
    uint32_t type;

    if (reg_get(f->hive, "Long\\Three", "Segments", &type, &data, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(data.len, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(data.data[i], i & 0xff);
}

/* A long value elsewhere stays, also where the edit changes nothing, or only
 * sub-keys. */
static void
test_long_values_survive(void **state)
{
    struct fixture *f = *state;
    V2V_AUTO(bytes) struct v2v_bytes saved = { 0 };
    struct v2v_error err = { 0 };

    f->at.key = "Long\\Just";
    add_value(f, REG_OP_SET, "More", REG_VALUE_MAX);
    f->at.key = "Long\\Three";
    assert_int_equal(reg_string(&f->at, "After", REG_SZ, "it", &err), 0);
    add_value(f, REG_OP_DEFAULT, "segments", 1);
    f->at.key = "Long\\Three\\Below";
    add_value(f, REG_OP_SET, "x", 5);
    f->at.key = "Long\\Two";
    assert_int_equal(reg_delete(&f->at, &err), 0);
    if (reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err) < 0 ||
        reg_hive_save(f->hive, &saved, &err) < 0)
        fail_msg("%s", err.text);
    reg_hive_close(f->hive);
    f->hive = NULL;
    assert_int_equal(reg_hive_open(saved.data, saved.len, &f->hive, &err), 0);
    read_long(f, 40000);
}

static void
test_a_key_that_windows_would_not_find_is_refused(void **state)
{
    struct fixture *f = *state;

    f->at.key = "A\\caf\xc3\xa9\\B";
    assert_int_equal(reg_key(&f->at, NULL), 0);
    assert_refused(f, "SYSTEM: A\\caf\xc3\xa9\\B: cannot make key "
                      "\"caf\xc3\xa9\": its name is not ASCII, and hivex would "
                      "file it where Windows does not find it");
}

/* The list of Long's three keys becomes one of the form that hivex cannot
 * delete from. */
static void
test_a_key_in_an_old_list_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t *list = memmem(f->bytes.data, f->bytes.len, "lh\3", 4);
    struct v2v_error err = { 0 };

    assert_non_null(list);
    memcpy(list, "li", 2);
    memcpy(list + 8, list + 12, 4);
    memcpy(list + 12, list + 20, 4);
    reg_hive_close(f->hive);
    f->hive = NULL;
    assert_int_equal(reg_hive_open(f->bytes.data, f->bytes.len, &f->hive, &err),
                     0);
    f->at.key = "Long\\Two";
    assert_int_equal(reg_delete(&f->at, &err), 0);
    assert_refused(f, "SYSTEM: Long\\Two: cannot delete the key: Operation not "
                      "supported");
}

/* Two keys of one name, of which hivex deletes the first. */
static void
test_a_delete_that_leaves_a_twin_is_no_success(void **state)
{
    struct fixture *f = *state;
    uint8_t *name = memmem(f->bytes.data, f->bytes.len, "Just", 4);
    struct v2v_error err = { 0 };

    assert_non_null(name);
    name[-4] = 3; /* the name's length; its class name's is between them */
    memcpy(name, "Two", 3);
    reg_hive_close(f->hive);
    f->hive = NULL;
    assert_int_equal(reg_hive_open(f->bytes.data, f->bytes.len, &f->hive, &err),
                     0);
    f->at.key = "Long\\Two";
    assert_int_equal(reg_delete(&f->at, &err), 0);
    assert_int_equal(reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err), -1);
    assert_string_equal(err.text,
                        "SYSTEM: Long\\Two: \"delete\" had no effect: the "
                        "hive is damaged there");
}

/* What the edits make of the hive is reckoned before, and never less than it
 * is: a bound that the result would just exceed is not passed. */
static void
assert_growth_is_bounded(struct fixture *f)
{
    V2V_AUTO(bytes) struct v2v_bytes saved = { 0 };
    struct v2v_error err = { 0 };

    assert_int_equal(reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err), 0);
    assert_int_equal(reg_hive_save(f->hive, &saved, &err), 0);
    assert_true(saved.len > f->bytes.len);
    reg_hive_close(f->hive);
    f->hive = NULL;
    assert_int_equal(reg_hive_open(f->bytes.data, f->bytes.len, &f->hive, &err),
                     0);
    reg_hive_limit(f->hive, saved.len - 1);
    assert_int_equal(reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err), -1);
    assert_int_equal(err.code, V2V_ERR_INTERNAL);
    assert_non_null(strstr(err.text, "the hive would grow to more than"));
}

/* Space is never used again: each edit costs what all of the key's values
 * do. */
static void
test_growth_by_values_is_bounded(void **state)
{
    struct fixture *f = *state;
    char name[16];

    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "%d", i);
        add_value(f, REG_OP_SET, name, 16000);
    }
    assert_growth_is_bounded(f);
}

static void
test_growth_by_keys_is_bounded(void **state)
{
    struct fixture *f = *state;
    char key[16];

    f->at.key = key;
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "A\\%d", i);
        assert_int_equal(reg_key(&f->at, NULL), 0);
    }
    assert_growth_is_bounded(f);
}

static void
test_the_bound_is_named(void **state)
{
    struct fixture *f = *state;

    reg_hive_limit(f->hive, 1 << 20);
    for (int i = 0; i < 100; i++)
        add_value(f, REG_OP_SET, i % 2 == 0 ? "x" : "y", (size_t)(16000 + i));
    assert_refused(f, "SYSTEM: A\\B: the hive would grow to more than 1 MiB: "
                      "too many edits");
}

static void
test_a_value_keeps_its_spelling(void **state)
{
    struct fixture *f = *state;
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct v2v_error err = { 0 };

    f->at.key = "long\\TWO";
    assert_int_equal(reg_delete(&f->at, &err), 0);
    f->at.key = "Long\\Just";
    assert_int_equal(reg_dword(&f->at, "Start", 3, &err), 0);
    assert_int_equal(reg_dword(&f->at, "sTART", 4, &err), 0);
    assert_int_equal(reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err), 0);
    assert_int_equal(reg_value_names(f->hive, "LONG\\JUST", &names, &err), 0);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[0], "Segment");
    assert_string_equal(names.items[1], "Start");
}

static void
test_absence_and_wrong_types_are_told_apart(void **state)
{
    struct fixture *f = *state;
    struct v2v_error err = { 0 };
    uint32_t n = 0;

    assert_int_equal(reg_string(&f->at, "x", REG_SZ, "1", &err), 0);
    assert_int_equal(reg_hive_apply(f->hive, REG_SYSTEM, &f->edits, &err), 0);
    assert_int_equal(reg_get_dword(f->hive, "A\\C", "x", &n, &err), -1);
    assert_int_equal(err.code, V2V_ERR_NOT_FOUND);
    assert_string_equal(err.text, "A\\C: no such key");
    assert_int_equal(reg_get_dword(f->hive, "A\\B", "y", &n, &err), -1);
    assert_int_equal(err.code, V2V_ERR_NOT_FOUND);
    assert_int_equal(reg_get_dword(f->hive, "A\\B", "x", &n, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_string_equal(err.text, "A\\B: value \"x\" is of type 0x1");
}

static void
fix_checksum(struct v2v_bytes *hive)
{
    uint8_t sum[4] = { 0 };

    for (size_t i = 0; i < 0x1fc; i++)
        sum[i % 4] ^= hive->data[i];
    memcpy(hive->data + 0x1fc, sum, sizeof sum);
}

static void
test_base_block(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        const char *message; /* NULL: accepted */
    } cases[] = {
        { 0x00, 'R', "not a registry hive" },
        { 0x1c, 1, "a transaction log, not a registry hive" },
        { 0x18, 6,
          "registry hive of version 1.6; versions 1.3 to 1.5 are "
          "known" },
        { 0x2a, 0xff, "corrupt registry hive: truncated at byte" },
        { 0x0c, 0x77, NULL },
    };
    struct fixture *f = *state;
    struct reg_header header = { 0 };
    struct v2v_error err = { 0 };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t old = f->bytes.data[cases[i].at];
        int result;

        f->bytes.data[cases[i].at] = cases[i].value;
        fix_checksum(&f->bytes);
        result = reg_header_read(f->bytes.data, f->bytes.len, &header, &err);
        assert_int_equal(result, cases[i].message == NULL ? 0 : -1);
        if (cases[i].message != NULL)
            assert_memory_equal(err.text, cases[i].message,
                                strlen(cases[i].message));
        f->bytes.data[cases[i].at] = old;
    }
    fix_checksum(&f->bytes);
    f->bytes.data[0x04]++;
    assert_int_equal(
        reg_header_read(f->bytes.data, f->bytes.len, &header, &err), -1);
    fix_checksum(&f->bytes);
    assert_int_equal(
        reg_header_read(f->bytes.data, f->bytes.len, &header, &err), 0);
    assert_true(header.dirty);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_LONG(name)                                                        \
    cmocka_unit_test_setup_teardown(name, setup_long, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_edits_print_as_a_line_each),
        TEST(test_edits_survive_a_round_trip),
        TEST(test_other_hives_edits_are_left_alone),
        TEST(test_append_adds_only_what_is_missing),
        TEST(test_default_keeps_what_is_there),
        TEST(test_delete_takes_the_whole_key),
        TEST(test_a_long_value_is_refused),
        TEST(test_a_list_that_grows_too_long_is_refused),
        TEST_LONG(test_a_key_with_a_long_value_is_refused),
        TEST_LONG(test_long_values_survive),
        TEST(test_a_key_that_windows_would_not_find_is_refused),
        TEST_LONG(test_a_key_in_an_old_list_is_refused),
        TEST_LONG(test_a_delete_that_leaves_a_twin_is_no_success),
        TEST(test_growth_by_values_is_bounded),
        TEST(test_growth_by_keys_is_bounded),
        TEST(test_the_bound_is_named),
        TEST_LONG(test_a_value_keeps_its_spelling),
        TEST(test_absence_and_wrong_types_are_told_apart),
        TEST(test_base_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
