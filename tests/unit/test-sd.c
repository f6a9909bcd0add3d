/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "disk/sd.h"

#define TI "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

static void
add_le(struct v2v_bytes *b, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));

        assert_int_equal(v2v_bytes_add(b, &byte, 1, NULL), 0);
    }
}

/* "S-1-5-32-544": its bytes */
static void
add_sid(struct v2v_bytes *b, const char *text)
{
    size_t at = b->len;
    char *p;

    add_le(b, 2, 1);
    add_le(b, 5, 0);
    add_le(b, 1, strtoul(text + 4, &p, 10));
    while (*p == '-') {
        add_le(b, 4, strtoul(p + 1, &p, 10));
        b->data[at + 1]++;
    }
}

/* One ACE: "TYPE FLAGS MASK SID [HEX]", numbers hexadecimal; HEX stands before
 * the SID in object ACEs (types 5, 6, b, c), behind it in others. */
static void
add_ace(struct v2v_bytes *b, const char *text)
{
    unsigned type, flags, mask;
    char sid[200], hex[200] = "";
    size_t at = b->len;
    bool object;
    int n =
        sscanf(text, "%x %x %x %199s %199s", &type, &flags, &mask, sid, hex);

    assert_true(n >= 4);
    object = type == 5 || type == 6 || type == 0xB || type == 0xC;
    add_le(b, 1, type);
    add_le(b, 1, flags);
    add_le(b, 2, 0);
    add_le(b, 4, mask);
    if (!object)
        add_sid(b, sid);
    for (const char *p = hex; p[0] != '\0'; p += 2) {
        unsigned byte;

        assert_int_equal(sscanf(p, "%2x", &byte), 1);
        add_le(b, 1, byte);
    }
    if (object)
        add_sid(b, sid);
    b->data[at + 2] = (uint8_t)(b->len - at);
}

/* A descriptor of BA, SY and these ACEs. */
static struct v2v_bytes
make_parent(const char *const *aces, uint16_t control)
{
    struct v2v_bytes sd = { 0 };
    unsigned count = 0;

    add_le(&sd, 2, 1);
    add_le(&sd, 2, 0x8004u | control);
    add_le(&sd, 4, 20);
    add_le(&sd, 4, 36);
    add_le(&sd, 4, 0);
    add_le(&sd, 4, 48);
    add_sid(&sd, "S-1-5-32-544");
    add_sid(&sd, "S-1-5-18");
    add_le(&sd, 8, 2);
    for (; aces[count] != NULL; count++)
        add_ace(&sd, aces[count]);
    sd.data[48 + 2] = (uint8_t)((sd.len - 48) & 0xFF);
    sd.data[48 + 3] = (uint8_t)((sd.len - 48) >> 8);
    sd.data[48 + 4] = (uint8_t)count;
    return sd;
}

