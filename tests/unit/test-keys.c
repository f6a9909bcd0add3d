/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/keys.h and guest/key.h: what --key takes, whose key it is, and that
 * nothing of it is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/keys.h"
#include "test-tools.h"

#define ID "e9726fab-7656-4bc5-bb9e-adf115953328"
#define SECRET "hush-1234"

static void
test_selectors(void **state)
{
    static const struct {
        const char *selector;
        enum guest_key_for kind;
        unsigned disk, partition;
        const char *name, *text;
    } cases[] = {
        { "all:key:a", GUEST_KEY_ALL, 0, 0, "all", "a" },
        { "/dev/sda2:key:p w", GUEST_KEY_PLACE, 0, 2, "/dev/sda2", "p w" },
        { "/dev/vdab15:key:a:b:", GUEST_KEY_PLACE, 27, 15, "/dev/vdab15",
          "a:b:" },
        { "/dev/sdb:key::", GUEST_KEY_PLACE, 1, 0, "/dev/sdb", ":" },
        { ID ":key:a", GUEST_KEY_ID, 0, 0, ID, "a" },
        { "{" ID "}:key:all:file:x", GUEST_KEY_ID, 0, 0, "{" ID "}",
          "all:file:x" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(strings) struct v2v_strings list = { 0 };
        V2V_AUTO(guest_keys) struct guest_keys keys = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(v2v_strings_add(&list, cases[i].selector, &err), 0);
        assert_int_equal(cli_check_key(cases[i].selector, &err), 0);
        assert_int_equal(cli_keys_load(&list, &keys, &err), 0);
        assert_int_equal(keys.count, 1);
        assert_int_equal(keys.items[0].kind, cases[i].kind);
        assert_int_equal(keys.items[0].disk, cases[i].disk);
        assert_int_equal(keys.items[0].partition, cases[i].partition);
        assert_string_equal(keys.items[0].name, cases[i].name);
        assert_string_equal(keys.items[0].text, cases[i].text);
    }
}

static void
test_what_is_none(void **state)
{
    static const char *const form = "it is ID:key:STRING or ID:file:FILENAME";
    const struct {
        const char *selector, *text;
    } cases[] = {
        { "", form },
        { SECRET, form },
        { "all", form },
        { "all:" SECRET, form },
        { "key:" SECRET, form },
        { SECRET ":key:a", form },
        { "all:Key:" SECRET, form },
        { "all:keys:" SECRET, form },
        { "ALL:key:" SECRET, form },
        { "/dev/sda0x:key:" SECRET, form },
        { "/dev/mapper/" SECRET ":key:a", form },
        { ID "0:key:" SECRET, form },
        { "all:key", "--key all:key: the key is missing" },
        { "all:key:", "--key all:key: the key is missing" },
        { ID ":file:", ":file: the file's name is missing" },
        { "/dev/sda2:clevis", "--key /dev/sda2:clevis: Clevis asks servers" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct v2v_error err = { 0 };

        print_message("%s\n", cases[i].selector);
        assert_int_equal(cli_check_key(cases[i].selector, &err), -1);
        assert_int_equal(err.code, V2V_ERR_USAGE);
        assert_non_null(strstr(err.text, cases[i].text));
        assert_null(strstr(err.text, SECRET));
    }
}

static void
test_files(void **state)
{
    static const struct {
        const char *content; /* for printf(1) */
        const char *text;    /* NULL: it is refused */
        const char *refusal;
    } cases[] = {
        { SECRET, SECRET, NULL },
        { SECRET "\\n", SECRET, NULL },
        { SECRET "\\r\\n", SECRET, NULL },
        { " p w \\nmore\\n", " p w ", NULL },
        { "", NULL, "its first line is to be the key, and is empty" },
        { "\\n" SECRET, NULL, "its first line is to be the key, and is empty" },
        { "\\r\\n" SECRET, NULL, "and is empty" },
        { "h\\0u\\0s\\0h", NULL, "no text in UTF-8" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem)
        char *make = v2v_format(NULL, "printf '%s' >key", cases[i].content);
        V2V_AUTO(mem) char *selector = v2v_format(NULL, "all:file:%s/key", top);
        V2V_AUTO(strings) struct v2v_strings list = { 0 };
        V2V_AUTO(guest_keys) struct guest_keys keys = { 0 };
        struct v2v_error err = { 0 };
        int rc;

        assert_true(run(make));
        assert_int_equal(v2v_strings_add(&list, selector, &err), 0);
        rc = cli_keys_load(&list, &keys, &err);
        assert_int_equal(rc, cases[i].text != NULL ? 0 : -1);
        if (rc == 0) {
            assert_string_equal(keys.items[0].text, cases[i].text);
            continue;
        }
        assert_int_equal(err.code, V2V_ERR_USAGE);
        assert_non_null(strstr(err.text, cases[i].refusal));
        assert_null(strstr(err.text, SECRET));
    }
}

static void
test_no_file(void **state)
{
    V2V_AUTO(strings) struct v2v_strings list = { 0 };
    V2V_AUTO(guest_keys) struct guest_keys keys = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(v2v_strings_add(&list, "all:file:/no/such", &err), 0);
    assert_int_equal(cli_keys_load(&list, &keys, &err), -1);
    assert_int_equal(err.code, V2V_ERR_USAGE);
    assert_non_null(strstr(err.text, "--key: /no/such: "));
}

static void
test_whose_it_is(void **state)
{
    const struct bitlocker volume = { .volume = { ID } };
    char name[] = "{E9726FAB-7656-4BC5-BB9E-ADF115953328}";
    struct guest_key key = { .kind = GUEST_KEY_ALL, .name = name };

    (void)state;
    assert_true(guest_key_is_for(&key, 3, 4, &volume));
    key.kind = GUEST_KEY_ID;
    assert_true(guest_key_is_for(&key, 3, 4, &volume));
    assert_false(guest_key_is_for(&key, 3, 4, &(struct bitlocker){ 0 }));
    key.kind = GUEST_KEY_PLACE;
    key.disk = 3;
    key.partition = 4;
    assert_true(guest_key_is_for(&key, 3, 4, &volume));
    assert_false(guest_key_is_for(&key, 3, 3, &volume));
    assert_false(guest_key_is_for(&key, 0, 4, &volume));
}

/* As words of a command line: in a ledger, in the script of a job. */
static void
test_words(void **state)
{
    static const struct {
        const char *word;
        bool secret;
        const char *masked;
    } cases[] = {
        { "--key=all:key:" SECRET, true, "--key=all:key:***" },
        { "--key=" ID ":key:a:b", true, "--key=" ID ":key:***" },
        { "--key=all:file:/a", false, "--key=all:file:/a" },
        { "--key=all:" SECRET, true, "--key=***" },
        { "--key=" SECRET ":key:x", true, "--key=***" },
        { "--key=" SECRET, true, "--key=***" },
        { "--drivers=all:key:a", false, "--drivers=all:key:a" },
        { "--no-undo", false, "--no-undo" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem) char *masked = cli_masked(cases[i].word, NULL);

        assert_int_equal(cli_is_secret(cases[i].word), cases[i].secret);
        assert_string_equal(masked, cases[i].masked);
    }
}

static void
test_relative_files(void **state)
{
    static const char *const cases[][2] = {
        { "all:file:keys/a", "all:file:/vms/keys/a" },
        { "all:file:/keys/a:b", "all:file:/keys/a:b" },
        { "/dev/sda2:file:a", "/dev/sda2:file:/vms/a" },
        { "all:key:a", "all:key:a" },
        { "all:file", "all:file" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem) char *moved = cli_key_in("/vms", cases[i][0], NULL);

        assert_string_equal(moved, cases[i][1]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_whose_it_is),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_relative_files),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
