/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An element that is inserted is written as its neighbours are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "domain/edit.h"

#define NEST "<n a='1'><m b='2'>t</m><k><l/></k></n>"

struct insert_case {
    const char *name, *before, *after;
    const char *inserted[2]; /* the second one may be NULL */
};

static void
parse(const struct v2v_bytes *xml, struct xml_doc *ret)
{
    struct v2v_error err = { 0 };

    if (xml_parse(xml->data, xml->len, ret, &err) < 0)
        fail_msg("%s\n%.*s", err.text, (int)xml->len, (const char *)xml->data);
}

/* Into <p>, behind its last <c> if it has one. */
static void
plan(const struct xml_doc *doc, const struct insert_case *c,
     struct xml_edits *ret)
{
    struct v2v_error err = { 0 };
    struct xml_edit edit = { .kind = XML_INSERT, .after = XML_NONE };

    while (strcmp(doc->elements[edit.element].name, "p") != 0)
        edit.element++;
    for (size_t child = xml_child(doc, edit.element, "c"); child != XML_NONE;
         child = xml_next(doc, edit.element, child, "c"))
        edit.after = child;
    for (size_t i = 0; i < 2 && c->inserted[i] != NULL; i++) {
        edit.value = c->inserted[i];
        assert_int_equal(xml_edits_add(ret, &edit, &err), 0);
    }
}

static void
insert(const struct v2v_bytes *before, const struct insert_case *c,
       struct v2v_bytes *ret)
{
    V2V_AUTO(xml_edits) struct xml_edits edits = { 0 };
    struct v2v_error err = { 0 };
    struct xml_doc doc, result;

    parse(before, &doc);
    plan(&doc, c, &edits);
    if (xml_apply(&doc, &edits, ret, &err) < 0)
        fail_msg("%s: %s", c->name, err.text);
    parse(ret, &result);
    if (xml_check(&doc, &edits, &result, &err) < 0)
        fail_msg("%s: %s\n%.*s", c->name, err.text, (int)ret->len,
                 (const char *)ret->data);
    xml_done(&result);
    xml_done(&doc);
}

