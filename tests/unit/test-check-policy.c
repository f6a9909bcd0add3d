/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check/policy.c and hvci.c */
#include "test-check-tools.h"

#define RESTRICTIONS "Policies\\Microsoft\\Windows\\DeviceInstall\\Restrictions"
#define HVCI                                                                   \
    CS "Control\\DeviceGuard\\Scenarios\\HypervisorEnforcedCodeIntegrity"
#define CI "Windows/System32/CodeIntegrity"

static const struct check_case policy_cases[] = {
    { .what = "clean", .codes = "" },
    { .what = "clean 7", .version = "win7", .codes = "" },

    { .what = "virtio denied by id",
      .edits = { DWORD(REG_SOFTWARE, RESTRICTIONS, "DenyDeviceIDs", 1),
                 TEXT(REG_SOFTWARE, RESTRICTIONS "\\DenyDeviceIDs", "1",
                      "USB\\Composite"),
                 TEXT(REG_SOFTWARE, RESTRICTIONS "\\DenyDeviceIDs", "2",
                      "pci\\ven_1af4&dev_1000") },
      .codes = "device-install-policy",
      .evidence = "DenyDeviceIDs denies pci\\ven_1af4&dev_1000" },
    { .what = "virtio denied by instance",
      .edits = { DWORD(REG_SOFTWARE, RESTRICTIONS, "DenyInstanceIDs", 1),
                 TEXT(REG_SOFTWARE, RESTRICTIONS "\\DenyInstanceIDs", "1",
                      "PCI\\VEN_1AF4&DEV_1041\\3&13C0B0C5&0&18") },
      .codes = "device-install-policy",
      .evidence = "DenyInstanceIDs denies PCI\\VEN_1AF4&DEV_1041\\3&" },
    { .what = "USB denied by id",
      .edits = { DWORD(REG_SOFTWARE, RESTRICTIONS, "DenyDeviceIDs", 1),
                 TEXT(REG_SOFTWARE, RESTRICTIONS "\\DenyDeviceIDs", "1",
                      "USB\\Composite") },
      .codes = "" },
    { .what = "a list that is not switched on",
      .edits = { DWORD(REG_SOFTWARE, RESTRICTIONS, "DenyDeviceIDs", 0),
                 TEXT(REG_SOFTWARE, RESTRICTIONS "\\DenyDeviceIDs", "1",
                      "PCI\\VEN_1AF4&DEV_1000") },
      .codes = "" },
    { .what = "network adapters denied by class",
      .edits = { DWORD(REG_SOFTWARE, RESTRICTIONS, "DenyDeviceClasses", 1),
                 TEXT(REG_SOFTWARE, RESTRICTIONS "\\DenyDeviceClasses", "1",
                      "{4D36E972-E325-11CE-BFC1-08002BE10318}") },
      .codes = "device-install-policy" },
    { .what = "modems denied by class",
      .edits = { DWORD(REG_SOFTWARE, RESTRICTIONS, "DenyDeviceClasses", 1),
                 TEXT(REG_SOFTWARE, RESTRICTIONS "\\DenyDeviceClasses", "1",
                      "{4d36e96d-e325-11ce-bfc1-08002be10318}") },
      .codes = "" },
    { .what = "all denied that is not allowed",
      .edits = { DWORD(REG_SOFTWARE, RESTRICTIONS, "DenyUnspecified", 1) },
      .codes = "device-install-policy",
      .evidence = "DenyUnspecified is 1" },
    { .what = "all denied, virtio allowed",
      .edits = { DWORD(REG_SOFTWARE, RESTRICTIONS, "DenyUnspecified", 1),
                 DWORD(REG_SOFTWARE, RESTRICTIONS, "AllowDeviceIDs", 1),
                 TEXT(REG_SOFTWARE, RESTRICTIONS "\\AllowDeviceIDs", "1",
                      "PCI\\VEN_1AF4&DEV_1041") },
      .codes = "" },
    { .what = "removable devices denied",
      .edits = { DWORD(REG_SOFTWARE, RESTRICTIONS, "DenyRemovableDevices", 1) },
      .codes = "" },

    { .what = "no plug and play",
      .edits = { DWORD(REG_SYSTEM, SERVICES "PlugPlay", "Start", 4) },
      .codes = "pnp-service-disabled",
      .evidence = "Services\\PlugPlay" },
    { .what = "on demand",
      .edits = { DWORD(REG_SYSTEM, SERVICES "DeviceInstall", "Start", 3) },
      .codes = "" },

    { .what = "one code integrity policy",
      .command = "mkdir " CI " && touch " CI "/SiPolicy.p7b",
      .codes = "wdac-policy",
      .evidence = CI "/SiPolicy.p7b is there" },
    { .what = "several, one of which is the organisation's",
      .command =
          "mkdir -p " CI "/CiPolicies/Active && cd " CI "/CiPolicies/Active && "
          "touch '{d2bda982-ccf6-4344-ac5b-0b44427b6816}.cip' "
          "'{11111111-2222-3333-4444-555555555555}.cip'",
      .codes = "wdac-policy",
      .evidence = "{11111111-2222-3333-4444-555555555555}.cip" },
    { .what = "those of Windows 11",
      .version = "win11",
      .command =
          "mkdir -p " CI "/CiPolicies/Active && cd " CI "/CiPolicies/Active && "
          "touch '{D2BDA982-CCF6-4344-AC5B-0B44427B6816}.cip' "
          "'{5951A96A-E0B5-4D3D-8FB8-3E5B61030784}.cip' readme",
      .codes = "" },
    { .what = "code integrity in a place that is not looked into",
      .command = "mkdir " CI " && ln -s /tmp " CI "/CiPolicies",
      .codes = "" },
};

