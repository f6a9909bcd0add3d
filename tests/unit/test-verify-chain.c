/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify/chain.c, filters.c: what lies between the boot disk's driver and the
 * volume.  Guests of every version are sound, real hives are; each fault has
 * its code. */
#include "test-audit.h"

#define SYSTEM "0-1/Windows/System32/config/SYSTEM"
#define SET "ControlSet001"
#define SERVICES SET "\\Services\\"
#define CLASSES SET "\\Control\\Class\\"
#define DISKS CLASSES "{4d36e967-e325-11ce-bfc1-08002be10318}"
#define VOLUMES CLASSES "{71a27cdd-812a-11d0-bec7-08002be2092f}"
#define ROOT_BUS SET "\\Enum\\ACPI\\PNP0A08\\0"
#define DRIVERS "0-1/Windows/System32/drivers/"

/* What fixtures/registry/SYSTEM-8.reg has on purpose. */
static const struct change without_override = {
    SYSTEM, SERVICES "disk\\StartOverride", NULL, 0, 0, NULL
};

static int
start(void **state)
{
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
    change_hive("guest", &without_override);
    return 0;
}

static void
audit_chain(const char *name, struct audit *audit)
{
    struct v2v_error err = { 0 };

    audit_open(name, audit);
    if (verify_boot(&audit->v, &err) < 0 || verify_chain(&audit->v, &err) < 0)
        fail_msg("%s: %s", name, err.text);
}

static void
test_every_version_is_sound(void **state)
{
    static const struct {
        const char *version;
        bool stamped;
    } cases[] = {
        { "winxp", false }, { "win7", false }, { "2k8r2", false },
        { "win8", true },   { "win81", true }, { "win10", true },
        { "win11", true },  { "2k16", true },  { "2k19", true },
        { "2k22", true },   { "2k25", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem)
        char *command = v2v_format(
            NULL, "rm -rf it && mkguest --tree --version %s --arch %s it",
            cases[i].version, i % 2 == 0 ? "amd64" : "x86");
        struct audit audit;

        assert_true(run(command));
        audit_chain("it", &audit);
        assert_found(cases[i].version, &audit.result,
                     cases[i].stamped ? "chain-start-override" : NULL,
                     VERIFY_BROKEN);
        audit_done(&audit);
    }
}

