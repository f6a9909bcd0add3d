/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Media are made here, with INFs that exercise one rule each; one has as many
 * files as a RHEL ISO, whose list is in $V2V_SHARED. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/text.h"
#include "drivers/drivers.h"
#include "test-tools.h"

/* Two Manufacturer lines, two decorations, ids that repeat in another case. */
static const char inf_text[] = "[Version]\n"
                               "Signature=\"$Windows NT$\"\n"
                               "Class=SCSIAdapter\n"
                               "ClassGUID={4D36E97B-E325-11CE-BFC1-"
                               "08002BE10318}\n"
                               "Provider=%V%\n"
                               "DriverVer=01/02/2024,100.1.2.3\n"
                               "CatalogFile=disk.cat\n"
                               "[SourceDisksNames]\n"
                               "1=disk\n"
                               "[SourceDisksFiles]\n"
                               "disk.sys=1\n"
                               "[DestinationDirs]\n"
                               "files=12\n"
                               "[Manufacturer]\n"
                               "%V%=models,NTamd64.6.3,NTx86.10.0\n"
                               "other,NTamd64.10.0...16299\n"
                               "[models.NTamd64.6.3]\n"
                               "disk=inst,PCI\\VEN_1AF4&DEV_1001,PCI\\C\n"
                               "disk=inst,pci\\ven_1af4&dev_1001\n"
                               "[models.NTx86.10.0]\n"
                               "disk=inst,PCI\\VEN_1AF4&DEV_1042\n"
                               "[other.NTamd64.10.0...16299]\n"
                               "disk=inst,PCI\\X\n"
                               "[inst]\n"
                               "CopyFiles=files\n"
                               "[files]\n"
                               "disk.sys\n"
                               "[inst.Services]\n"
                               "AddService=disk,2,service\n"
                               "[service]\n"
                               "ServiceType=1\n"
                               "StartType=0\n"
                               "ErrorControl=1\n"
                               "ServiceBinary=%12%\\disk.sys\n"
                               "[Strings]\n"
                               "V=\"Vendor\"\n";

static void
put_package(const char *folder)
{
    V2V_AUTO(mem)
    char *make = v2v_format(NULL, "mkdir -p m/%s && printf x >m/%s/disk.sys",
                            folder, folder);
    V2V_AUTO(mem) char *inf = v2v_format(NULL, "%s/m/%s/disk.inf", top, folder);

    assert_true(run(make));
    assert_int_equal(v2v_file_replace(inf, inf_text, strlen(inf_text), NULL),
                     0);
}

static void
make_catalog(const char *folder)
{
    V2V_AUTO(mem)
    char *command = v2v_format(NULL,
                               "cd m/%s && %s/fixtures/mkcat -k %s/keys "
                               "-o disk.cat disk.inf disk.sys",
                               folder, SOURCE_DIR, top);

    assert_true(run(command));
}

static void
read_catalogue(const char *name, struct drivers_catalogue *ret)
{
    V2V_AUTO(media) struct media *m = NULL;
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/%s", top, name);
    struct v2v_error err = { 0 };

    if (media_open(path, &m, &err) < 0 ||
        drivers_catalogue_read(&m, 1, ret, &err) < 0)
        fail_msg("%s", err.text);
}

static void
assert_list(const struct v2v_strings *list, const char *text)
{
    V2V_AUTO(bytes) struct v2v_bytes joined = { 0 };

    for (size_t i = 0; i < list->count; i++)
        v2v_bytes_printf(&joined, NULL, "%s\n", list->items[i]);
    v2v_bytes_add(&joined, "", 1, NULL);
    assert_string_equal((char *)joined.data, text);
}

static int
empty_medium(void **state)
{
    (void)state;
    assert_true(run("rm -rf m && mkdir m"));
    return 0;
}

