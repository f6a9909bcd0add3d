/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "inf-parser/inf.h"

#define VERSION "[Version]\nSignature=\"$Windows NT$\"\n"

static struct inf_file *
parse(const char *text, size_t len)
{
    struct inf_file *inf = NULL;
    struct v2v_error err = { 0 };

    if (inf_parse(text, len, &inf, &err) < 0)
        fail_msg("%s", err.text);
    return inf;
}

/* "key | field | field", "-" for no key, '' around what is empty */
static void
add_line(struct v2v_bytes *out, const struct inf_line *line)
{
    const char *key = line->key == NULL    ? "-"
                      : *line->key == '\0' ? "''"
                                           : line->key;

    assert_int_equal(v2v_bytes_printf(out, NULL, "%s", key), 0);
    for (size_t i = 0; i < line->count; i++) {
        const char *field = inf_field_raw(line, i);

        assert_int_equal(
            v2v_bytes_printf(out, NULL, " | %s", *field == '\0' ? "''" : field),
            0);
    }
    assert_int_equal(v2v_bytes_printf(out, NULL, "\n"), 0);
}

/* All sections but [Version]. */
static void
add_file(struct v2v_bytes *out, const struct inf_file *inf)
{
    for (size_t s = 0; s < inf_section_count(inf); s++) {
        const struct inf_section *section = inf_section_at(inf, s);
        const char *name = inf_section_name(inf, section);

        if (v2v_equal_nocase(name, "Version"))
            continue;
        assert_int_equal(v2v_bytes_printf(out, NULL, "[%s]\n", name), 0);
        for (size_t i = 0; i < inf_line_count(section); i++) {
            struct inf_line line = inf_line_at(inf, section, i);

            add_line(out, &line);
        }
    }
    assert_int_equal(v2v_bytes_add(out, "", 1, NULL), 0);
}

static void
check(const char *text, size_t len, const char *expected)
{
    V2V_AUTO(inf) struct inf_file *inf = parse(text, len);
    V2V_AUTO(bytes) struct v2v_bytes out = { 0 };

    add_file(&out, inf);
    assert_string_equal((const char *)out.data, expected);
}

/* Body of a section [T]. */
static void
check_body(const char *body, size_t len, const char *expected)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes want = { 0 };

    assert_int_equal(v2v_bytes_printf(&text, NULL, "%s[T]\n", VERSION), 0);
    assert_int_equal(v2v_bytes_add(&text, body, len, NULL), 0);
    assert_int_equal(v2v_bytes_add(&want, "[T]\n", 4, NULL), 0);
    assert_int_equal(v2v_bytes_add(&want, expected, strlen(expected) + 1, NULL),
                     0);
    check((const char *)text.data, text.len, (const char *)want.data);
}

