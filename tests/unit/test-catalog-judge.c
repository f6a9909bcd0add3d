/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/judge.h"

enum { EARLY = 1262304000 /* 2010 */, LATE = 1456790400 /* 2016 */ };

#define XP                                                                     \
    {                                                                          \
        5, 1, 2600, false, CATALOG_X86, false, false                           \
    }
#define WIN7(arch)                                                             \
    {                                                                          \
        6, 1, 7601, false, arch, false, false                                  \
    }
#define WIN81(arch)                                                            \
    {                                                                          \
        6, 3, 9600, false, arch, false, false                                  \
    }
#define WIN10(build, arch)                                                     \
    {                                                                          \
        10, 0, build, false, arch, false, false                                \
    }
#define SERVER(build)                                                          \
    {                                                                          \
        10, 0, build, true, CATALOG_AMD64, false, false                        \
    }

static struct catalog
catalog_of(enum catalog_signer_kind kind, int64_t not_before)
{
    return (struct catalog){
        .signer = { .kind = kind,
                    .hash = CATALOG_SHA1,
                    .not_before = not_before,
                    .not_after = not_before + 100,
                    .stamp = { .present = true, .time = not_before + 50 } },
    };
}

static void
test_verdicts(void **state)
{
    static const struct {
        struct catalog_target target;
        enum catalog_signer_kind kind;
        int64_t not_before;
        enum catalog_verdict verdict;
        const char *rule; /* its beginning */
    } cases[] = {
        { XP, CATALOG_SIGNER_SELF_SIGNED, LATE, CATALOG_VERDICT_NO_SECURE_BOOT,
          "Windows XP and 2003" },
        { WIN7(CATALOG_X86), CATALOG_SIGNER_UNKNOWN, LATE,
          CATALOG_VERDICT_NO_SECURE_BOOT, "32-bit Windows before 8" },
        { WIN7(CATALOG_AMD64), CATALOG_SIGNER_CROSS_SIGNED, LATE,
          CATALOG_VERDICT_NO_SECURE_BOOT, "64-bit Windows Vista" },
        { WIN7(CATALOG_AMD64), CATALOG_SIGNER_WHQL, LATE,
          CATALOG_VERDICT_NO_SECURE_BOOT, "64-bit Windows Vista" },
        { WIN7(CATALOG_AMD64), CATALOG_SIGNER_ATTESTATION, LATE,
          CATALOG_VERDICT_TEST_SIGNING, "64-bit Windows Vista" },
        { WIN7(CATALOG_AMD64), CATALOG_SIGNER_SELF_SIGNED, LATE,
          CATALOG_VERDICT_TEST_SIGNING, "64-bit Windows Vista" },
        { WIN81(CATALOG_X86), CATALOG_SIGNER_SELF_SIGNED, LATE,
          CATALOG_VERDICT_NO_SECURE_BOOT, "32-bit Windows 8" },
        { WIN81(CATALOG_X86), CATALOG_SIGNER_CROSS_SIGNED, LATE,
          CATALOG_VERDICT_SECURE_BOOT, "32-bit Windows 8" },
        { WIN81(CATALOG_AMD64), CATALOG_SIGNER_SELF_SIGNED, LATE,
          CATALOG_VERDICT_TEST_SIGNING, "64-bit Windows 8" },
        { WIN81(CATALOG_AMD64), CATALOG_SIGNER_CROSS_SIGNED, LATE,
          CATALOG_VERDICT_SECURE_BOOT, "64-bit Windows 8" },
        { WIN10(10586, CATALOG_AMD64), CATALOG_SIGNER_CROSS_SIGNED, LATE,
          CATALOG_VERDICT_SECURE_BOOT, "64-bit Windows 10 before 1607" },
        { WIN10(14393, CATALOG_AMD64), CATALOG_SIGNER_CROSS_SIGNED, LATE,
          CATALOG_VERDICT_NO_SECURE_BOOT, "64-bit Windows 10 from 1607" },
        { WIN10(14393, CATALOG_AMD64), CATALOG_SIGNER_CROSS_SIGNED, EARLY,
          CATALOG_VERDICT_SECURE_BOOT, "64-bit Windows 10 from 1607" },
        { WIN10(17763, CATALOG_AMD64), CATALOG_SIGNER_CROSS_SIGNED, EARLY,
          CATALOG_VERDICT_NO_SECURE_BOOT, "64-bit Windows 10 from 1809" },
        { WIN10(26100, CATALOG_AMD64), CATALOG_SIGNER_ATTESTATION, LATE,
          CATALOG_VERDICT_SECURE_BOOT, "64-bit Windows 10 from 1809" },
        { WIN10(26100, CATALOG_AMD64), CATALOG_SIGNER_UNKNOWN, LATE,
          CATALOG_VERDICT_TEST_SIGNING, "64-bit Windows 10 from 1809" },
        { WIN10(19045, CATALOG_X86), CATALOG_SIGNER_SELF_SIGNED, LATE,
          CATALOG_VERDICT_NO_SECURE_BOOT, "32-bit Windows 10 from 1809" },
        { WIN10(22631, CATALOG_ARM64), CATALOG_SIGNER_ATTESTATION, LATE,
          CATALOG_VERDICT_SECURE_BOOT, "Windows on ARM64" },
        { WIN10(22631, CATALOG_ARM64), CATALOG_SIGNER_CROSS_SIGNED, EARLY,
          CATALOG_VERDICT_TEST_SIGNING, "Windows on ARM64" },
        { SERVER(20348), CATALOG_SIGNER_ATTESTATION, LATE,
          CATALOG_VERDICT_SECURE_BOOT, "Windows Server from 2019" },
        { SERVER(26100), CATALOG_SIGNER_CROSS_SIGNED, EARLY,
          CATALOG_VERDICT_SECURE_BOOT, "Windows Server from 2019" },
        { SERVER(14393), CATALOG_SIGNER_CROSS_SIGNED, LATE,
          CATALOG_VERDICT_NO_SECURE_BOOT, "64-bit Windows 10 from 1607 and" },
        { { 11, 0, 1, false, CATALOG_AMD64, false, false },
          CATALOG_SIGNER_WHQL,
          LATE,
          CATALOG_VERDICT_SECURE_BOOT,
          "not a Windows that the rules cover" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct catalog cat = catalog_of(cases[i].kind, cases[i].not_before);
        struct catalog_judgement j;

        catalog_judge(&(struct catalog_evidence){ .catalog = &cat },
                      &cases[i].target, &j);
        if (j.verdict != cases[i].verdict ||
            strncmp(j.rule, cases[i].rule, strlen(cases[i].rule)) != 0)
            fail_msg("case %zu: %s: %s", i, catalog_verdict_text(j.verdict),
                     j.rule);
        assert_int_equal(j.file, SIZE_MAX);
        /* what was reported: Server 2012 R2 refuses a self-signed viostor */
        assert_int_equal(j.seen, cases[i].kind == CATALOG_SIGNER_SELF_SIGNED &&
                                     cases[i].target.minor == 3 &&
                                     cases[i].target.arch == CATALOG_AMD64);
    }
}

static void
test_loads_as_set_up(void **state)
{
    static const struct {
        struct catalog_target target;
        enum catalog_signer_kind kind;
        bool loads;
    } cases[] = {
#define AMD64(secure, test) { 10, 0, 19045, false, CATALOG_AMD64, secure, test }
#define X86(secure, test)                                                      \
    {                                                                          \
        10, 0, 19045, false, CATALOG_X86, secure, test                         \
    }
        { AMD64(false, false), CATALOG_SIGNER_SELF_SIGNED, false },
        { AMD64(false, true), CATALOG_SIGNER_SELF_SIGNED, true },
        { AMD64(true, true), CATALOG_SIGNER_SELF_SIGNED, false },
        { AMD64(true, false), CATALOG_SIGNER_ATTESTATION, true },
        { AMD64(false, false), CATALOG_SIGNER_CROSS_SIGNED, true },
        { AMD64(true, false), CATALOG_SIGNER_CROSS_SIGNED, false },
        { X86(false, false), CATALOG_SIGNER_SELF_SIGNED, true },
        { X86(true, false), CATALOG_SIGNER_SELF_SIGNED, false },
        /* a Windows without Secure Boot */
        { { 6, 1, 7601, false, CATALOG_AMD64, true, false },
          CATALOG_SIGNER_CROSS_SIGNED,
          true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct catalog cat = catalog_of(cases[i].kind, LATE);
        struct catalog_judgement j;

        catalog_judge(&(struct catalog_evidence){ .catalog = &cat },
                      &cases[i].target, &j);
        if (j.loads != cases[i].loads)
            fail_msg("case %zu", i);
    }
}

static void
test_damaged_and_unsigned(void **state)
{
    static const struct catalog_target amd64 = AMD64(false, true);
    static const struct catalog_target x86 = X86(false, false);
    static const enum catalog_match matches[] = { CATALOG_MATCH, CATALOG_MATCH,
                                                  CATALOG_MATCH_WITH_CRLF,
                                                  CATALOG_NOT_LISTED };
    struct catalog cat = catalog_of(CATALOG_SIGNER_ATTESTATION, LATE);
    struct catalog_evidence evidence = { .catalog = &cat,
                                         .matches = matches,
                                         .match_count = 4 };
    struct catalog_judgement j;

    (void)state;
    catalog_judge(&evidence, &amd64, &j);
    assert_int_equal(j.verdict, CATALOG_VERDICT_DAMAGED);
    assert_int_equal(j.file, 2);
    assert_false(j.loads);

    evidence = (struct catalog_evidence){ .damage = "not a catalog" };
    catalog_judge(&evidence, &amd64, &j);
    assert_int_equal(j.verdict, CATALOG_VERDICT_DAMAGED);
    assert_int_equal(j.file, SIZE_MAX);
    assert_false(j.loads);

    evidence.damage = NULL;
    catalog_judge(&evidence, &amd64, &j);
    assert_int_equal(j.verdict, CATALOG_VERDICT_UNSIGNED);
    assert_false(j.loads); /* test signing is signing */
    catalog_judge(&evidence, &x86, &j);
    assert_int_equal(j.verdict, CATALOG_VERDICT_UNSIGNED);
    assert_true(j.loads);

    evidence.embedded = &cat.signer;
    catalog_judge(&evidence, &amd64, &j);
    assert_int_equal(j.verdict, CATALOG_VERDICT_UNSIGNED);
    assert_true(j.loads);
}

static bool
has_caveat(const struct catalog_judgement *j, const char *part)
{
    for (size_t i = 0; i < j->caveat_count; i++) {
        if (strstr(j->caveats[i], part) != NULL)
            return true;
    }
    return false;
}

static void
test_caveats(void **state)
{
    static const struct catalog_target win7 = WIN7(CATALOG_AMD64);
    static const struct catalog_target win10 = WIN10(19045, CATALOG_AMD64);
    static const struct catalog_target server = SERVER(20348);
    char v10[] = "2:10.0", *attrs[] = { v10 };
    struct catalog cat = catalog_of(CATALOG_SIGNER_CROSS_SIGNED, LATE);
    struct catalog_evidence evidence = { .catalog = &cat };
    struct catalog_judgement j;

    (void)state;
    catalog_judge(&evidence, &win7, &j);
    assert_int_equal(j.caveat_count, 0);

    cat.signer.hash = CATALOG_SHA256;
    cat.os_attr = (struct v2v_strings){ attrs, 1 };
    catalog_judge(&evidence, &win7, &j);
    assert_true(has_caveat(&j, "KB3033929"));
    assert_true(has_caveat(&j, "OSAttr"));
    assert_int_equal(j.caveat_count, 2);
    catalog_judge(&evidence, &win10, &j);
    assert_true(has_caveat(&j, "one of Microsoft's two pages only"));
    assert_int_equal(j.caveat_count, 1);

    cat.signer.kind = CATALOG_SIGNER_ATTESTATION;
    catalog_judge(&evidence, &win10, &j);
    assert_int_equal(j.caveat_count, 0);
    catalog_judge(&evidence, &server, &j);
    assert_true(has_caveat(&j, "attestation"));

    cat.signer.stamp.time = cat.signer.not_after + 1;
    catalog_judge(&evidence, &win10, &j);
    assert_true(has_caveat(&j, "no time stamp from within"));
    cat.signer.stamp.present = false;
    catalog_judge(&evidence, &win10, &j);
    assert_true(has_caveat(&j, "no time stamp from within"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_loads_as_set_up),
        cmocka_unit_test(test_damaged_and_unsigned),
        cmocka_unit_test(test_caveats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