static void
assert_inherits(const struct v2v_bytes *parent, bool directory,
                const char *expected)
{
    V2V_AUTO(bytes) struct v2v_bytes child = { 0 };
    V2V_AUTO(mem) char *text = NULL;
    struct v2v_error err = { 0 };

    if (sd_inherit(parent->data, parent->len, directory, &child, &err) < 0 ||
        sd_to_text(child.data, child.len, &text, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(text, expected);
}

#define DEFAULT "O:BAG:SYD:AI(A;;FA;;;SY)(A;;FA;;;BA)"
#define SYSTEM32_FILE                                                          \
    "O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)"

static const struct inherit_case {
    const char *parent[12];
    const char *file, *directory;
} cases[] = {
    /* Windows\System32 and most of what is below it, as in Windows 7 to 11 */
    { { "0 0 1f01ff " TI, "0 a 10000000 " TI, "0 0 1301bf S-1-5-18",
        "0 b 10000000 S-1-5-18", "0 0 1301bf S-1-5-32-544",
        "0 b 10000000 S-1-5-32-544", "0 0 1200a9 S-1-5-32-545",
        "0 b a0000000 S-1-5-32-545", "0 b 10000000 S-1-3-0" },
      SYSTEM32_FILE,
      "O:BAG:SYD:AI(A;ID;FA;;;" TI ")(A;CIIOID;GA;;;" TI ")"
      "(A;ID;FA;;;SY)(A;OICIIOID;GA;;;SY)(A;ID;FA;;;BA)(A;OICIIOID;GA;;;BA)"
      "(A;ID;0x1200a9;;;BU)(A;OICIIOID;GRGX;;;BU)(A;OICIIOID;GA;;;CO)" },
    /* the one-line table of "ACE Inheritance Rules", row by row */
    { { "0 0 1 S-1-1-0" }, DEFAULT, DEFAULT },
    { { "0 1 1 S-1-1-0" },
      "O:BAG:SYD:AI(A;ID;0x1;;;WD)",
      "O:BAG:SYD:AI(A;OIIOID;0x1;;;WD)" },
    { { "0 5 1 S-1-1-0" }, "O:BAG:SYD:AI(A;ID;0x1;;;WD)", DEFAULT },
    { { "0 2 1 S-1-1-0" }, DEFAULT, "O:BAG:SYD:AI(A;CIID;0x1;;;WD)" },
    { { "0 6 1 S-1-1-0" }, DEFAULT, "O:BAG:SYD:AI(A;ID;0x1;;;WD)" },
    { { "0 3 1 S-1-1-0" },
      "O:BAG:SYD:AI(A;ID;0x1;;;WD)",
      "O:BAG:SYD:AI(A;OICIID;0x1;;;WD)" },
    { { "0 7 1 S-1-1-0" },
      "O:BAG:SYD:AI(A;ID;0x1;;;WD)",
      "O:BAG:SYD:AI(A;ID;0x1;;;WD)" },
    /* inherit-only or not on the parent: the same for the child */
    { { "0 b 1 S-1-1-0" },
      "O:BAG:SYD:AI(A;ID;0x1;;;WD)",
      "O:BAG:SYD:AI(A;OICIID;0x1;;;WD)" },
    /* inherited by the parent itself; flags of audit ACEs mean nothing here */
    { { "0 d3 1 S-1-1-0" },
      "O:BAG:SYD:AI(A;ID;0x1;;;WD)",
      "O:BAG:SYD:AI(A;OICIID;0x1;;;WD)" },
    /* each generic right */
    { { "0 7 80000000 S-1-1-0", "0 7 40000000 S-1-5-11", "0 7 20000000 S-1-5-4",
        "0 7 10000000 S-1-5-19", "0 7 c0010000 S-1-5-20" },
      "O:BAG:SYD:AI(A;ID;FR;;;WD)(A;ID;FW;;;AU)(A;ID;FX;;;IU)(A;ID;FA;;;LS)"
      "(A;ID;0x13019f;;;NS)",
      "O:BAG:SYD:AI(A;ID;FR;;;WD)(A;ID;FW;;;AU)(A;ID;FX;;;IU)(A;ID;FA;;;LS)"
      "(A;ID;0x13019f;;;NS)" },
    /* creator owner and group; owner rights are nobody's to replace */
    { { "0 3 1 S-1-3-0", "0 3 2 S-1-3-1", "0 3 4 S-1-3-4" },
      "O:BAG:SYD:AI(A;ID;0x1;;;BA)(A;ID;0x2;;;SY)(A;ID;0x4;;;OW)",
      "O:BAG:SYD:AI(A;ID;0x1;;;BA)(A;OICIIOID;0x1;;;CO)"
      "(A;ID;0x2;;;SY)(A;OICIIOID;0x2;;;CG)(A;OICIID;0x4;;;OW)" },
    /* what differs in anything is no duplicate: mask, flags, type */
    { { "0 3 1 S-1-1-0", "0 3 1 S-1-1-0", "0 3 3 S-1-1-0", "1 3 1 S-1-1-0",
        "0 1 1 S-1-1-0" },
      "O:BAG:SYD:AI(A;ID;0x1;;;WD)(A;ID;0x3;;;WD)(D;ID;0x1;;;WD)",
      "O:BAG:SYD:AI(A;OICIID;0x1;;;WD)(A;OICIID;0x3;;;WD)(D;OICIID;0x1;;;WD)"
      "(A;OIIOID;0x1;;;WD)" },
    /* denials keep their place */
    { { "1 3 2 S-1-1-0", "0 3 1f01ff S-1-5-18" },
      "O:BAG:SYD:AI(D;ID;0x2;;;WD)(A;ID;FA;;;SY)",
      "O:BAG:SYD:AI(D;OICIID;0x2;;;WD)(A;OICIID;FA;;;SY)" },
    /* a condition goes with its ACE; the replaced SID is a longer one */
    { { "9 3 1 S-1-3-0 61727478", "a 3 1 S-1-1-0 61727478" },
      "O:BAG:SYD:AI(XA;ID;0x1;;;BA;4 bytes)(XD;ID;0x1;;;WD;4 bytes)",
      "O:BAG:SYD:AI(XA;ID;0x1;;;BA;4 bytes)(XA;OICIIOID;0x1;;;CO;4 bytes)"
      "(XD;OICIID;0x1;;;WD;4 bytes)" },
    /* object ACEs: for a property; for another class; for none; with both */
    { { "5 3 1 S-1-1-0 01000000000102030405060708090a0b0c0d0e0f",
        "6 3 1 S-1-5-11 02000000000102030405060708090a0b0c0d0e0f",
        "b 3 1 S-1-5-18 00000000",
        "c 3 1 S-1-5-19 03000000000102030405060708090a0b0c0d0e0f"
        "101112131415161718191a1b1c1d1e1f" },
      "O:BAG:SYD:AI(OA;ID;0x1;03020100-0504-0706-0809-0a0b0c0d0e0f;;WD)"
      "(ZA;ID;0x1;;;SY)",
      "O:BAG:SYD:AI(OA;OICIID;0x1;03020100-0504-0706-0809-0a0b0c0d0e0f;;WD)"
      "(OD;OICIIOID;0x1;;03020100-0504-0706-0809-0a0b0c0d0e0f;AU)"
      "(ZA;OICIID;0x1;;;SY)"
      "(ZD;OICIIOID;0x1;03020100-0504-0706-0809-0a0b0c0d0e0f;"
      "13121110-1514-1716-1819-1a1b1c1d1e1f;LS)" },
    /* audit, alarm, compound, label: nothing about access */
    { { "2 3 1 S-1-1-0", "3 3 1 S-1-1-0", "4 3 1 S-1-1-0", "11 3 1 S-1-16-1",
        "ff 3 1 S-1-1-0" },
      DEFAULT,
      DEFAULT },
    { { NULL }, DEFAULT, DEFAULT },
};

static void
test_inheritance(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(bytes) struct v2v_bytes parent = { 0 };

        parent = make_parent(cases[i].parent, 0);
        assert_inherits(&parent, false, cases[i].file);
        assert_inherits(&parent, true, cases[i].directory);
    }
}

/* A grandchild of a directory of Windows gets what the child got: else files
 * below a directory that we make would differ from those beside it. */
static void
test_inheritance_is_stable(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes parent = { 0 }, child = { 0 };

    (void)state;
    parent = make_parent(cases[0].parent, 0);
    assert_int_equal(sd_inherit(parent.data, parent.len, true, &child, NULL),
                     0);
    assert_inherits(&child, true, cases[0].directory);
    assert_inherits(&child, false, SYSTEM32_FILE);
}

/* Byte by byte, once: what $Secure will hold. */
static void
test_bytes(void **state)
{
    static const uint8_t expected[] = {
        1, 0, 0x04, 0x84, 48, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0,
        /* ACL */
        2, 0, 28, 0, 1, 0, 0, 0,
        /* ACE */
        0, 0x10, 20, 0, 0xFF, 1, 0x1F, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
        /* owner, group */
        1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, 1, 1, 0, 0, 0, 0, 0,
        5, 18, 0, 0, 0
    };
    static const char *const aces[] = { "0 1 1f01ff S-1-5-18", NULL };
    V2V_AUTO(bytes) struct v2v_bytes parent = make_parent(aces, 0);
    V2V_AUTO(bytes) struct v2v_bytes child = { 0 };

    (void)state;
    assert_int_equal(sd_inherit(parent.data, parent.len, false, &child, NULL),
                     0);
    assert_int_equal(child.len, sizeof expected);
    assert_memory_equal(child.data, expected, sizeof expected);
}

/* Object ACEs need a newer revision of the list. */
static void
test_revision(void **state)
{
    static const char *const aces[] = { "5 1 1 S-1-1-0 00000000", NULL };
    V2V_AUTO(bytes) struct v2v_bytes parent = make_parent(aces, 0);
    V2V_AUTO(bytes) struct v2v_bytes child = { 0 };

    (void)state;
    assert_int_equal(sd_inherit(parent.data, parent.len, false, &child, NULL),
                     0);
    assert_int_equal(child.data[20], 4);
}

static void
test_without_a_dacl(void **state)
{
    static const char *const everyone[] = { "0 3 1f01ff S-1-1-0", NULL };
    V2V_AUTO(bytes) struct v2v_bytes parent = make_parent(everyone, 0);
    V2V_AUTO(mem) char *text = NULL;

    (void)state;
    memset(parent.data + 16, 0, 4); /* a NULL DACL */
    assert_inherits(&parent, false, DEFAULT);
    assert_int_equal(sd_to_text(parent.data, parent.len, &text, NULL), 0);
    assert_string_equal(text, "O:BAG:SYD:NO_ACCESS_CONTROL");
    free(text);

    parent.data[16] = 48;
    parent.data[2] = 0; /* not present */
    assert_inherits(&parent, true, DEFAULT);
    assert_int_equal(sd_to_text(parent.data, parent.len, &text, NULL), 0);
    assert_string_equal(text, "O:BAG:SY");
}

static void
test_text(void **state)
{
    static const char *const aces[] = { "0 1f 10000000 S-1-5-21-1-2-4294967295",
                                        "0 0 f0000000 S-1-15-2-1",
                                        "0 0 0 S-1-5-80", "2 0 1 S-1-1-0",
                                        NULL };
    V2V_AUTO(bytes) struct v2v_bytes sd = make_parent(aces, 0x1500);
    V2V_AUTO(mem) char *text = NULL;

    (void)state;
    memset(sd.data + 4, 0, 8);
    assert_int_equal(sd_to_text(sd.data, sd.len, &text, NULL), 0);
    assert_string_equal(text,
                        "D:PARAI(A;OICINPIOID;GA;;;S-1-5-21-1-2-4294967295)"
                        "(A;;GAGRGWGX;;;AC)(A;;0x0;;;S-1-5-80)"
                        "(type 0x02, 20 bytes)");
}

static void
assert_malformed(const struct v2v_bytes *sd, size_t len, const char *message)
{
    /* a copy of just this length, so that reading beyond it is noticed */
    V2V_AUTO(mem) uint8_t *exact = malloc(len > 0 ? len : 1);
    struct v2v_bytes child = { .len = 7 };
    struct v2v_error err = { 0 };
    char *text = NULL;

    assert_non_null(exact);
    memcpy(exact, sd->data, len);
    assert_int_equal(sd_inherit(exact, len, true, &child, &err), -1);
    assert_string_equal(err.text, message);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_int_equal(child.len, 7);
    assert_int_equal(sd_to_text(exact, len, &text, &err), -1);
    assert_string_equal(err.text, message);
    assert_null(text);
}

static void
test_malformed(void **state)
{
    static const char *const aces[] = {
        "0 3 1 S-1-1-0", /* at 56, 20 bytes */
        "5 3 1 S-1-1-0 01000000000102030405060708090a0b0c0d0e0f", NULL
    };
    static const struct {
        size_t offset;
        uint8_t value[4];
        size_t bytes;
        const char *message;
    } bad[] = {
        { 0, { 2 }, 1, "not a self-relative one of revision 1" },
        { 3, { 0 }, 1, "not a self-relative one of revision 1" },
        { 4, { 112 }, 1, "bad owner at byte 112" },
        { 4, { 0xFF, 0xFF, 0xFF, 0xFF }, 4, "bad owner at byte 4294967295" },
        { 20, { 2 }, 1, "bad owner at byte 20" },  /* revision of the SID */
        { 21, { 16 }, 1, "bad owner at byte 20" }, /* its parts */
        { 8, { 109 }, 1, "bad group at byte 109" },
        { 16, { 109 }, 1, "DACL at byte 109 of 116" },
        { 16, { 117 }, 1, "DACL at byte 117 of 116" },
        { 16, { 0xFF, 0xFF, 0xFF, 0xFF }, 4, "DACL at byte 4294967295 of 116" },
        { 50, { 7, 0 }, 2, "DACL at byte 48 has a size of 7, 68 are left" },
        { 50, { 69, 0 }, 2, "DACL at byte 48 has a size of 69, 68 are left" },
        { 50, { 64, 0 }, 2, "ACE 2: a size of 40, 36 are left" },
        { 52, { 3, 0 }, 2, "ACE 3: beyond the end of the DACL" },
        { 58, { 0, 0 }, 2, "ACE 1: a size of 0, 60 are left" },
        { 58, { 22, 0 }, 2, "ACE 1: a size of 22, 60 are left" },
        { 58, { 4, 0 }, 2, "ACE 1: no SID within its 4 bytes" },
        { 58, { 16, 0 }, 2, "ACE 1: no SID within its 16 bytes" },
        { 65, { 2 }, 1, "ACE 1: no SID within its 20 bytes" },
        { 65, { 255 }, 1, "ACE 1: no SID within its 20 bytes" },
        { 84, { 3 }, 1, "ACE 2: no SID within its 40 bytes" },
        { 78, { 8, 0 }, 2, "ACE 2: no SID within its 8 bytes" },
        { 78, { 12, 0 }, 2, "ACE 2: no SID within its 12 bytes" },
    };
    V2V_AUTO(bytes) struct v2v_bytes good = make_parent(aces, 0);

    (void)state;
    assert_int_equal(good.len, 116);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        V2V_AUTO(bytes) struct v2v_bytes sd = { 0 };
        char message[200];

        assert_int_equal(v2v_bytes_copy(good.data, good.len, &sd, NULL), 0);
        memcpy(sd.data + bad[i].offset, bad[i].value, bad[i].bytes);
        snprintf(message, sizeof message, "security descriptor: %s",
                 bad[i].message);
        assert_malformed(&sd, sd.len, message);
    }
    assert_malformed(&good, 0, "security descriptor: 0 bytes are too few");
    assert_malformed(&good, 19, "security descriptor: 19 bytes are too few");
}

