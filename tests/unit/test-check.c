/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry/check.h: a sound hive with one thing wrong.  What is done to it,
 * hivex 1.3.23 follows without a question when it deletes a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "registry/cells.h"
#include "registry/check.h"
#include "registry/hive.h"

#define HIVE(name) BINARY_DIR "/tests/hives/" name

enum { BINS = REG_BASE_BLOCK_LEN };

/* tests/registry/long.reg as a hive */
static struct v2v_bytes sound;

static int
load(void **state)
{
    (void)state;
    return v2v_file_read(HIVE("long"), 1 << 20, &sound, NULL);
}

static int
unload(void **state)
{
    (void)state;
    v2v_bytes_done(&sound);
    return 0;
}

/* Where in the file the content of the @n-th cell in use with that tag is. */
static size_t
find(const char *tag, unsigned n)
{
    size_t size;

    for (size_t at = BINS; at < sound.len; at += size) {
        size = 8;
        if (memcmp(sound.data + at, "hbin", 4) == 0) {
            size = BIN_HEADER_LEN;
            continue;
        }
        if (reg_u32(sound.data, at) < 0x80000000U) {
            size = reg_u32(sound.data, at);
            continue;
        }
        size = 0U - reg_u32(sound.data, at);
        if (memcmp(sound.data + at + CELL_HEADER_LEN, tag, 2) == 0 && n-- == 0)
            return at + CELL_HEADER_LEN;
    }
    fail_msg("no such %s", tag);
    return 0;
}

/* As cells name each other. */
static uint32_t
offset_of(const char *tag, unsigned n)
{
    return (uint32_t)(find(tag, n) - CELL_HEADER_LEN - BINS);
}

static int
check(const struct v2v_bytes *hive, struct v2v_error *err)
{
    return reg_hive_check(hive->data, hive->len, err);
}

static void
test_sound_hives(void **state)
{
    static const char *const paths[] = { HIVE("empty"), HIVE("long") };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        V2V_AUTO(bytes) struct v2v_bytes hive = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(v2v_file_read(paths[i], 1 << 20, &hive, &err), 0);
        if (check(&hive, &err) < 0)
            fail_msg("%s: %s", paths[i], err.text);
    }
}

/* In the order in which mkhive writes: root, Long, Just, Three, Two; of Two
 * its values Start (in the value's cell) and Segments. */
enum { ROOT, LONG, JUST, THREE, TWO };
enum { VALUE_SEGMENT, VALUE_LONG, VALUE_TEXT, VALUE_START, VALUE_TWO };

#define NOWHERE 0x7ffffff8U

/* One number of a cell is another one. */
static const struct {
    const char *tag;
    unsigned n;
    size_t at;
    size_t len;
    uint32_t value;
    const char *message; /* after the byte */
} cases[] = {
    { "nk", LONG, 0, 2, 0x6b78, "not a key" },
    { "nk", LONG, KEY_AT_NAME_LEN, 2, 0xffff, "not a key" },
    { "nk", LONG, KEY_AT_PARENT, 4, NOWHERE, "a key has another parent" },
    { "nk", LONG, KEY_AT_KEY_COUNT, 4, 2,
      "a key's count of sub-keys is wrong" },
    { "nk", LONG, KEY_AT_KEY_COUNT, 4, 0xffffffff,
      "a key's count of sub-keys is wrong" },
    { "nk", LONG, KEY_AT_KEYS, 4, NOWHERE,
      "a key's list of sub-keys is not there" },
    { "nk", LONG, KEY_AT_KEYS, 4, 0x24,
      "a key's list of sub-keys is not there" },
    { "nk", TWO, KEY_AT_VALUE_COUNT, 4, 0x40000001,
      "a cell is too short for what it holds" },
    { "nk", TWO, KEY_AT_VALUES, 4, CELL_NONE,
      "a key's list of values is not there" },
    { "nk", TWO, KEY_AT_SECURITY, 4, NOWHERE, "a key's security is not there" },
    { "nk", TWO, KEY_AT_CLASS, 4, NOWHERE, "a key's class name is not there" },
    { "lh", 0, 0, 2, 0x6878, "not a list of sub-keys" },
    { "lh", 0, LIST_AT_COUNT, 2, 0xffff,
      "a cell is too short for what it holds" },
    { "lh", 0, LIST_AT_COUNT, 2, 2, "a key's count of sub-keys is wrong" },
    { "lh", 0, LIST_LEN, 4, NOWHERE, "a key is not there" },
    { "vk", VALUE_START, 0, 2, 0, "not a value" },
    { "vk", VALUE_START, VALUE_AT_NAME_LEN, 2, 0x100, "not a value" },
    { "vk", VALUE_START, VALUE_AT_DATA_LEN, 4, VALUE_INLINE | 5,
      "a value's length is wrong" },
    { "vk", VALUE_START, VALUE_AT_DATA_LEN, 4, 4,
      "a value's data is not there" },
    { "vk", VALUE_TEXT, VALUE_AT_DATA, 4, NOWHERE,
      "a value's data is not there" },
    { "vk", VALUE_TEXT, VALUE_AT_DATA_LEN, 4, 0x7fffffff,
      "a cell is too short for what it holds" },
    { "vk", VALUE_SEGMENT, VALUE_AT_DATA_LEN, 4, 16353,
      "a cell is too short for what it holds" },
    { "db", 0, 0, 2, 0, "a cell is too short for what it holds" },
    { "db", 0, BIG_AT_COUNT, 2, 1,
      "the segments of a long value are not there" },
    { "db", 0, BIG_AT_COUNT, 2, 0xffff,
      "a cell is too short for what it holds" },
    { "db", 0, BIG_AT_LIST, 4, NOWHERE,
      "the segments of a long value are not there" },
    { "sk", 0, 0, 2, 0, "not a security cell" },
    { "sk", 0, SECURITY_AT_DATA_LEN, 4, 0xffffffff, "not a security cell" },
    { "sk", 0, SECURITY_AT_NEXT, 4, NOWHERE,
      "a security cell's neighbour is none" },
    { "sk", 0, SECURITY_AT_PREVIOUS, 4, 0,
      "a security cell's neighbour is none" },
    { "sk", 0, SECURITY_AT_USERS, 4, 4, "a security cell counts too few keys" },
};

