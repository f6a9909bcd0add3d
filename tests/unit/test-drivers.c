/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Media are folders made here, with INFs that exercise one rule each.  The
 * catalogs are those of tests/fuzz/make-corpus-catalog.sh. */
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

static char top[] = "/tmp/v2v-drivers-XXXXXX";
static char warnings[4096]; /* "code: text\n" each */

static void
keep_warning(void *opaque, enum v2v_log_level level, const char *module,
             const char *code, const char *text)
{
    size_t len = strlen(warnings);

    (void)opaque;
    (void)module;
    if (level == V2V_LOG_WARNING)
        snprintf(warnings + len, sizeof warnings - len, "%s: %s\n", code, text);
}

static bool
run(const char *command)
{
    struct v2v_error err = { 0 };
    V2V_AUTO(mem)
    char *line = v2v_format(&err, "cd %s && { %s; } 2>/dev/null", top, command);

    assert_non_null(line);
    return system(line) == 0;
}

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

static void
put_catalog(const char *name, const char *path)
{
    V2V_AUTO(mem)
    char *command =
        v2v_format(NULL, "cp '%s/tests/fuzz/corpus-catalog/%s' 'm/%s'",
                   SOURCE_DIR, name, path);

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
    { INF_ARCH_AMD64, 10, 0, 19045, 1, 0x100 }, "Windows 10 22H2"
};
static const struct drivers_guest windows_10_1607 = {
    { INF_ARCH_AMD64, 10, 0, 14393, 1, 0x100 }, "Windows 10 1607"
};
static const struct drivers_guest windows_11 = {
    { INF_ARCH_AMD64, 10, 0, 26100, 1, 0x100 }, "Windows 11 24H2"
};
static const struct drivers_guest server_2025 = {
    { INF_ARCH_AMD64, 10, 0, 26100, 3, 0 }, "Windows Server 2025"
};

/* @names: separated by blanks */
static int
choose(const struct drivers_guest *guest, const char *names,
       struct drivers_choice *ret, struct v2v_error *err)
{
    V2V_AUTO(media) struct media *m = NULL;
    V2V_AUTO(strings) struct v2v_strings list = { 0 };
    V2V_AUTO(mem) char *copy = v2v_strdup(names, err);
    V2V_AUTO(mem) char *path = v2v_format(err, "%s/m", top);
    char *save = NULL;

    warnings[0] = '\0';
    for (char *name = strtok_r(copy, " ", &save); name != NULL;
         name = strtok_r(NULL, " ", &save))
        assert_int_equal(v2v_strings_add(&list, name, err), 0);
    assert_int_equal(media_open(path, &m, err), 0);
    return drivers_choose(m, guest, &list, ret, err);
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
make_top(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(top));
    v2v_log_set(keep_warning, NULL);
    return 0;
}

static int
remove_top(void **state)
{
    (void)state;
    assert_true(run("rm -rf \"$PWD\""));
    return 0;
}

static int
empty_medium(void **state)
{
    (void)state;
    assert_true(run("rm -rf m && mkdir m"));
    return 0;
}

