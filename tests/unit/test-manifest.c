/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "batch/manifest.h"

static const char json[] = "malformed JSON"; /* what follows is jansson's */

/* "2 image=a add=rng,hyperv" or "3 ! why", a line each */
static void
dump(const struct manifest *manifest, char *ret, size_t size)
{
    size_t len = 0;

    *ret = '\0';
    for (size_t i = 0; i < manifest->count; i++) {
        const struct manifest_line *line = &manifest->lines[i];

        len += (size_t)snprintf(ret + len, size - len, "%zu", line->number);
        if (line->problem != NULL)
            len +=
                (size_t)snprintf(ret + len, size - len, " ! %.*s",
                                 strncmp(line->problem, json, strlen(json)) == 0
                                     ? (int)strlen(json)
                                     : (int)strlen(line->problem),
                                 line->problem);
        for (size_t k = 0; k < line->count; k++)
            len +=
                (size_t)snprintf(ret + len, size - len, " %s=%s",
                                 line->fields[k].name, line->fields[k].value);
        len += (size_t)snprintf(ret + len, size - len, "\n");
    }
    assert_true(len < size);
}

static void
test_forms(void **state)
{
    static const struct {
        const char *text, *lines;
    } cases[] = {
        { "image\na\n", "2 image=a\n" },
        { "image\na", "2 image=a\n" }, /* no line end at the end */
        { "\xef\xbb\xbfimage,add\r\na,rng\r\n", "2 image=a add=rng\n" },
        { "image,add\na,\"rng,hyperv\"\n", "2 image=a add=rng,hyperv\n" },
        { "image,add\n\"a \"\"b\"\"\",\n", "2 image=a \"b\"\n" },
        { "image\n C:\\x, y\n", "2 ! more cells than the header row has\n" },
        { "image,add\n a ,x \n", "2 image= a  add=x \n" }, /* RFC 4180 */
        { "image,image,add\na,b,rng\nc,,\nd\n",
          "2 image=a image=b add=rng\n3 image=c\n4 image=d\n" },
        { "image,add\na,,\n", "2 image=a\n" }, /* an empty cell says nothing */
        { "image,add\n\n\na,\n\nb,\n", "4 image=a\n6 image=b\n" },
        { "image,add\n\"a\nb\",x\nc,y\n",
          ("2 ! image: a line break or another control character\n"
           "4 image=c add=y\n") },
        { "image,add\na\"b,c\nd,e\n",
          ("2 ! malformed CSV: a quote in a cell stands twice, and such a cell "
           "is in quotes\n"
           "3 image=d add=e\n") },
        { "image,add\na,b\nc,\"d\ne,f\n",
          "2 image=a add=b\n3 ! malformed CSV: a quote is not closed\n" },
        { "{\"image\":\"a\"}\n", "1 image=a\n" },
        { "\n \n {\"image\":\"a\"}\n\n{\"image\":\"b\"}",
          "3 image=a\n5 image=b\n" },
        { "\xef\xbb\xbf{\"image\":[\"a\",\"b\"],\"no-undo\":true,\"x\":false}"
          "\r\n",
          "1 image=a image=b no-undo=yes x=no\n" },
        { "{\"image\":\"a\",\"nic-queues\":4,\"add\":null,\"format\":\"\"}",
          "1 image=a nic-queues=4\n" },
        { "{\"image\":\"a\"}\n{\"image\":\n[]\n{\"image\":1.5}\n",
          ("1 image=a\n"
           "2 ! malformed JSON\n"
           "3 ! not a JSON object, {...}\n"
           "4 ! image: neither a text nor a whole number nor a list of "
           "texts\n") },
        { "{\"image\":[\"a\",2]}", "1 ! image: a list has texts only\n" },
        { "{\"image\":\"a\\u001b[2J\"}",
          "1 ! image: a line break or another control character\n" },
        { "{\"a\":\"1\",\"a\":\"2\"}", "1 ! malformed JSON\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct manifest manifest = { 0 };
        struct v2v_error err = { 0 };
        char lines[1024];

        if (manifest_parse(cases[i].text, strlen(cases[i].text), &manifest,
                           &err) < 0)
            fail_msg("case %zu: %s", i, err.text);
        dump(&manifest, lines, sizeof lines);
        assert_string_equal(lines, cases[i].lines);
        manifest_done(&manifest);
    }
}

static void
test_refused(void **state)
{
    static const struct {
        const char *data;
        size_t len;
        const char *message;
    } cases[] = {
        { "", 0, "no machine in it" },
        { "image\n", 6, "no machine in it" },
        { "\xff\xfei\0m\0", 6, "UTF-16: save it as UTF-8" },
        { "image\na\xe4\n", 9, "line 2: not UTF-8 text: save it as UTF-8" },
        { "image\na\0b\n", 10, "line 2: not UTF-8 text: save it as UTF-8" },
        { "image,,add\na,b,c\n", 17,
          ("line 1: column 2 has no name: the first row names the columns, as "
           "\"image,output-xml\"") },
        { "image\ra\rb\r", 10,
          ("line 1: a carriage return alone ends no line: save it with LF or "
           "CR "
           "LF") },
        { "image;add\na;b\n", 14,
          ("line 1: only one column: cells are separated by commas, not by "
           "\";\"") },
        { "image\tadd\na\tb\n", 14,
          ("line 1: only one column: cells are separated by commas, not by "
           "tabs") },
        { " [{\"image\": \"a\"}]", 17,
          ("one JSON array: JSON Lines has an object a line, with nothing "
           "around them: jq -c '.[]' makes that of it") },
        { "\n\"image\na,b\n", 12,
          "line 2: malformed CSV: a quote is not closed" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct manifest manifest = { .count = 7 };
        struct v2v_error err = { 0 };

        assert_int_equal(
            manifest_parse(cases[i].data, cases[i].len, &manifest, &err), -1);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(err.code, V2V_ERR_FORMAT);
        assert_int_equal(manifest.count, 7); /* untouched */
    }
}

/* A manifest of another content is another manifest, of another form, too. */
static void
test_digest(void **state)
{
    struct manifest a = { 0 }, b = { 0 };

    (void)state;
    assert_int_equal(manifest_parse("image\na\n", 8, &a, NULL), 0);
    assert_int_equal(manifest_parse("image\na", 7, &b, NULL), 0);
    /* printf 'image\na\n' | sha256sum */
    assert_string_equal(
        a.digest,
        "997258634424f6b4d7a691250b2d53b2a9d0ece4a2fe25081bc6e6d07e112044");
    assert_string_not_equal(a.digest, b.digest);
    manifest_done(&a);
    manifest_done(&b);
}

static void
test_limits(void **state)
{
    static const char header[] = "image\n";
    struct v2v_bytes text = { 0 };
    struct manifest manifest = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    v2v_bytes_add(&text, header, strlen(header), NULL);
    for (size_t i = 0; i < MANIFEST_MAX_LINES; i++)
        v2v_bytes_add(&text, "a\n", 2, NULL);
    assert_int_equal(manifest_parse(text.data, text.len, &manifest, &err), 0);
    assert_int_equal(manifest.count, MANIFEST_MAX_LINES);
    manifest_done(&manifest);
    v2v_bytes_add(&text, "a\n", 2, NULL);
    assert_int_equal(manifest_parse(text.data, text.len, &manifest, &err), -1);
    assert_string_equal(err.text, "line 100002: more than 100000 machines");
    v2v_bytes_done(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