/* One INF in three directories; the catalogs are for Windows 10. */
static void
test_entry_and_places(void **state)
{
    V2V_AUTO(drivers_catalogue) struct drivers_catalogue c = { 0 };
    const struct drivers_entry *entry;
    const struct drivers_place *place;

    (void)state;
    put_package("disk/w10/amd64");
    make_catalog("disk/w10/amd64");
    assert_true(run("mkdir -p m/disk/w8.1 m/amd64/w10 && "
                    "cp -r m/disk/w10/amd64 m/disk/w8.1 && "
                    "cp m/disk/w10/amd64/disk.[is]* m/amd64/w10 && "
                    "printf y >m/amd64/w10/disk.sys"));
    read_catalogue("m", &c);
    assert_int_equal(c.count, 1);
    entry = &c.items[0];
    assert_string_equal(entry->driver, "disk");
    assert_string_equal(entry->inf_name, "disk.inf");
    assert_null(entry->error);
    assert_string_equal(entry->class_name, "SCSIAdapter");
    assert_string_equal(entry->provider, "Vendor");
    assert_int_equal(entry->driver_ver.version[3], 3);
    assert_true(entry->boot);
    assert_list(&entry->decorations,
                "NTamd64.6.3\nNTx86.10.0\nNTamd64.10.0...16299\n");
    assert_list(&entry->hardware_ids,
                "PCI\\VEN_1AF4&DEV_1001\nPCI\\C\nPCI\\VEN_1AF4&DEV_1042\n"
                "PCI\\X\n");
    assert_int_equal(entry->place_count, 3);

    place = &entry->places[0];
    assert_string_equal(place->path, "amd64/w10/disk.inf");
    assert_string_equal(place->os, "w10");
    assert_int_equal(place->verdict, CATALOG_VERDICT_UNSIGNED);
    assert_null(place->signer.name);
    assert_list(&place->warnings, "");

    place = &entry->places[1];
    assert_string_equal(place->os_label, "Windows 10");
    assert_int_equal(place->arch, INF_ARCH_AMD64);
    assert_int_equal(place->verdict, CATALOG_VERDICT_TEST_SIGNING);
    assert_non_null(place->signer.name);
    assert_list(&place->catalog_os_attr, "2:10.0\n");
    assert_list(
        &place->warnings,
        "its Models serve Windows 6.3, and its catalog is for 2:10.0\n");

    place = &entry->places[2];
    assert_string_equal(place->path, "disk/w8.1/amd64/disk.inf");
    assert_list(
        &place->warnings,
        "its directory is for Windows 8.1 (6.3), and its catalog for "
        "2:10.0\n"
        "its Models serve Windows 6.3, and its catalog is for 2:10.0\n");
    assert_string_equal(place->content_id, entry->places[1].content_id);
    assert_string_not_equal(place->content_id, entry->places[0].content_id);
}

static void
test_what_is_wrong_is_said(void **state)
{
    V2V_AUTO(drivers_catalogue) struct drivers_catalogue c = { 0 };

    (void)state;
    put_package("a/w10/amd64");
    make_catalog("a/w10/amd64");
    assert_true(run("mkdir -p m/b/w7 m/c/w10/amd64 && "
                    "cp -r m/a/w10/amd64 m/b/w7 && rm m/b/w7/amd64/disk.sys && "
                    "printf y >m/a/w10/amd64/disk.sys && "
                    "printf '[Version' >m/c/w10/amd64/bad.inf"));
    read_catalogue("m", &c);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.items[0].place_count, 2);
    assert_int_equal(c.items[0].places[0].verdict, CATALOG_VERDICT_DAMAGED);
    assert_non_null(
        strstr(c.items[0].places[0].verdict_why, "a/w10/amd64: disk.sys "));
    assert_list(&c.items[0].places[1].absent, "disk.sys\n");
    assert_null(c.items[0].places[1].content_id);
    assert_non_null(strstr(c.items[0].places[1].warnings.items[0],
                           "its directory is for Windows 7 amd64, and the INF "
                           "has no devices for that (6.1 build 7600)"));
    assert_string_equal(c.items[1].driver, "c");
    assert_non_null(c.items[1].error);
    assert_string_equal(c.items[1].places[0].path, "c/w10/amd64/bad.inf");
    assert_int_equal(c.items[1].hardware_ids.count, 0);
}

