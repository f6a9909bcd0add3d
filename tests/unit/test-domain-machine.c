/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domain_machine(): what Windows will see of the machine. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/domain.h"

#include "test-tools.h"

static const struct domain_options all = {
    .drivers = { .viostor = true, .netkvm = true, .balloon = true }
};

struct machine_case {
    const char *name;
    const char *machine; /* os/type/@machine */
    const char *devices;
    struct domain_machine expected; /* what a row leaves out is zero */
    const char *image;
};

static void
read_machine(const char *xml, size_t len, const char *image,
             struct domain **domain, struct domain_machine *ret)
{
    struct v2v_error err = { 0 };

    if (domain_parse(xml, len, domain, &err) < 0 ||
        domain_machine(*domain, image, ret, &err) < 0)
        fail_msg("%s\n%s", err.text, xml);
}

static void
check_machine(const struct machine_case *c)
{
    V2V_AUTO(domain) struct domain *domain = NULL;
    struct domain_machine got = { 0 };
    char xml[4096];
    int len = snprintf(xml, sizeof xml,
                       "<domain type='kvm'><os><type machine='%s'>hvm</type>"
                       "</os><devices>%s</devices></domain>",
                       c->machine, c->devices);
    const struct domain_machine *e = &c->expected;

    read_machine(xml, (size_t)len, c->image, &domain, &got);
    if (got.has_boot_disk != (e->boot_disk != NULL) ||
        (got.has_boot_disk && strcmp(got.boot_disk, e->boot_disk) != 0))
        fail_msg("%s: boot disk %s", c->name,
                 got.has_boot_disk ? got.boot_disk : "(none)");
    if (got.controller != e->controller ||
        got.controller_ids != e->controller_ids ||
        got.virtio_nics != e->virtio_nics || got.nic_ids != e->nic_ids ||
        got.hard_disks != e->hard_disks)
        fail_msg("%s: controller %d, ids %d; %zu nics, ids %d; %zu disks",
                 c->name, got.controller, got.controller_ids, got.virtio_nics,
                 got.nic_ids, got.hard_disks);
}

#define BLK DOMAIN_CONTROLLER_VIRTIO_BLK
#define SCSI DOMAIN_CONTROLLER_VIRTIO_SCSI
#define OLD DOMAIN_VIRTIO_TRANSITIONAL
#define MODERN DOMAIN_VIRTIO_MODERN
#define ON_BUS(bus) "<address type='pci' bus='" bus "' slot='0x02'/>"
#define DISK(inside) "<disk><target dev='vda' bus='virtio'/>" inside "</disk>"
#define NIC(inside) "<interface><model type='virtio'/>" inside "</interface>"
#define PCI(index, model)                                                      \
    "<controller type='pci' index='" index "' model='" model "'/>"
#define VIRTIO_SCSI(model, inside)                                             \
    ("<controller type='scsi' index='0' model='" model "'>" inside             \
     "</controller><disk><target dev='sda' bus='scsi'/></disk>")

/* Which id a virtio device shows, as QEMU's "info qtree" said of each of these
 * places; libvirt 9.0, QEMU 7.2. */
