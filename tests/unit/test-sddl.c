/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plan/plan-private.h"

/* The form that Windows keeps: capimg.inf's Security property in a Windows 10
 * 1709 hive has these bytes for this text. */
static void
test_as_windows_keeps_it(void **state)
{
    static const uint8_t expected[] = { 0x01, 0x00, 0x04, 0x90, 0,    0,
                                        0,    0,    0,    0,    0,    0,
                                        0,    0,    0,    0,    0x14, 0,
                                        0,    0, /* the DACL follows */
                                        0x02, 0x00, 0x34, 0x00, 0x02, 0x00,
                                        0x00, 0x00, 0x00, 0x00, 0x18, 0x00,
                                        0x00, 0x00, 0x00, 0x10, 0x01, 0x02,
                                        0,    0,    0,    0,    0,    5,
                                        0x20, 0,    0,    0,    0x20, 0x02,
                                        0,    0,    0x00, 0x00, 0x14, 0x00,
                                        0x00, 0x00, 0x00, 0x10, 0x01, 0x01,
                                        0,    0,    0,    0,    0,    5,
                                        0x12, 0,    0,    0 };
    struct v2v_bytes sd = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(plan_sddl("D:P(A;;GA;;;BA)(A;;GA;;;SY)", &sd, &err), 0);
    assert_int_equal(sd.len, sizeof expected);
    assert_memory_equal(sd.data, expected, sizeof expected);
    v2v_bytes_done(&sd);
}

static void
test_rights_flags_and_accounts(void **state)
{
    static const struct {
        const char *sddl;
        size_t at;
        uint8_t bytes[4];
    } cases[] = {
        { "D:(A;;GA;;;SY)", 0x02, { 0x04, 0x80, 0, 0 } },
        { "D:PAI(A;;GA;;;SY)", 0x02, { 0x04, 0x94, 0, 0 } },
        { "D:(D;OICI;FA;;;WD)", 0x1c, { 0x01, 0x03, 0x14, 0x00 } },
        { "D:(A;;0x1200a9;;;AU)", 0x20, { 0xa9, 0x00, 0x12, 0x00 } },
        { "D:(A;;0x001f01ff;;;AU)", 0x20, { 0xff, 0x01, 0x1f, 0x00 } },
        { "D:(A;;GRGX;;;S-1-5-32-544)", 0x20, { 0x00, 0x00, 0x00, 0xa0 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct v2v_bytes sd = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(plan_sddl(cases[i].sddl, &sd, &err), 0);
        assert_memory_equal(sd.data + cases[i].at, cases[i].bytes, 4);
        v2v_bytes_done(&sd);
    }
}

static void
test_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "O:BAD:(A;;GA;;;SY)",
        "D:X(A;;GA;;;SY)",
        "D:(A;;GA;;;SY",
        "D:(A;;GA;;SY)",
        "D:(A;;GA;;;SY;x)",
        "D:(A;;GA;{g};;SY)",
        "D:(Z;;GA;;;SY)",
        "D:(A;;GZ;;;SY)",
        "D:(A;;GA;;;ZZ)",
        "D:(A;;0x;;;SY)",
        "D:(A;;0x123456789;;;SY)",
        "D:(A;;GA;;;S-1-5--32)",
        "D:(A;;GA;;;S-1-5-99999999999)",
        "D:(A;;GA;;;S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16)",
        "D:(A;;GA;;;SY)junk",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct v2v_bytes sd = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(plan_sddl(cases[i], &sd, &err), -1);
        assert_int_equal(err.code, V2V_ERR_DRIVER);
        v2v_bytes_done(&sd);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_windows_keeps_it),
        cmocka_unit_test(test_rights_flags_and_accounts),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