/* Each ACE that becomes two may exceed what a list can hold. */
static void
test_a_result_that_is_too_large(void **state)
{
    static const char *const none[] = { NULL };
    V2V_AUTO(bytes) struct v2v_bytes parent = make_parent(none, 0);
    struct v2v_bytes child = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        char ace[50];

        snprintf(ace, sizeof ace, "0 3 10000000 S-1-1-%u", i);
        add_ace(&parent, ace);
    }
    parent.data[50] = (uint8_t)((parent.len - 48) & 0xFF);
    parent.data[51] = (uint8_t)((parent.len - 48) >> 8);
    parent.data[52] = 3000 & 0xFF;
    parent.data[53] = 3000 >> 8;
    assert_int_equal(sd_inherit(parent.data, parent.len, true, &child, &err),
                     -1);
    assert_string_equal(err.text, "security descriptor: the inherited ACL is "
                                  "larger than 65535 bytes");
    assert_int_equal(sd_inherit(parent.data, parent.len, false, &child, &err),
                     0);
    assert_int_equal(child.len, 20 + 8 + 3000 * 20 + 28);
    v2v_bytes_done(&child);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inheritance),
        cmocka_unit_test(test_inheritance_is_stable),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_revision),
        cmocka_unit_test(test_without_a_dacl),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_a_result_that_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