static void
test_ids_by_place(void **state)
{
    static const struct machine_case cases[] = {
        { "i440fx",
          "pc",
          DISK("") NIC(""),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = OLD,
            .virtio_nics = 1,
            .nic_ids = OLD },
          NULL },
        { "i440fx, an address",
          "pc-i440fx-7.2",
          DISK(ON_BUS("0")) NIC(ON_BUS("0")),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = OLD,
            .virtio_nics = 1,
            .nic_ids = OLD },
          NULL },
        { "i440fx, behind a bridge",
          "pc",
          PCI("1", "pci-bridge") DISK(ON_BUS("1")),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = OLD },
          NULL },
        { "i440fx, scsi",
          "pc",
          VIRTIO_SCSI("virtio-scsi", ""),
          { .hard_disks = 1,
            .boot_disk = "sda",
            .controller = SCSI,
            .controller_ids = OLD },
          NULL },
        { "q35, libvirt places it",
          "q35",
          DISK("") NIC(""),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = MODERN,
            .virtio_nics = 1,
            .nic_ids = MODERN },
          NULL },
        { "q35, libvirt places the scsi controller",
          "pc-q35-7.2",
          VIRTIO_SCSI("virtio-scsi", ""),
          { .hard_disks = 1,
            .boot_disk = "sda",
            .controller = SCSI,
            .controller_ids = MODERN },
          NULL },
        { "q35, a root port",
          "q35",
          PCI("1", "pcie-root-port") DISK(ON_BUS("0x01")) NIC(ON_BUS("1")),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = MODERN,
            .virtio_nics = 1,
            .nic_ids = MODERN },
          NULL },
        { "q35, the root bus",
          "q35",
          DISK(ON_BUS("0x00")) NIC(ON_BUS("0")),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = OLD,
            .virtio_nics = 1,
            .nic_ids = OLD },
          NULL },
        { "q35, the root bus, scsi",
          "q35",
          VIRTIO_SCSI("virtio-scsi", ON_BUS("0")),
          { .hard_disks = 1,
            .boot_disk = "sda",
            .controller = SCSI,
            .controller_ids = OLD },
          NULL },
        { "q35, a conventional bridge",
          "q35",
          PCI("1", "pcie-root-port") PCI("2", "pcie-to-pci-bridge")
              DISK(ON_BUS("2")) NIC(ON_BUS("0x2")),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = OLD,
            .virtio_nics = 1,
            .nic_ids = OLD },
          NULL },
        { "q35, a bus that libvirt will add",
          "q35",
          DISK(ON_BUS("7")),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = DOMAIN_VIRTIO_EITHER },
          NULL },
        { "q35, an empty address is none",
          "q35",
          DISK("<address type='pci' domain='0x0000' bus='0x00' slot='0x00' "
               "function='0x0'/>") NIC("<address type='pci'/>"),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = MODERN,
            .virtio_nics = 1,
            .nic_ids = MODERN },
          NULL },
        { "virtio-transitional on q35",
          "q35",
          "<disk model='virtio-transitional'>"
          "<target dev='vda' bus='virtio'/></disk><interface><model "
          "type='VirtIO-Transitional'/></interface>",
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = OLD,
            .virtio_nics = 1,
            .nic_ids = OLD },
          NULL },
        { "virtio-transitional, scsi",
          "q35",
          VIRTIO_SCSI("virtio-transitional", ""),
          { .hard_disks = 1,
            .boot_disk = "sda",
            .controller = SCSI,
            .controller_ids = OLD },
          NULL },
        { "virtio-non-transitional on i440fx",
          "pc",
          "<disk model='virtio-non-transitional'><target dev='vda' "
          "bus='virtio'/></disk><interface><model "
          "type='virtio-non-transitional'/></interface>",
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = MODERN,
            .virtio_nics = 1,
            .nic_ids = MODERN },
          NULL },
        { "virtio-non-transitional, scsi",
          "pc",
          VIRTIO_SCSI("virtio-non-transitional", ""),
          { .hard_disks = 1,
            .boot_disk = "sda",
            .controller = SCSI,
            .controller_ids = MODERN },
          NULL },
        { "a machine type from before modern devices",
          "pc-q35-2.6",
          DISK(""),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = OLD },
          NULL },
        { "the one after it",
          "pc-q35-2.7",
          DISK(""),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = MODERN },
          NULL },
        { "2.10 is not 2.1",
          "pc-q35-2.10",
          DISK(""),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = MODERN },
          NULL },
        { "a machine of unknown kind",
          "acme-1",
          DISK(""),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = DOMAIN_VIRTIO_EITHER },
          NULL },
        { "two cards with different ids",
          "q35",
          NIC("") NIC(ON_BUS("0")),
          { .virtio_nics = 2, .nic_ids = DOMAIN_VIRTIO_EITHER },
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_machine(&cases[i]);
}

