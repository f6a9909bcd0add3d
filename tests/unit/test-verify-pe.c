/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "media/media.h"
#include "test-image-bytes.h"
#include "test-tools.h"
#include "verify/pe.h"

static const char *const imports[] = { "ntoskrnl.exe", "storport.sys", NULL };

static void
test_imports(void **state)
{
    struct image_bytes bytes = make_image(0x8664, imports);
    V2V_AUTO(pe_image) struct pe_image image = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(pe_read(bytes.data, IMAGE_LEN, &image, &err), 0);
    assert_int_equal(image.machine, 0x8664);
    assert_string_equal(pe_machine_name(image.machine), "amd64");
    assert_int_equal(image.machine, pe_machine_of(INF_ARCH_AMD64));
    assert_int_equal(image.imports.count, 2);
    assert_string_equal(image.imports.items[0], "ntoskrnl.exe");
    assert_string_equal(image.imports.items[1], "storport.sys");
    assert_false(image.writable_code);
}

static void
test_sections(void **state)
{
    static const struct {
        uint32_t flags;
        bool writable_code;
    } cases[] = {
        { 0xe0000020, true },
        { 0xe2000020, false }, /* gone after the start */
        { 0xc0000040, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image_bytes bytes = make_image(0x14c, imports);
        V2V_AUTO(pe_image) struct pe_image image = { 0 };

        image_set(&bytes, IMAGE_AT_SECTION + 36, cases[i].flags, 4);
        assert_int_equal(pe_read(bytes.data, IMAGE_LEN, &image, NULL), 0);
        assert_int_equal(image.writable_code, cases[i].writable_code);
    }
}

static void
test_what_is_refused(void **state)
{
    static const struct {
        size_t len, at;
        uint32_t value;
        size_t value_len;
        const char *message;
    } cases[] = {
        { 0, 0, 'M', 1, "no PE image" },
        { 0x3f, 0, 'M', 1, "no PE image" },
        { IMAGE_LEN, 0, 'N', 1, "no PE image" },
        { IMAGE_LEN, 0x3c, 0xfffffff0, 4, "no PE image" },
        { IMAGE_LEN, IMAGE_AT_COFF + 2, 0xffff, 2,
          "cut short: its headers end beyond the file" },
        { IMAGE_LEN - 1, 0, 'M', 1,
          "cut short: section 1 ends beyond the file" },
        { IMAGE_LEN, IMAGE_AT_SECTION + 20, 0xffffff00, 4,
          "cut short: section 1 ends beyond the file" },
        { IMAGE_LEN, IMAGE_AT_OPTIONAL + 120, 0x9000, 4,
          "the import table is outside the file" },
        { IMAGE_LEN, IMAGE_AT_TABLE + 12, 0x9000, 4,
          "the name of an import is outside the file" },
        { IMAGE_LEN, IMAGE_AT_OPTIONAL + 120, 0x13fa, 4,
          "the import table has no end" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image_bytes bytes = make_image(0x8664, imports);
        struct pe_image image = { .machine = 7 };
        struct v2v_error err = { 0 };

        image_set(&bytes, cases[i].at, cases[i].value, cases[i].value_len);
        assert_int_equal(pe_read(bytes.data, cases[i].len, &image, &err), -1);
        assert_int_equal(err.code, V2V_ERR_FORMAT);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(image.machine, 7);
    }
}

/* As objdump lists them. */
static void
test_real_drivers(void **state)
{
    static const struct {
        const char *path;
        uint16_t machine;
        const char *imports;
    } cases[] = {
        { "viostor/w11/amd64/viostor.sys", 0x8664,
          "ntoskrnl.exe storport.sys " },
        { "viostor/w7/x86/viostor.sys", 0x14c,
          "ntoskrnl.exe HAL.dll storport.sys " },
        { "viostor/xp/x86/viostor.sys", 0x14c, "SCSIPORT.SYS ntoskrnl.exe " },
    };
    V2V_AUTO(mem)
    char *iso = shared_path("data/virtio-win/virtio-win-subset.iso");
    V2V_AUTO(media) struct media *medium = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    if (iso == NULL)
        skip();
    assert_int_equal(media_open(iso, &medium, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t index = media_lower_bound(medium, cases[i].path);
        V2V_AUTO(bytes) struct v2v_bytes file = { 0 };
        V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
        V2V_AUTO(pe_image) struct pe_image image = { 0 };

        assert_int_equal(media_load(medium, &index, 1, &file, &err), 0);
        assert_int_equal(pe_read(file.data, file.len, &image, &err), 0);
        assert_int_equal(image.machine, cases[i].machine);
        for (size_t k = 0; k < image.imports.count; k++)
            v2v_bytes_printf(&text, NULL, "%s ", image.imports.items[k]);
        v2v_bytes_add(&text, "", 1, NULL);
        if (!v2v_equal_nocase((char *)text.data, cases[i].imports))
            fail_msg("%s: %s", cases[i].path, (char *)text.data);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_imports),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_real_drivers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
