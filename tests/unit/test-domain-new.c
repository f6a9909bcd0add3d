/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domain/new.h: names, and paths that shells, virt-install and XML read.  What
 * virt-install and libvirt make of the rest: tests/libvirt/virt-install.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/new.h"

static const struct domain_options all = {
    .drivers = { .viostor = true, .netkvm = true, .balloon = true }
};

static void
test_name(void **state)
{
    static const char *const cases[][2] = {
        { "/im/vm.qcow2", "vm" },       { "vm", "vm" },
        { "a.b/c.d.vmdk", "c.d" },      { "/im/my vm (1).img", "my-vm--1-" },
        { "-rf.img", "_rf" },           { ".qcow2", "_qcow2" },
        { "/dev/vg/p\xc3\xa4", "p--" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *name = NULL;

        assert_int_equal(domain_new_name(cases[i][0], &name, NULL), 0);
        assert_string_equal(name, cases[i][1]);
        free(name);
    }
}

static void
guest_of(const char *path, struct domain_guest_disk *disk,
         struct domain_guest *ret)
{
    *disk = (struct domain_guest_disk){ .path = path, .format = "raw" };
    *ret = (struct domain_guest){ .name = "vm",
                                  .windows = { .major = 10, .build = 19045 },
                                  .amd64 = true,
                                  .disks = disk,
                                  .disk_count = 1 };
}

/* What a shell makes of the line's --disk, with Python's shlex behind it, as
 * virt-install does. */
static void
check_path(const char *path)
{
    static const char script[] =
        "for w in \"$@\"; do case $w in path=*) printf %s \"$w\"; esac; done |"
        " python3 -c 'import sys, shlex, os\n"
        "s = shlex.shlex(os.fsdecode(sys.stdin.buffer.read()), posix=True)\n"
        "s.commenters = \"\"; s.whitespace = \",\"; s.whitespace_split = True\n"
        "sys.stdout.buffer.write(os.fsencode(list(s)[0]))'";
    struct domain_guest_disk disk;
    struct domain_guest guest;
    struct v2v_bytes line = { 0 };
    char *command = NULL;
    char out[256] = "";
    FILE *shell;

    guest_of(path, &disk, &guest);
    assert_int_equal(domain_virt_install(&guest, &all, &line, NULL), 0);
    assert_null(memchr(line.data, '\n', line.len));
    assert_true(asprintf(&command,
                         "exec bash -c \"$(cat <<'END'\nset -- %.*s\n%s\nEND\n)"
                         "\"",
                         (int)line.len, (const char *)line.data, script) > 0);
    shell = popen(command, "r");
    assert_non_null(shell);
    out[fread(out, 1, sizeof out - 1, shell)] = '\0';
    assert_int_equal(pclose(shell), 0);
    assert_memory_equal(out, "path=", 5);
    assert_string_equal(out + 5, path);
    free(command);
    v2v_bytes_done(&line);
}

static void
test_paths(void **state)
{
    static const char *const paths[] = {
        "/im/vm.img",           "/im/my vm.img",      "/im/a,b,,c.img",
        "/im/$(id)`id`.img",    "/im/a\\b\\\\,c.img", "/im/a=b;c|d*?[e]~!#.img",
        "/im/-x --y.img",       "/im/p\xc3\xa4.img",  "/im/a\nb\tc\0012.img",
        "/im/\xff\x9b,1\\.img", "/im/{a,b}.img",
    };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        check_path(paths[i]);
}

/* virt-install cannot write these into its XML; ours has them. */
static void
test_paths_without_line(void **state)
{
    static const struct {
        const char *path, *xml;
    } cases[] = {
        { "/a&b", "'/a&amp;b'" },  { "/a<b", "'/a&lt;b'" },
        { "/a>b", "'/a&gt;b'" },   { "/a\"b", "'/a&quot;b'" },
        { "/a'b", "'/a&apos;b'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct domain_guest_disk disk;
        struct domain_guest guest;
        struct v2v_bytes out = { 0 };

        guest_of(cases[i].path, &disk, &guest);
        assert_int_equal(domain_virt_install(&guest, &all, &out, NULL), 0);
        assert_int_equal(out.len, 0);
        assert_int_equal(domain_new(&guest, &all, &out, NULL), 0);
        assert_non_null(
            memmem(out.data, out.len, cases[i].xml, strlen(cases[i].xml)));
        v2v_bytes_done(&out);
    }
}

static void
test_no_xml(void **state)
{
    struct domain_guest_disk disk;
    struct domain_guest guest;
    struct v2v_bytes out = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    guest_of("/im/\xff", &disk, &guest);
    assert_int_equal(domain_new(&guest, &all, &out, &err), -1);
    assert_int_equal(err.code, V2V_ERR_USAGE);
    assert_null(out.data);
}

/* libvirt knows none: neither line nor XML. */
static void
test_no_format(void **state)
{
    struct domain_guest_disk disk;
    struct domain_guest guest;
    struct v2v_bytes out = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    guest_of("/im/a.vhdx", &disk, &guest);
    disk.format = "vhdx";
    assert_int_equal(domain_virt_install(&guest, &all, &out, NULL), 0);
    assert_int_equal(out.len, 0);
    assert_int_equal(domain_new(&guest, &all, &out, &err), -1);
    assert_int_equal(err.code, V2V_ERR_USAGE);
    assert_non_null(strstr(err.text, "--output"));
}

/* A new XML is one that the rewrite has nothing to do with, and that names its
 * Windows; the names of the disks go on behind z. */
static void
test_rewrite(void **state)
{
    struct domain_guest_disk disks[28];
    struct domain_guest guest;
    struct v2v_bytes xml = { 0 };
    struct v2v_error err = { 0 };
    struct domain *domain = NULL;
    struct domain_rewrite rewrite = { 0 };
    struct domain_machine machine;

    (void)state;
    guest_of("/im/1", disks, &guest);
    for (size_t i = 1; i < 28; i++)
        disks[i] = (struct domain_guest_disk){ "/dev/sdx", "raw", true };
    guest.disk_count = 28;
    guest.efi = true;
    assert_int_equal(domain_new(&guest, &all, &xml, &err), 0);
    assert_int_equal(domain_parse(xml.data, xml.len, &domain, &err), 0);
    assert_int_equal(domain_disk_count(domain), 28);
    assert_string_equal(domain_disk_name(domain, 0), "vda");
    assert_string_equal(domain_disk_source(domain, 0), "/im/1");
    assert_string_equal(domain_disk_name(domain, 25), "vdz");
    assert_string_equal(domain_disk_name(domain, 27), "vdab");
    assert_non_null(memmem(xml.data, xml.len, "microsoft.com/win/10'", 21));
    assert_int_equal(domain_machine(domain, NULL, &machine, &err), 0);
    assert_int_equal(machine.firmware, DOMAIN_FIRMWARE_EFI);
    assert_int_equal(machine.secure_boot, DOMAIN_SECURE_BOOT_OFF);
    assert_string_equal(machine.boot_disk, "vda");
    assert_int_equal(domain_rewrite(domain, &all, &rewrite, &err), 0);
    assert_int_equal(rewrite.change_count, 0);
    domain_rewrite_done(&rewrite);
    domain_free(domain);
    v2v_bytes_done(&xml);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_paths_without_line),
        cmocka_unit_test(test_no_xml),
        cmocka_unit_test(test_no_format),
        cmocka_unit_test(test_rewrite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
