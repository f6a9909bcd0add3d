/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Media are folders made here, with INFs that exercise one rule each.  The
 * catalogs are made by fixtures/mkcat.  Real media: tests/golden/drivers.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "drivers/drivers.h"
#include "test-tools.h"

/* A file of the medium "m", with the folders above it. */
static void
put(const char *path, const char *text)
{
    V2V_AUTO(mem) char *full = v2v_format(NULL, "%s/m/%s", top, path);

    assert_non_null(full);
    for (char *slash = full + 1; (slash = strchr(slash, '/')) != NULL;
         slash++) {
        *slash = '\0';
        mkdir(full, 0755);
        *slash = '/';
    }
    assert_int_equal(v2v_file_replace(full, text, strlen(text), NULL), 0);
}

/* A catalog by a test certificate over what is in @folder. */
static void
make_catalog(const char *folder, const char *name)
{
    V2V_AUTO(mem)
    char *command = v2v_format(
        NULL,
        "cd 'm/%s' && rm -f *.[cC][aA][tT] && '%s/fixtures/mkcat' -k %s/keys "
        "-o '%s' *",
        folder, SOURCE_DIR, top, name);

    assert_true(run(command));
}

static const char inf_text[] =
    "[Version]\r\n"
    "Signature=\"$Windows NT$\"\r\n"
    "Class=SCSIAdapter\r\n"
    "ClassGUID={4D36E97B-E325-11CE-BFC1-08002BE10318}\r\n"
    "Provider=%%V%%\r\n"
    "DriverVer=01/02/2024,100.1.2.3\r\n"
    "CatalogFile=Disk.cat\r\n"
    "[SourceDisksNames]\r\n"
    "1=disk\r\n"
    "[SourceDisksFiles]\r\n"
    "disk.sys=1\r\n"
    "[DestinationDirs]\r\n"
    "files=%d\r\n"
    "[Manufacturer]\r\n"
    "%%V%%=models,NTamd64.%s\r\n"
    "[models.NTamd64.%s]\r\n"
    "disk=inst,PCI\\VEN_1AF4&DEV_1001\r\n"
    "disk=inst,PCI\\VEN_1AF4&DEV_1042\r\n"
    "[inst]\r\n"
    "CopyFiles=files\r\n"
    "[files]\r\n"
    "disk.sys\r\n"
    "[inst.Services]\r\n"
    "AddService=disk,2,service\r\n"
    "[service]\r\n"
    "ServiceType=1\r\n"
    "StartType=0\r\n"
    "ErrorControl=1\r\n"
    "ServiceBinary=%%%d%%\\disk.sys\r\n"
    "[Strings]\r\n"
    "V=\"Vendor\"\r\n";

/* DRIVER/OS/ARCH with disk.inf and disk.sys */
static void
put_package(const char *folder, const char *decoration, int dirid)
{
    V2V_AUTO(mem)
    char *inf =
        v2v_format(NULL, inf_text, dirid, decoration, decoration, dirid);
    V2V_AUTO(mem) char *inf_path = v2v_format(NULL, "%s/disk.inf", folder);
    V2V_AUTO(mem) char *sys_path = v2v_format(NULL, "%s/DISK.SYS", folder);

    put(inf_path, inf);
    put(sys_path, folder);
}

static const struct drivers_guest windows_10 = {
    .target = { INF_ARCH_AMD64, 10, 0, 19045, 1, 0x100 },
    .os_label = "Windows 10 22H2",
};
static const struct drivers_guest windows_10_1607 = {
    .target = { INF_ARCH_AMD64, 10, 0, 14393, 1, 0x100 },
    .os_label = "Windows 10 1607",
};
static const struct drivers_guest windows_11 = {
    .target = { INF_ARCH_AMD64, 10, 0, 26100, 1, 0x100 },
    .os_label = "Windows 11 24H2",
};
static const struct drivers_guest server_2025 = {
    .target = { INF_ARCH_AMD64, 10, 0, 26100, 3, 0 },
    .os_label = "Windows Server 2025",
};

/* Most media here have no catalogs. */
static bool allow_untrusted;

