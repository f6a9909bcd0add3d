/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify/service.c: the service of a boot disk's driver, and its file.  The
 * guest has one, named acmedisk, that is sound; each fault has its code. */
#include "test-audit.h"
#include "test-image-bytes.h"

#define SYSTEM "0-1/Windows/System32/config/SYSTEM"
#define KEY "ControlSet001\\Services\\acmedisk"
#define FILE_PATH "Windows/System32/drivers/acmedisk.sys"

enum { AMD64 = 0x8664, X86 = 0x14c };

static void
put_driver(const char *path, uint16_t machine, const char *const *imports)
{
    struct image_bytes image = make_image(machine, imports);
    V2V_AUTO(mem) char *full = v2v_format(NULL, "%s/%s", top, path);

    assert_int_equal(v2v_file_replace(full, image.data, IMAGE_LEN, NULL), 0);
}

static int
start(void **state)
{
    static const char *const imports[] = { "ntoskrnl.exe", "HAL.DLL",
                                           "STORPORT.SYS", "ext-ms-x.dll",
                                           NULL };
    static const char *const odd[] = { "ntoskrnl.exe", "../config/SYSTEM",
                                       NULL };
    static const struct change service[] = {
        { SYSTEM, KEY, "Type", REG_DWORD, 1, NULL },
        { SYSTEM, KEY, "Start", REG_DWORD, 0, NULL },
        { SYSTEM, KEY, "ErrorControl", REG_DWORD, 1, NULL },
        { SYSTEM, KEY, "Group", REG_SZ, 0, "SCSI Miniport" },
        { SYSTEM, KEY, "ImagePath", REG_EXPAND_SZ, 0,
          "System32\\drivers\\acmedisk.sys" },
        /* of a driver in use */
        { SYSTEM, KEY "\\StartOverride", "1", REG_DWORD, 0, NULL },
    };
    V2V_AUTO(mem)
    char *path = v2v_format(NULL, "%s/fixtures:%s:/usr/sbin:/sbin", SOURCE_DIR,
                            getenv("PATH"));

    if (make_top(state) < 0 || path == NULL || setenv("PATH", path, 1) < 0)
        return -1;
    if (!run("mkguest --tree guest")) {
        printf("skipped: mkguest needs mkntfs, sfdisk\n");
        remove_top(state);
        exit(SKIPPED);
    }
    for (size_t i = 0; i < sizeof service / sizeof *service; i++)
        change_hive("guest", &service[i]);
    put_driver("guest/0-1/" FILE_PATH, AMD64, imports);
    put_driver("x86.sys", X86, imports);
    put_driver("odd.sys", AMD64, odd);
    return 0;
}

static const struct fault {
    const char *command; /* in the guest's folder; or NULL */
    struct change change;
    const char *code; /* NULL: it still holds */
    enum verify_state state;
} faults[] = {
    { NULL, { 0 }, NULL, VERIFY_HOLDS },
    { NULL,
      { SYSTEM, KEY, NULL, 0, 0, NULL },
      "service-missing",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY, "Type", REG_DWORD, 2, NULL },
      "service-wrong-type",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY, "Start", REG_DWORD, 4, NULL },
      "service-disabled",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY, "Start", REG_DWORD, 3, NULL },
      "service-not-boot-start",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY, "Start", REG_SZ, 0, "0" },
      "service-not-boot-start",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY "\\StartOverride", "0", REG_DWORD, 3, NULL },
      "start-override",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY "\\StartOverride", "5", REG_DWORD, 3, NULL },
      "start-override",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY, "Group", REG_SZ, 0, "" },
      "service-no-group",
      VERIFY_WARNS },
    { NULL,
      { SYSTEM, KEY, "Group", REG_SZ, 0, "Nobody's" },
      "service-no-group",
      VERIFY_WARNS },

    /* what ImagePath may look like */
    { NULL,
      { SYSTEM, KEY, "ImagePath", REG_EXPAND_SZ, 0, "" },
      NULL,
      VERIFY_HOLDS },
    { NULL,
      { SYSTEM, KEY, "ImagePath", REG_EXPAND_SZ, 0,
        "\\systemroot\\SYSTEM32\\Drivers\\ACMEDISK.SYS" },
      NULL,
      VERIFY_HOLDS },
    { NULL,
      { SYSTEM, KEY, "ImagePath", REG_EXPAND_SZ, 0,
        "%SystemRoot%\\System32\\drivers\\acmedisk.sys" },
      NULL,
      VERIFY_HOLDS },
    { NULL,
      { SYSTEM, KEY, "ImagePath", REG_EXPAND_SZ, 0,
        "\\??\\C:\\Windows\\System32\\drivers\\acmedisk.sys" },
      NULL,
      VERIFY_HOLDS },
    { "mv 0-1/" FILE_PATH " 0-1/Windows/System32/DriverStore/",
      { SYSTEM, KEY, "ImagePath", REG_EXPAND_SZ, 0,
        "System32\\DriverStore\\acmedisk.sys" },
      NULL,
      VERIFY_HOLDS },
    { NULL,
      { SYSTEM, KEY, "ImagePath", REG_EXPAND_SZ, 0,
        "\\??\\D:\\Windows\\System32\\drivers\\acmedisk.sys" },
      "image-path-refused",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY, "ImagePath", REG_EXPAND_SZ, 0,
        "System32/drivers/acmedisk.sys" },
      "image-path-refused",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY, "ImagePath", REG_EXPAND_SZ, 0,
        "System32\\..\\System32\\drivers\\acmedisk.sys" },
      "image-path-refused",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY, "ImagePath", REG_EXPAND_SZ, 0,
        "\\Device\\HarddiskVolume1\\x.sys" },
      "image-path-refused",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY, "ImagePath", REG_DWORD, 7, NULL },
      "image-path-refused",
      VERIFY_BROKEN },

    /* the file */
    { "rm 0-1/" FILE_PATH, { 0 }, "driver-file-missing", VERIFY_BROKEN },
    { "rm 0-1/" FILE_PATH " && mkdir 0-1/" FILE_PATH,
      { 0 },
      "driver-file-missing",
      VERIFY_BROKEN },
    { NULL,
      { SYSTEM, KEY, "ImagePath", REG_EXPAND_SZ, 0,
        "System32\\DriverStore\\acmedisk.sys" },
      "driver-file-missing",
      VERIFY_BROKEN },
    { "truncate -s 0 0-1/" FILE_PATH, { 0 }, "driver-not-pe", VERIFY_BROKEN },
    { "truncate -s 1000 0-1/" FILE_PATH,
      { 0 },
      "driver-not-pe",
      VERIFY_BROKEN },
    { "cp ../x86.sys 0-1/" FILE_PATH,
      { 0 },
      "driver-wrong-machine",
      VERIFY_BROKEN },
    { "rm 0-1/Windows/System32/drivers/storport.sys",
      { 0 },
      "import-missing",
      VERIFY_BROKEN },
    { "rm 0-1/Windows/System32/hal.dll",
      { 0 },
      "import-missing",
      VERIFY_BROKEN },
    { "mv 0-1/Windows/System32/drivers/storport.sys 0-1/Windows/System32/",
      { 0 },
      NULL,
      VERIFY_HOLDS },
    { "cp ../odd.sys 0-1/" FILE_PATH, { 0 }, "import-missing", VERIFY_BROKEN },
};

