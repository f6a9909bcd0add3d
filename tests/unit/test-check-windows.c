/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check/windows.c, renames.c and antivirus.c */
#include "test-check-tools.h"

#define SESSION_MANAGER CS "Control\\Session Manager"
#define RENAMES "PendingFileRenameOperations"
#define TAKEN_AWAY "\\??\\C:\\Windows\\System32\\drivers\\viostor.sys||"
#define IMAGE_STATE "Microsoft\\Windows\\CurrentVersion\\Setup\\State"
#define CBS "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\"
#define CURRENT "Microsoft\\Windows NT\\CurrentVersion"

static const struct check_case windows_cases[] = {
    { .what = "clean", .codes = "" },
    { .what = "clean XP", .version = "winxp", .codes = "" },
    { .what = "clean 7", .version = "win7", .codes = "" },
    { .what = "clean 2008 R2", .version = "2k8r2", .codes = "" },
    { .what = "clean 8", .version = "win8", .codes = "" },
    { .what = "clean 8.1", .version = "win81", .codes = "" },
    { .what = "clean 11", .version = "win11", .codes = "" },
    { .what = "clean 2016", .version = "2k16", .codes = "" },
    { .what = "clean 2019", .version = "2k19", .codes = "" },
    { .what = "clean 2022", .version = "2k22", .codes = "" },
    { .what = "clean 2025", .version = "2k25", .codes = "" },

    { .what = "ARM64",
      .edits = { TEXT(REG_SYSTEM, SESSION_MANAGER "\\Environment",
                      "PROCESSOR_ARCHITECTURE", "ARM64") },
      .codes = "arm64" },
    { .what = "a build of the future",
      .edits = { TEXT(REG_SOFTWARE, CURRENT, "CurrentBuildNumber", "99999") },
      .codes = "windows-newer",
      .evidence = "build 99999" },

    { .what = "sysprepped, as Windows 10 is",
      .edits = { TEXT(REG_SOFTWARE, IMAGE_STATE, "ImageState",
                      "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"),
                 DWORD(REG_SYSTEM, "Setup", "SystemSetupInProgress", 1),
                 DWORD(REG_SYSTEM, "Setup", "SetupType", 2),
                 TEXT(REG_SYSTEM, "Setup", "CmdLine", "oobe\\windeploy.exe") },
      .codes = "sysprep",
      .evidence = "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE" },
    { .what = "an installation that is complete",
      .edits = { TEXT(REG_SOFTWARE, IMAGE_STATE, "ImageState",
                      "IMAGE_STATE_COMPLETE") },
      .codes = "" },
    { .what = "mini-setup of XP",
      .version = "winxp",
      .edits = { DWORD(REG_SYSTEM, "Setup", "SystemSetupInProgress", 1),
                 DWORD(REG_SYSTEM, "Setup", "SetupType", 1),
                 TEXT(REG_SYSTEM, "Setup", "CmdLine",
                      "setup -newsetup -mini") },
      .codes = "setup-in-progress",
      .evidence = "SystemSetupInProgress is 1, SetupType is 1, CmdLine is "
                  "\"setup -newsetup -mini\"" },
    { .what = "CmdLine alone is what the last Setup ran",
      .edits = { TEXT(REG_SYSTEM, "Setup", "CmdLine", "setup -newsetup") },
      .codes = "" },
    { .what = "an image that Setup did not end",
      .edits = { TEXT(REG_SOFTWARE, IMAGE_STATE, "ImageState",
                      "IMAGE_STATE_UNDEPLOYABLE") },
      .codes = "setup-in-progress" },

    { .what = "pending.xml",
      .command = "mkdir Windows/WinSxS && touch Windows/WinSxS/pending.xml",
      .codes = "servicing-pending",
      .evidence = "Windows/WinSxS/pending.xml" },
    { .what = "a pending update",
      .edits = { KEY(REG_SOFTWARE, CBS "RebootPending") },
      .codes = "servicing-pending",
      .evidence = "RebootPending" },

    { .what = "renames that are of no interest",
      .edits = { LIST(REG_SYSTEM, SESSION_MANAGER, RENAMES,
                      "\\??\\C:\\Config.Msi\\a014fa5.rbf||"
                      "\\??\\C:\\Windows\\System32\\drivers\\SET1.tmp|"
                      "!\\??\\C:\\Windows\\System32\\drivers\\vmci.sys|"
                      "\\??\\C:\\Windows\\System32\\DriverStore\\Temp\\a.tmp||"
                      "\\??\\D:\\Windows\\System32\\drivers\\disk.sys||") },
      .codes = "" },
    { .what = "viostor.sys replaced",
      .edits = { LIST(REG_SYSTEM, SESSION_MANAGER, RENAMES,
                      "\\??\\C:\\Windows\\System32\\drivers\\SET1.tmp|"
                      "!\\??\\C:\\Windows\\System32\\drivers\\VioStor.sys|") },
      .codes = "rename-pending",
      .evidence = "replaces !\\??\\C:\\Windows\\System32\\drivers\\VioStor.sys "
                  "with" },
    { .what = "a package of netkvm deleted, after a deletion elsewhere",
      .edits = { LIST(REG_SYSTEM, SESSION_MANAGER, RENAMES "2",
                      "\\??\\C:\\Temp\\x||*1\\??\\C:\\WINDOWS\\System32\\"
                      "DriverStore\\FileRepository\\netkvm.inf_amd64_"
                      "0011223344556677\\netkvm.sys||") },
      .codes = "rename-pending",
      .evidence = RENAMES "2 deletes *1\\??\\C:\\WINDOWS\\" },
    { .what = "disk.sys taken away",
      .edits = { LIST(REG_SYSTEM, SESSION_MANAGER, RENAMES,
                      "\\SystemRoot\\System32\\drivers\\disk.sys|"
                      "\\??\\C:\\Temp\\disk.old|") },
      .codes = "rename-pending",
      .evidence = "moves away" },
    { .what = "disk.sys renewed, as an update does",
      .edits = { LIST(REG_SYSTEM, SESSION_MANAGER, RENAMES,
                      "\\??\\C:\\Windows\\System32\\drivers\\disk.sys|"
                      "\\??\\C:\\Temp\\disk.old|"
                      "\\??\\C:\\Windows\\System32\\drivers\\SET1.tmp|"
                      "\\??\\C:\\Windows\\System32\\drivers\\disk.sys|") },
      .codes = "" },
    { .what = "the first of many stand for all",
      .edits = { LIST(REG_SYSTEM, SESSION_MANAGER, RENAMES,
                      TAKEN_AWAY TAKEN_AWAY TAKEN_AWAY TAKEN_AWAY TAKEN_AWAY
                          TAKEN_AWAY TAKEN_AWAY TAKEN_AWAY TAKEN_AWAY) },
      .codes = "rename-pending rename-pending rename-pending rename-pending "
               "rename-pending rename-pending rename-pending rename-pending" },
    { .what = "a list cut short",
      .edits = { LIST(REG_SYSTEM, SESSION_MANAGER, RENAMES,
                      "\\??\\C:\\Windows\\System32\\drivers\\vioscsi.sys") },
      .codes = "rename-pending",
      .evidence = "deletes" },
    { .what = "a list of another type",
      .edits = { TEXT(REG_SYSTEM, SESSION_MANAGER, RENAMES,
                      "\\??\\C:\\Windows\\System32\\drivers\\vioscsi.sys") },
      .codes = "" },

    { .what = "disk overridden",
      .edits = { DWORD(REG_SYSTEM, SERVICES "disk\\StartOverride", "0", 3) },
      .codes = "start-override" },
    { .what = "another controller's driver overridden",
      .edits = { DWORD(REG_SYSTEM, SERVICES "storahci\\StartOverride", "0",
                       3) },
      .codes = "" },
    { .what = "partmgr disabled",
      .edits = { DWORD(REG_SYSTEM, SERVICES "partmgr", "Start", 4) },
      .codes = "boot-service-disabled",
      .evidence = "Start is 4" },
    { .what = "no mountmgr",
      .edits = { DELETE(REG_SYSTEM, SERVICES "mountmgr") },
      .codes = "boot-service-disabled",
      .evidence = "no service mountmgr" },
    { .what = "spaceport disabled: nothing is in a pool",
      .edits = { DWORD(REG_SYSTEM, SERVICES "spaceport", "Start", 4) },
      .codes = "" },
    { .what = "volmgr.sys missing",
      .command = "rm Windows/System32/drivers/volmgr.sys",
      .codes = "boot-file-missing",
      .evidence = "Windows/System32/drivers/volmgr.sys" },
    { .what = "the default path of disk, \\SystemRoot\\ before that of pci",
      .edits = { DELETE(REG_SYSTEM, SERVICES "disk"),
                 DWORD(REG_SYSTEM, SERVICES "disk", "Start", 0),
                 TEXT(REG_SYSTEM, SERVICES "pci", "ImagePath",
                      "\\SystemRoot\\System32\\drivers\\absent.sys") },
      .codes = "boot-file-missing",
      .evidence = "Windows/System32/drivers/absent.sys" },
    { .what = "a driver in a place that is not looked at",
      .edits = { TEXT(REG_SYSTEM, SERVICES "pci", "ImagePath",
                      "\\??\\E:\\drivers\\..\\pci.sys") },
      .codes = "" },

    { .what = "new disks stay offline, and there are none",
      .edits = { DWORD(REG_SYSTEM, SERVICES "partmgr\\Parameters", "SanPolicy",
                       3) },
      .codes = "san-policy" },
    { .what = "disks on a shared bus stay offline, and there are none",
      .edits = { DWORD(REG_SYSTEM, SERVICES "partmgr\\Parameters", "SanPolicy",
                       2) },
      .codes = "" },
    { .what = "the same, and there is one",
      .edits = { DWORD(REG_SYSTEM, SERVICES "partmgr\\Parameters", "SanPolicy",
                       2) },
      .command = "cp --sparse=always ../disk0.raw ../disk1.raw",
      .codes = "data-disks-offline",
      .evidence = "SanPolicy is 2" },
    { .what = "a data disk that comes online",
      .command = "cp --sparse=always ../disk0.raw ../disk1.raw",
      .codes = "" },

    { .what = "a hive without its logs",
      .command = SOURCE_DIR
      "/fixtures/damage hive-dirty Windows/System32/config/SYSTEM",
      .codes = "hive-dirty",
      .evidence = "Windows/System32/config/SYSTEM" },
};