static void
test_styles(void **state)
{
    static const struct insert_case cases[] = {
        { "behind a child, deeper by what the document is",
          "<d>\n   <p>\n      <c/>\n      <e/>\n   </p>\n</d>\n",
          "<d>\n   <p>\n      <c/>\n      <n a='1'>\n         <m b='2'>t</m>\n"
          "         <k>\n            <l/>\n         </k>\n      </n>\n"
          "      <e/>\n   </p>\n</d>\n",
          { NEST } },
        { "behind the last child",
          "<d>\n  <p>\n    <e/>\n    <c>\n    </c>\n  </p>\n</d>\n",
          "<d>\n  <p>\n    <e/>\n    <c>\n    </c>\n    <n>\n      <m/>\n"
          "    </n>\n  </p>\n</d>\n",
          { "<n><m/></n>" } },
        { "in front of all children",
          "<d>\n\t<p>\n\t\t<e/>\n\t</p>\n</d>\n",
          "<d>\n\t<p>\n\t\t<n>\n\t\t\t<m/>\n\t\t</n>\n\t\t<e/>\n\t</p>\n"
          "</d>\n",
          { "<n><m/></n>" } },
        { "line ends of DOS",
          "<d>\r\n  <p>\r\n    <c/>\r\n  </p>\r\n</d>\r\n",
          "<d>\r\n  <p>\r\n    <c/>\r\n    <n>\r\n      <m/>\r\n    </n>\r\n"
          "  </p>\r\n</d>\r\n",
          { "<n><m/></n>" } },
        { "two at one place keep their order",
          "<d>\n <p>\n  <c/>\n </p>\n</d>",
          "<d>\n <p>\n  <c/>\n  <n/>\n  <m/>\n </p>\n</d>",
          { "<n/>", "<m/>" } },
        { "quotes of the parent",
          "<d a='1'><p b='2' d=\"3\"><c/></p></d>",
          "<d a='1'><p b='2' d=\"3\"><c/><n a=\"1\"/></p></d>",
          { "<n a='1'/>" } },
        { "quotes of what is around it",
          "<d a=\"1\"><p><c e='1'/></p></d>",
          "<d a=\"1\"><p><c e='1'/><n a=\"1\"/></p></d>",
          { "<n a='1'/>" } },
        { "a document on one line stays on it",
          "<d><p><c/></p></d>",
          "<d><p><c/><n a='1'><m b='2'>t</m><k><l/></k></n></p></d>",
          { NEST } },
        { "children on the line of their parent",
          "<d>\n  <p><c/></p>\n</d>\n",
          "<d>\n  <p><c/><n><m/></n></p>\n</d>\n",
          { "<n><m/></n>" } },
        { "a document without indentation",
          "<d>\n<p>\n<c/>\n</p>\n</d>\n",
          "<d>\n<p>\n<c/>\n<n>\n<m/>\n</n>\n</p>\n</d>\n",
          { "<n><m/></n>" } },
        { "an empty parent and a tag",
          "<d>\n  <p a='1' />\n</d>\n",
          "<d>\n  <p a='1'><n b='2'/></p>\n</d>\n",
          { "<n b='2'/>" } },
        { "an empty parent and more than a tag",
          "<d>\n  <p a=\"1\"/>\n</d>\n",
          "<d>\n  <p a=\"1\">\n    <n>\n      <m b=\"2\"/>\n    </n>\n  </p>\n"
          "</d>\n",
          { "<n><m b='2'/></n>" } },
        { "an empty parent and both",
          "<d>\n    <p/>\n</d>\n",
          "<d>\n    <p>\n        <n/>\n        <m>t</m>\n    </p>\n</d>\n",
          { "<n/>", "<m>t</m>" } },
        { "an empty parent on one line with all",
          "<d><p/></d>",
          "<d><p><n><m/></n></p></d>",
          { "<n><m/></n>" } },
        { "start and end tag and nothing between",
          "<d>\n  <p></p>\n</d>\n",
          "<d>\n  <p>\n    <n>\n      <m/>\n    </n>\n  </p>\n</d>\n",
          { "<n><m/></n>" } },
        { "start and end tag on lines of their own",
          "<d>\n  <p>\n  </p >\n</d>\n",
          "<d>\n  <p>\n    <n/>\n    <m/>\n  </p >\n</d>\n",
          { "<n/>", "<m/>" } },
        { "a parent with just a comment",
          "<d>\n  <p>\n    <!-- <c/> -->\n  </p>\n</d>\n",
          "<d>\n  <p>\n    <n/>\n    <!-- <c/> -->\n  </p>\n</d>\n",
          { "<n/>" } },
        { "an odd indentation: that of the next one around it counts",
          "<d>\n    <e>\n  <p>\n<c/>\n  </p>\n    </e>\n</d>\n",
          "<d>\n    <e>\n  <p>\n<c/>\n<n>\n    <m/>\n</n>\n  </p>\n    </e>\n"
          "</d>\n",
          { "<n><m/></n>" } },
        { "no indentation to learn from",
          "<d><e><p>\n<c/></p></e></d>",
          "<d><e><p>\n<c/>\n<n>\n<m/>\n</n></p></e></d>",
          { "<n><m/></n>" } },
        { "text and values are escaped again",
          "<d><p/></d>",
          "<d><p><n a='&lt;&apos;\xc3\xa9&#xA;'>&amp;&lt;</n></p></d>",
          { "<n a=\"&lt;'\xc3\xa9&#10;\">&amp;<![CDATA[<]]></n>" } },
        { "an 8-bit set cannot have every character",
          "<?xml version='1.0' encoding='ISO-8859-1'?>\n<d\xe9><p/></d\xe9>",
          "<?xml version='1.0' encoding='ISO-8859-1'?>\n<d\xe9><p>"
          "<n a='&#xE9;'>&#x20AC;</n></p></d\xe9>",
          { "<n a='\xc3\xa9'>\xe2\x82\xac</n>" } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes before = { 0 }, after = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(v2v_bytes_copy(cases[i].before,
                                        strlen(cases[i].before), &before, &err),
                         0);
        insert(&before, &cases[i], &after);
        if (after.len != strlen(cases[i].after) ||
            memcmp(after.data, cases[i].after, after.len) != 0)
            fail_msg("%s: got\n%.*s\nnot\n%s", cases[i].name, (int)after.len,
                     (const char *)after.data, cases[i].after);
    }
}

static void
as_utf16(const char *text, enum xml_encoding encoding, struct v2v_bytes *ret)
{
    struct v2v_bytes utf8 = { 0 };
    struct v2v_error err = { 0 };

    assert_int_equal(v2v_bytes_printf(&utf8, &err, "\xef\xbb\xbf%s", text), 0);
    assert_int_equal(xml_encode(&utf8, encoding, ret, &err), 0);
    v2v_bytes_done(&utf8);
}

static void
test_utf16(void **state)
{
    static const enum xml_encoding encodings[] = { XML_UTF16LE, XML_UTF16BE };
    static const struct insert_case c = {
        "UTF-16",
        "<d>\r\n <p>\r\n  <c/>\r\n </p>\r\n</d>",
        "<d>\r\n <p>\r\n  <c/>\r\n  <n a='\xe2\x82\xac'>\r\n   <m>\xc3\xa9</m>"
        "\r\n  </n>\r\n </p>\r\n</d>",
        { "<n a='\xe2\x82\xac'><m>\xc3\xa9</m></n>" }
    };

    (void)state;
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        V2V_AUTO(bytes) struct v2v_bytes before = { 0 };
        V2V_AUTO(bytes) struct v2v_bytes after = { 0 };
        V2V_AUTO(bytes) struct v2v_bytes expected = { 0 };

        as_utf16(c.before, encodings[i], &before);
        as_utf16(c.after, encodings[i], &expected);
        insert(&before, &c, &after);
        assert_int_equal(after.len, expected.len);
        assert_memory_equal(after.data, expected.data, after.len);
    }
}

