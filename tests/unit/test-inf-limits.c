/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input that somebody made to hurt: all of it ends, in an error or a result,
 * within the time that ctest gives one test program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inf-parser/install.h"

#define VERSION "[Version]\nSignature=\"$Windows NT$\"\n"

static const struct inf_target target = { INF_ARCH_AMD64, 10, 0, 26100, 1, 0 };

/* @head, then @count times @unit, where "%07zu" is the number of the turn. */
static struct inf_file *
parse_many(const char *head, const char *unit, size_t count, const char *tail)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    struct inf_file *inf = NULL;
    struct v2v_error err = { 0 };
    const char *number = strstr(unit, "#");

    assert_int_equal(v2v_bytes_add(&text, head, strlen(head), NULL), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(number == NULL
                             ? v2v_bytes_add(&text, unit, strlen(unit), NULL)
                             : v2v_bytes_printf(&text, NULL, "%.*s%zu%s",
                                                (int)(number - unit), unit, i,
                                                number + 1),
                         0);
    assert_int_equal(v2v_bytes_add(&text, tail, strlen(tail), NULL), 0);
    if (inf_parse(text.data, text.len, &inf, &err) < 0)
        fail_msg("%s", err.text);
    return inf;
}

static void
test_many_sections(void **state)
{
    V2V_AUTO(inf)
    struct inf_file *inf =
        parse_many(VERSION, "[s#]\na\n", 200000, "[S199999]\nb\n");

    (void)state;
    assert_int_equal(inf_section_count(inf), 200001);
    assert_int_equal(inf_line_count(inf_section_find(inf, "s199999")), 2);
    for (size_t i = 0; i < 100000; i++)
        assert_non_null(inf_section_find(inf, "S77777"));
}

static void
test_many_fields(void **state)
{
    V2V_AUTO(inf)
    struct inf_file *inf =
        parse_many(VERSION "[T]\nk=", "#,", 1000000, "end\n");
    struct inf_line line = inf_line_at(inf, inf_section_find(inf, "T"), 0);

    (void)state;
    assert_int_equal(line.count, 1000001);
    assert_string_equal(inf_field_raw(&line, 999999), "999999");
    assert_string_equal(inf_field_raw(&line, 1000001), "");
}

static void
test_long_runs(void **state)
{
    static const char *const units[] = { "\\ ",  "\\", "\"", " ", "%",
                                         "\\\n", "[",  ";",  "=" };

    (void)state;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        V2V_AUTO(inf)
        struct inf_file *inf =
            parse_many(VERSION "[T]\nk=", units[i], 200000, "x");

        assert_true(inf_section_count(inf) == 2);
    }
}

static void
test_file_size_is_limited(void **state)
{
    V2V_AUTO(mem) char *zeros = calloc(1, INF_FILE_MAX + 1);
    struct v2v_error err = { 0 };
    struct inf_file *inf = NULL;

    (void)state;
    assert_int_equal(inf_parse(zeros, INF_FILE_MAX + 1, &inf, &err), -1);
    assert_string_equal(err.text, "INF of more than 64 MiB");
}

static int
load(const struct inf_file *inf, struct v2v_error *err)
{
    V2V_AUTO(inf_install) struct inf_install in = { 0 };

    return inf_install_load(inf, "I", &target, &in, err);
}

/* 2^31 sections, if each is read as often as it is needed */
static void
test_needs_that_fan_out(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    V2V_AUTO(inf) struct inf_file *inf = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(
        v2v_bytes_printf(&text, NULL, VERSION "[I]\nNeeds=n0,n0\n"), 0);
    for (int i = 0; i < 30; i++)
        assert_int_equal(v2v_bytes_printf(&text, NULL, "[n%d]\nNeeds=n%d,n%d\n",
                                          i, i + 1, i + 1),
                         0);
    assert_int_equal(inf_parse(text.data, text.len, &inf, &err), 0);
    assert_int_equal(load(inf, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_non_null(strstr(err.text, "more than"));
}

static void
test_deep_needs(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    V2V_AUTO(inf) struct inf_file *inf = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(v2v_bytes_printf(&text, NULL, VERSION "[I]\nNeeds=n0\n"),
                     0);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(
            v2v_bytes_printf(&text, NULL, "[n%d]\nNeeds=n%d\n", i, i + 1), 0);
    assert_int_equal(inf_parse(text.data, text.len, &inf, &err), 0);
    assert_int_equal(load(inf, &err), -1);
    assert_string_equal(err.text, "[I]: [n31]: Needs is nested deeper than 32");
}

/* Lists that are named again and again, and lines that swell. */
static void
test_products(void **state)
{
    static const struct {
        const char *head, *unit, *tail;
    } cases[] = {
        { VERSION "[I]\nCopyFiles=", "L,", "x\n[L]\na\n,\n" },
        { VERSION "[I]\nAddReg=L\nAddReg=", "L,", "x\n[L]\nHKX,a\n" },
        { VERSION "[Strings]\ns=\"", "xxxxxxxx", "" },
    };
    static const char manufacturer[] = VERSION "[Manufacturer]\n";

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(inf)
        struct inf_file *inf =
            parse_many(cases[i].head, cases[i].unit, 200000, cases[i].tail);
        struct v2v_error err = { 0 };

        load(inf, &err); /* ends */
    }
    {
        V2V_AUTO(inf)
        struct inf_file *inf =
            parse_many(manufacturer, "a#=Manufacturer\n", 300000, "");
        V2V_AUTO(inf_models) struct inf_models models = { 0 };
        V2V_AUTO(strings) struct v2v_strings files = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(inf_models_select(inf, &target, &models, &err), -1);
        assert_int_equal(err.code, V2V_ERR_FORMAT);
        assert_non_null(strstr(err.text, "says more than 256 MiB"));
        assert_int_equal(inf_package_files(inf, INF_ARCH_X86, &files, &err), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_sections),
        cmocka_unit_test(test_many_fields),
        cmocka_unit_test(test_long_runs),
        cmocka_unit_test(test_file_size_is_limited),
        cmocka_unit_test(test_needs_that_fan_out),
        cmocka_unit_test(test_deep_needs),
        cmocka_unit_test(test_products),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