static void
test_windows(void **state)
{
    (void)state;
    run_cases(windows_cases, sizeof windows_cases / sizeof *windows_cases,
              check_windows_rules, NULL);
}

/* Where logs apply is test-log's matter; here, what is said of it. */
static void
test_replayed_hive(void **state)
{
    const struct check_case clean = { .what = "replayed",
                                      .codes = "hive-replayed",
                                      .evidence = "SYSTEM.LOG2" };
    V2V_AUTO(check_result) struct check_result result = { 0 };
    struct scene scene;
    struct check_input input = { 0 };
    struct facts_hive *system;

    (void)state;
    scene_open(&clean, &scene);
    system = &scene.hives.items[REG_SYSTEM];
    system->replay = REG_REPLAY_DONE;
    system->logs[0].len = 0;
    system->logs[1].len = 1024;
    input = (struct check_input){ .guest = scene.guest,
                                  .facts = &scene.facts,
                                  .hives = &scene.hives };
    run_rules(&input, check_windows_rules, &result);
    compare(&clean, &result);
    scene_done(&scene);
}

/* A disk that only the machine's XML has. */
static void
test_disks_of_the_machine(void **state)
{
    static const char xml[] =
        "<domain type='kvm'><name>a</name><os><type>hvm</type></os><devices>"
        "<disk type='file' device='disk'><source file='/a'/>"
        "<target dev='sda' bus='sata'/></disk>"
        "<disk type='file' device='disk'><source file='/b'/>"
        "<target dev='sdb' bus='sata'/></disk></devices></domain>";
    static const struct check_case offline = {
        .what = "a data disk in the XML",
        .edits = { DWORD(REG_SYSTEM, SERVICES "partmgr\\Parameters",
                         "SanPolicy", 4) },
        .codes = "data-disks-offline",
        .evidence = "1 other disk"
    };
    V2V_AUTO(check_result) struct check_result result = { 0 };
    struct check_input input = { 0 };
    struct domain *domain = NULL;
    struct v2v_error err = { 0 };
    struct scene scene;

    (void)state;
    ok(domain_parse(xml, strlen(xml), &domain, &err), &err);
    scene_open(&offline, &scene);
    input = (struct check_input){ .guest = scene.guest,
                                  .facts = &scene.facts,
                                  .hives = &scene.hives,
                                  .domain = domain };
    run_rules(&input, check_windows_rules, &result);
    compare(&offline, &result);
    scene_done(&scene);
    domain_free(domain);
}