static const struct fault {
    const char *command; /* in the guest's folder; or NULL */
    struct change changes[3];
    const char *code; /* NULL: it still holds */
    enum verify_state state;
} faults[] = {
    { NULL, { { 0 } }, NULL, VERIFY_HOLDS },

    /* the chain */
    { NULL,
      { { SYSTEM, SERVICES "mountmgr", NULL, 0, 0, NULL } },
      "chain-service-missing",
      VERIFY_BROKEN },
    { NULL,
      { { SYSTEM, SERVICES "volmgr", "Start", REG_DWORD, 4, NULL } },
      "chain-service-disabled",
      VERIFY_BROKEN },
    /* a filter too: told once */
    { NULL,
      { { SYSTEM, SERVICES "partmgr", "Start", REG_DWORD, 4, NULL } },
      "chain-service-disabled",
      VERIFY_BROKEN },
    { "rm " DRIVERS "partmgr.sys",
      { { 0 } },
      "chain-file-missing",
      VERIFY_BROKEN },
    { NULL,
      { { SYSTEM, SERVICES "pci", "Start", REG_DWORD, 3, NULL } },
      "chain-not-boot-start",
      VERIFY_BROKEN },
    { NULL,
      { { SYSTEM, SERVICES "ACPI\\StartOverride", "2", REG_DWORD, 3, NULL } },
      "chain-start-override",
      VERIFY_BROKEN },
    { NULL,
      { { SYSTEM, SERVICES "ACPI\\StartOverride", "2", REG_DWORD, 0, NULL } },
      NULL,
      VERIFY_HOLDS },
    { NULL,
      { { SYSTEM, SERVICES "spaceport", "Start", REG_DWORD, 4, NULL } },
      "chain-service-off",
      VERIFY_WARNS },

    /* filters */
    { NULL,
      { { SYSTEM, DISKS, "LowerFilters", REG_MULTI_SZ, 0, "xenfilt" } },
      "filter-service-missing",
      VERIFY_BROKEN },
    { NULL,
      { { SYSTEM, SERVICES "EhStorClass", "Start", REG_DWORD, 4, NULL } },
      "filter-disabled",
      VERIFY_BROKEN },
    { NULL,
      { { SYSTEM, SERVICES "fvevol\\StartOverride", "0", REG_DWORD, 3, NULL } },
      "filter-disabled",
      VERIFY_BROKEN },
    { "rm " DRIVERS "fvevol.sys",
      { { 0 } },
      "filter-file-missing",
      VERIFY_BROKEN },
    /* in two lists: told once */
    { "rm " DRIVERS "fvevol.sys",
      { { SYSTEM, DISKS, "LowerFilters", REG_MULTI_SZ, 0, "FVEVOL" } },
      "filter-file-missing",
      VERIFY_BROKEN },
    { NULL,
      { { SYSTEM, ROOT_BUS, "Service", REG_SZ, 0, "pci" },
        { SYSTEM, ROOT_BUS, "UpperFilters", REG_MULTI_SZ, 0, "xenfilt" } },
      "filter-service-missing",
      VERIFY_BROKEN },
    /* of a device that is not on the way */
    { NULL,
      { { SYSTEM, ROOT_BUS, "Service", REG_SZ, 0, "i8042prt" },
        { SYSTEM, ROOT_BUS, "UpperFilters", REG_MULTI_SZ, 0, "gone" } },
      NULL,
      VERIFY_HOLDS },
    { NULL,
      { { SYSTEM, CLASSES "{4d36e96f-e325-11ce-bfc1-08002be10318}",
          "UpperFilters", REG_MULTI_SZ, 0, "VBoxMouse" } },
      NULL,
      VERIFY_HOLDS },

    /* the other services */
    { "rm " DRIVERS "ndis.sys",
      { { 0 } },
      "critical-file-missing",
      VERIFY_BROKEN },
    { "rm " DRIVERS "Wof.sys", { { 0 } }, "boot-file-missing", VERIFY_WARNS },
    /* turned off, not started at boot: nobody looks for its file */
    { "rm " DRIVERS "lsi_sas.sys " DRIVERS "cdrom.sys",
      { { 0 } },
      NULL,
      VERIFY_HOLDS },
    { NULL,
      { { SYSTEM, SERVICES "NDIS", "ImagePath", REG_EXPAND_SZ, 0,
          "\\??\\D:\\ndis.sys" } },
      "critical-file-missing",
      VERIFY_BROKEN },

    { NULL,
      { { SYSTEM, SERVICES "partmgr\\Parameters", "SanPolicy", REG_DWORD, 3,
          NULL } },
      "san-policy",
      VERIFY_WARNS },
};

static void
test_each_fault_has_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const struct fault *fault = &faults[i];
        V2V_AUTO(mem)
        char *command = v2v_format(
            NULL, "rm -rf it && cp -r --sparse=always guest it && cd it && %s",
            fault->command != NULL ? fault->command : ":");
        V2V_AUTO(mem)
        char *what = v2v_format(NULL, "%zu: %s", i,
                                fault->code != NULL ? fault->code : "");
        struct audit audit;

        assert_true(run(command));
        for (size_t k = 0; k < 3 && fault->changes[k].file != NULL; k++)
            change_hive("it", &fault->changes[k]);
        audit_chain("it", &audit);
        assert_found(what, &audit.result, fault->code, fault->state);
        audit_done(&audit);
    }
}