static void
test_machine(void **state)
{
    static const struct machine_case cases[] = {
        { "nothing", "pc", "", { .hard_disks = 0 }, NULL },
        { "ide",
          "pc",
          "<disk><target dev='hda'/></disk>",
          { .hard_disks = 1,
            .boot_disk = "hda",
            .controller = DOMAIN_CONTROLLER_IDE },
          NULL },
        { "sata",
          "q35",
          "<disk><target dev='sda' bus='sata'/></disk>",
          { .hard_disks = 1,
            .boot_disk = "sda",
            .controller = DOMAIN_CONTROLLER_SATA },
          NULL },
        { "nvme",
          "q35",
          "<disk><target dev='nvme0n1' bus='nvme'/></disk>",
          { .hard_disks = 1,
            .boot_disk = "nvme0n1",
            .controller = DOMAIN_CONTROLLER_NVME },
          NULL },
        { "libvirt's own scsi controller is lsilogic",
          "pc",
          "<disk><target dev='sda'/></disk>",
          { .hard_disks = 1,
            .boot_disk = "sda",
            .controller = DOMAIN_CONTROLLER_OTHER },
          NULL },
        { "usb",
          "pc",
          "<disk><target dev='sda' bus='usb'/></disk>",
          { .hard_disks = 1,
            .boot_disk = "sda",
            .controller = DOMAIN_CONTROLLER_OTHER },
          NULL },
        { "a CD-ROM is no hard disk",
          "q35",
          "<disk device='cdrom'><target "
          "dev='sda' bus='sata'/></disk>" DISK(""),
          { .hard_disks = 1,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = MODERN },
          NULL },
        { "the first by name, not by place",
          "pc",
          "<disk><target dev='hdb'/></disk><disk><target dev='hda'/></disk>",
          { .hard_disks = 2,
            .boot_disk = "hda",
            .controller = DOMAIN_CONTROLLER_IDE },
          NULL },
        { "the one with the lowest order",
          "pc",
          "<disk><target dev='vda'/>"
          "<boot order='10'/></disk><disk><target dev='hdc'/><boot order='2'/>"
          "</disk><disk device='cdrom'><target dev='hda'/><boot order='1'/>"
          "</disk>",
          { .hard_disks = 2,
            .boot_disk = "hdc",
            .controller = DOMAIN_CONTROLLER_IDE },
          NULL },
        { "only a card has an order",
          "pc",
          "<disk><target dev='vda'/></disk>"
          "<interface><boot order='1'/></interface>",
          { .hard_disks = 1 },
          NULL },
        { "the disk with the image",
          "pc",
          "<disk><source file='/x/data.raw'/>"
          "<target dev='vda'/></disk><disk><source file='/x/win.raw'/><target "
          "dev='hda'/></disk>",
          { .hard_disks = 2,
            .boot_disk = "hda",
            .controller = DOMAIN_CONTROLLER_IDE },
          "/copy/win.raw" },
        { "two disks may have the image: libvirt's first",
          "pc",
          "<disk><source file='/x/win.raw'/><target dev='vdb'/></disk><disk>"
          "<source file='/y/win.raw'/><target dev='vda'/></disk>",
          { .hard_disks = 2,
            .boot_disk = "vda",
            .controller = BLK,
            .controller_ids = OLD },
          "/copy/win.raw" },
        { "cards that are none of virtio's",
          "pc",
          "<interface/><interface>"
          "<model type='e1000'/></interface><interface type='hostdev'>"
          "<model type='virtio'/></interface>",
          { .virtio_nics = 0 },
          NULL },
        { "cards that are whatever the model says",
          "pc",
          "<interface type='vhostuser'/><interface type='vdpa'/>",
          { .virtio_nics = 2, .nic_ids = OLD },
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_machine(&cases[i]);
}

static void
test_firmware(void **state)
{
    static const struct {
        const char *os, *after;
        enum domain_firmware firmware;
        enum domain_secure_boot secure_boot;
    } cases[] = {
        { "<os>", "", DOMAIN_FIRMWARE_BIOS, DOMAIN_SECURE_BOOT_OFF },
        { "<os firmware='efi'>", "", DOMAIN_FIRMWARE_EFI,
          DOMAIN_SECURE_BOOT_UNKNOWN },
        { "<os firmware='bios'>", "", DOMAIN_FIRMWARE_BIOS,
          DOMAIN_SECURE_BOOT_OFF },
        { "<os firmware='coreboot'>", "", DOMAIN_FIRMWARE_UNKNOWN,
          DOMAIN_SECURE_BOOT_OFF },
        { "<os><loader type='pflash' secure='yes'>/x</loader>", "",
          DOMAIN_FIRMWARE_EFI, DOMAIN_SECURE_BOOT_ON },
        { "<os><loader type='rom'>/usr/share/ovmf/OVMF.fd</loader>", "",
          DOMAIN_FIRMWARE_EFI, DOMAIN_SECURE_BOOT_OFF },
        { "<os><loader>/usr/share/seabios/bios-256k.bin</loader>", "",
          DOMAIN_FIRMWARE_BIOS, DOMAIN_SECURE_BOOT_OFF },
        { "<os><loader>/opt/firmware</loader>", "", DOMAIN_FIRMWARE_UNKNOWN,
          DOMAIN_SECURE_BOOT_OFF },
        { "<os>",
          "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
          "<q:arg value='-bios'/><q:arg value='/x'/></q:commandline>",
          DOMAIN_FIRMWARE_UNKNOWN, DOMAIN_SECURE_BOOT_OFF },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(domain) struct domain *domain = NULL;
        struct domain_machine got = { 0 };
        char xml[1024];
        int len = snprintf(xml, sizeof xml,
                           "<domain type='kvm'>%s<type>hvm</type></os>"
                           "<devices/>%s</domain>",
                           cases[i].os, cases[i].after);

        read_machine(xml, (size_t)len, NULL, &domain, &got);
        assert_int_equal(got.firmware, cases[i].firmware);
        assert_int_equal(got.secure_boot, cases[i].secure_boot);
    }
}

static void
test_ids_set_past_libvirt(void **state)
{
    static const char xml[] =
        "<domain type='kvm'><os><type "
        "machine='q35'>hvm</type></os><devices>" DISK(
            "") "</devices><qemu:commandline "
                "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/"
                "1.0'><qemu:arg "
                "value='virtio-blk-pci.disable-legacy=off'/></qemu:commandline>"
                "</domain>";
    V2V_AUTO(domain) struct domain *domain = NULL;
    struct domain_machine got = { 0 };

    (void)state;
    read_machine(xml, sizeof xml - 1, NULL, &domain, &got);
    assert_int_equal(got.controller_ids, DOMAIN_VIRTIO_EITHER);
}

/* The place of the boot disk among the hard disks, by its name. */
static size_t
boot_disk_index(const struct domain *domain)
{
    struct domain_machine machine = { 0 };
    struct v2v_error err = { 0 };

    if (domain_machine(domain, NULL, &machine, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(machine.hard_disks, domain_disk_count(domain));
    if (!machine.has_boot_disk)
        return SIZE_MAX;
    for (size_t i = 0; i < machine.hard_disks; i++) {
        const char *name = domain_disk_name(domain, i);

        if (name != NULL && strcmp(name, machine.boot_disk) == 0)
            return i;
    }
    return *machine.boot_disk == '\0' ? 0 : SIZE_MAX - 1;
}

/* The rewrite, which has its own idea of the boot sequence, does not change
 * the boot disk. */
static void
check_real_machine(const char *path)
{
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };
    V2V_AUTO(domain) struct domain *before = NULL, *after = NULL;
    V2V_AUTO(domain_rewrite) struct domain_rewrite rewritten = { 0 };
    struct v2v_error err = { 0 };
    size_t index;

    assert_int_equal(v2v_file_read(path, 16 << 20, &xml, &err), 0);
    if (domain_parse(xml.data, xml.len, &before, &err) < 0)
        return;
    index = boot_disk_index(before);
    if (index == SIZE_MAX - 1)
        fail_msg("%s: the boot disk is none of its disks", path);
    assert_int_equal(domain_rewrite(before, &all, &rewritten, &err), 0);
    assert_int_equal(
        domain_parse(rewritten.xml.data, rewritten.xml.len, &after, &err), 0);
    if (boot_disk_index(after) != index)
        fail_msg("%s: hard disk %zu boots, after the rewrite %zu", path, index,
                 boot_disk_index(after));
}

static void
test_real_machines(void **state)
{
    V2V_AUTO(mem) char *folder = shared_path("data/domxml/corpus");
    DIR *dir = folder != NULL ? opendir(folder) : NULL;
    const struct dirent *entry;
    size_t count = 0;

    (void)state;
    if (dir == NULL)
        skip();
    while ((entry = readdir(dir)) != NULL) {
        V2V_AUTO(mem) char *path = NULL;

        if (!v2v_has_suffix_nocase(entry->d_name, ".xml"))
            continue;
        path = v2v_format(NULL, "%s/%s", folder, entry->d_name);
        assert_non_null(path);
        check_real_machine(path);
        count++;
    }
    closedir(dir);
    assert_true(count > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_by_place),
        cmocka_unit_test(test_ids_set_past_libvirt),
        cmocka_unit_test(test_machine),
        cmocka_unit_test(test_firmware),
        cmocka_unit_test(test_real_machines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