static void
test_policies(void **state)
{
    (void)state;
    run_cases(policy_cases, sizeof policy_cases / sizeof *policy_cases,
              check_policy_rules, NULL);
}

/* ---- with the drivers of a medium */

static const struct check_case plain = { .what = "plain", .codes = "" };
static const struct check_case with_hvci = {
    .what = "memory integrity",
    .edits = { DWORD(REG_SYSTEM, HVCI, "Enabled", 1) },
};

/* The rules on a guest, a choice and an XML; @codes is what they find. */
static void
expect(const struct check_case *guest, const struct drivers_choice *choice,
       const struct domain *domain, const char *codes, size_t gaps)
{
    V2V_AUTO(check_result) struct check_result result = { 0 };
    struct check_case c = *guest;
    struct scene scene;
    struct check_input input = { .choice = choice, .domain = domain };

    c.codes = codes;
    scene_open(&c, &scene);
    input.guest = scene.guest;
    input.facts = &scene.facts;
    input.hives = &scene.hives;
    run_rules(&input, check_policy_rules, &result);
    compare(&c, &result);
    assert_int_equal(result.gap_count, gaps);
    scene_done(&scene);
}

static void
test_no_medium(void **state)
{
    (void)state;
    expect(&plain, NULL, NULL, "", 1);
    expect(&with_hvci, NULL, NULL, "", 2);
}

static void
test_accepted_drivers(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };

    (void)state;
    choose_drivers("viostor,NetKVM", false, true, &choice);
    expect(&plain, &choice, NULL, "", 0);
    expect(&with_hvci, &choice, NULL, "", 0);
}

static void
test_missing_drivers(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };

    (void)state;
    choose_drivers("viofs", false, true, &choice);
    expect(&plain, &choice, NULL, "driver-missing", 0);
    choice.missing_rule[0] = DRIVERS_LOST_SUPERSEDED;
    expect(&plain, &choice, NULL, "", 0);

    choice.missing_rule[0] = DRIVERS_LOST_ABSENT;
    free(choice.missing.items[0]);
    choice.missing.items[0] = strdup("VioStor");
    expect(&plain, &choice, NULL, "boot-driver-missing", 0);
}

/* As the medium's own rules leave it out, or take it on request. */
static void
test_untrusted_drivers(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };

    (void)state;
    choose_drivers("viostor,NetKVM", false, false, &choice);
    assert_int_equal(choice.count, 0);
    expect(&plain, &choice, NULL, "driver-untrusted driver-missing", 0);
    drivers_choice_done(&choice);
    choose_drivers("viostor", true, false, &choice);
    assert_int_equal(choice.count, 1);
    expect(&plain, &choice, NULL, "driver-untrusted", 0);
}

static void
test_secure_boot(void **state)
{
    static const char efi[] = "<domain type='kvm'><name>a</name><os "
                              "firmware='efi'><type machine='q35'>hvm</type>"
                              "%s</os><devices/></domain>";
    static const struct {
        const char *os, *codes;
    } cases[] = {
        { "", "driver-secure-boot" },
        { "<firmware><feature enabled='no' name='secure-boot'/></firmware>",
          "" },
    };
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    const struct check_case seven = { .what = "7", .version = "win7" };

    (void)state;
    choose_drivers("viostor", false, true, &choice);
    choice.items[0].judgement.verdict = CATALOG_VERDICT_NO_SECURE_BOOT;
    expect(&plain, &choice, NULL, "driver-secure-boot", 0);
    expect(&seven, &choice, NULL, "", 0); /* has none */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char xml[512];
        struct domain *domain = NULL;
        struct v2v_error err = { 0 };
        int len = snprintf(xml, sizeof xml, efi, cases[i].os);

        ok(domain_parse(xml, (size_t)len, &domain, &err), &err);
        expect(&plain, &choice, domain, cases[i].codes, 0);
        domain_free(domain);
    }
}

/* Sets bits in the flags of the first section of the driver. */
static void
set_section_flags(struct drivers_choice *choice, uint32_t bits)
{
    for (size_t i = 0; i < choice->items[0].file_count; i++) {
        struct driver_file *file = &choice->items[0].files[i];
        uint8_t *data = file->data.data, *flags;
        size_t pe;

        if (!v2v_has_suffix_nocase(file->name, ".sys"))
            continue;
        pe = v2v_get_le(data + 0x3c, 4);
        flags = data + pe + 24 + v2v_get_le(data + pe + 20, 2) + 36;
        v2v_put_le(flags, v2v_get_le(flags, 4) | bits, 4);
        return;
    }
    fail_msg("no .sys");
}

static void
test_memory_integrity(void **state)
{
    static const uint32_t writable_code = 0xa0000000, discardable = 0x02000000;
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };

    (void)state;
    choose_drivers("viostor", false, true, &choice);
    set_section_flags(&choice, writable_code);
    expect(&with_hvci, &choice, NULL, "driver-hvci", 0);
    expect(&plain, &choice, NULL, "", 0);
    set_section_flags(&choice, discardable);
    expect(&with_hvci, &choice, NULL, "", 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_no_medium),
        cmocka_unit_test(test_accepted_drivers),
        cmocka_unit_test(test_missing_drivers),
        cmocka_unit_test(test_untrusted_drivers),
        cmocka_unit_test(test_secure_boot),
        cmocka_unit_test(test_memory_integrity),
    };

    return cmocka_run_group_tests(tests, start, remove_top);
}
