/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify/: from the firmware to the control sets.  A guest is sound; each
 * thing that is broken in it is found, and nothing else. */
#include "test-audit.h"

#define SYSTEM "0-1/Windows/System32/config/SYSTEM"
#define ESP_SYSTEM "0-3/Windows/System32/config/SYSTEM"
#define MBR_BCD "0-1/Boot/BCD"
#define ESP_BCD "0-1/EFI/Microsoft/Boot/BCD"
#define MANAGER "Objects\\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\\Elements\\"
#define LOADER "Objects\\{0c7d3f9a-2b1e-4d68-9f57-1a2b3c4d5e6f}\\Elements\\"

static int
start(void **state)
{
    V2V_AUTO(mem)
    char *path = v2v_format(NULL, "%s/fixtures:%s:/usr/sbin:/sbin", SOURCE_DIR,
                            getenv("PATH"));

    if (make_top(state) < 0 || path == NULL || setenv("PATH", path, 1) < 0)
        return -1;
    if (!run("mkguest --tree mbr && mkguest --tree --gpt gpt && "
             "mkguest --tree --version winxp --arch x86 xp && "
             "mkguest --tree --two two")) {
        printf("skipped: mkguest needs mkntfs, sfdisk, mkfs.vfat\n");
        remove_top(state);
        exit(SKIPPED);
    }
    return 0;
}

/* One thing that is broken in one guest. */
struct fault {
    const char *guest;   /* "mbr" */
    const char *command; /* in its folder; or NULL */
    struct change change;
    const char *code; /* NULL: it still holds */
    enum verify_state state;
};

