/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check/hypervisor.c: what another hypervisor's tools left. */
#include "test-check-tools.h"

#define SERVICE(name, start)                                                   \
    { REG_SYSTEM, CS "Services\\" name, "Type", "dword:1" },                   \
    {                                                                          \
        REG_SYSTEM, CS "Services\\" name, "Start", "dword:" start              \
    }
#define FILTERS(guid, list, names)                                             \
    {                                                                          \
        REG_SYSTEM, CS "Control\\Class\\" guid, list, "list:" names            \
    }
#define DISK "{4d36e967-e325-11ce-bfc1-08002be10318}"
#define HDC "{4d36e96a-e325-11ce-bfc1-08002be10318}"
#define SYSTEM_CLASS "{4D36E97D-E325-11CE-BFC1-08002BE10318}"
#define MOUSE "{4d36e96f-e325-11ce-bfc1-08002be10318}"
#define VOLUME "{71a27cdd-812a-11d0-bec7-08002be2092f}"

static struct scene guest;

static void
test_rows(void **state)
{
    static const struct rule_case cases[] = {
        { "as it is",
          { { REG_SYSTEM, NULL, NULL, NULL } },
          { { NULL, NULL } } },
        { "VMware: one finding, in the table's order",
          { SERVICE("VMTools", "2"), SERVICE("vmci", "0"),
            SERVICE("VMMEMCTL", "2") },
          { { "hypervisor-leftovers",
              "VMware Tools: vmci, VMMEMCTL, VMTools in SYSTEM\\ControlSet001\\"
              "Services" } } },
        { "a disabled service, and a key that is none",
          { SERVICE("vmci", "4"),
            { REG_SYSTEM, CS "Services\\pvscsi", "VMware", "dword:1" } },
          { { NULL, NULL } } },
        { "two vendors",
          { SERVICE("vmci", "0"), SERVICE("VBoxGuest", "0"),
            SERVICE("NutanixGuestAgent", "2"), SERVICE("pvvxblk", "0") },
          { { "hypervisor-leftovers", "VMware Tools: vmci" },
            { "hypervisor-leftovers", "VirtualBox Guest Additions: VBoxGuest" },
            { "hypervisor-leftovers",
              "Nutanix Guest Tools: NutanixGuestAgent" },
            { "hypervisor-leftovers", "SUSE VMDP: pvvxblk" } } },
        { "VirtualBox' mouse filter is in no class of disks",
          { SERVICE("VBoxMouse", "3"),
            FILTERS(MOUSE, "UpperFilters", "VBoxMouse|mouclass") },
          { { "hypervisor-leftovers",
              "VirtualBox Guest Additions: VBoxMouse" } } },
        { "Xen's filters",
          { SERVICE("xenfilt", "0"), SERVICE("xenbus", "0"),
            FILTERS(HDC, "UpperFilters", "xenfilt"),
            FILTERS(SYSTEM_CLASS, "UpperFilters", "XENFILT") },
          { { "hypervisor-filter", "xenfilt is in UpperFilters of class HDC "
                                   "(SYSTEM\\ControlSet001\\Control\\Class\\" },
            { "hypervisor-filter",
              "XENFILT is in UpperFilters of class System" },
            { "hypervisor-leftovers", "Xen PV drivers: xenbus, xenfilt" } } },
        { "Parallels' filter",
          { SERVICE("prl_strg", "0"),
            FILTERS(DISK, "LowerFilters", "EhStorClass|prl_strg") },
          { { "hypervisor-filter", "prl_strg is in LowerFilters of class "
                                   "DiskDrive" },
            { "hypervisor-leftovers", "Parallels Tools: prl_strg" } } },
        { "a filter that has gone",
          { FILTERS(DISK, "LowerFilters", "EhStorClass|prl_strg") },
          { { "filter-without-service",
              "prl_strg is in LowerFilters of class DiskDrive (SYSTEM\\"
              "ControlSet001\\Control\\Class\\" DISK
              ") and has no service, or a disabled one" } } },
        { "Windows' own, which is judged as a service of the boot chain",
          { SERVICE("partmgr", "4"), FILTERS(DISK, "UpperFilters", "partmgr") },
          { { NULL, NULL } } },
        { "a filter that was disabled",
          { SERVICE("acmefilt", "4"),
            FILTERS(VOLUME, "UpperFilters", "volsnap|acmefilt") },
          { { "filter-without-service", "acmefilt is in UpperFilters of class "
                                        "Volume" } } },
        { "a laptop maker's disk filter is nobody's business",
          { SERVICE("acmefilt", "0"),
            FILTERS(DISK, "LowerFilters", "EhStorClass|acmefilt") },
          { { NULL, NULL } } },
        { "an empty list, and a path, which names no service",
          { FILTERS(DISK, "LowerFilters", ""),
            FILTERS(HDC, "UpperFilters", "..\\x") },
          { { NULL, NULL } } },
        { "Red Hat's old SCSI driver",
          { SERVICE("rhelscsi", "0") },
          { { "hypervisor-driver",
              "SYSTEM\\ControlSet001\\Services\\rhelscsi is active and" } } },
        { "Hyper-V's own services",
          { SERVICE("vmbus", "0"), SERVICE("storvsc", "0"),
            SERVICE("netvsc", "3") },
          { { NULL, NULL } } },
    };

    (void)state;
    check_rule_cases(&guest, check_hypervisor_rules, cases,
                     sizeof cases / sizeof *cases);
}