static void
assert_refused(size_t at, size_t len, uint32_t value, const char *message)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = { 0 };
    struct reg_hive *open = NULL;
    struct v2v_error err = { 0 };

    assert_int_equal(v2v_bytes_copy(sound.data, sound.len, &hive, &err), 0);
    v2v_put_le(hive.data + at, value, len);
    if (check(&hive, &err) == 0)
        fail_msg("byte 0x%zx: nothing found; %s was expected", at, message);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_memory_equal(err.text, "corrupt registry hive: byte 0x", 30);
    if (!v2v_has_suffix_nocase(err.text, message))
        fail_msg("byte 0x%zx: %s; %s was expected", at, err.text, message);
    /* nor does hivex get to see it */
    assert_int_equal(reg_hive_open(hive.data, hive.len, &open, &err), -1);
    assert_null(open);
}

static void
test_wrong_cells(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(find(cases[i].tag, cases[i].n) + cases[i].at,
                       cases[i].len, cases[i].value, cases[i].message);
}

static void
test_wrong_bins(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
        const char *message;
    } wrong[] = {
        { BINS, 0, "no hive bin" },
        { BINS + BIN_AT_OFFSET, 0x1000,
          "a hive bin's place or length is wrong" },
        { BINS + BIN_AT_LEN, 0, "a hive bin's place or length is wrong" },
        { BINS + BIN_AT_LEN, 0x1010, "a hive bin's place or length is wrong" },
        { BINS + BIN_AT_LEN, 0x7ffff000,
          "a hive bin's place or length is wrong" },
        { BINS + BIN_HEADER_LEN, 0, "a cell's length is wrong" },
        { BINS + BIN_HEADER_LEN, 12, "a cell's length is wrong" },
        { BINS + BIN_HEADER_LEN, 0x80000000, "a cell's length is wrong" },
        { BINS + BIN_HEADER_LEN, 0x7ffffff8, "a cell's length is wrong" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(wrong[i].at, 4, wrong[i].value, wrong[i].message);
}

/* What follows the pointers for ever, or frees a cell twice. */
static void
test_cells_with_two_owners(void **state)
{
    static const char message[] = "a cell has two owners";

    (void)state;
    /* the last key of Long is its first one, the root, or itself a list */
    assert_refused(find("lh", 0) + LIST_LEN + 16, 4, offset_of("nk", JUST),
                   message);
    assert_refused(find("lh", 0) + LIST_LEN + 16, 4, offset_of("nk", ROOT),
                   message);
    assert_refused(find("nk", LONG) + KEY_AT_KEYS, 4, offset_of("nk", ROOT),
                   message);
    assert_refused(find("nk", TWO) + KEY_AT_VALUES, 4,
                   reg_u32(sound.data, find("nk", JUST) + KEY_AT_VALUES),
                   message);
    assert_refused(
        find("vk", VALUE_LONG) + VALUE_AT_DATA, 4,
        reg_u32(sound.data, find("vk", VALUE_SEGMENT) + VALUE_AT_DATA),
        message);
    assert_refused(find("nk", TWO) + KEY_AT_CLASS, 4, offset_of("sk", 0),
                   message);
    assert_refused(find("nk", TWO) + KEY_AT_SECURITY, 4, offset_of("nk", ROOT),
                   message);
}

/* An "ri" of itself, and one in another: each would be followed for ever. */
static void
test_lists_in_lists(void **state)
{
    size_t of_long = find("lh", 0), of_root = find("lh", 1);
    uint32_t list = offset_of("lh", 0);

    (void)state;
    memcpy(sound.data + of_long, "ri", 2);
    assert_refused(of_long + LIST_LEN, 4, list, "a cell has two owners");
    memcpy(sound.data + of_root, "ri", 2);
    assert_refused(of_root + LIST_LEN, 4, list, "not a list of sub-keys");
    memcpy(sound.data + of_long, "lh", 2);
    memcpy(sound.data + of_root, "lh", 2);
}

static void
test_depth(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(v2v_file_read(HIVE("deep"), 1 << 20, &hive, &err), 0);
    assert_int_equal(check(&hive, &err), -1);
    assert_true(v2v_has_suffix_nocase(err.text, "keys lie too deep"));
}

static void
test_too_short(void **state)
{
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(reg_hive_check(sound.data, 0, &err), -1);
    assert_int_equal(reg_hive_check(sound.data, BINS, &err), -1);
    assert_int_equal(reg_hive_check(sound.data, sound.len - 1, &err), -1);
    assert_string_equal(err.text, "not a registry hive");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_hives),
        cmocka_unit_test(test_wrong_cells),
        cmocka_unit_test(test_wrong_bins),
        cmocka_unit_test(test_cells_with_two_owners),
        cmocka_unit_test(test_lists_in_lists),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_too_short),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