static const struct fault faults[] = {
    { "mbr", NULL, { 0 }, NULL, VERIFY_HOLDS },
    { "gpt", NULL, { 0 }, NULL, VERIFY_HOLDS },
    { "xp", NULL, { 0 }, NULL, VERIFY_HOLDS },

    { "mbr",
      "sfdisk -q -A disk0.raw -",
      { 0 },
      "no-active-partition",
      VERIFY_BROKEN },
    { "two",
      "sfdisk -q -A disk0.raw 2 && rm -r 0-2/*",
      { 0 },
      "wrong-active-partition",
      VERIFY_BROKEN },
    { "two",
      "sfdisk -q -A disk0.raw 1 2 && rm -r 0-2/*",
      { 0 },
      "several-active-partitions",
      VERIFY_BROKEN },
    { "gpt",
      "sfdisk -q --part-type disk0.raw 1 EBD0A0A2-B9E5-4433-87C0-68B6B72699C7",
      { 0 },
      "no-esp",
      VERIFY_BROKEN },
    { "mbr", "rm 0-1/bootmgr", { 0 }, "boot-manager-missing", VERIFY_BROKEN },
    { "gpt",
      "rm 0-1/EFI/Microsoft/Boot/bootmgfw.efi",
      { 0 },
      "boot-manager-missing",
      VERIFY_BROKEN },
    { "gpt",
      "rm 0-1/EFI/Boot/bootx64.efi",
      { 0 },
      "fallback-loader-missing",
      VERIFY_WARNS },
    { "mbr", "rm 0-1/Boot/BCD", { 0 }, "bcd-missing", VERIFY_BROKEN },
    { "gpt",
      "rm 0-1/EFI/Microsoft/Boot/BCD",
      { 0 },
      "bcd-missing",
      VERIFY_BROKEN },
    { "mbr",
      "truncate -s 5000 0-1/Boot/BCD",
      { 0 },
      "bcd-unreadable",
      VERIFY_BROKEN },
    { "mbr",
      NULL,
      { MBR_BCD, "Objects\\{9dea862c-5cdd-4e70-acc1-f32b344d4795}", NULL, 0, 0,
        NULL },
      "bcd-no-boot-manager",
      VERIFY_BROKEN },
    { "gpt",
      NULL,
      { ESP_BCD, MANAGER "23000003", NULL, 0, 0, NULL },
      "bcd-no-default",
      VERIFY_BROKEN },
    { "gpt",
      NULL,
      { ESP_BCD, MANAGER "23000003", "Element", REG_SZ, 0,
        "{0c7d3f9a-2b1e-4d68-9f57-000000000000}" },
      "bcd-no-default",
      VERIFY_BROKEN },
    { "gpt",
      NULL,
      { ESP_BCD, MANAGER "23000003", "Element", REG_SZ, 0, "..\\x" },
      "bcd-no-default",
      VERIFY_BROKEN },
    { "mbr",
      "rm 0-1/Windows/System32/winload.exe",
      { 0 },
      "bcd-loader-missing",
      VERIFY_BROKEN },
    { "gpt",
      "rm 0-3/Windows/System32/winload.efi",
      { 0 },
      "bcd-loader-missing",
      VERIFY_BROKEN },
    { "mbr",
      NULL,
      { MBR_BCD, LOADER "12000002", "Element", REG_SZ, 0,
        "\\Windows\\..\\Windows\\System32\\winload.exe" },
      "bcd-loader-missing",
      VERIFY_BROKEN },
    /* of elsewhere: not judged */
    { "mbr",
      NULL,
      { MBR_BCD, LOADER "12000002", "Element", REG_SZ, 0,
        "\\Windows\\system32\\winload.efi" },
      NULL,
      VERIFY_HOLDS },
    { "mbr",
      NULL,
      { MBR_BCD, LOADER "22000002", "Element", REG_SZ, 0, "\\WINNT" },
      "bcd-wrong-system-root",
      VERIFY_BROKEN },
    { "mbr",
      NULL,
      { MBR_BCD, LOADER "22000002", "Element", REG_SZ, 0, "\\windows" },
      NULL,
      VERIFY_HOLDS },
    /* the disk is another one */
    { "mbr",
      "printf '\\1\\2\\3\\4' | dd of=disk0.raw bs=1 seek=440 conv=notrunc",
      { 0 },
      NULL,
      VERIFY_HOLDS },
    { "gpt",
      "sfdisk -q --part-uuid disk0.raw 3 "
      "00000000-9B64-4C5D-8E21-0A1B2C3D4E5F",
      { 0 },
      "bcd-wrong-device",
      VERIFY_BROKEN },
    { "xp", "rm 0-1/ntldr", { 0 }, "nt-loader-missing", VERIFY_BROKEN },
    { "xp", "rm 0-1/NTDETECT.COM", { 0 }, "nt-loader-missing", VERIFY_BROKEN },
    { "xp", "rm 0-1/boot.ini", { 0 }, "boot-ini-missing", VERIFY_BROKEN },
    { "xp",
      "sed -i 's/partition(1)/partition(2)/' 0-1/boot.ini",
      { 0 },
      "boot-ini-wrong",
      VERIFY_BROKEN },
    { "xp",
      "sed -i 's/WINDOWS/WINNT/' 0-1/boot.ini",
      { 0 },
      "boot-ini-wrong",
      VERIFY_BROKEN },
    { "xp",
      "sed -i 's/default=.*/timeout=30/' 0-1/boot.ini",
      { 0 },
      "boot-ini-wrong",
      VERIFY_BROKEN },
    { "xp",
      "sed -i 's/multi(0)/scsi(0)/' 0-1/boot.ini",
      { 0 },
      NULL,
      VERIFY_HOLDS },
    { "mbr",
      "rm 0-1/Windows/System32/ntoskrnl.exe",
      { 0 },
      "kernel-missing",
      VERIFY_BROKEN },
    { "mbr",
      NULL,
      { SYSTEM, "Select", "Default", REG_DWORD, 3, NULL },
      "select-default-missing",
      VERIFY_BROKEN },
    { "gpt",
      NULL,
      { ESP_SYSTEM, "Select", "LastKnownGood", REG_DWORD, 2, NULL },
      NULL,
      VERIFY_HOLDS },
};