static void
test_whole_package(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    const struct driver_package *p;

    (void)state;
    put_package("VioDisk/w10/AMD64", "10.0", 12);
    put_catalog("attestation.cat", "VioDisk/w10/AMD64/disk.CAT");
    put("VioDisk/w10/AMD64/disk.pdb", "of no use in a guest");
    choose_one(&windows_10, "viodisk VIODISK", &choice);
    p = &choice.items[0];
    assert_string_equal(p->driver, "VioDisk");
    assert_string_equal(p->source, "VioDisk/w10/AMD64");
    assert_string_equal(p->why, "w10 is the directory for Windows 10");
    assert_string_equal(p->inf_name, "disk.inf");
    assert_string_equal(p->catalog_name, "Disk.cat");
    assert_string_equal(p->signer_name, "Test Publisher");
    assert_int_equal(p->signer_score, 0x0d000005);
    assert_int_equal(p->models.count, 2);
    assert_int_equal(p->version.driver_ver.year, 2024);
    assert_int_equal(p->file_count, 3);
    assert_string_equal(p->files[p->inf_index].name, "disk.inf");
    assert_string_equal(p->files[p->catalog_index].name, "disk.CAT");
    assert_string_equal(p->files[2].name, "DISK.SYS");
    assert_int_equal(p->files[2].data.len, strlen("VioDisk/w10/AMD64"));
    assert_memory_equal(p->files[2].data.data, "VioDisk/w10/AMD64", 17);
    assert_string_equal(warnings, "");
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

/* ARCH/OS comes last, and only with an INF of the driver's name. */
static void
test_copies_by_architecture(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice other = { 0 };

    (void)state;
    put_package("amd64/w11", "10.0", 12);
    put("amd64/w11/other.inf", "[Version");
    choose_one(&windows_11, "DISK", &choice);
    assert_string_equal(choice.items[0].driver, "disk");
    assert_string_equal(choice.items[0].source, "amd64/w11");
    assert_string_equal(
        choice.items[0].why,
        "the medium has no DISK/w11/amd64, DISK/w10/amd64; "
        "amd64/w11 is the next one and its INF accepts build 26100");

    put_package("disk/w10/amd64", "10.0", 12);
    choose_one(&windows_11, "DISK", &other);
    assert_string_equal(other.items[0].source, "disk/w10/amd64");
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
                        "(directory id 13), which needs build 16299");
    choose_one(&windows_10, "disk", &newer);

    /* the file is copied to the drivers folder, the service is not there */
    assert_true(run("sed -i s/files=13/files=12/ m/disk/w10/amd64/disk.inf"));
    assert_int_equal(choose(&windows_10_1607, "disk", &service, &err), 0);
    assert_int_equal(service.count, 0);
}