/* [Manufacturer] may name one section as often as it likes. */
static void
test_hostile_manufacturer(void **state)
{
    V2V_AUTO(drivers_catalogue) struct drivers_catalogue c = { 0 };

    (void)state;
    assert_true(
        run("python3 - >m/evil.inf <<'EOF'\n"
            "print('[Version]\\nSignature=$CHICAGO$\\n[Manufacturer]')\n"
            "for i in range(20000): print('m')\n"
            "print('[m]')\n"
            "for i in range(20000): print('d=i,PCI\\\\\\\\%d' % (i % 9))\n"
            "EOF\n"));
    read_catalogue("m", &c);
    assert_int_equal(c.count, 1);
    assert_non_null(c.items[0].error);
}

/* An ISO with the file names of a RHEL one, each package with an INF and a
 * catalog of its own: in 2 s and 100 MB.  The sanitizers are allowed more. */
static const char make_large[] =
    "python3 - <<'EOF'\n"
    "import os\n"
    "text = open('m/x/w10/amd64/disk.inf').read()\n"
    "cat = open('m/x/w10/amd64/disk.cat', 'rb').read()\n"
    "for n, line in enumerate(open('list')):\n"
    "    path = 'large/' + line.strip()\n"
    "    os.makedirs(os.path.dirname(path), exist_ok=True)\n"
    "    stem = os.path.splitext(os.path.basename(path))[0]\n"
    "    data = os.urandom(30000)\n"
    "    if path.endswith('.inf'):\n"
    "        data = text.replace('disk.cat', stem + '.cat').replace(\n"
    "            'disk.sys', stem + '.sys').encode() + b'; %d ' % n * 900\n"
    "    elif path.endswith('.cat'):\n"
    "        data = cat\n"
    "    open(path, 'wb').write(data)\n"
    "EOF\n";

static void
count_in_child(void)
{
    V2V_AUTO(drivers_catalogue) struct drivers_catalogue c = { 0 };
    size_t places = 0;

    read_catalogue("large.iso", &c);
    for (size_t i = 0; i < c.count; i++)
        places += c.items[i].place_count;
    printf("%zu INFs in %zu places\n", c.count, places);
    drivers_catalogue_done(&c);
    _exit(places == 220 ? 0 : 1);
}

static void
test_large_iso(void **state)
{
    V2V_AUTO(mem)
    char *list = shared_path("data/virtio-win/iso-file-list.txt");
    V2V_AUTO(mem) char *copy = NULL;
    struct timespec start, end;
    struct rusage usage;
    double seconds;
    int status;
    pid_t pid;

    (void)state;
    if (list == NULL)
        skip();
    copy = v2v_format(NULL, "sed 's,^cd/,,' '%s' >list", list);
    put_package("x/w10/amd64");
    make_catalog("x/w10/amd64");
    assert_true(run(copy));
    assert_true(run(make_large));
    assert_true(run("genisoimage -quiet -r -o large.iso large"));
    clock_gettime(CLOCK_MONOTONIC, &start);
    pid = fork();
    if (pid == 0)
        count_in_child();
    assert_int_equal(wait4(pid, &status, 0, &usage), pid);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_int_equal(status, 0);
    seconds = (double)(end.tv_sec - start.tv_sec) +
              (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    print_message("%.2f s, %ld MB\n", seconds, usage.ru_maxrss >> 10);
#if !defined(__SANITIZE_ADDRESS__)
    assert_true(usage.ru_maxrss >> 10 < 100);
    assert_true((double)usage.ru_utime.tv_sec +
                    (double)usage.ru_utime.tv_usec / 1e6 <
                2);
#endif
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_entry_and_places, empty_medium),
        cmocka_unit_test_setup(test_what_is_wrong_is_said, empty_medium),
        cmocka_unit_test_setup(test_hostile_manufacturer, empty_medium),
        cmocka_unit_test_setup(test_large_iso, empty_medium),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