/* A control set that is booted after a failure only. */
static void
test_last_known_good_warns(void **state)
{
    static const struct change changes[] = {
        { SYSTEM, "Select", "LastKnownGood", REG_DWORD, 2, NULL },
        { SYSTEM, "ControlSet002\\Services\\partmgr\\Parameters", "SanPolicy",
          REG_DWORD, 1, NULL },
    };
    struct audit audit;

    (void)state;
    assert_true(run("rm -rf it && cp -r --sparse=always guest it"));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        change_hive("it", &changes[i]);
    audit_chain("it", &audit);
    assert_int_equal(audit.v.set_count, 2);
    assert_null(verify_broken(&audit.result));
    /* an empty one lacks all of them */
    assert_true(audit.result.count > 10);
    audit_done(&audit);
}

/* Where the services of a control set have their files. */
static void
list_files(struct verify *v, const char *set, struct v2v_strings *ret)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(mem) char *key = v2v_format(NULL, "%s\\Services", set);

    assert_int_equal(reg_children(v->system, key, &names, NULL), 0);
    for (size_t i = 0; i < names.count; i++) {
        V2V_AUTO(verify_driver) struct verify_driver driver = { 0 };

        assert_int_equal(
            verify_driver_read(v, set, names.items[i], &driver, NULL), 0);
        if (driver.exists && driver.type <= 2 && driver.start <= 1 &&
            driver.path != NULL && !v2v_strings_has_nocase(ret, driver.path))
            assert_int_equal(v2v_strings_add(ret, driver.path, NULL), 0);
    }
}

/* A file for each driver that a real hive's services name. */
static void
add_files(struct audit *audit)
{
    V2V_AUTO(strings) struct v2v_strings paths = { 0 };
    struct guest_file files[512] = { 0 };
    const struct facts *facts = &audit->facts;
    struct v2v_error err = { 0 };

    for (size_t i = 0; i < facts->control_set_count; i++)
        list_files(&audit->v, facts->control_sets[i].name, &paths);
    assert_in_range(paths.count, 30, 511);
    for (size_t i = 0; i < paths.count; i++)
        files[i] = (struct guest_file){ paths.items[i], "MZ", 2 };
    if (guest_mount(audit->guest, facts->disk, facts->partition, true, &err) <
            0 ||
        guest_write_files(audit->guest, files, paths.count, &err) < 0)
        fail_msg("%s", err.text);
}

/* Windows' own hives, with those files: sound. */
static void
test_real_hives(void **state)
{
    static const struct {
        const char *hive, *version, *arch;
    } cases[] = {
        { "win7-x64", "win7", "amd64" },
        { "win7-x86", "win7", "x86" },
        { "win81-dirty-nologs", "win81", "amd64" },
        { "win10-1709-clean", "win10", "amd64" },
        { "win10-1709-dirty", "win10", "amd64" },
    };
    V2V_AUTO(mem) char *hives = shared_path("data/hives");

    (void)state;
    if (hives == NULL)
        skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem)
        char *command = v2v_format(
            NULL,
            "rm -rf it && mkguest --tree --version %s --arch %s it && "
            "cd it/0-1/Windows/System32/config && "
            "for f in SYSTEM SYSTEM.LOG1 SYSTEM.LOG2; do "
            "! [ -e %s/%s/$f.xz ] || xz -dc %s/%s/$f.xz >$f; done",
            cases[i].version, cases[i].arch, hives, cases[i].hive, hives,
            cases[i].hive);
        struct audit audit;

        assert_true(run(command));
        audit_open("it", &audit);
        add_files(&audit);
        audit_done(&audit);
        audit_chain("it", &audit);
        assert_found(cases[i].hive, &audit.result, NULL, VERIFY_HOLDS);
        audit_done(&audit);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_version_is_sound),
        cmocka_unit_test(test_each_fault_has_its_code),
        cmocka_unit_test(test_last_known_good_warns),
        cmocka_unit_test(test_real_hives),
    };

    return cmocka_run_group_tests(tests, start, remove_top);
}