static void
test_missing(void **state)
{
    static const struct drivers_guest xp = { { INF_ARCH_X86, 5, 1, 2600, 1, 0 },
                                             "Windows XP" };
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice none = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    put_package("disk/w10/amd64", "10.0", 12);
    assert_int_equal(choose(&windows_10, "net disk", &choice, &err), 0);
    assert_int_equal(choice.count, 1);
    assert_string_equal(choice.missing.items[0], "net");
    assert_string_equal(choice.missing_why.items[0],
                        "the medium has no net/w10/amd64");
    assert_int_equal(choose(&xp, "disk", &none, &err), 0);
    assert_string_equal(none.missing_why.items[0],
                        "no directory is known for Windows 5.1");
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

    assert_true(run("cp m/disk/w10/amd64/* m/disk/w11/amd64"));
    put("disk/w11/amd64/disk.cat", "not a catalog");
    assert_fails(&windows_11, "disk",
                 "/m: disk/w11/amd64/disk.cat: not a catalog");
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
test_signatures(void **state)
{
    static const struct drivers_guest windows_7 = {
        { INF_ARCH_AMD64, 6, 1, 7601, 1, 0x100 }, "Windows 7"
    };
    V2V_AUTO(drivers_choice) struct drivers_choice unsigned_ = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice other = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice old = { 0 };

    (void)state;
    put_package("disk/w10/amd64", "10.0", 12);
    choose_one(&windows_10, "disk", &unsigned_);
    assert_null(unsigned_.items[0].signer_name);
    assert_int_equal(unsigned_.items[0].signer_score, 0x80000000);
    assert_true(unsigned_.items[0].catalog_index == SIZE_MAX);
    assert_non_null(strstr(warnings,
                           "driver-unsigned: disk/w10/amd64/disk.inf: the "
                           "medium has no catalog Disk.cat, "));

    put_catalog("cross-signed.cat", "disk/w10/amd64/disk.cat");
    choose_one(&windows_10, "disk", &other);
    assert_string_equal(other.items[0].signer_name, "Vendor, Inc.");
    assert_int_equal(other.items[0].signer_score, 0x0f000000);
    assert_non_null(strstr(warnings,
                           "driver-untrusted: disk/w10/amd64/disk.inf: signed "
                           "by Vendor, Inc., not by Microsoft: "));
    assert_non_null(strstr(warnings, "Windows 10 22H2 refuses the driver with "
                                     "0xc0000428"));

    put_package("disk/w7/amd64", "6.1", 12);
    put_catalog("cross-signed.cat", "disk/w7/amd64/disk.cat");
    choose_one(&windows_7, "disk", &old);
    assert_string_equal(warnings, "");
}

/* The real packages of 0.1.217 to 0.1.240, and stand-ins in the style of
 * 0.1.285 without catalogs.  A line a package: source, version, and the
 * signer: M(icrosoft), O(ther) or U(nsigned). */
/* clang-format off */
#define SELF_SIGNED(dir) \
    "viostor/" dir "/amd64 63.93.104.24000 O\n" \
    "NetKVM/" dir "/amd64 63.93.104.24000 O\n" \
    "Balloon/" dir "/amd64 63.93.104.24000 O\n" \
    "vioscsi/" dir "/amd64 63.93.104.24000 O\n" \
    "vioserial/" dir "/amd64 63.93.104.24000 O\n"
#define ATTESTED(dir) \
    "viostor/" dir "/amd64 100.93.104.24000 M\n" \
    "NetKVM/" dir "/amd64 100.93.104.24000 M\n" \
    "vioscsi/" dir "/amd64 100.90.104.21700 M\n" \
    "vioserial/" dir "/amd64 100.90.104.21700 M\n" \
    "balloon missing\n"
#define STAND_IN(dir) \
    "viostor/" dir "/amd64 100.101.104.28500 U\n" \
    "NetKVM/" dir "/amd64 100.101.104.28500 U\n" \
    "Balloon/" dir "/amd64 100.101.104.28500 U\n" \
    "vioscsi/" dir "/amd64 100.101.104.28500 U\n" \
    "vioserial/" dir "/amd64 100.101.104.28500 U\n"
#define NOTHING \
    "viostor missing\n" \
    "NETKVM missing\n" \
    "balloon missing\n" \
    "vioscsi missing\n" \
    "vioserial missing\n"

static const char real_iso[] = "virtio-win-subset.iso";
static const char new_iso[] = "virtio-win-0.1.285-style.iso";

static const struct {
    const char *iso, *windows;
    struct inf_target target;
    const char *chosen;
} golden[] = {
    { real_iso, "8.1", { INF_ARCH_AMD64, 6, 3, 9600, 1, 0 }, SELF_SIGNED("w8.1") },
    { real_iso, "2012 R2", { INF_ARCH_AMD64, 6, 3, 9600, 3, 0 }, SELF_SIGNED("2k12R2") },
    { real_iso, "10 1709", { INF_ARCH_AMD64, 10, 0, 16299, 1, 0 }, ATTESTED("w10") },
    { real_iso, "10 22H2", { INF_ARCH_AMD64, 10, 0, 19045, 1, 0 }, ATTESTED("w10") },
    { real_iso, "11 23H2", { INF_ARCH_AMD64, 10, 0, 22631, 1, 0 }, ATTESTED("w11") },
    { real_iso, "11 24H2", { INF_ARCH_AMD64, 10, 0, 26100, 1, 0 }, ATTESTED("w11") },
    { real_iso, "2016", { INF_ARCH_AMD64, 10, 0, 14393, 3, 0 }, ATTESTED("2k16") },
    { real_iso, "2019", { INF_ARCH_AMD64, 10, 0, 17763, 3, 0 }, ATTESTED("2k19") },
    { real_iso, "2022", { INF_ARCH_AMD64, 10, 0, 20348, 3, 0 }, ATTESTED("2k22") },
    { real_iso, "2025", { INF_ARCH_AMD64, 10, 0, 26100, 3, 0 }, ATTESTED("2k22") },
    { new_iso, "8.1", { INF_ARCH_AMD64, 6, 3, 9600, 1, 0 }, NOTHING },
    { new_iso, "2012 R2", { INF_ARCH_AMD64, 6, 3, 9600, 3, 0 }, NOTHING },
    { new_iso, "10 1709", { INF_ARCH_AMD64, 10, 0, 16299, 1, 0 }, STAND_IN("w10") },
    { new_iso, "10 22H2", { INF_ARCH_AMD64, 10, 0, 19045, 1, 0 }, STAND_IN("w10") },
    { new_iso, "11 23H2", { INF_ARCH_AMD64, 10, 0, 22631, 1, 0 }, STAND_IN("w11") },
    { new_iso, "11 24H2", { INF_ARCH_AMD64, 10, 0, 26100, 1, 0 }, STAND_IN("w11") },
    { new_iso, "2016", { INF_ARCH_AMD64, 10, 0, 14393, 3, 0 }, STAND_IN("2k16") },
    { new_iso, "2019", { INF_ARCH_AMD64, 10, 0, 17763, 3, 0 }, STAND_IN("2k19") },
    { new_iso, "2022", { INF_ARCH_AMD64, 10, 0, 20348, 3, 0 }, STAND_IN("2k22") },
    { new_iso, "2025", { INF_ARCH_AMD64, 10, 0, 26100, 3, 0 }, STAND_IN("2k25") },
};
/* clang-format on */

static char *
describe(const struct drivers_choice *choice)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    for (size_t i = 0; i < choice->count; i++) {
        const struct driver_package *p = &choice->items[i];
        const uint16_t *v = p->version.driver_ver.version;

        assert_true(p->file_count >= 2);
        assert_true(p->files[p->inf_index].data.len > 0);
        v2v_bytes_printf(&text, NULL, "%s %u.%u.%u.%u %c\n", p->source, v[0],
                         v[1], v[2], v[3],
                         p->signer_score == DRIVERS_SCORE_MICROSOFT  ? 'M'
                         : p->signer_score == DRIVERS_SCORE_UNSIGNED ? 'U'
                                                                     : 'O');
    }
    for (size_t i = 0; i < choice->missing.count; i++)
        v2v_bytes_printf(&text, NULL, "%s missing\n", choice->missing.items[i]);
    return v2v_strndup(text.len > 0 ? (char *)text.data : "", text.len, NULL);
}