static void
test_lines(void **state)
{
    static const struct {
        const char *body, *expected;
    } cases[] = {
        /* keys */
        { "ab", "ab | ab\n" },
        { "ab,cd", "- | ab | cd\n" },
        { "ab,cd=ef", "- | ab | cd=ef\n" },
        { "=v,w", "'' | v | w\n" },
        { "ab=", "ab | ''\n" },
        { "ab=c=d,e=f", "ab | c=d | e=f\n" },
        { "ab,", "- | ab | ''\n" },
        { ",", "- | '' | ''\n" },
        { "a=b,,", "a | b | '' | ''\n" },
        { "\"a=b\"=c", "a=b | c\n" },
        { "\"a,b\"=c", "a,b | c\n" },
        { "\"only quoted\"", "only quoted | only quoted\n" },
        { "\"a\",\"b\"", "- | a | b\n" },
        { " a b = c ,\" d\" ", "a b | c |  d\n" },
        /* quotes */
        { "a=\"x\"\"y\"", "a | x\"y\n" },
        { "b=\"\"x\"\"", "b | x\n" },
        { "c=\"\"\"some string\"\"\"", "c | \"some string\"\n" },
        { "d=p\"q,r\"s", "d | pq,rs\n" },
        { "h=ab\"\"cd", "h | abcd\n" },
        { "g=\"  lead\",  \"trail  \"  ", "g |   lead | trail  \n" },
        { "k='a,b'", "k | 'a | b'\n" },
        { "a=\"no end , x ; y  \r\nb=next",
          "a | no end , x ; y  \nb | next\n" },
        { "a=\"cr at eof\r", "a | cr at eof\n" },
        { "d=\"quoted \\\r\ne=4", "d | quoted \\\ne | 4\n" },
        /* comments */
        { "a=b;c", "a | b\n" },
        { " ; x\n\t;y\na=\";\"", "a | ;\n" },
        { "d=x%a;b%y", "d | x%a\n" },
        { "a=b ; c \\\nd=e", "a | b\nd | e\n" },
        /* continuation */
        { "a=1,\\\n  2,\\   \n3", "a | 1 | 2 | 3\n" },
        { "b=x \\ ; comment\n ,y", "b | x | y\n" },
        { "c=\"dir\\\"\\\n,f", "c | dir\\ | f\n" },
        { "d=dir\\\\\n,f", "d | dir | f\n" },
        { "e=C:\\temp\\x", "e | C:\\temp\\x\n" },
        { "ba\\\ncd=ef", "bacd | ef\n" },
        { "ba \\ dc=xx", "ba \\ dc | xx\n" },
        { "ba=c \\ \n \\ a", "ba | c\\ a\n" },
        { "  \\ a= \\ b", "\\ a | \\ b\n" },
        { "a=1,\\\n[U]\nb=2", "a | 1 | [U]\nb | 2\n" },
        { "f=tail\\\n\ng=1", "f | tail\ng | 1\n" },
        { "a=b\\", "a | b\n" },
        { "a=b \\ \\ \\\nc", "a | bc\n" },
        { "a=b \\ \\ ,c", "a | b \\ \\ | c\n" },
        /* line ends */
        { "a=1\nb=2\rc=3\r\nd=4\r\r\ne=5",
          "a | 1\nb | 2\rc=3\nd | 4\ne | 5\n" },
        { "a=\t x\ty \t", "a | x\ty\n" },
        /* U+0085, U+00A0 in Windows-1252 */
        { "a=\xa0x\xa0y\xa0", "a | x\xc2\xa0y\n" },
        { "a=caf\xe9 \x80 \x81", "a | caf\xc3\xa9 \xe2\x82\xac \xc2\x81\n" },
        /* sections */
        { "a=1\n[Other]\n[t] [x] ; c\nb=2", "a | 1\nb | 2\n[Other]\n" },
        { "[ Sp ace ]\n[\"q\"]\n[a;b]\n[%t%]\n[x[y]z]\n[]\nk=1",
          "[ Sp ace ]\n[\"q\"]\n[a;b]\n[%t%]\n[x[y]\n[]\nk | 1\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_body(cases[i].body, strlen(cases[i].body), cases[i].expected);
}

static void
test_nul_and_end_of_file(void **state)
{
    static const char nul[] = "a=b\0c\0\nd=e\x1a\nf=g\n";
    static const char token[] = "ab=c\x1a,\"d";
    static const char name[] = "a=b\n;\x1a\nf=g\n";

    (void)state;
    check_body(nul, sizeof nul - 1, "a | b c\nd | e\n");
    check_body(token, sizeof token - 1, "ab | c\n");
    check_body(name, sizeof name - 1, "a | b\n");
}

static void
test_encodings(void **state)
{
    /* U+3000 is a blank, U+FEFF is not; D800 stands alone */
    static const char le[] = "k\0=\0\x00\x30\xff\xfex\0\x00\xd8\x00\x30\n\0";
    static const char want[] = "[T]\nk | \xef\xbb\xbfx\xed\xa0\x80\n";
    static const struct {
        const char *bom;
        size_t bom_len;
        int swap;
        const char *warning;
    } cases[] = {
        { "\xff\xfe", 2, 0, NULL },
        { "\xfe\xff", 2, 1,
          "UTF-16 big endian: some Windows versions may refuse it" },
        { "", 0, 0, "UTF-16 without a byte order mark" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
        V2V_AUTO(bytes) struct v2v_bytes out = { 0 };
        V2V_AUTO(inf) struct inf_file *inf = NULL;

        assert_int_equal(
            v2v_utf16_from_utf8("; a comment\n" VERSION "[T]\n", &text, NULL),
            0);
        assert_int_equal(v2v_bytes_add(&text, le, sizeof le - 1, NULL), 0);
        for (size_t k = 0; cases[i].swap && k < text.len; k += 2) {
            uint8_t first = text.data[k];

            text.data[k] = text.data[k + 1];
            text.data[k + 1] = first;
        }
        assert_int_equal(
            v2v_bytes_add(&out, cases[i].bom, cases[i].bom_len, NULL), 0);
        assert_int_equal(v2v_bytes_add(&out, text.data, text.len, NULL), 0);
        check((const char *)out.data, out.len, want);
        inf = parse((const char *)out.data, out.len);
        assert_int_equal(inf_warnings(inf)->count, cases[i].warning != NULL);
        if (cases[i].warning != NULL)
            assert_string_equal(inf_warnings(inf)->items[0], cases[i].warning);
    }
    /* UTF-8 with BOM; a malformed byte is U+FFFD; without BOM it is ANSI */
    check("\xef\xbb\xbf" VERSION "[T]\nk=\xc3\xa9\xff", strlen(VERSION) + 3 + 9,
          "[T]\nk | \xc3\xa9\xef\xbf\xbd\n");
    check(VERSION "[T]\nk=\xc3\xa9", strlen(VERSION) + 8,
          "[T]\nk | \xc3\x83\xc2\xa9\n");
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *text;
        uint32_t code, line;
        const char *message;
    } cases[] = {
        { VERSION "[T\n", INF_E_BAD_SECTION_NAME_LINE, 3,
          "line 3: section name without ']'" },
        { VERSION "[T", INF_E_BAD_SECTION_NAME_LINE, 3,
          "line 3: section name without ']'" },
        { "junk\n" VERSION, INF_E_EXPECTED_SECTION_NAME, 1,
          "line 1: text before the first section" },
        { "", INF_E_WRONG_INF_STYLE, 0, "not an INF: no [Version]" },
        { "[T]\n", INF_E_WRONG_INF_STYLE, 0, "not an INF: no [Version]" },
        { "[Version]\n", INF_E_WRONG_INF_STYLE, 0,
          "not an INF: no Signature in [Version]" },
        { "[Version]\nSignature=foo\n", INF_E_WRONG_INF_STYLE, 0,
          "not an INF: unknown Signature \"foo\"" },
        { "[Version]\nSignature=%s%\n[Strings]\ns=$Chicago$\n",
          INF_E_WRONG_INF_STYLE, 0, "not an INF: unknown Signature \"%s%\"" },
        { "[Version]\nSignature=x\nSignature=$Chicago$\n",
          INF_E_WRONG_INF_STYLE, 0, "not an INF: unknown Signature \"x\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct inf_failure where = { 7, 7 };
        struct v2v_error err = { 0 };
        struct inf_file *inf = NULL;

        assert_int_equal(inf_parse_where(cases[i].text, strlen(cases[i].text),
                                         &inf, &where, &err),
                         -1);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(err.code, V2V_ERR_FORMAT);
        assert_int_equal(where.code, cases[i].code);
        assert_int_equal(where.line, cases[i].line);
        assert_null(inf);
    }
}

static void
test_what_is_accepted(void **state)
{
    static const char *const cases[] = {
        "[Version]\nSignature=$CHICAGO$\n",
        "[version]\nSIGNATURE=\"$windows nt$\"\n",
        "[Version]\nSignature=\"$Windows 95$\"\n",
        "[Version]\n[Version]\nSignature=\"$Chicago$\"\n",
        ("junk\n[Strings]\n" VERSION),
        "junk [Version]\nSignature=$Chicago$\n[Strings]\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        inf_free(parse(cases[i], strlen(cases[i])));
}

static void
test_section_names_have_a_limit(void **state)
{
    char text[600];
    struct inf_failure where = { 0 };
    struct v2v_error err = { 0 };
    struct inf_file *inf = NULL;
    int n;

    (void)state;
    n = snprintf(text, sizeof text, VERSION "[%0255d]\n", 7);
    inf_free(parse(text, (size_t)n));
    n = snprintf(text, sizeof text, VERSION "[%0256d]\n", 7);
    assert_int_equal(inf_parse_where(text, (size_t)n, &inf, &where, &err), -1);
    assert_int_equal(where.code, INF_E_SECTION_NAME_TOO_LONG);
    assert_int_equal(where.line, 3);
    assert_string_equal(err.text,
                        "line 3: section name of more than 255 characters");
}

static void
test_long_fields_are_kept_and_reported(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    V2V_AUTO(inf) struct inf_file *inf = NULL;
    struct v2v_error err = { 0 };
    struct inf_line line;

    (void)state;
    assert_int_equal(v2v_bytes_printf(&text, NULL,
                                      VERSION "[T]\na=%04095d\nb=%04096d\n", 1,
                                      2),
                     0);
    inf = parse((const char *)text.data, text.len);
    line = inf_line_at(inf, inf_section_find(inf, "t"), 1);
    assert_int_equal(strlen(inf_field_raw(&line, 0)), 4096);
    assert_int_equal(inf_warnings(inf)->count, 1);
    assert_string_equal(inf_warnings(inf)->items[0],
                        "line 5: field of more than 4095 characters");
    assert_null(inf_expand(inf, inf_field_raw(&line, 0), NULL, &err));
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_non_null(
        strstr(err.text, "is longer than 4095 characters after substitution"));
}

static const char *
directory(void *opaque, int id)
{
    return id == 12   ? "C:\\windows\\system32\\drivers"
           : id == 24 ? "C:\\"
           : id == -1 ? ""
           : id == 13 ? opaque
                      : NULL;
}

static void
test_expand(void **state)
{
    static const char text[] = VERSION "[Strings]\n"
                                       "s1=one\ns2=%s1%\nP=P\nq=Q\n"
                                       "dup=1\nDUP=2\nmulti=one,two\nempty=\n"
                                       "pct=\"50%% off\"\nnokey\n"
                                       "\"a b\"=spaced\nx=a,b\n22=foo\n"
                                       "drive=\"C:\\\"\n";
    static const struct {
        const char *raw, *expected;
    } cases[] = {
        { "", "" },
        { "plain", "plain" },
        { "100%%", "100%" },
        { "%%s1%%", "%s1%" },
        { "%undef%", "%undef%" },
        { "%undef%s1%", "%undef%s1%" },
        { "%s1", "%s1" },
        { "%S1%", "one" },
        { "%p%%q%", "PQ" },
        { "x%s1%y%s2%z", "xoney%s1%z" },
        { "%dup%", "1" },
        { "%multi%", "one" },
        { "%empty%", "" },
        { "%pct%", "50%% off" },
        { "%nokey%", "nokey" },
        { "%a b%", "spaced" },
        { "%%SystemRoot%%\\x", "%SystemRoot%\\x" },
        { "%22%", "foo" },
        { "%12%\\drv.sys", "C:\\windows\\system32\\drivers\\drv.sys" },
        { "%24%\\x", "C:\\x" },
        { "%24%x", "C:\\x" },
        { "%drive%\\x", "C:\\\\x" },
        { "%99999%", "%99999%" },
        { "%012%", "C:\\windows\\system32\\drivers" },
        { "%+12%", "C:\\windows\\system32\\drivers" },
        { "%0x0c%", "%0x0c%" },
        { "%-1%", "" },
        { "%-%", "%-%" },
        { "%13%", "%13%" },
    };
    V2V_AUTO(inf) struct inf_file *inf = parse(text, sizeof text - 1);
    struct inf_dirs dirs = { directory, NULL };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem) char *got = inf_expand(inf, cases[i].raw, &dirs, NULL);

        assert_string_equal(got, cases[i].expected);
    }
}

static void
test_languages(void **state)
{
    static const char text[] =
        VERSION "[Strings.0407]\ns=deutsch\nonly=nur\n[Strings]\ns=english\n"
                "[Strings.0409]\ns=english-us\n[Strings.000C]\ns=neutre\n"
                "[Strings.040C]\ns=francais\n[Strings.xyz1]\ns=no\n";
    static const struct {
        uint16_t langid;
        const char *s, *only;
    } cases[] = {
        { 0x0409, "english-us", "%only%" }, { 0x0407, "deutsch", "nur" },
        { 0x0c07, "deutsch", "nur" },       { 0x080c, "neutre", "%only%" },
        { 0x0411, "english", "%only%" },    { 0x0809, "english-us", "%only%" },
    };
    V2V_AUTO(inf) struct inf_file *inf = parse(text, sizeof text - 1);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem) char *s = NULL;
        V2V_AUTO(mem) char *only = NULL;

        (void)state;
        if (i > 0) /* the first is what inf_parse() chooses */
            assert_int_equal(inf_set_language(inf, cases[i].langid, NULL), 0);
        s = inf_expand(inf, "%s%", NULL, NULL);
        only = inf_expand(inf, "%only%", NULL, NULL);
        assert_string_equal(s, cases[i].s);
        assert_string_equal(only, cases[i].only);
    }
}