static void
test_each_fault_has_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const struct fault *fault = &faults[i];
        V2V_AUTO(mem)
        char *command = v2v_format(
            NULL, "rm -rf it && cp -r --sparse=always %s it && cd it && %s",
            fault->guest, fault->command != NULL ? fault->command : ":");
        V2V_AUTO(mem)
        char *what = v2v_format(NULL, "%zu: %s: %s", i, fault->guest,
                                fault->command != NULL ? fault->command : "");
        struct v2v_error err = { 0 };
        struct audit audit;

        assert_true(run(command));
        if (fault->change.file != NULL)
            change_hive("it", &fault->change);
        audit_open("it", &audit);
        if (verify_boot(&audit.v, &err) < 0)
            fail_msg("%s: %s", what, err.text);
        assert_found(what, &audit.result, fault->code, fault->state);
        audit_done(&audit);
    }
}

/* The firmware of the XML against the partition table. */
static void
test_firmware(void **state)
{
    static const struct {
        const char *guest;
        enum domain_firmware firmware;
        const char *code;
    } cases[] = {
        { "mbr", DOMAIN_FIRMWARE_BIOS, NULL },
        { "mbr", DOMAIN_FIRMWARE_EFI, "firmware-needs-bios" },
        { "mbr", DOMAIN_FIRMWARE_UNKNOWN, NULL },
        { "gpt", DOMAIN_FIRMWARE_EFI, NULL },
        { "gpt", DOMAIN_FIRMWARE_BIOS, "firmware-needs-efi" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct domain_machine machine = { .firmware = cases[i].firmware };
        struct v2v_error err = { 0 };
        struct audit audit;

        audit_open(cases[i].guest, &audit);
        audit.input.machine = &machine;
        assert_int_equal(verify_boot(&audit.v, &err), 0);
        assert_found(cases[i].guest, &audit.result, cases[i].code,
                     VERIFY_BROKEN);
        audit_done(&audit);
    }
}

/* A real BCD, of another machine's disk: nothing is wrong with it, and where
 * its partition is cannot be told. */
static void
test_real_bcd(void **state)
{
    static const char *const guests[] = { "mbr", "gpt" };
    V2V_AUTO(mem) char *bcd = shared_path("data/hives/BCD.xz");

    (void)state;
    if (bcd == NULL)
        skip();
    for (size_t i = 0; i < 2; i++) {
        V2V_AUTO(mem)
        char *command =
            v2v_format(NULL,
                       "rm -rf it && cp -r --sparse=always %s it && "
                       "xz -dc %s >it/%s",
                       guests[i], bcd, i == 0 ? MBR_BCD : ESP_BCD);
        struct v2v_error err = { 0 };
        struct audit audit;
        bool unknown = false;

        assert_true(run(command));
        audit_open("it", &audit);
        assert_int_equal(verify_boot(&audit.v, &err), 0);
        assert_found(guests[i], &audit.result, NULL, VERIFY_HOLDS);
        for (size_t k = 0; k < audit.result.count; k++)
            unknown = unknown ||
                      (strcmp(audit.result.links[k].link, "bcd-device") == 0 &&
                       audit.result.links[k].state == VERIFY_UNKNOWN);
        assert_true(unknown);
        audit_done(&audit);
    }
}

/* The boot volume is another one: the system volume is mounted afterwards, and
 * the control sets are those that Select names. */
static void
test_what_is_left_behind(void **state)
{
    struct v2v_error err = { 0 };
    struct guest_stat st;
    struct audit audit;

    (void)state;
    audit_open("gpt", &audit);
    assert_int_equal(verify_boot(&audit.v, &err), 0);
    assert_int_equal(guest_stat(audit.guest, "Windows/System32", &st, &err), 0);
    assert_true(st.exists);
    assert_int_equal(audit.v.set_count, 1);
    assert_string_equal(audit.v.sets[0].name, "ControlSet001");
    assert_true(audit.v.sets[0].booted);
    audit_done(&audit);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_fault_has_its_code),
        cmocka_unit_test(test_firmware),
        cmocka_unit_test(test_real_bcd),
        cmocka_unit_test(test_what_is_left_behind),
    };

    return cmocka_run_group_tests(tests, start, remove_top);
}