static char *
real_path(const char *iso)
{
    const char *shared = getenv("V2V_SHARED");

    return v2v_format(NULL, "%s/data/virtio-win/%s",
                      shared != NULL ? shared : SOURCE_DIR "/../shared", iso);
}

static bool
has_real_media(void)
{
    V2V_AUTO(mem) char *path = real_path(real_iso);

    if (access(path, R_OK) == 0)
        return true;
    print_message("no %s; set V2V_SHARED\n", path);
    return false;
}

static void
test_real_media(void **state)
{
    char *names[] = { "viostor", "NETKVM", "balloon", "vioscsi", "vioserial" };
    const struct v2v_strings list = { names, 5 };

    (void)state;
    if (!has_real_media())
        skip();
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
        V2V_AUTO(media) struct media *m = NULL;
        V2V_AUTO(mem) char *path = real_path(golden[i].iso);
        V2V_AUTO(mem) char *chosen = NULL;
        const struct drivers_guest guest = { golden[i].target,
                                             golden[i].windows };
        struct v2v_error err = { 0 };

        if (media_open(path, &m, &err) < 0 ||
            drivers_choose(m, &guest, &list, &choice, &err) < 0)
            fail_msg("%s", err.text);
        chosen = describe(&choice);
        if (strcmp(chosen, golden[i].chosen) != 0)
            fail_msg("%s, %s: %s", golden[i].iso, golden[i].windows, chosen);
    }
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
        cmocka_unit_test_setup(test_signatures, empty_medium),
        cmocka_unit_test(test_real_media),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
