/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

static void
test_context_is_added_in_front(void **state)
{
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(v2v_fail(&err, V2V_ERR_FORMAT, "bad date at byte %d", 10),
                     -1);
    assert_int_equal(v2v_fail_in(&err, "DriverVer"), -1);
    assert_int_equal(v2v_fail_in(&err, "%s", "viostor.inf"), -1);
    assert_string_equal(err.text,
                        "viostor.inf: DriverVer: bad date at byte 10");
    assert_int_equal(err.code, V2V_ERR_FORMAT);
}

static void
test_a_name_is_given_once_and_by_class(void **state)
{
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(v2v_fail(&err, V2V_ERR_FORMAT, "bad"), -1);
    assert_int_equal(v2v_fail_as(&err, V2V_ERR_GUEST, "other-class"), -1);
    assert_null(err.finding);
    assert_int_equal(v2v_fail_as(&err, V2V_ERR_FORMAT, "first"), -1);
    assert_int_equal(v2v_fail_as(&err, V2V_ERR_FORMAT, "second"), -1);
    assert_string_equal(err.finding, "first");
    assert_string_equal(err.text, "bad");
    assert_int_equal(v2v_fail_as(NULL, V2V_ERR_FORMAT, "nobody asks"), -1);
}

static void
test_long_text_is_cut_at_a_character(void **state)
{
    struct v2v_error err = { 0 };
    char text[2000] = "";

    (void)state;
    for (int i = 0; i < 600; i++)
        strcat(text, "\xe2\x82\xac"); /* three bytes each */
    v2v_error_set(&err, V2V_ERR_GUEST, "%s", text);
    assert_int_equal(strlen(err.text) % 3, 0);
    assert_true(strlen(err.text) > 1000);
}

static void
test_control_characters_do_not_reach_a_terminal(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        { "a\x1b[2Jb\nc\x7f", "a?[2Jb?c?" },
        { "caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80" },
        { "\xc2\x9b[2J \xc2\x85", "??[2J ??" },  /* 8-bit CSI, next line */
        { "\xe2\x80\xaegpj.exe", "???gpj.exe" }, /* right to left */
        { "a\xed\xa0\x80z", "a???z" },           /* half a pair */
        { "a\xff\xc3", "a??" },                  /* no UTF-8 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct v2v_error err = { 0 };

        v2v_error_set(&err, V2V_ERR_GUEST, "%s", cases[i].text);
        assert_string_equal(err.text, cases[i].shown);
    }
}

static void
test_utf16_round_trip(void **state)
{
    /* the last is an unpaired surrogate, which Windows allows in names */
    static const char *const cases[] = { "",
                                         "viostor",
                                         "caf\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "\xed\xa0\x80x" };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct v2v_bytes utf16 = { 0 };
        struct v2v_error err = { 0 };
        char *back;

        assert_int_equal(v2v_utf16_from_utf8(cases[i], &utf16, &err), 0);
        back = v2v_utf8_from_utf16(utf16.data, utf16.len, &err);
        assert_non_null(back);
        assert_string_equal(back, cases[i]);
        free(back);
        v2v_bytes_done(&utf16);
    }
}

static void
test_malformed_utf8_is_refused(void **state)
{
    static const char *const cases[] = { "\x80", "\xc0\x80", "\xe2\x82",
                                         "\xf4\x90\x80\x80", "\xff" };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct v2v_bytes utf16 = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(v2v_utf16_from_utf8(cases[i], &utf16, &err), -1);
        assert_int_equal(err.code, V2V_ERR_FORMAT);
        v2v_bytes_done(&utf16);
    }
}

static void
test_text_is_cut_at_a_character(void **state)
{
    static const struct {
        const char *text;
        size_t max;
        int len;
    } cases[] = {
        { "", 8, 0 },       { "abc", 8, 3 },        { "abc", 2, 2 },
        { "abc", 0, 0 },    { "a\xc3\xa4z", 2, 1 }, { "a\xc3\xa4z", 3, 3 },
        { "a\xffz", 8, 1 }, /* no UTF-8: all of it goes */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(v2v_cut(cases[i].text, cases[i].max), cases[i].len);
}

static void
test_names_compare_without_case(void **state)
{
    (void)state;
    assert_true(v2v_equal_nocase("NetKVM", "netkvm"));
    assert_false(v2v_equal_nocase("NetKVM", "netkv"));
    assert_true(v2v_has_prefix_nocase("System32\\drivers", "SYSTEM32\\"));
    assert_true(v2v_has_suffix_nocase("VIOSTOR.INF", ".inf"));
    assert_false(v2v_has_suffix_nocase("inf", ".inf"));
}

static void
test_replacing_a_file_keeps_its_permissions(void **state)
{
    char path[] = "/tmp/v2v-base-XXXXXX";
    V2V_AUTO(fd) int fd = mkstemp(path);
    V2V_AUTO(bytes) struct v2v_bytes back = { 0 };
    struct v2v_error err = { 0 };
    struct stat st;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0640), 0);
    assert_int_equal(v2v_file_replace(path, "new", 3, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(v2v_file_read(path, 3, &back, &err), 0);
    assert_memory_equal(back.data, "new", 3);
    assert_int_equal(v2v_file_read(path, 2, &back, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    unlink(path);
}

/* 0: no such file, or none is named */
static void
test_a_file_gives_others_no_more_than_what_it_was_made_from(void **state)
{
    static const struct {
        mode_t path, like, want;
    } cases[] = {
        { 0644, 0600, 0600 }, { 0640, 0444, 0640 }, { 0600, 0644, 0600 },
        { 0, 0640, 0640 },    { 0, 0666, 0644 },    { 0644, 0, 0600 },
        { 0, 0, 0600 },
    };
    char path[] = "/tmp/v2v-base-XXXXXX", like[] = "/tmp/v2v-base-XXXXXX";
    V2V_AUTO(fd) int fd = mkstemp(path);
    V2V_AUTO(fd) int like_fd = mkstemp(like);
    mode_t mask = umask(022);
    struct stat st;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].path == 0)
            unlink(path);
        else
            assert_int_equal(chmod(path, cases[i].path), 0);
        assert_int_equal(fchmod(like_fd, cases[i].like), 0);
        assert_int_equal(v2v_file_replace_like(path,
                                               cases[i].like != 0 ? like : NULL,
                                               "", 0, NULL),
                         0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, cases[i].want);
    }
    umask(mask);
    unlink(path);
    unlink(like);
    (void)fd;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_context_is_added_in_front),
        cmocka_unit_test(test_a_name_is_given_once_and_by_class),
        cmocka_unit_test(test_long_text_is_cut_at_a_character),
        cmocka_unit_test(test_control_characters_do_not_reach_a_terminal),
        cmocka_unit_test(test_utf16_round_trip),
        cmocka_unit_test(test_malformed_utf8_is_refused),
        cmocka_unit_test(test_text_is_cut_at_a_character),
        cmocka_unit_test(test_names_compare_without_case),
        cmocka_unit_test(test_replacing_a_file_keeps_its_permissions),
        cmocka_unit_test(
            test_a_file_gives_others_no_more_than_what_it_was_made_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