static const struct check_case product_cases[] = {
    { .what = "clean", .codes = "" },
    { .what = "Windows' own",
      .edits = { DWORD(REG_SYSTEM, SERVICES "WdFilter", "Start", 0),
                 DWORD(REG_SYSTEM, SERVICES "WdBoot", "Start", 0) },
      .codes = "" },
    { .what = "CrowdStrike, and Kaspersky that is disabled",
      .edits = { DWORD(REG_SYSTEM, SERVICES "CSAgent", "Start", 0),
                 DWORD(REG_SYSTEM, SERVICES "CSBoot", "Start", 0),
                 DWORD(REG_SYSTEM, SERVICES "klif", "Start", 4) },
      .codes = "antivirus-driver",
      .evidence = "CrowdStrike Falcon: SYSTEM\\ControlSet001\\Services has "
                  "CSAgent, CSBoot, which start at boot" },
    { .what = "VeraCrypt for the system disk",
      .edits = { DWORD(REG_SYSTEM, SERVICES "veracrypt", "Start", 0) },
      .codes = "disk-encryption" },
    { .what = "VeraCrypt for containers",
      .edits = { DWORD(REG_SYSTEM, SERVICES "veracrypt", "Start", 1) },
      .codes = "" },
    { .what = "Acronis",
      .edits = { DWORD(REG_SYSTEM, SERVICES "snapman", "Start", 0) },
      .codes = "backup-filter" },
    { .what = "an empty key",
      .edits = { KEY(REG_SYSTEM, SERVICES "snapman") },
      .codes = "" },
};

static void
test_products(void **state)
{
    (void)state;
    run_cases(product_cases, sizeof product_cases / sizeof *product_cases,
              check_antivirus_rules, NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_replayed_hive),
        cmocka_unit_test(test_disks_of_the_machine),
        cmocka_unit_test(test_products),
    };

    return cmocka_run_group_tests(tests, start, remove_top);
}