static void
test_integers(void **state)
{
    static const struct {
        const char *text;
        int64_t value; /* -1: refused */
        const char *message;
    } cases[] = {
        { "", 0, NULL },
        { "010", 10, NULL },
        { "0x10", 16, NULL },
        { "0XfF", 255, NULL },
        { "-1", 0xffffffff, NULL },
        { "+7", 7, NULL },
        { "4294967295", 0xffffffff, NULL },
        { "4294967296", -1, "4294967296 is above 32 bits" },
        { "99999999999999999999999", -1,
          "99999999999999999999999 is above 32 bits" },
        { "REG_SZ", -1, "\"REG_SZ\" is not a number" },
        { "0x", -1, "\"0x\" is not a number" },
        { "1 2", -1, "\"1 2\" is not a number" },
        { "-", -1, "\"-\" is not a number" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct v2v_error err = { 0 };
        uint32_t value = 77;
        int result = inf_integer(cases[i].text, &value, &err);

        assert_int_equal(result, cases[i].value < 0 ? -1 : 0);
        assert_int_equal(value, cases[i].value < 0 ? 77 : cases[i].value);
        if (result < 0)
            assert_string_equal(err.text, cases[i].message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_nul_and_end_of_file),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_what_is_accepted),
        cmocka_unit_test(test_section_names_have_a_limit),
        cmocka_unit_test(test_long_fields_are_kept_and_reported),
        cmocka_unit_test(test_expand),
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