/* @names: separated by blanks */
static int
choose(const struct drivers_guest *guest, const char *names,
       struct drivers_choice *ret, struct v2v_error *err)
{
    V2V_AUTO(media) struct media *m = NULL;
    V2V_AUTO(strings) struct v2v_strings list = { 0 };
    V2V_AUTO(mem) char *copy = v2v_strdup(names, err);
    V2V_AUTO(mem) char *path = v2v_format(err, "%s/m", top);
    const struct drivers_options options = { allow_untrusted };
    char *save = NULL;

    warnings[0] = '\0';
    for (char *name = strtok_r(copy, " ", &save); name != NULL;
         name = strtok_r(NULL, " ", &save))
        assert_int_equal(v2v_strings_add(&list, name, err), 0);
    assert_int_equal(media_open(path, &m, err), 0);
    return drivers_choose(&m, 1, guest, &list, &options, ret, err);
}

static void
choose_one(const struct drivers_guest *guest, const char *name,
           struct drivers_choice *ret)
{
    struct v2v_error err = { 0 };

    if (choose(guest, name, ret, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(ret->count, 1);
    assert_int_equal(ret->missing.count, 0);
}

static void
assert_fails(const struct drivers_guest *guest, const char *names,
             const char *message)
{
    struct drivers_choice choice = { .count = 77 };
    struct v2v_error err = { 0 };

    assert_int_equal(choose(guest, names, &choice, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    if (strstr(err.text, message) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", message, err.text);
    assert_int_equal(choice.count, 77); /* output untouched on failure */
}

static int
empty_medium(void **state)
{
    (void)state;
    allow_untrusted = true;
    assert_true(run("rm -rf m m2 && mkdir m m2"));
    return 0;
}

static void
test_whole_package(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    const struct driver_package *p;

    (void)state;
    put_package("VioDisk/w10/AMD64", "10.0", 12);
    make_catalog("VioDisk/w10/AMD64", "disk.CAT");
    put("VioDisk/w10/AMD64/disk.pdb", "of no use in a guest");
    choose_one(&windows_10, "viodisk VIODISK", &choice);
    p = &choice.items[0];
    assert_string_equal(p->driver, "VioDisk");
    assert_string_equal(p->source, "VioDisk/w10/AMD64");
    assert_string_equal(p->why, "w10 is the directory for Windows 10");
    assert_string_equal(p->inf_name, "disk.inf");
    assert_string_equal(p->version.catalog, "Disk.cat");
    assert_non_null(strcasestr(p->catalog.signer.name, "test"));
    assert_int_equal(p->signer_score, 0x0f000000);
    assert_int_equal(p->judgement.verdict, CATALOG_VERDICT_TEST_SIGNING);
    assert_true(p->boot);
    assert_int_equal(p->models.count, 2);
    assert_int_equal(p->version.driver_ver.year, 2024);
    assert_int_equal(p->file_count, 3);
    assert_string_equal(p->files[DRIVERS_INF_FILE].name, "disk.inf");
    assert_string_equal(p->files[p->catalog_index].name, "disk.CAT");
    assert_string_equal(p->files[2].name, "DISK.SYS");
    assert_int_equal(p->files[2].data.len, strlen("VioDisk/w10/AMD64"));
    assert_memory_equal(p->files[2].data.data, "VioDisk/w10/AMD64", 17);
}

static void
test_next_directory(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };

    (void)state;
    put_package("disk/2k22/amd64", "10.0...99999", 12);
    put("disk/2k19/amd64/readme.txt", "");
    put_package("disk/2k16/amd64", "6.3", 12);
    put_package("disk/w11/amd64", "10.0", 12);
    choose_one(&server_2025, "disk", &choice);
    assert_string_equal(
        choice.items[0].why,
        "the medium has no disk/2k25/amd64; disk/2k22/amd64/disk.inf has no "
        "devices for 10.0 build 26100; disk/2k19/amd64 has no INF; "
        "disk/2k16/amd64 is the next one and its INF accepts build 26100");
}

static void
test_client_package_on_a_server(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };

    (void)state;
    put_package("disk/w11/amd64", "10.0...16299", 13);
    choose_one(&server_2025, "disk", &choice);
    assert_string_equal(choice.items[0].source, "disk/w11/amd64");
}

/* ARCH/OS needs an INF of the driver's name; DRIVER/OS/ARCH of the same
 * Windows comes before it. */
static void
test_copies_by_architecture(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice newer = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice other = { 0 };

    (void)state;
    put_package("amd64/w10", "10.0", 12);
    put("amd64/w10/other.inf", "[Version");
    choose_one(&windows_11, "DISK", &choice);
    assert_string_equal(choice.items[0].driver, "disk");
    assert_string_equal(choice.items[0].source, "amd64/w10");
    assert_string_equal(
        choice.items[0].why,
        "the medium has no DISK/w11/amd64; "
        "amd64/w10 is the next one and its INF accepts build 26100");

    put_package("disk/w10/amd64", "10.0", 12);
    choose_one(&windows_11, "DISK", &other);
    assert_string_equal(other.items[0].source, "disk/w10/amd64");

    put_package("amd64/w11", "10.0", 12);
    choose_one(&windows_11, "DISK", &newer);
    assert_string_equal(newer.items[0].source, "amd64/w11");
}

static void
test_driver_store_needs_1709(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice newer = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice service = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    put_package("disk/w10/amd64", "10.0", 13);
    assert_int_equal(choose(&windows_10_1607, "disk", &choice, &err), 0);
    assert_int_equal(choice.count, 0);
    assert_int_equal(choice.missing.count, 1);
    assert_string_equal(choice.missing.items[0], "disk");
    assert_string_equal(choice.missing_why.items[0],
                        "disk/w10/amd64/disk.inf runs from the driver store "
                        "(directory id 13), which needs build 16299; the "
                        "medium has no disk/2k16/amd64");
    assert_int_equal(choice.missing_rule[0], DRIVERS_LOST_STORE);
    choose_one(&windows_10, "disk", &newer);

    /* the file is copied to the drivers folder, the service is not there */
    assert_true(run("sed -i s/files=13/files=12/ m/disk/w10/amd64/disk.inf"));
    assert_int_equal(choose(&windows_10_1607, "disk", &service, &err), 0);
    assert_int_equal(service.count, 0);
}

static void
test_missing(void **state)
{
    static const struct drivers_guest nt4 = {
        .target = { INF_ARCH_X86, 4, 0, 1381, 1, 0 },
        .os_label = "Windows NT 4.0",
    };
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice none = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    put_package("disk/w10/amd64", "10.0", 12);
    assert_int_equal(choose(&windows_10, "net disk", &choice, &err), 0);
    assert_int_equal(choice.count, 1);
    assert_string_equal(choice.missing.items[0], "net");
    assert_string_equal(choice.missing_why.items[0],
                        "the medium has no net/w10/amd64, net/2k19/amd64, "
                        "net/2k16/amd64");
    assert_int_equal(choice.missing_rule[0], DRIVERS_LOST_ABSENT);
    assert_int_equal(choose(&nt4, "disk", &none, &err), 0);
    assert_string_equal(none.missing_why.items[0],
                        "no directory is known for Windows 4.0");
}

/* As pvpanic: two INFs in a directory; the third is for another Windows. */
static void
test_several_infs(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    put_package("disk/w10/amd64", "10.0", 12);
    assert_true(run("cd m/disk/w10/amd64 && cp disk.inf disk-pci.inf && "
                    "sed 's/NTamd64/NTarm64/' disk.inf >arm.inf"));
    assert_int_equal(choose(&windows_10, "disk", &choice, &err), 0);
    assert_int_equal(choice.count, 2);
    assert_string_equal(choice.items[0].inf_name, "disk-pci.inf");
    assert_string_equal(choice.items[1].inf_name, "disk.inf");
    assert_string_equal(choice.items[1].why,
                        "w10 is the directory for Windows 10");
    assert_int_equal(choice.items[1].file_count, 2);
}

/* Cut at the end of each line: never is the next directory taken. */
static void
test_cut_inf(void **state)
{
    V2V_AUTO(mem)
    char *text = v2v_format(NULL, inf_text, 12, "10.0", "10.0", 12);
    char *strings = strstr(text, "V=\"");

    (void)state;
    put_package("disk/w11/amd64", "10.0", 12);
    put_package("disk/w10/amd64", "10.0", 12);
    for (char *end = text; end <= strings; end = strchr(end, '\n') + 1) {
        char kept = *end;

        *end = '\0';
        put("disk/w11/amd64/disk.inf", text);
        *end = kept;
        assert_fails(&windows_11, "disk", "/m: disk/w11/amd64/disk.inf: ");
    }
}

static void
test_what_is_refused(void **state)
{
    (void)state;
    put_package("disk/w11/amd64", "10.0", 12);
    put_package("disk/w10/amd64", "10.0", 12);
    assert_true(run("rm m/disk/w11/amd64/DISK.SYS"));
    assert_fails(&windows_11, "disk",
                 "/m: disk/w11/amd64/disk.inf: the INF copies disk.sys, and "
                 "the medium has no disk/w11/amd64/disk.sys");

    put("disk/w11/amd64/disk.inf", "MZ\x90 not an INF");
    assert_fails(&windows_11, "disk", "/m: disk/w11/amd64/disk.inf: ");
    put("disk/w11/amd64/disk.inf", "[Version]\nSignature=$Windows NT$\n");
    assert_fails(&windows_11, "disk",
                 "/m: disk/w11/amd64/disk.inf: no [Manufacturer] section; is "
                 "the file whole?");
    assert_true(run("truncate -s 2M m/disk/w11/amd64/disk.inf"));
    assert_fails(&windows_11, "disk",
                 "/m: disk/w11/amd64/disk.inf: larger than 1024 KiB");
}

static void
test_files_for_other_windows_may_be_absent(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };

    (void)state;
    put_package("disk/w10/amd64", "10.0", 12);
    assert_true(run("cd m/disk/w10/amd64 && sed -i "
                    "'s/^%V%=.*/%V%=models,NTamd64.10.0,NTamd64.6.1/;"
                    "s/^\\[files\\]/[models.NTamd64.6.1]\\nd=old,PCI\\\\X\\n"
                    "[old]\\nCopyFiles=oldfiles\\n[oldfiles]\\nold.sys\\n"
                    "[files]/' disk.inf && grep -q old.sys disk.inf"));
    choose_one(&windows_10, "disk", &choice);
    assert_int_equal(choice.items[0].file_count, 2);
}

static void
assert_lost(const struct drivers_guest *guest, enum drivers_rule rule,
            const char *why)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    struct v2v_error err = { 0 };

    if (choose(guest, "disk", &choice, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(choice.count, 0);
    assert_int_equal(choice.missing_rule[0], rule);
    assert_int_equal(choice.candidates[0].rule, rule);
    if (strstr(choice.missing_why.items[0], why) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", why, choice.missing_why.items[0]);
}

static void
test_unsigned(void **state)
{
    static const struct drivers_guest windows_7_x86 = {
        .target = { INF_ARCH_X86, 6, 1, 7601, 1, 0x100 },
        .os_label = "Windows 7",
    };
    V2V_AUTO(drivers_choice) struct drivers_choice allowed = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice old = { 0 };

    (void)state;
    put_package("disk/w11/amd64", "10.0", 12);
    put_package("disk/w10/amd64", "10.0", 12);
    choose_one(&windows_11, "disk", &allowed);
    assert_null(allowed.items[0].catalog.signer.name);
    assert_int_equal(allowed.items[0].signer_score, 0x80000000);
    assert_true(allowed.items[0].catalog_index == SIZE_MAX);
    assert_false(allowed.items[0].judgement.loads);
    assert_non_null(strstr(warnings,
                           "driver-unsigned: Windows 11 24H2 would not load "
                           "it: disk/w11/amd64/disk.inf: the medium has no "
                           "catalog Disk.cat: "));
    assert_non_null(strstr(warnings, "; it is taken as you allowed"));

    /* never the next directory in its place */
    allow_untrusted = false;
    assert_lost(&windows_11, DRIVERS_LOST_UNTRUSTED,
                "Windows 11 24H2 would not load it: ");
    assert_non_null(strstr(warnings, "driver-unsigned: "));
    assert_non_null(strstr(warnings, "; it is not taken"));

    put_package("disk/w7/x86", "6.1", 12);
    assert_true(run("sed -i s/NTamd64/NTx86/ m/disk/w7/x86/disk.inf"));
    choose_one(&windows_7_x86, "disk", &old);
    assert_non_null(strstr(warnings,
                           "driver-unsigned: disk/w7/x86/disk.inf: the medium "
                           "has no catalog Disk.cat: 32-bit Windows"));
}

static void
test_test_signed(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    struct drivers_guest guest = windows_10;

    (void)state;
    allow_untrusted = false;
    put_package("disk/w10/amd64", "10.0", 12);
    make_catalog("disk/w10/amd64", "disk.cat");
    assert_lost(&guest, DRIVERS_LOST_UNTRUSTED,
                "disk/w10/amd64/disk.inf: accepted only with test signing: ");
    assert_non_null(strstr(warnings, "driver-untrusted: "));

    guest.test_signing = true;
    choose_one(&guest, "disk", &choice);
    assert_true(choice.items[0].judgement.loads);
    assert_true(choice.items[0].catalog.member_count > 0);

    guest.secure_boot = true; /* not known: means nothing */
    drivers_choice_done(&choice);
    choose_one(&guest, "disk", &choice);
    guest.secure_boot_known = true;
    assert_lost(&guest, DRIVERS_LOST_UNTRUSTED, "would not load it: ");
}

/* A byte of any file: never another directory, whatever the byte made of the
 * INF. */
static void
test_damaged(void **state)
{
    static const struct {
        const char *command, *why;
    } cases[] = {
        { "printf x >>DISK.SYS", "disk/w11/amd64: DISK.SYS " },
        { "sed -i s/Vendor/vendor/ disk.inf", "disk/w11/amd64: disk.inf " },
        { "sed -i s/NTamd64/NTarm64/ disk.inf", "disk/w11/amd64/disk.inf " },
        { "sed -i 's/\\r//' disk.inf",
          "had its line ends converted from CR LF to LF" },
        { "printf x | dd of=disk.cat bs=1 seek=100 conv=notrunc",
          "disk/w11/amd64: disk.cat: " },
        { "truncate -s 300 disk.cat", "disk/w11/amd64: disk.cat: " },
        { "rm DISK.SYS disk.cat && printf x >DISK.SYS",
          "the medium has no catalog Disk.cat" },
    };

    (void)state;
    allow_untrusted = false;
    put_package("disk/w10/amd64", "10.0", 12);
    put_package("disk/w11/amd64", "10.0", 12);
    make_catalog("disk/w10/amd64", "disk.cat");
    make_catalog("disk/w11/amd64", "disk.cat");
    assert_true(run("cp -r m/disk/w11 good"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct drivers_guest guest = windows_11;
        V2V_AUTO(mem)
        char *command = v2v_format(NULL,
                                   "rm -r m/disk/w11 && cp -r good m/disk/w11 "
                                   "&& cd m/disk/w11/amd64 && %s",
                                   cases[i].command);

        guest.test_signing = true;
        assert_true(run(command));
        assert_lost(&guest,
                    strstr(cases[i].why, "no catalog") != NULL
                        ? DRIVERS_LOST_UNTRUSTED
                        : DRIVERS_LOST_DAMAGED,
                    cases[i].why);
    }

    /* one that cannot be read is malformed, whatever was signed */
    assert_true(
        run("rm -r m/disk/w11 && cp -r good m/disk/w11 && "
            "sed -i 's/^.models.*/[models/' m/disk/w11/amd64/disk.inf"));
    assert_fails(&windows_11, "disk", "/m: disk/w11/amd64/disk.inf: line ");
}

/* Who allows damage gets what the damaged INF says. */
static void
test_damage_allowed(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice other = { 0 };

    (void)state;
    put_package("disk/w10/amd64", "10.0", 12);
    put_package("disk/w11/amd64", "10.0", 12);
    make_catalog("disk/w11/amd64", "disk.cat");
    assert_true(run("printf x >>m/disk/w11/amd64/DISK.SYS"));
    choose_one(&windows_11, "disk", &choice);
    assert_string_equal(choice.items[0].source, "disk/w11/amd64");
    assert_int_equal(choice.items[0].judgement.verdict,
                     CATALOG_VERDICT_DAMAGED);
    assert_string_equal(
        choice.items[0].files[choice.items[0].judgement.file].name, "DISK.SYS");
    assert_non_null(strstr(warnings, "driver-damaged: disk/w11/amd64: "
                                     "DISK.SYS "));
    assert_true(run("sed -i s/NTamd64/NTarm64/ m/disk/w11/amd64/disk.inf"));
    choose_one(&windows_11, "disk", &other);
    assert_string_equal(other.items[0].source, "disk/w10/amd64");
}

static void
test_catalog_for_newer_windows(void **state)
{
    static const struct drivers_guest windows_81 = {
        .target = { INF_ARCH_AMD64, 6, 3, 9600, 1, 0x100 },
        .os_label = "Windows 8.1",
        .test_signing = true,
    };
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice fits = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    allow_untrusted = false;
    /* no directory says anything: INF and catalog do */
    put_package("unpacked", "6.3", 12);
    make_catalog("unpacked", "disk.cat");
    assert_int_equal(choose(&windows_81, "disk", &choice, &err), 0);
    assert_int_equal(choice.count, 0);
    assert_int_equal(choice.missing_rule[0], DRIVERS_LOST_CATALOG_OS);

    allow_untrusted = true;
    assert_true(run("rm m/unpacked/disk.cat"));
    choose_one(&windows_81, "disk", &fits);
    assert_string_equal(fits.items[0].driver, "disk");
    assert_string_equal(fits.items[0].why,
                        "the medium has no disk/w8.1/amd64, "
                        "disk/2k12R2/amd64; unpacked says nothing of a Windows "
                        "and its INF accepts build 9600");
}

/* "PATH: rule", new */
static char *
candidates_text(const struct drivers_choice *choice)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    for (size_t i = 0; i < choice->candidate_count; i++) {
        const struct drivers_candidate *candidate = &choice->candidates[i];

        assert_true(candidate->why[0] != '\0');
        v2v_bytes_printf(&text, NULL, "%s: %s\n", candidate->path,
                         drivers_rule_word(candidate->rule));
    }
    return v2v_strndup((char *)text.data, text.len, NULL);
}

static void
test_every_candidate_has_its_rule(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(mem) char *text = NULL;

    (void)state;
    put_package("disk/w11/amd64", "10.0...16299", 13);
    put_package("disk/w10/amd64", "10.0", 12);
    put_package("disk/2k16/amd64", "10.0", 12);
    put_package("disk/w7/amd64", "6.1", 12);
    put_package("disk/w10/x86", "10.0", 12);
    put("disk/w8/amd64/disk.inf", "[Version");
    put("disk/w8/x86/disk.inf", "[Version");
    assert_true(run("mkdir -p m/amd64/w10 && "
                    "cp m/disk/w10/amd64/* m/amd64/w10"));
    choose_one(&windows_10_1607, "disk", &choice);
    text = candidates_text(&choice);
    assert_string_equal(text, "disk/w10/amd64/disk.inf: chosen\n"
                              "amd64/w10/disk.inf: same\n"
                              "disk/2k16/amd64/disk.inf: same\n"
                              "disk/w10/x86/disk.inf: architecture\n"
                              "disk/w11/amd64/disk.inf: models\n"
                              "disk/w7/amd64/disk.inf: directory\n"
                              "disk/w8/amd64/disk.inf: directory\n"
                              "disk/w8/x86/disk.inf: architecture\n");
}

static const struct media_layout {
    const char *folder;
    const char *driver; /* as asked for */
} layouts[] = {
    { "drivers/by-driver/Balloon/w10/amd64", "balloon" },
    { "drivers/by-os/amd64/w10", "balloon" },
    { "by-os/amd64/w10", "Balloon" },
    { "i386/Win10", "balloon" },
    { "amd64/Win10", "Balloon" },
    { "W10/AMD64", "Balloon" },
    { "cd/BALLOON/W10/AMD64", "Balloon" },
};

static void
test_layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
        V2V_AUTO(mem)
        char *rename = v2v_format(
            NULL, "mv m/%s/disk.inf m/%s/Balloon.inf%s", layouts[i].folder,
            layouts[i].folder,
            layouts[i].folder[0] == 'i'
                ? " && sed -i s/NTamd64/NTx86/ m/i386/Win10/Balloon.inf"
                : "");
        struct drivers_guest guest = windows_10;

        if (layouts[i].folder[0] == 'i')
            guest.target.arch = INF_ARCH_X86;
        assert_true(run("rm -rf m && mkdir m"));
        put_package(layouts[i].folder, "10.0", 12);
        assert_true(run(rename));
        choose_one(&guest, layouts[i].driver, &choice);
        assert_string_equal(choice.items[0].source, layouts[i].folder);
        assert_true(v2v_equal_nocase(choice.items[0].driver, "Balloon"));
        assert_string_equal(choice.items[0].why,
                            "w10 is the directory for Windows 10");
    }
}

static int
choose_of_two(const struct drivers_guest *guest, const char *name,
              struct drivers_choice *ret, struct v2v_error *err)
{
    char *names[] = { (char *)name };
    const struct v2v_strings list = { names, 1 };
    const struct drivers_options options = { allow_untrusted };
    V2V_AUTO(media) struct media *first = NULL;
    V2V_AUTO(media) struct media *second = NULL;
    V2V_AUTO(mem) char *m = v2v_format(err, "%s/m", top);
    V2V_AUTO(mem) char *m2 = v2v_format(err, "%s/m2", top);

    warnings[0] = '\0';
    assert_int_equal(media_open(m, &first, err), 0);
    assert_int_equal(media_open(m2, &second, err), 0);
    return drivers_choose((struct media *[]){ first, second }, 2, guest, &list,
                          &options, ret, err);
}

/* The first medium that has a package that fits and is accepted. */
static void
test_several_media(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice swapped = { 0 };
    struct drivers_guest guest = windows_10;
    struct v2v_error err = { 0 };

    (void)state;
    allow_untrusted = false;
    guest.test_signing = true;
    put_package("disk/w10/amd64", "10.0", 12);
    make_catalog("disk/w10/amd64", "disk.cat");
    assert_true(run("cp -r m/disk m2 && printf x >>m/disk/w10/amd64/DISK.SYS"));
    assert_int_equal(choose_of_two(&guest, "disk", &choice, &err), 0);
    assert_int_equal(choice.count, 1);
    assert_int_equal(choice.items[0].medium, 1);
    assert_non_null(
        strstr(choice.items[0].why, "/m: disk/w10/amd64: DISK.SYS "));
    assert_non_null(
        strstr(choice.items[0].why, "; w10 is the directory for Windows 10"));
    assert_int_equal(choice.candidate_count, 2);
    assert_int_equal(choice.candidates[0].rule, DRIVERS_LOST_DAMAGED);
    assert_int_equal(choice.candidates[1].rule, DRIVERS_CHOSEN);

    assert_true(run("mv m m3 && mv m2 m && mv m3 m2"));
    assert_int_equal(choose_of_two(&guest, "disk", &swapped, &err), 0);
    assert_int_equal(swapped.items[0].medium, 0);
    assert_string_equal(swapped.items[0].why,
                        "w10 is the directory for Windows 10");
    assert_int_equal(swapped.candidates[1].rule, DRIVERS_LOST_SAME);
    assert_non_null(
        strstr(swapped.candidates[1].why, "/m has it, too, and comes first"));
    assert_null(strstr(warnings, "driver-damaged"));
}

/* What is known of drivers by name. */
static void
test_known_names(void **state)
{
    static const struct drivers_guest server_2022 = {
        .target = { INF_ARCH_AMD64, 10, 0, 20348, 3, 0 },
        .os_label = "Windows Server 2022",
    };
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice alone = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice bad = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice good = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice asked = { 0 };
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(media) struct media *m = NULL;
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/m", top);
    struct v2v_error err = { 0 };

    (void)state;
    put_package("qemufwcfg/w10/amd64", "10.0", 12);
    put_package("fwcfg/w10/amd64", "10.0", 12);
    put_package("smbus/2k22/amd64", "10.0", 12);
    put_package("NetKVM/w10/amd64", "10.0", 12);
    assert_true(run("cp m/NetKVM/w10/amd64/disk.inf "
                    "m/NetKVM/w10/amd64/vioprot.inf"));
    assert_int_equal(
        choose(&windows_10, "qemufwcfg netkvm fwcfg", &choice, &err), 0);
    assert_int_equal(choice.count, 2);
    assert_string_equal(choice.items[0].inf_name, "disk.inf");
    assert_string_equal(choice.items[1].driver, "fwcfg");
    assert_string_equal(choice.missing.items[0], "qemufwcfg");
    assert_int_equal(choice.missing_rule[0], DRIVERS_LOST_SUPERSEDED);
    assert_int_equal(choice.candidates[0].rule, DRIVERS_LOST_SUPERSEDED);
    choose_one(&windows_10, "qemufwcfg", &alone);
    choose_one(&windows_10, "sriov", &asked);
    assert_string_equal(asked.items[0].inf_name, "vioprot.inf");

    assert_int_equal(choose(&server_2025, "smbus", &bad, &err), 0);
    assert_int_equal(bad.missing_rule[0], DRIVERS_LOST_KNOWN_BAD);
    assert_non_null(strstr(bad.missing_why.items[0], "restarts without end"));
    choose_one(&server_2022, "smbus", &good);

    assert_int_equal(media_open(path, &m, &err), 0);
    assert_int_equal(drivers_all_names(&m, 1, &names, &err), 0);
    assert_int_equal(names.count, 4);
    assert_string_equal(names.items[0], "fwcfg");
    assert_string_equal(names.items[1], "NetKVM");
    assert_string_equal(names.items[2], "qemufwcfg");
    assert_string_equal(names.items[3], "smbus");
}

/* As ISO 9660 without extensions cuts names; the INF knows them. */
static void
test_short_names(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    const struct driver_package *p;

    (void)state;
    put_package("QEMUPCIS/W10/AMD64", "10.0", 12);
    assert_true(run("cd m/QEMUPCIS/W10/AMD64 && "
                    "sed -i 's/Disk.cat/qemupci-serial.cat/; "
                    "s/^disk.sys/qemupciserial.sys/' disk.inf && "
                    "mv disk.inf QEMUPCI_.INF && mv DISK.SYS QEMUPC~1.SYS"));
    make_catalog("QEMUPCIS/W10/AMD64", "QEMUPCI_.CAT");
    choose_one(&windows_10, "qemupciserial", &choice);
    p = &choice.items[0];
    assert_string_equal(p->driver, "qemupciserial");
    assert_string_equal(p->source, "QEMUPCIS/W10/AMD64");
    assert_string_equal(p->inf_name, "qemupci-serial.inf");
    assert_string_equal(p->files[DRIVERS_INF_FILE].name, "qemupci-serial.inf");
    assert_string_equal(p->files[p->catalog_index].name, "qemupci-serial.cat");
    assert_string_equal(p->files[2].name, "qemupciserial.sys");
    assert_int_equal(p->judgement.verdict, CATALOG_VERDICT_TEST_SIGNING);

    assert_true(run("cp m/QEMUPCIS/W10/AMD64/QEMUPC~1.SYS "
                    "m/QEMUPCIS/W10/AMD64/QEMUPC~2.SYS"));
    assert_fails(&windows_10, "qemupciserial",
                 "the INF copies qemupciserial.sys, and the medium has no "
                 "QEMUPCIS/W10/AMD64/qemupciserial.sys, but several short "
                 "names that may be its");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_whole_package, empty_medium),
        cmocka_unit_test_setup(test_next_directory, empty_medium),
        cmocka_unit_test_setup(test_client_package_on_a_server, empty_medium),
        cmocka_unit_test_setup(test_copies_by_architecture, empty_medium),
        cmocka_unit_test_setup(test_driver_store_needs_1709, empty_medium),
        cmocka_unit_test_setup(test_missing, empty_medium),
        cmocka_unit_test_setup(test_several_infs, empty_medium),
        cmocka_unit_test_setup(test_cut_inf, empty_medium),
        cmocka_unit_test_setup(test_what_is_refused, empty_medium),
        cmocka_unit_test_setup(test_files_for_other_windows_may_be_absent,
                               empty_medium),
        cmocka_unit_test_setup(test_unsigned, empty_medium),
        cmocka_unit_test_setup(test_test_signed, empty_medium),
        cmocka_unit_test_setup(test_damaged, empty_medium),
        cmocka_unit_test_setup(test_damage_allowed, empty_medium),
        cmocka_unit_test_setup(test_catalog_for_newer_windows, empty_medium),
        cmocka_unit_test_setup(test_every_candidate_has_its_rule, empty_medium),
        cmocka_unit_test_setup(test_layouts, empty_medium),
        cmocka_unit_test_setup(test_several_media, empty_medium),
        cmocka_unit_test_setup(test_known_names, empty_medium),
        cmocka_unit_test_setup(test_short_names, empty_medium),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
