/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts on the page of a batch.  The rest: tests/batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "batch/report-markup.h"
#include "batch/report-private.h"
#include "check/check.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */

static void
test_texts(void **state)
{
    static const struct {
        const char *text, *markup;
    } cases[] = {
        { "", "" },
        { NULL, "" },
        { "vm.qcow2", "vm.qcow2" },
        { "<b>&amp;\"'", "&lt;b&gt;&amp;amp;&quot;&#39;" },
        { "100% %s {{items}}", "100% %s {{items}}" },
        { "\xc3\xa4 \xe6\x97\xa5 \xf0\x9f\x92\xbe",
          "\xc3\xa4 \xe6\x97\xa5 \xf0\x9f\x92\xbe" },
        { "a\nb\x1b[31m\x7f", "a" BAD "b" BAD "[31m" BAD },
        { "\xc2\x9b", BAD }, /* C1 */
        { "\xe2\x80\xae"
          "exe",
          BAD "exe" }, /* right to left */
        { "\xe2\x81\xa6\xe2\x80\xa8\xd8\x9c", BAD BAD BAD },
        { "\xef\xbb\xbf\xef\xbf\xbe", BAD BAD },     /* BOM, no character */
        { "\xed\xa0\x80", BAD },                     /* half a surrogate pair */
        { "\xc0\xbc \xff<", BAD BAD " " BAD "&lt;" } /* no UTF-8 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = NULL;
        size_t len;
        FILE *to = open_memstream(&got, &len);

        markup(to, "<a title=\"%s\">%zu%% %.1f %u", cases[i].text, (size_t)7,
               0.25, 3U);
        fclose(to);
        assert_memory_equal(got, "<a title=\"", 10);
        assert_memory_equal(got + 10, cases[i].markup, strlen(cases[i].markup));
        assert_string_equal(got + 10 + strlen(cases[i].markup), "\">7% 0.2 3");
        free(got);
    }
}

static void
test_spans(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        { 0, "0 ms" },       { 0.0042, "4 ms" },      { 0.0996, "0.10 s" },
        { 9.99, "9.99 s" },  { 59.9, "59.9 s" },      { 59.97, "1 min 0 s" },
        { 61, "1 min 1 s" }, { 3599.6, "1 h 0 min" }, { 90000, "25 h 0 min" },
        { -1, "0 ms" },      { 1e300, "0 ms" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buf[REPORT_SPAN_LEN];

        assert_string_equal(report_span(cases[i].seconds, buf), cases[i].text);
    }
}

static void
test_times(void **state)
{
    char buf[REPORT_SPAN_LEN];

    (void)state;
    assert_string_equal(report_time("2026-01-31T12:00:01.500Z", buf),
                        "2026-01-31 12:00:01 UTC");
    assert_string_equal(report_time("", buf), "");
    assert_string_equal(report_time("once upon a time, longer", buf),
                        "once upon a time, longer");
}

/* A finding says it itself; an error that became none, its code. */
static void
test_advice(void **state)
{
    json_t *document = json_pack(
        "{s:[{s:s, s:s, s:s, s:s}], s:{s:s, s:s}}", "findings", "code",
        "hibernated", "severity", "blocks", "evidence", "it", "advice",
        "wake it", "error", "code", "of-then", "advice", "do that");

    (void)state;
    assert_string_equal(report_advice("hibernated", document), "wake it");
    assert_string_equal(report_advice("of-then", document), "do that");
    assert_string_equal(report_advice("hibernated", NULL),
                        check_find_code("hibernated")->advice);
    assert_string_equal(report_advice("firmware-needs-efi", document),
                        "Give the machine UEFI firmware: this disk has a GPT, "
                        "which Windows boots through UEFI only.");
    assert_non_null(report_advice("killed", NULL));
    assert_null(report_advice("nonsense", document));
    assert_null(report_advice(NULL, document));
    assert_null(report_noted_advice("of-then", document));
    json_decref(document);
}

static void
collect_advice(const struct report_note *note, void *opaque)
{
    const char **next = opaque;

    while (*next != NULL)
        next++;
    *next = note->advice != NULL ? note->advice : "-";
}

/* Warnings have no advice in their document. */
static void
test_warnings(void **state)
{
    json_t *document =
        json_pack("{s:[{s:s, s:s}, {s:s, s:s}], s:[{s:s, s:s, s:s}]}",
                  "warnings", "code", "not-cleaned-up", "text", "a", "code",
                  "nonsense", "text", "b", "boot_chain", "code",
                  "driver-signature", "state", "warns", "text", "c");
    const char *advice[4] = { NULL };

    (void)state;
    report_notes(document, REPORT_WARNS, collect_advice, advice);
    assert_string_equal(advice[0], "-"); /* of a link, which has its own */
    assert_string_equal(advice[1], "delete the file that the text names");
    assert_string_equal(advice[2], "-");
    assert_null(advice[3]);
    json_decref(document);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),    cmocka_unit_test(test_spans),
        cmocka_unit_test(test_times),    cmocka_unit_test(test_advice),
        cmocka_unit_test(test_warnings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