/* What xml_check() says of a result is worth what it says of wrong ones. */
static void
test_a_wrong_result_is_found(void **state)
{
    static const struct insert_case c = {
        .before = "<p><c/><e/></p>",
        .inserted = { "<n a='1' o='2'><m b='2'>t</m></n>" }
    };
    static const char *const results[] = {
        "<p><c/><n a='1' o='2'><m b='2'>t</m></n><e/></p>", /* right */
        "<p><c/><n a='1' o='2'><m b='2'>u</m></n><e/></p>",
        "<p><c/><n a='1' o='2'><m b='3'>t</m></n><e/></p>",
        "<p><c/><n a='1' o='2'><m>t</m></n><e/></p>",
        "<p><c/><n a='1' o='2'><m b='2' f='3'>t</m></n><e/></p>",
        "<p><c/><n a='1'><m b='2'>t</m></n><e/></p>",
        "<p><c/><n o='2' a='1'><m b='2'>t</m></n><e/></p>",
        "<p><c/><n a='1' o='2'><k b='2'>t</k></n><e/></p>",
        "<p><c/><n a='1' o='2'/><m b='2'>t</m><e/></p>",
        "<p><c/><n a='1' o='2'><m b='2'>t</m><l/></n><e/></p>",
        "<p><c/><n a='1' o='2'><m b='2'>t<l/></m></n><e/></p>",
        "<p><c/><n a='1' o='2'>t</n><e/></p>",
        "<p><c/><n xmlns='urn:x' a='1'><m b='2'>t</m></n><e/></p>",
        "<p><c><n a='1' o='2'><m b='2'>t</m></n></c><e/></p>",
        "<p><c/><e/><n a='1' o='2'><m b='2'>t</m></n></p>",
        "<p><n a='1' o='2'><m b='2'>t</m></n><c/><e/></p>",
        "<p><c/><e/></p>",
        "<p><c/><n a='1' o='2'><m b='2'>t</m></n></p>",
    };
    V2V_AUTO(xml_edits) struct xml_edits edits = { 0 };
    struct v2v_error err = { 0 };
    struct xml_doc doc;

    (void)state;
    assert_int_equal(xml_parse(c.before, strlen(c.before), &doc, &err), 0);
    plan(&doc, &c, &edits);
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        struct xml_doc result;

        assert_int_equal(
            xml_parse(results[i], strlen(results[i]), &result, &err), 0);
        if (xml_check(&doc, &edits, &result, &err) != (i == 0 ? 0 : -1))
            fail_msg("%s", results[i]);
        xml_done(&result);
    }
    xml_done(&doc);
}

static void
test_what_is_no_element(void **state)
{
    static const char *const values[] = { "<n>", "n", "<n/><m/>", "" };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct insert_case c = { .before = "<p><c/></p>",
                                 .inserted = { values[i] } };
        V2V_AUTO(xml_edits) struct xml_edits edits = { 0 };
        V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };
        struct v2v_error err = { 0 };
        struct xml_doc doc;

        assert_int_equal(xml_parse(c.before, strlen(c.before), &doc, &err), 0);
        plan(&doc, &c, &edits);
        assert_int_equal(xml_apply(&doc, &edits, &xml, &err), -1);
        assert_int_equal(err.code, V2V_ERR_INTERNAL);
        xml_done(&doc);
    }
}

/* A machine with 1024 disks behind a megabyte of blanks must not become a
 * gigabyte: such blanks are not copied. */
static void
test_blanks_are_not_multiplied(void **state)
{
    static const struct insert_case c = { .name = "blanks",
                                          .inserted = { NEST, NEST } };
    V2V_AUTO(bytes) struct v2v_bytes before = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes after = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(v2v_bytes_printf(&before, &err,
                                      "<d>\n%1000000s<p>\n"
                                      "%1000000s<c/></p></d>",
                                      "", ""),
                     0);
    insert(&before, &c, &after);
    assert_int_equal(after.len, before.len + 2 * strlen(NEST));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_styles),
        cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_a_wrong_result_is_found),
        cmocka_unit_test(test_what_is_no_element),
        cmocka_unit_test(test_blanks_are_not_multiplied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