static void
audit_service(bool booted, struct audit *audit, char **path)
{
    const struct verify_control_set set = { (char[]){ "ControlSet001" },
                                            booted };
    struct v2v_error err = { 0 };

    audit_open("it", audit);
    audit->v.lenient = !booted;
    if (verify_service(&audit->v, &set, "acmedisk", path, &err) < 0)
        fail_msg("%s", err.text);
}

static void
make_it(const struct fault *fault)
{
    V2V_AUTO(mem)
    char *command = v2v_format(
        NULL, "rm -rf it && cp -r --sparse=always guest it && cd it && %s",
        fault->command != NULL ? fault->command : ":");

    assert_true(run(command));
    if (fault->change.file != NULL)
        change_hive("it", &fault->change);
}

static void
test_each_fault_has_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const struct fault *fault = &faults[i];
        V2V_AUTO(mem)
        char *what = v2v_format(NULL, "%zu: %s", i,
                                fault->change.text != NULL ? fault->change.text
                                : fault->command != NULL   ? fault->command
                                                           : "");
        V2V_AUTO(mem) char *path = NULL;
        struct audit audit;

        make_it(fault);
        audit_service(true, &audit, &path);
        assert_found(what, &audit.result, fault->code, fault->state);
        /* others go on with the file, when there is one */
        if (fault->code == NULL && i == 0)
            assert_string_equal(path, FILE_PATH);
        audit_done(&audit);
    }
}

/* In a control set that is booted after a failure only, a fault warns. */
static void
test_other_control_set(void **state)
{
    V2V_AUTO(mem) char *path = NULL;
    struct audit audit;

    (void)state;
    make_it(&faults[3]);
    audit_service(false, &audit, &path);
    assert_found("lenient", &audit.result, "service-disabled", VERIFY_WARNS);
    audit_done(&audit);
}

static void
test_memory_integrity(void **state)
{
    static const char *const none[] = { NULL };
    struct image_bytes image = make_image(AMD64, none);
    V2V_AUTO(mem) char *full = v2v_format(NULL, "%s/it/0-1/" FILE_PATH, top);

    (void)state;
    image_set(&image, IMAGE_AT_SECTION + 36, 0xe0000020, 4);
    for (int hvci = 0; hvci <= 1; hvci++) {
        const struct verify_control_set set = { (char[]){ "ControlSet001" },
                                                true };
        V2V_AUTO(mem) char *path = NULL;
        struct v2v_error err = { 0 };
        struct audit audit;

        make_it(&faults[0]);
        assert_int_equal(v2v_file_replace(full, image.data, IMAGE_LEN, NULL),
                         0);
        audit_open("it", &audit);
        audit.facts.hvci = hvci == 1;
        assert_int_equal(
            verify_service(&audit.v, &set, "acmedisk", &path, &err), 0);
        assert_found("hvci", &audit.result,
                     hvci == 1 ? "driver-writable-code" : NULL, VERIFY_BROKEN);
        audit_done(&audit);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_fault_has_its_code),
        cmocka_unit_test(test_other_control_set),
        cmocka_unit_test(test_memory_integrity),
    };

    return cmocka_run_group_tests(tests, start, remove_top);
}