/* A package of another maker, in either node of the driver database. */
static void
test_virtio_of_others(void **state)
{
    static const struct {
        enum reg_hive_id hive;
        const char *inf, *provider, *evidence;
    } cases[] = {
        { REG_SYSTEM, "vioscsi.inf", "sz:Nutanix",
          "vioscsi.inf (oem7.inf) is a "
          "virtio driver of Nutanix" },
        { REG_DRIVERS, "netkvm.inf", "sz:Google Inc.", "of Google Inc." },
        { REG_SYSTEM, "vioscsi.inf", "sz:Red Hat, Inc.", NULL },
        { REG_SYSTEM, "vboxguest.inf", "sz:Oracle Corporation", NULL },
        { REG_SYSTEM, "vioscsi.inf", "dword:1", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct facts_package package = { .hive = cases[i].hive,
                                         .oem_inf = (char[]){ "oem7.inf" },
                                         .name = (char[]){ "x_amd64_1" } };
        struct facts facts = { .packages = &package, .package_count = 1 };
        const struct check_input input = { .facts = &facts,
                                           .hives = &guest.hives };
        const struct edit changes[MAX_EDITS] = {
            { cases[i].hive, "DriverDatabase\\DriverPackages\\x_amd64_1",
              "Provider", cases[i].provider }
        };
        const struct expected expected[MAX_FOUND] = {
            { cases[i].evidence != NULL ? "foreign-virtio" : NULL,
              cases[i].evidence }
        };
        V2V_AUTO(mem) char *inf = strdup(cases[i].inf);
        V2V_AUTO(check_result) struct check_result result = { 0 };

        package.inf_name = inf;
        edit_hives(&guest.hives, changes);
        run_rules(&input, check_hypervisor_rules, &result);
        assert_findings(inf, &result, expected);
    }
}

static void
test_real(void **state)
{
    static const struct real_case cases[] = {
        { "win10-1709-clean", "" },
        { "win81-dirty-nologs", "hypervisor-leftovers " },
        { "win7-x64", "hypervisor-leftovers " },
        { "win7-x86", "hypervisor-leftovers " },
    };

    (void)state;
    check_real_hives(check_hypervisor_rules, cases,
                     sizeof cases / sizeof *cases);
}

static int
start_all(void **state)
{
    return start_with_scene(state, &guest);
}

static int
stop(void **state)
{
    scene_done(&guest);
    return remove_top(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_virtio_of_others),
        cmocka_unit_test(test_real),
    };

    return cmocka_run_group_tests(tests, start_all, stop);
}
