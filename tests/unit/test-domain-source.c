/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domain_source(): where a hard disk has its content, and what is in the way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/source.h"

#include "test-tools.h"

#define HDA "<target dev='hda' bus='ide'/>"

/* The first hard disk of <devices>; an @obstacle is a part of what is said. */
static const struct {
    const char *devices;
    const char *format, *path, *pool, *volume, *obstacle;
    bool boots;
} cases[] = {
    { ("<disk type='file'><driver name='qemu' type='qcow2'/>"
       "<source file='/a&amp;b.qcow2'/>" HDA "</disk>"),
      "qcow2", "/a&b.qcow2", NULL, NULL, NULL, true },
    /* schema's and libvirt's defaults: file, disk, raw */
    { "<disk><source file='/a'/>" HDA "</disk>", "raw", "/a", NULL, NULL, NULL,
      true },
    { ("<disk type='block' device='lun'><driver name='qemu'/>"
       "<source dev='/dev/sdb'/>" HDA "</disk>"),
      "raw", "/dev/sdb", NULL, NULL, NULL, true },
    { ("<disk type='volume'><driver type='vmdk'/>"
       "<source pool='p' volume='v'/>" HDA "</disk>"),
      "vmdk", NULL, "p", "v", NULL, true },
    /* a CD-ROM is no hard disk, and what boots first is another */
    { ("<disk device='cdrom'><source file='/x.iso'/>"
       "<target dev='hdc' bus='ide'/></disk>"
       "<disk><source file='/b'/><target dev='hdb' bus='ide'/></disk>"
       "<disk><source file='/a'/>" HDA "</disk>"),
      "raw", "/b", NULL, NULL, NULL, false },
    { ("<disk type='network'><source protocol='rbd' name='p/v'/>" HDA
       "</disk>"),
      "raw", NULL, NULL, NULL, "on the network", true },
    { ("<disk type='nvme'><source type='pci' namespace='1'/>" HDA "</disk>"),
      "raw", NULL, NULL, NULL, "NVMe", true },
    { "<disk type='dir'><source dir='/d'/>" HDA "</disk>", "raw", NULL, NULL,
      NULL, "folder", true },
    { "<disk type='new'><source file='/a'/>" HDA "</disk>", "raw", NULL, NULL,
      NULL, "type is not known", true },
    /* the attribute of another type does not count */
    { "<disk type='file'><source dev='/a'/>" HDA "</disk>", "raw", NULL, NULL,
      NULL, "names nothing", true },
    { "<disk type='volume'><source pool='p'/>" HDA "</disk>", "raw", NULL, "p",
      NULL, "names nothing", true },
    { "<disk>" HDA "</disk>", "raw", NULL, NULL, NULL, "names nothing", true },
    /* encryption is a child of <disk> or of <source> */
    { ("<disk><source file='/a'/><encryption format='luks'/>" HDA "</disk>"),
      "raw", "/a", NULL, NULL, "encrypted", true },
    { ("<disk><source file='/a'><encryption format='luks'/></source>" HDA
       "</disk>"),
      "raw", "/a", NULL, NULL, "encrypted", true },
    { ("<disk><source file='/a'><slices><slice type='storage' offset='0' "
       "size='1'/></slices></source>" HDA "</disk>"),
      "raw", "/a", NULL, NULL, "part of a file", true },
    { "<disk><source file='/a'/><shareable/>" HDA "</disk>", "raw", "/a", NULL,
      NULL, "shared", true },
    /* a chain, and the end of one */
    { ("<disk><source file='/a'/><backingStore type='file'><format "
       "type='raw'/><source file='/b'/></backingStore>" HDA "</disk>"),
      "raw", "/a", NULL, NULL, "another image", true },
    { "<disk><source file='/a'/><backingStore/>" HDA "</disk>", "raw", "/a",
      NULL, NULL, NULL, true },
};

static void
is_text(size_t row, const char *what, const char *got, const char *expected)
{
    if ((got == NULL) != (expected == NULL) ||
        (got != NULL && strcmp(got, expected) != 0))
        fail_msg("row %zu: %s: %s", row, what, got != NULL ? got : "(none)");
}

static void
test_sources(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(domain) struct domain *domain = NULL;
        struct domain_source got;
        struct v2v_error err = { 0 };
        char xml[2048];
        int len = snprintf(xml, sizeof xml,
                           "<domain type='kvm'><os><type machine='pc'>hvm"
                           "</type></os><devices>%s</devices></domain>",
                           cases[i].devices);

        if (domain_parse(xml, (size_t)len, &domain, &err) < 0 ||
            domain_source(domain, 0, &got, &err) < 0)
            fail_msg("row %zu: %s", i, err.text);
        is_text(i, "format", got.format, cases[i].format);
        is_text(i, "path", got.path, cases[i].path);
        is_text(i, "pool", got.pool, cases[i].pool);
        is_text(i, "volume", got.volume, cases[i].volume);
        if ((got.obstacle == NULL) != (cases[i].obstacle == NULL) ||
            (got.obstacle != NULL &&
             strstr(got.obstacle, cases[i].obstacle) == NULL))
            fail_msg("row %zu: obstacle %s", i,
                     got.obstacle != NULL ? got.obstacle : "(none)");
        assert_int_equal(got.boots, cases[i].boots);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(test_sources) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
