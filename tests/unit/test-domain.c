/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/domain.h"
#include "domain/edit.h"

#define HEAD "<domain type='kvm'>\n  <os><type machine='pc'>hvm</type>"
#define OPEN HEAD "</os>\n  <devices>\n"
#define CLOSE "  </devices>\n</domain>\n"

static const struct domain_drivers all = { .viostor = true,
                                           .netkvm = true,
                                           .balloon = true };
static const struct domain_drivers none = { 0 };

static struct domain *
parse(const char *xml)
{
    struct domain *domain = NULL;
    struct v2v_error err = { 0 };

    if (domain_parse(xml, strlen(xml), &domain, &err) < 0)
        fail_msg("%s\n%s", err.text, xml);
    return domain;
}

static void
rewrite_moved(const void *xml, size_t len, const struct domain_drivers *drivers,
              const struct domain_moved_image *moved,
              struct domain_rewrite *ret)
{
    const struct domain_options options = { .drivers = *drivers,
                                            .moved = moved };
    V2V_AUTO(domain) struct domain *domain = NULL;
    struct v2v_error err = { 0 };

    if (domain_parse(xml, len, &domain, &err) < 0 ||
        domain_rewrite(domain, &options, ret, &err) < 0)
        fail_msg("%s", err.text);
}

static void
rewrite(const void *xml, size_t len, const struct domain_drivers *drivers,
        struct domain_rewrite *ret)
{
    rewrite_moved(xml, len, drivers, NULL, ret);
}

/* @after NULL: as before.  Rewriting the result again changes nothing. */
static void
check_moved(const char *name, const char *before, const char *after,
            const struct domain_drivers *drivers,
            const struct domain_moved_image *moved)
{
    V2V_AUTO(domain_rewrite) struct domain_rewrite first = { 0 };
    V2V_AUTO(domain_rewrite) struct domain_rewrite second = { 0 };
    const char *expected = after != NULL ? after : before;

    rewrite_moved(before, strlen(before), drivers, moved, &first);
    if (first.xml.len != strlen(expected) ||
        memcmp(first.xml.data, expected, first.xml.len) != 0)
        fail_msg("%s: got\n%.*s\nnot\n%s", name, (int)first.xml.len,
                 (const char *)first.xml.data, expected);
    if ((first.change_count == 0) != (after == NULL))
        fail_msg("%s: %zu changes", name, first.change_count);
    rewrite_moved(first.xml.data, first.xml.len, drivers, moved, &second);
    if (second.change_count != 0 || second.xml.len != first.xml.len ||
        memcmp(second.xml.data, first.xml.data, first.xml.len) != 0)
        fail_msg("%s: not idempotent", name);
}

static void
check(const char *name, const char *before, const char *after,
      const struct domain_drivers *drivers)
{
    check_moved(name, before, after, drivers, NULL);
}

struct device_case {
    const char *name;
    const char *before, *after; /* inside <devices>; after NULL: unchanged */
};

static void
check_devices(const struct device_case *cases, size_t count,
              const struct domain_drivers *drivers,
              const struct domain_moved_image *moved)
{
    for (size_t i = 0; i < count; i++) {
        char before[4096], after[4096];

        snprintf(before, sizeof before, OPEN "%s" CLOSE, cases[i].before);
        snprintf(after, sizeof after, OPEN "%s" CLOSE,
                 cases[i].after != NULL ? cases[i].after : "");
        check_moved(cases[i].name, before,
                    cases[i].after != NULL ? after : NULL, drivers, moved);
    }
}

#define CHECK_DEVICES(cases)                                                   \
    check_devices((cases), sizeof(cases) / sizeof *(cases), &all, NULL)

static void
test_disks(void **state)
{
    static const struct device_case cases[] = {
        { "ide, its line kept",
          "    <disk device='disk'>\n      <target dev='hda' bus='ide'/>\n"
          "    </disk>\n",
          "    <disk device='disk'>\n      <target dev='vda' bus='virtio'/>\n"
          "    </disk>\n" },
        { "device absent means disk",
          "<disk><target dev='sda' bus='sata'/></disk>\n",
          "<disk><target dev='vda' bus='virtio'/></disk>\n" },
        { "bus from the name hd", "<disk><target dev=\"hda\"/></disk>\n",
          "<disk><target dev=\"vda\" bus=\"virtio\"/></disk>\n" },
        { "bus from the name sd is scsi, by default lsilogic",
          "<disk><target  dev='sda' /></disk>\n",
          "<disk><target  dev='vda' bus='virtio' /></disk>\n" },
        { "bus from any other name is ide", "<disk><target dev='C'/></disk>\n",
          "<disk><target dev='vda' bus='virtio'/></disk>\n" },
        { "bus from the name vd", "<disk><target dev='vda'/></disk>\n", NULL },
        { "bus from the name xvd", "<disk><target dev='xvda'/></disk>\n",
          NULL },
        { "an SD card slot", "<disk><target dev='sda' bus='sd'/></disk>\n",
          "<disk><target dev='vda' bus='virtio'/></disk>\n" },
        { "attributes over lines, other order, a character reference",
          "<disk><target bus=\"ide\"\n        dev = '&#x68;da'/></disk>\n",
          "<disk><target bus=\"virtio\"\n        dev = 'vda'/></disk>\n" },
        { "addresses: drive goes with its line, pci stays",
          "<disk>\n  <target dev='hda'/>\n"
          "  <address type='drive' controller='0'/>\n"
          "  <address type='pci' slot='0x05'/>\n</disk>\n",
          "<disk>\n  <target dev='vda' bus='virtio'/>\n"
          "  <address type='pci' slot='0x05'/>\n</disk>\n" },
        { "aliases: the user's stay",
          "<disk><target dev='hda'/><alias name='ide0-0-0'/></disk>\n"
          "<disk><target dev='hdb'/><alias name='ua-b'/></disk>\n",
          "<disk><target dev='vda' bus='virtio'/></disk>\n"
          "<disk><target dev='vdb' bus='virtio'/><alias name='ua-b'/>"
          "</disk>\n" },
        { "children that libvirt refuses on virtio",
          "<disk><vendor>V</vendor><wwn>5000c50015ea71ad</wwn>"
          "<target dev='sda'/><product>P</product></disk>\n",
          "<disk><target dev='vda' bus='virtio'/></disk>\n" },
        { "attributes that libvirt refuses on virtio",
          "<disk><target rotation_rate='1' dev='sda' removable='on'\n"
          "  bus='sata' tray='open'/><geometry cyls='1' trans='lba' heads='2'"
          "/></disk>\n",
          "<disk><target dev='vda'\n"
          "  bus='virtio'/><geometry cyls='1' heads='2'/></disk>\n" },
        { "all else of a disk stays",
          "<disk type='file' snapshot='no'>\n"
          "  <driver name='qemu' cache='none' iothread='1'/>\n"
          "  <source file='/a'><seclabel model='dac'/>"
          "<address type='drive'/></source>\n"
          "  <backingStore/><!-- kept --><iotune/><serial>S</serial>\n"
          "  <boot order='1'/><target dev='hda' bus='ide'/>\n</disk>\n",
          "<disk type='file' snapshot='no'>\n"
          "  <driver name='qemu' cache='none' iothread='1'/>\n"
          "  <source file='/a'><seclabel model='dac'/>"
          "<address type='drive'/></source>\n"
          "  <backingStore/><!-- kept --><iotune/><serial>S</serial>\n"
          "  <boot order='1'/><target dev='vda' bus='virtio'/>\n</disk>\n" },
        { "cdrom and floppy stay, and keep their names",
          "<disk device='cdrom'><target dev='vda' bus='ide'/>"
          "<address type='drive'/></disk>\n"
          "<disk device='floppy'><target dev='vdb'/></disk>\n"
          "<disk><target dev='hda'/></disk>\n",
          "<disk device='cdrom'><target dev='vda' bus='ide'/>"
          "<address type='drive'/></disk>\n"
          "<disk device='floppy'><target dev='vdb'/></disk>\n"
          "<disk><target dev='vdc' bus='virtio'/></disk>\n" },
        { "lun stays",
          "<disk device='lun'><target dev='sda' bus='scsi'/></disk>\n", NULL },
        { "usb stays", "<disk><target dev='sda' bus='usb'/></disk>\n", NULL },
        { "all virtio",
          "<disk><target dev='hdc' bus='virtio'/><address type='pci'/></disk>"
          "\n<interface><model type='ViRtIo'/></interface>"
          "<memballoon model='virtio'/>\n",
          NULL },
        { "other namespaces and nested elements are no devices",
          "<x:disk xmlns:x='urn:x'><target dev='hda'/></x:disk>\n"
          "<hub><disk><target dev='hda'/></disk></hub>\n",
          NULL },
    };

    (void)state;
    CHECK_DEVICES(cases);
}

static void
test_scsi_controllers(void **state)
{
#define CONTROLLER(attrs) "<controller type='scsi'" attrs "/>\n"
#define DRIVE(n) "<address type='drive' controller='" n "'/>"
    static const struct device_case
        cases[] = {
            { "virtio-scsi stays",
              CONTROLLER(" index='0' model='virtio-scsi'")
                  CONTROLLER(" index='1' model='virtio-transitional'")
                      CONTROLLER(" index='2' model='virtio-non-transitional'") "<disk><target dev='sda'/>" DRIVE(
                          "0") "</disk>"
                               "<disk><target dev='sdb'/>" DRIVE(
                                   "1") "</disk>"
                                        "<disk><target dev='sdc'/>" DRIVE(
                                            "2") "</disk>\n",
              NULL },
            { "by the controller in the address",
              CONTROLLER(" index='0' model='virtio-scsi'") CONTROLLER(
                  " index='1' model='lsisas1068'") "<disk><target "
                                                   "dev='sda'/"
                                                   ">" DRIVE("1") "</"
                                                                  "disk>"
                                                                  "\n",
              CONTROLLER(" index='0' model='virtio-scsi'") CONTROLLER(
                  " index='1' model='lsisas1068'") "<disk><target dev='vda' "
                                                   "bus='virtio'/></disk>\n" },
            { "an address without a controller is on 0",
              CONTROLLER(
                  " index='0' model='virtio-scsi'") "<disk><target "
                                                    "dev='sdz'/><address "
                                                    "type='drive'/></disk>\n",
              NULL },
            { "without an address 7 disks a controller",
              CONTROLLER(
                  " index='1' model='virtio-scsi'") "<disk><target "
                                                    "dev='sdg'/></"
                                                    "disk><disk><target "
                                                    "dev='sdh'/></disk>\n",
              CONTROLLER(
                  " index='1' model='virtio-scsi'") "<disk><target dev='vda' "
                                                    "bus='virtio'/></disk>"
                                                    "<disk><target "
                                                    "dev='sdh'/></disk>\n" },
            { "a controller without an index gets the first free one",
              CONTROLLER(" model='virtio-scsi'") CONTROLLER(
                  " index='0'") "<disk><target dev='sda'/></disk><disk><target "
                                "dev='sdh'/></disk>\n",
              CONTROLLER(" model='virtio-scsi'") CONTROLLER(
                  " index='0'") "<disk><target dev='vda' bus='virtio'/></disk>"
                                "<disk><target dev='sdh'/></disk>\n" },
        };

    (void)state;
    CHECK_DEVICES(cases);
}

static void
test_interfaces(void **state)
{
    static const struct device_case cases[] = {
        { "model without case",
          "<interface type='bridge'><model type=\"Am79C970A\"/></interface>\n",
          "<interface type='bridge'><model type=\"virtio\"/></interface>\n" },
        { "absent model, behind the source",
          "    <interface type='network'>\n      <mac address='52:54:0:0:0:1'/>"
          "\n      <source network=\"x\"/>\n      <mtu size='1400'/>\n"
          "    </interface>\n",
          "    <interface type='network'>\n      <mac address='52:54:0:0:0:1'/>"
          "\n      <source network=\"x\"/>\n      <model type='virtio'/>\n"
          "      <mtu size='1400'/>\n    </interface>\n" },
        { "absent model, behind the mac, quotes of the interface",
          "<interface type=\"user\">\r\n\t<mac address='52'/>\r\n"
          "</interface>\n",
          "<interface type=\"user\">\r\n\t<mac address='52'/>\r\n"
          "\t<model type=\"virtio\"/>\r\n</interface>\n" },
        { "absent model in an empty element", "<interface type='user' />\n",
          "<interface type='user'><model type='virtio'/></interface>\n" },
        { "absent model and no child", "<interface type='user'></interface>\n",
          "<interface type='user'><model type='virtio'/></interface>\n" },
        { "absent model beside what goes",
          "<interface><source bridge='b'/><alias name='net0'/></interface>\n",
          "<interface><source bridge='b'/><model type='virtio'/></interface>"
          "\n" },
        { "model without a type", "<interface><model/></interface>\n",
          "<interface><model type='virtio'/></interface>\n" },
        { "pci address and all else stay",
          "<interface type='direct'><mac address='52:54:00:00:00:01'/>"
          "<source dev='eth0'/><target dev='macvtap0'/><model type='e1000'/>"
          "<driver name='vhost'/><boot order='2'/><link state='down'/>"
          "<address type='pci' slot='0x03'/></interface>\n",
          "<interface type='direct'><mac address='52:54:00:00:00:01'/>"
          "<source dev='eth0'/><target dev='macvtap0'/><model type='virtio'/>"
          "<driver name='vhost'/><boot order='2'/><link state='down'/>"
          "<address type='pci' slot='0x03'/></interface>\n" },
        { "usb address and alias go",
          "<interface><model type='usb-net'/><alias name='net0'/>"
          "<address type='usb'/></interface>\n",
          "<interface><model type='virtio'/></interface>\n" },
        { "a rom file goes, the rest of rom stays",
          "<interface><model type='e1000'/>\n<rom bar='on' file='e.rom'/>"
          "</interface>\n<interface><model type='e1000'/>\n<rom file='e.rom'/>"
          "\n</interface>\n",
          "<interface><model type='virtio'/>\n<rom bar='on'/>"
          "</interface>\n<interface><model type='virtio'/>\n"
          "</interface>\n" },
        { "passed-through ones and unknown models stay",
          "<interface type='hostdev'/><interface type='vdpa'/>"
          "<interface type='vhostuser'/><interface type='hostdev'>"
          "<model type='e1000'/></interface>"
          "<interface><model type='virtio-transitional'/></interface>"
          "<interface><model type='smc91c111'/></interface>\n",
          NULL },
    };

    (void)state;
    CHECK_DEVICES(cases);
}

static void
test_every_emulated_model(void **state)
{
    static const char *const models[] = {
        "e1000",   "e1000e",   "e1000-82545em", "igb",
        "rtl8139", "vmxnet3",  "vmxnet2",       "pcnet",
        "vlance",  "ne2k_pci", "ne2k_isa",      "i82551",
        "i82557b", "i82559er", "tulip",         "usb-net",
    };

    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char before[512];

        snprintf(before, sizeof before,
                 OPEN "<interface><model type='%s'/></interface>\n" CLOSE,
                 models[i]);
        check(models[i], before,
              OPEN "<interface><model type='virtio'/></interface>\n" CLOSE,
              &all);
    }
}

static void
test_balloon(void **state)
{
    static const struct device_case cases[] = {
        { "none", "<memballoon model='none'/>\n",
          "<memballoon model='virtio'/>\n" },
        { "absent", "", NULL },
        { "virtio", "<memballoon model='virtio-transitional'/>\n", NULL },
    };

    (void)state;
    CHECK_DEVICES(cases);
}

static void
test_only_devices_whose_driver_is_there(void **state)
{
#define DEVICES(disk, nic, balloon)                                            \
    OPEN "<disk><target dev='" disk "'/></disk><interface><model type='" nic   \
         "'/></interface><memballoon model='" balloon "'/>\n" CLOSE
    static const char before[] = DEVICES("hda' bus='ide", "e1000", "none");
    static const struct {
        struct domain_drivers drivers;
        const char *after;
    } cases[] = {
        { { 0 }, NULL },
        { { .viostor = true }, DEVICES("vda' bus='virtio", "e1000", "none") },
        { { .netkvm = true }, DEVICES("hda' bus='ide", "virtio", "none") },
        { { .balloon = true }, DEVICES("hda' bus='ide", "e1000", "virtio") },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check("drivers", before, cases[i].after, &cases[i].drivers);
}

/* libvirt sorts the disks of a bus by name and boots from the first. */
static void
test_boot_disk_stays(void **state)
{
    static const struct {
        const char *name, *before, *after;
    } cases[] = {
        { "names in libvirt's order, not in that of the letters",
          OPEN "<disk><target dev='hdb'/></disk>"
               "<disk><target dev='sda' bus='sata'/></disk>"
               "<disk><target dev='hda'/></disk>"
               "<disk><target dev='hdc'/></disk>\n" CLOSE,
          OPEN "<disk><target dev='vdb' bus='virtio'/></disk>"
               "<disk><target dev='vdd' bus='virtio'/></disk>"
               "<disk><target dev='vda' bus='virtio'/></disk>"
               "<disk><target dev='vdc' bus='virtio'/></disk>\n" CLOSE },
        { "a free name in front keeps the boot disk",
          OPEN "<disk><target dev='hda'/></disk>"
               "<disk><target dev='vdb'/></disk>\n" CLOSE,
          OPEN "<disk><target dev='vda' bus='virtio'/></disk>"
               "<disk><target dev='vdb'/></disk>\n" CLOSE },
        { "a free name in front would take the boot from a virtio disk",
          OPEN "<disk><target dev='vdb'/></disk>"
               "<disk><target dev='hda'/></disk>\n" CLOSE,
          OPEN "<disk><target dev='vdb'/></disk>"
               "<disk><target dev='vdc' bus='virtio'/></disk>\n" CLOSE },
        { "no name can help: orders are written",
          HEAD "\n    <boot dev='hd'/>\n    <boot dev='cdrom'/>\n"
               "    <boot dev='network'/>\n    <bootmenu enable='no'/>\n"
               "  </os>\n  <devices>\n"
               "    <disk>\n      <target dev='hda' bus='ide'/>\n    </disk>\n"
               "    <disk>\n      <target dev='vda' bus='virtio'/>\n"
               "    </disk>\n"
               "    <disk device='cdrom'>\n      <target dev='hdc'/>\n"
               "    </disk>\n    <interface type='user'/>\n" CLOSE,
          HEAD "\n    <bootmenu enable='no'/>\n  </os>\n  <devices>\n"
               "    <disk>\n      <target dev='vdb' bus='virtio'/>\n"
               "      <boot order='1'/>\n    </disk>\n"
               "    <disk>\n      <target dev='vda' bus='virtio'/>\n"
               "    </disk>\n"
               "    <disk device='cdrom'>\n      <target dev='hdc'/>\n"
               "      <boot order='2'/>\n    </disk>\n"
               "    <interface type='user'><boot order='3'/>"
               "<model type='virtio'/></interface>\n" CLOSE },
        { "no <boot> is 'hd'",
          OPEN "<disk><target dev='hda'/></disk>"
               "<disk><target dev='vda'/></disk>\n" CLOSE,
          OPEN "<disk><target dev='vdb' bus='virtio'/><boot order='1'/></disk>"
               "<disk><target dev='vda'/></disk>\n" CLOSE },
        { "a boot that names no disk leaves names free",
          HEAD "<boot dev='network'/></os><devices>"
               "<disk><target dev='hda'/></disk>"
               "<disk><target dev='vda'/></disk>\n" CLOSE,
          HEAD "<boot dev='network'/></os><devices>"
               "<disk><target dev='vdb' bus='virtio'/></disk>"
               "<disk><target dev='vda'/></disk>\n" CLOSE },
        { "orders that are there stay",
          OPEN
          "<disk><target dev='hda'/><boot order='2'/></disk>"
          "<disk><target dev='vda'/></disk>"
          "<interface type='hostdev'><boot order='1'/></interface>\n" CLOSE,
          OPEN
          "<disk><target dev='vdb' bus='virtio'/><boot order='2'/></disk>"
          "<disk><target dev='vda'/></disk>"
          "<interface type='hostdev'><boot order='1'/></interface>\n" CLOSE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].name, cases[i].before, cases[i].after, &all);
}

static void
test_names_after_vdz(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes before = { 0 }, after = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    v2v_bytes_add(&before, OPEN, strlen(OPEN), &err);
    v2v_bytes_add(&after, OPEN, strlen(OPEN), &err);
    for (int i = 0; i < 28; i++) {
        char name[4] = "";

        snprintf(name, sizeof name, i < 26 ? "%c" : "a%c", 'a' + i % 26);
        v2v_bytes_printf(&before, &err,
                         "<disk><target dev='sd%s' bus='sata'/></disk>\n",
                         name);
        v2v_bytes_printf(&after, &err,
                         "<disk><target dev='vd%s' bus='virtio'/></disk>\n",
                         name);
    }
    v2v_bytes_add(&before, CLOSE, sizeof CLOSE, &err); /* with its NUL */
    v2v_bytes_add(&after, CLOSE, sizeof CLOSE, &err);
    check("28 disks", (const char *)before.data, (const char *)after.data,
          &all);
}

static void
test_the_rest_of_the_file_stays(void **state)
{
#define REST(disk)                                                             \
    "\xef\xbb\xbf<?xml version='1.0' standalone='yes'?>\r\n<!-- <disk/> -->"   \
    "\r\n<?pi <x> ?>\r\n<domain  type = \"kvm\" id='3'\r\n"                    \
    " xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>\r\n"               \
    "<metadata><a:b xmlns:a='urn:a' a:c='>'><![CDATA[<disk>]]]]>&lt;</a:b>"    \
    "</metadata\r\n>\r\n<os><type arch='i686'>hvm</type><boot dev='hd' "       \
    "/></os>"                                                                  \
    "\r\n<devices\r\n><disk  >" disk "</disk >\r\n<unknown/></devices>\r\n"    \
    "<q:commandline><q:arg value='-s'/></q:commandline></domain>\r\n"          \
    "<!-- end --> "
    (void)state;
    check("rest", REST("\r\n\t<target dev='hda'/>\r\n\t<wwn/>\r\n"),
          REST("\r\n\t<target dev='vda' bus='virtio'/>\r\n"), &all);
    check("end",
          "<domain type='qemu'><os><type>hvm</type></os><devices/>"
          "</domain>",
          NULL, &all);
}

/* ASCII as UTF-16 */
static void
widen(const char *s, bool big, bool mark, struct v2v_bytes *ret)
{
    struct v2v_error err = { 0 };

    if (mark)
        v2v_bytes_add(ret, big ? "\xfe\xff" : "\xff\xfe", 2, &err);
    for (; *s != '\0'; s++)
        v2v_bytes_add(ret, (char[]){ big ? 0 : *s, big ? *s : 0 }, 2, &err);
}

static void
test_encodings(void **state)
{
#define DECLARED(encoding, title, dev)                                         \
    "<?xml version='1.0' encoding='" encoding                                  \
    "'?><domain type='kvm'><title>" title                                      \
    "</title><os><type>hvm</type></os><devices><disk><target dev='" dev        \
    "'/></disk></devices></domain>"
    (void)state;
    check("latin1", DECLARED("ISO-8859-1", "\xe9", "hda"),
          DECLARED("ISO-8859-1", "\xe9", "vda' bus='virtio"), &all);
    check("windows-1252", DECLARED("windows-1252", "\x80", "hda"),
          DECLARED("windows-1252", "\x80", "vda' bus='virtio"), &all);
    check("utf-8", DECLARED("utf-8", "\xe2\x82\xac", "hda"),
          DECLARED("utf-8", "\xe2\x82\xac", "vda' bus='virtio"), &all);
    for (int i = 0; i < 4; i++) {
        V2V_AUTO(bytes) struct v2v_bytes before = { 0 }, after = { 0 };
        V2V_AUTO(domain_rewrite) struct domain_rewrite ret = { 0 };

        widen(DECLARED("UTF-16", "t", "hda"), i & 1, i & 2, &before);
        widen(DECLARED("UTF-16", "t", "vda' bus='virtio"), i & 1, i & 2,
              &after);
        rewrite(before.data, before.len, &all, &ret);
        assert_int_equal(ret.xml.len, after.len);
        assert_memory_equal(ret.xml.data, after.data, after.len);
    }
}

static void
test_changes_and_warnings(void **state)
{
    static const char xml[] =
        "<domain type='kvm' "
        "xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
        "<os><type>hvm</type></os><devices>"
        "<disk><target dev='hda' bus='ide' tray='open'/><wwn>1</wwn>"
        "<serial>012345678901234567890</serial><shareable/>"
        "<address type='drive'/></disk>"
        "<disk><target dev='vda'/></disk>"
        "<disk device='lun'><target dev='sda'/></disk>"
        "<disk><target dev='sdb' bus='usb'/></disk>"
        "<disk><target dev='xvda'/></disk><disk/>"
        "<interface><mac address='52:54:00:00:00:01'/><driver queues='2'/>"
        "<rom file='f'/></interface>"
        "<interface><model type='x&#10;y'/></interface>"
        "<memballoon model='none'/></devices>"
        "<q:commandline><q:arg value='-set'/>"
        "<q:arg value='device.ide0-0-0.x=y'/><q:arg value='e1000e,id=n'/>"
        "</q:commandline>"
        "<q:override><q:device alias='sata0-0-1'/></q:override></domain>";
    static const char *const changes[][3] = {
        { "disk hda", "bus ide -> virtio, dev hda -> vdb",
          "viostor was injected" },
        { "disk hda", "target tray dropped",
          "libvirt refuses it on a virtio disk" },
        { "disk hda", "wwn dropped", "libvirt refuses it on a virtio disk" },
        { "disk hda", "address dropped",
          "it is one on the old bus; libvirt assigns a PCI address" },
        { "boot", "os boot -> boot order of 1 device(s)",
          "libvirt would boot another disk: it sorts the disks of a bus by "
          "name" },
        { "interface 52:54:00:00:00:01", "model (default) -> virtio",
          "netkvm was injected" },
        { "interface 52:54:00:00:00:01", "rom file dropped",
          "it is a boot ROM for the old card" },
        { "memballoon", "model none -> virtio", "balloon was injected" },
    };
    static const char *const warnings[] = {
        "disk hda: the guest sees only the first 20 bytes of serial "
        "'012345678901234567890' on virtio",
        "disk hda is shareable: other guests that use it are not changed",
        "disk sda stays on scsi: device='lun' passes SCSI commands through, "
        "which virtio-blk cannot; virtio-scsi can, but vioscsi was not "
        "injected",
        "disk sdb stays on usb: it may be a stick that is pulled out",
        "disk xvda stays on xen: disks are moved from ide, sata, scsi and sd "
        "only",
        "disk stays on ide: it has no target dev, which libvirt refuses",
        "interface 52:54:00:00:00:01: the settings in <driver> take effect "
        "now; an emulated card ignored them",
        "interface 2 keeps model 'x?y': it is not a known emulated one",
        "Windows sees new network adapters: a static IP address stays with "
        "the old ones",
        "<qemu:commandline> names 'ide0-0-0', which may be gone now: QEMU "
        "would not start; edit it by hand",
        "<qemu:commandline> names 'e1000e': network cards there are not "
        "rewritten; edit it by hand",
        "<qemu:override> names 'sata0-0-1', which may be gone now: QEMU would "
        "not start; edit it by hand",
    };
    V2V_AUTO(domain_rewrite) struct domain_rewrite ret = { 0 };

    (void)state;
    rewrite(xml, strlen(xml), &all, &ret);
    for (size_t i = 0; i < ret.change_count; i++) {
        assert_true(i < sizeof changes / sizeof *changes);
        assert_string_equal(ret.changes[i].device, changes[i][0]);
        assert_string_equal(ret.changes[i].what, changes[i][1]);
        assert_string_equal(ret.changes[i].why, changes[i][2]);
    }
    assert_int_equal(ret.change_count, sizeof changes / sizeof *changes);
    for (size_t i = 0; i < ret.warnings.count; i++) {
        assert_true(i < sizeof warnings / sizeof *warnings);
        assert_string_equal(ret.warnings.items[i], warnings[i]);
    }
    assert_int_equal(ret.warnings.count, sizeof warnings / sizeof *warnings);
}

static void
test_what_is_left_for_want_of_a_driver_is_said(void **state)
{
    static const char xml[] = OPEN "<disk><target dev='hda'/></disk>"
                                   "<interface/>\n" CLOSE;
    V2V_AUTO(domain_rewrite) struct domain_rewrite ret = { 0 };

    (void)state;
    rewrite(xml, strlen(xml), &none, &ret);
    assert_int_equal(ret.change_count, 0);
    assert_int_equal(ret.warnings.count, 2);
    assert_string_equal(ret.warnings.items[0],
                        "disk hda stays on ide: viostor was not injected");
    assert_string_equal(
        ret.warnings.items[1],
        "interface 1 keeps model '(default)': netkvm was not injected");
}

static void
test_long_values_are_cut_at_a_character(void **state)
{
#define E10                                                                    \
    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"                                 \
    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
    static const char xml[] = OPEN "<interface><model type='" E10 E10 E10 E10
                                   "'/></interface>\n" CLOSE;
    V2V_AUTO(domain_rewrite) struct domain_rewrite ret = { 0 };

    (void)state;
    rewrite(xml, strlen(xml), &all, &ret);
    assert_int_equal(ret.warnings.count, 1);
    assert_string_equal(ret.warnings.items[0],
                        "interface 1 keeps model '" E10 E10 E10
                        "\xc3\xa9': it is not a known emulated one");
}

static const struct domain_moved_image moved = { "/vm/win.img",
                                                 "/new/win.qcow2", "qcow2" };

static void
test_moved_image(void **state)
{
#define OLD(attrs) "<source file='/vm/win.img'" attrs "/>"
#define NEW(attrs) "<source file='/new/win.qcow2'" attrs "/>"
#define RAW "<driver name='qemu' type='raw' cache='none' io='native'/>"
#define QCOW2 "<driver name='qemu' type='qcow2' cache='none' io='native'/>"
#define TARGET "<target dev='vda'/></disk>\n"
    static const struct device_case cases[] = {
        { "a file", "<disk type='file'>" RAW OLD("") TARGET,
          "<disk type='file'>" QCOW2 NEW("") TARGET },
        { "type absent means file; other order, other quotes",
          "<disk><source\n  file = \"/vm/win.img\" />"
          "<driver type=\"raw\"/>" TARGET,
          "<disk><source\n  file = \"/new/win.qcow2\" />"
          "<driver type=\"qcow2\"/>" TARGET },
        { "no driver",
          "<disk>\n  " OLD("") "\n  <target dev='vda'/>\n</disk>\n",
          "<disk>\n  " NEW("") "\n  <driver type='qcow2'/>\n"
                               "  <target dev='vda'/>\n</disk>\n" },
        { "a driver without a type",
          "<disk><driver name='qemu'/>" OLD("") TARGET,
          "<disk><driver name='qemu' type='qcow2'/>" NEW("") TARGET },
        { "a driver of that type", "<disk>" QCOW2 OLD("") TARGET,
          "<disk>" QCOW2 NEW("") TARGET },
        { "a block device",
          "<disk device='disk' type='block'>" RAW
          "<source dev='/vm/win.img' index='1' "
          "startupPolicy='mandatory'/>" TARGET,
          "<disk device='disk' type='file'>" QCOW2
          "<source startupPolicy='mandatory' file='/new/win.qcow2'/>" TARGET },
        { "a volume",
          "<disk type='volume'>" RAW
          "<source pool='default' volume='win.img' mode='host'/>" TARGET,
          "<disk type='file'>" QCOW2 "<source file='/new/win.qcow2'/>" TARGET },
        { "an image of another host",
          "<disk type='network'>" RAW "<source protocol='gluster' "
          "name='vm/win.img'>\n<host name='a'/>\n<host name='b'/>\n"
          "<auth username='u'/></source><auth username='u'/>" TARGET,
          "<disk type='file'>" QCOW2 "<source file='/new/win.qcow2'>\n"
          "</source>" TARGET },
        { "what of the source is the old image's",
          "<disk>" RAW
          "<source xmlns:x='urn:x' x:dev='1' file='/vm/win.img' fdgroup='f'>\n"
          "  <seclabel model='dac' relabel='no'/><!-- kept -->\n"
          "  <slices><slice type='storage' offset='0' size='1'/></slices>\n"
          "  <x:y/>\n</source>" TARGET,
          "<disk>" QCOW2
          "<source xmlns:x='urn:x' x:dev='1' file='/new/win.qcow2'>\n"
          "  <seclabel model='dac' relabel='no'/><!-- kept -->\n"
          "  <x:y/>\n</source>" TARGET },
        { "the backing chain, beside a new driver",
          "<disk>\n  " OLD(
              "") "\n  <backingStore type='file'>\n"
                  "    <format type='raw'/>\n    <source file='/vm/base'/>\n"
                  "    <backingStore/>\n  </backingStore>\n"
                  "  <target dev='vda'/>\n</disk>\n",
          "<disk>\n  " NEW("") "\n  <driver type='qcow2'/>\n"
                               "  <target dev='vda'/>\n</disk>\n" },
        { "its base name, when it is the only one",
          "<disk><source file='/else/where/win.img'/>" TARGET
          "<disk device='cdrom'><source file='/cd/win.img'/></disk>\n"
          "<disk><source file='/vm/win.img.bak'/></disk><disk/>\n",
          "<disk>" NEW(
              "") "<driver type='qcow2'/>" TARGET
                  "<disk device='cdrom'><source file='/cd/win.img'/></disk>\n"
                  "<disk><source file='/vm/win.img.bak'/></disk><disk/>\n" },
        { "its path, when others have its base name",
          "<disk><source file='/a/win.img'/></disk><disk>" OLD("") TARGET
          "<disk><source file='/b/win.img'/></disk>\n",
          "<disk><source file='/a/win.img'/></disk><disk>" NEW(
              "") "<driver type='qcow2'/>" TARGET
                  "<disk><source file='/b/win.img'/></disk>\n" },
        { "moved already", "<disk type='file'>" QCOW2 NEW("") TARGET, NULL },
    };
    static const struct device_case with_drivers[] = {
        { "with the bus",
          "<disk>\n  " OLD("") "\n  <target dev='sda' bus='sata'/>\n"
                               "  <address type='drive'/>\n</disk>\n",
          "<disk>\n  " NEW(
              "") "\n  <driver type='qcow2'/>\n"
                  "  <target dev='vda' bus='virtio'/>\n</disk>\n" },
        { "an order and a driver behind the source",
          "<disk><target dev='hda'/></disk>\n<disk>\n  " OLD("") "\n</disk>\n",
          "<disk><target dev='vda' bus='virtio'/></disk>\n"
          "<disk>\n  " NEW("") "\n  <boot order='1'/>\n"
                               "  <driver type='qcow2'/>\n</disk>\n" },
    };

    (void)state;
    check_devices(cases, sizeof cases / sizeof *cases, &none, &moved);
    check_devices(with_drivers, sizeof with_drivers / sizeof *with_drivers,
                  &all, &moved);
}

static void
test_path_of_moved_image_is_escaped(void **state)
{
#define WORD "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" /* in 2, 3, 4 bytes */
#define DISK_OF(encoding, title, file)                                         \
    "<?xml version='1.0' encoding='" encoding                                  \
    "'?><domain type='kvm'><title>" title                                      \
    "</title><os><type>hvm</type></os><devices><disk><source file=" file       \
    "/><driver type='qcow2'/></disk></devices></domain>"
    static const struct domain_moved_image odd = { "/vm/win.img",
                                                   "/a&b <'\">\t\x7f" WORD,
                                                   "qcow2" };
#define OLD_FILE "\"/vm/win.img\""
#define ESCAPED "/a&amp;b &lt;&apos;&quot;&gt;&#x9;\x7f"
#define AS_UTF8 "\"" ESCAPED WORD "\""
#define AS_ASCII "\"" ESCAPED "&#xE9;&#x20AC;&#x1F600;\""
    V2V_AUTO(bytes) struct v2v_bytes before = { 0 }, after = { 0 };
    V2V_AUTO(domain_rewrite) struct domain_rewrite ret = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    check_moved("utf-8", DISK_OF("utf-8", WORD, OLD_FILE),
                DISK_OF("utf-8", WORD, AS_UTF8), &none, &odd);
    check_moved("ascii", DISK_OF("US-ASCII", "t", OLD_FILE),
                DISK_OF("US-ASCII", "t", AS_ASCII), &none, &odd);
    check_moved("latin9", DISK_OF("ISO-8859-15", "\xe9", OLD_FILE),
                DISK_OF("ISO-8859-15", "\xe9", AS_ASCII), &none, &odd);
    check_moved("windows-1252", DISK_OF("windows-1252", "\x80", OLD_FILE),
                DISK_OF("windows-1252", "\x80", AS_ASCII), &none, &odd);
#define MARK "\xef\xbb\xbf"
    v2v_utf16_from_utf8(MARK DISK_OF("UTF-16", WORD, OLD_FILE), &before, &err);
    v2v_utf16_from_utf8(MARK DISK_OF("UTF-16", WORD, AS_UTF8), &after, &err);
    rewrite_moved(before.data, before.len, &none, &odd, &ret);
    assert_int_equal(ret.xml.len, after.len);
    assert_memory_equal(ret.xml.data, after.data, after.len);
}

static void
test_changes_of_moved_image(void **state)
{
#define LONG_NAME                                                              \
    "/0123456789012345678901234567890123456789012345678901234567890123456789"
    static const struct domain_moved_image far = { LONG_NAME, LONG_NAME ".new",
                                                   "qcow2" };
    static const char xml[] =
        OPEN "<disk type='block'><source dev='" LONG_NAME "' index='2'>"
             "<reservations managed='yes'/></source><backingStore/>"
             "<driver type='raw'/><target dev='vda'/></disk>\n" CLOSE;
    static const char *const changes[][2] = {
        { "type block -> file", "what was injected is a new file" },
        { "source " LONG_NAME " -> " LONG_NAME ".new",
          "what was injected is a new file" },
        { "source dev dropped", "it is the old image's" },
        { "source index dropped", "it is the old image's" },
        { "source reservations dropped", "it is the old image's" },
        { "format raw -> qcow2", "what was injected is a new file" },
        { "backingStore dropped", "it is the old image's" },
    };
    V2V_AUTO(domain_rewrite) struct domain_rewrite ret = { 0 };

    (void)state;
    rewrite_moved(xml, strlen(xml), &none, &far, &ret);
    assert_int_equal(ret.change_count, sizeof changes / sizeof *changes);
    for (size_t i = 0; i < ret.change_count; i++) {
        assert_string_equal(ret.changes[i].device, "disk vda");
        assert_string_equal(ret.changes[i].what, changes[i][0]);
        assert_string_equal(ret.changes[i].why, changes[i][1]);
    }
}

static void
test_refusals_of_moved_image(void **state)
{
#define DISK(inside) "<disk>" inside "<target dev='vda'/></disk>"
#define REFUSED "disk vda cannot be given another image: "
    static const struct {
        const char *disks, *to;
        enum v2v_error_code code;
        const char *message;
    } cases[] = {
        { DISK(OLD("")), "new/win.qcow2", V2V_ERR_USAGE,
          "new/win.qcow2: libvirt takes absolute paths only" },
        { DISK(OLD("")), "/\x01", V2V_ERR_USAGE,
          "XML cannot hold '/?': byte 1 is a control character or not UTF-8" },
        { DISK(OLD("")), "/a\xff", V2V_ERR_USAGE,
          "XML cannot hold '/a?': byte 2 is a control character or not UTF-8" },
        { DISK(OLD("")), "/\xed\xa0\x80", V2V_ERR_USAGE,
          "XML cannot hold '/??"
          "?': byte 1 is a control character or not "
          "UTF-8" },
        { DISK("<source file='/vm/other.img'/>") "<disk device='cdrom'>" OLD(
              "") "</disk>",
          "/new", V2V_ERR_USAGE,
          "no disk of this machine is named win.img, so none can be given the "
          "new image: is it the right XML?" },
        { DISK("<source file='/a/win.img'/>")
              DISK("<source dev='/b/win.img'/>"),
          "/new", V2V_ERR_USAGE,
          "2 disks of this machine are named win.img: say which one is meant "
          "by the path of the image as the XML has it" },
        { DISK(OLD("")) DISK(OLD("")), "/new", V2V_ERR_USAGE,
          "2 disks of this machine are named win.img: say which one is meant "
          "by the path of the image as the XML has it" },
        { DISK(OLD("")) DISK("<source file='/new'/>"), "/new", V2V_ERR_USAGE,
          "disk vda has /new already: two disks cannot be one file" },
        { DISK("<source file='/new'/>") DISK("<source file='/new'/>"), "/new",
          V2V_ERR_USAGE,
          "disk vda has /new already: two disks cannot be one file" },
        { "<disk device='lun'>" OLD("") TARGET, "/new", V2V_ERR_GUEST,
          REFUSED "device='lun' passes SCSI commands to a device, and a file "
                  "is none" },
        { DISK("<mirror/>" OLD("")), "/new", V2V_ERR_GUEST,
          REFUSED "a block job is copying it (<mirror>); let that end first" },
        { DISK("<encryption/>" OLD("")), "/new", V2V_ERR_GUEST,
          REFUSED "the XML says that it is encrypted, which the new image is "
                  "not" },
        { DISK("<source file='/vm/win.img'><encryption/></source>"), "/new",
          V2V_ERR_GUEST,
          REFUSED "the XML says that it is encrypted, which the new image is "
                  "not" },
        { DISK("<shareable/>" OLD("")), "/new", V2V_ERR_GUEST,
          REFUSED "it is shareable, which libvirt allows for raw images only" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct domain_moved_image move = { "/vm/win.img", cases[i].to,
                                                 "qcow2" };
        V2V_AUTO(domain) struct domain *domain = NULL;
        const struct domain_options options = { .moved = &move };
        struct domain_rewrite ret = { .change_count = 7 };
        struct v2v_error err = { 0 };
        V2V_AUTO(mem) char *xml =
            v2v_format(&err, OPEN "%s\n" CLOSE, cases[i].disks);

        domain = parse(xml);
        assert_int_equal(domain_rewrite(domain, &options, &ret, &err), -1);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(ret.change_count, 7); /* untouched on failure */
    }
}

static void
test_image_count(void **state)
{
    static const struct {
        const char *path;
        size_t expected;
    } cases[] = {
        { "/vm/a.img", 1 },       /* its path, though b has that name too */
        { "/else/a.img", 2 },     /* two base names */
        { "lun", 1 },             /* a device */
        { "volume.img", 1 },      /* of a pool */
        { "/mnt/export.img", 1 }, /* behind a protocol */
        { "/vm/cd.img", 0 },      /* no hard disk */
        { "/vm/A.img", 0 },
    };
    V2V_AUTO(domain) struct domain *domain = NULL;

    (void)state;
    domain = parse(
        OPEN "<disk><source file='/vm/a.img'/></disk>"
             "<disk><source file='/b/a.img'/></disk>"
             "<disk device='lun'><source dev='/dev/lun'/></disk>"
             "<disk type='volume'><source pool='p' volume='volume.img'/></disk>"
             "<disk type='network'><source name='g/export.img'/></disk>"
             "<disk device='cdrom'><source file='/vm/cd.img'/></disk>"
             "<disk/>\n" CLOSE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(domain_image_count(domain, cases[i].path),
                         cases[i].expected);
}

/* The last net under the splices: each line but the first is a result that
 * wrong ones could give. */
static void
test_a_wrong_result_is_found(void **state)
{
    static const char before[] = "<a><b c='1' d='x'/><e>t</e></a>";
    static const char *const results[] = {
        "<a><b c='2' d='x' f='3'/><g h='4'/></a>",
        "<a><b c='1' d='x' f='3'/><g h='4'/></a>",
        "<a><b c='2' d='y' f='3'/><g h='4'/></a>",
        "<a><b c='2' d='x'/><g h='4'/></a>",
        "<a><b c='2' d='x' f='3' i='5'/><g h='4'/></a>",
        "<a><b c='2' k='x' f='3'/><g h='4'/></a>",
        "<a><b c='2' d='x' f='3'/><g h='5'/></a>",
        "<a><b c='2' d='x' f='3'/></a>",
        "<a><b c='2' d='x' f='3'><g h='4'/></b></a>",
        "<a><b c='2' d='x' f='3'/><g h='4'/><e>t</e></a>",
        "<a><l c='2' d='x' f='3'/><g h='4'/></a>",
        "<a xmlns='urn:x'><b c='2' d='x' f='3'/><g h='4'/></a>",
    };
    struct xml_edit items[] = {
        { .kind = XML_SET_ATTR, .element = 1, .attr = 0, .value = "2" },
        { .kind = XML_ADD_ATTR, .element = 1, .attr_name = "f", .value = "3" },
        { .kind = XML_INSERT, .element = 0, .after = 1, .value = "<g h='4'/>" },
        { .kind = XML_DROP, .element = 2 },
    };
    const struct xml_edits edits = { items, sizeof items / sizeof *items };
    struct xml_doc doc;
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(xml_parse(before, strlen(before), &doc, &err), 0);
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        struct xml_doc result;

        assert_int_equal(
            xml_parse(results[i], strlen(results[i]), &result, &err), 0);
        if (xml_check(&doc, &edits, &result, &err) != (i == 0 ? 0 : -1))
            fail_msg("%s", results[i]);
        xml_done(&result);
    }
    assert_int_equal(err.code, V2V_ERR_INTERNAL);
    xml_done(&doc);
}

static void
test_facts_of_disks(void **state)
{
    V2V_AUTO(domain) struct domain *domain = NULL;

    (void)state;
    domain = parse(
        OPEN "<disk device='cdrom'><source file='/x'/></disk>"
             "<disk type='file'><source file='/a&amp;b.qcow2'/>"
             "<target dev='hda'/></disk>"
             "<disk device='lun'><source dev='/dev/sdb'/></disk>"
             "<disk device='floppy'/>"
             "<disk type='network'><source protocol='nbd'/></disk>\n" CLOSE);
    assert_int_equal(domain_disk_count(domain), 3);
    assert_string_equal(domain_disk_source(domain, 0), "/a&b.qcow2");
    assert_string_equal(domain_disk_name(domain, 0), "hda");
    assert_string_equal(domain_disk_source(domain, 1), "/dev/sdb");
    assert_null(domain_disk_name(domain, 1));
    assert_null(domain_disk_source(domain, 2));
}

static void
assert_refused(const char *xml, size_t len, enum v2v_error_code code,
               const char *message)
{
    struct domain *domain = (struct domain *)&all;
    struct v2v_error err = { 0 };

    assert_int_equal(domain_parse(xml, len, &domain, &err), -1);
    assert_string_equal(err.text, message);
    assert_int_equal(err.code, code);
    assert_ptr_equal(domain, &all); /* untouched on failure */
}

static void
test_refusals(void **state)
{
#define KVM(os) "<domain type='kvm'>" os "<devices/></domain>"
    static const struct {
        const char *xml;
        enum v2v_error_code code;
        const char *message;
    } cases[] = {
        { "", V2V_ERR_FORMAT, "not well-formed XML: line 1: no element" },
        { "hello", V2V_ERR_FORMAT,
          "not well-formed XML: line 1: text outside the root element" },
        { "<domain>\n<a></b></domain>", V2V_ERR_FORMAT,
          "not well-formed XML: line 2: end tag of another element" },
        { "<a/><b/>", V2V_ERR_FORMAT,
          "not well-formed XML: line 1: a second root element" },
        { "<a>\n\n<b", V2V_ERR_FORMAT,
          "not well-formed XML: line 3: start tag without an end" },
        { "<a", V2V_ERR_FORMAT,
          "not well-formed XML: line 1: start tag without an end" },
        { "<a>", V2V_ERR_FORMAT,
          "not well-formed XML: line 1: element without an end" },
        { "</a>", V2V_ERR_FORMAT, "not well-formed XML: line 1: bad end tag" },
        { "<a b/>", V2V_ERR_FORMAT,
          "not well-formed XML: line 1: bad attribute" },
        { "<a b=c/>", V2V_ERR_FORMAT,
          "not well-formed XML: line 1: attribute value without quotes" },
        { "<a b='c/>", V2V_ERR_FORMAT,
          "not well-formed XML: line 1: attribute value without an end" },
        { "<a b='<'/>", V2V_ERR_FORMAT,
          "not well-formed XML: line 1: '<' in an attribute value" },
        { "<a><!-- </a>", V2V_ERR_FORMAT,
          "not well-formed XML: line 1: comment without an end" },
        { "<a b='1' b='2'/>", V2V_ERR_FORMAT,
          "not well-formed XML: line 1: Attribute b redefined" },
        { "<a>&b;</a>", V2V_ERR_FORMAT,
          "not well-formed XML: line 1: Entity 'b' not defined" },
        { "\n<!DOCTYPE domain []><domain/>", V2V_ERR_FORMAT,
          "line 2: a DOCTYPE is not accepted: its entities could hide what "
          "libvirt sees" },
        { "<?xml version='1.0' encoding='Shift_JIS'?><domain/>", V2V_ERR_FORMAT,
          "the XML declaration says encoding Shift_JIS, which is not "
          "supported; convert the file to UTF-8" },
        { "<domainsnapshot/>", V2V_ERR_FORMAT,
          "the root element is <domainsnapshot>, not <domain>: this is a "
          "snapshot of a domain; give what 'virsh dumpxml --inactive' "
          "prints" },
        { "<domstatus><domain/></domstatus>", V2V_ERR_FORMAT,
          "the root element is <domstatus>, not <domain>: this is what libvirt "
          "notes of a running domain; give what 'virsh dumpxml --inactive' "
          "prints" },
        { "<Envelope xmlns='http://schemas.dmtf.org/ovf/envelope/1'/>",
          V2V_ERR_FORMAT,
          "the root element is <Envelope>, not <domain>: this is an OVF; give "
          "what 'virsh dumpxml --inactive' prints" },
        { "<network/>", V2V_ERR_FORMAT,
          "the root element is <network>, not <domain>; give what 'virsh "
          "dumpxml --inactive' prints" },
        { "<domain xmlns='urn:x'/>", V2V_ERR_FORMAT,
          "the root element <domain> is in a namespace; libvirt does not read "
          "such a domain" },
        { "<x:domain xmlns:x='urn:x'/>", V2V_ERR_FORMAT,
          "the root element <domain> is in a namespace; libvirt does not read "
          "such a domain" },
        { "<domain type='kvm'/>", V2V_ERR_FORMAT,
          "the domain has no <devices>" },
        { "<domain type='vmware'><devices/></domain>", V2V_ERR_GUEST,
          "domain type 'vmware' is not kvm or qemu: it needs another machine, "
          "not other devices; virt-v2v makes one" },
        { "<domain><devices/></domain>", V2V_ERR_GUEST,
          "domain type '' is not kvm or qemu: it needs another machine, "
          "not other devices; virt-v2v makes one" },
        { KVM(""), V2V_ERR_GUEST, "os type '' is not hvm" },
        { KVM("<os><type>linux</type></os>"), V2V_ERR_GUEST,
          "os type 'linux' is not hvm" },
        { KVM("<os><type arch='aarch64'>hvm</type></os>"), V2V_ERR_GUEST,
          "architecture 'aarch64' is not x86_64 or i686" },
        { KVM("<os><type machine='isapc'>hvm</type></os>"), V2V_ERR_GUEST,
          "machine 'isapc' has no PCI bus for virtio devices" },
        { KVM("<os><type machine='microvm'>hvm</type></os>"), V2V_ERR_GUEST,
          "machine 'microvm' has no PCI bus for virtio devices" },
        { KVM("<os><type machine='none'>hvm</type></os>"), V2V_ERR_GUEST,
          "machine 'none' has no PCI bus for virtio devices" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].xml, strlen(cases[i].xml), cases[i].code,
                       cases[i].message);
    assert_refused("<a>\0</a>", 8, V2V_ERR_FORMAT,
                   "not well-formed XML: a NUL byte");
    assert_refused("\xff\xfe<\0a\0/\0>", 9, V2V_ERR_FORMAT,
                   "not well-formed UTF-16");
    assert_refused("\xff\xfe<\0\0\0>\0", 8, V2V_ERR_FORMAT,
                   "not well-formed UTF-16");
    assert_refused(
        "\xff\xfe<\0\0\xd8/\0>\0", 10, V2V_ERR_FORMAT,
        "not well-formed XML: line 1: StartTag: invalid element name");
}

/* @n times @open, then @n times @close */
static void
assert_too_much(size_t n, const char *open, const char *close,
                const char *message)
{
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };
    struct v2v_error err = { 0 };

    v2v_bytes_printf(&xml, &err,
                     "<domain type='kvm'><os><type>hvm</type></os>"
                     "<devices>");
    for (size_t i = 0; i < n; i++)
        v2v_bytes_add(&xml, open, strlen(open), &err);
    for (size_t i = 0; i < n; i++)
        v2v_bytes_add(&xml, close, strlen(close), &err);
    v2v_bytes_printf(&xml, &err, "</devices></domain>");
    assert_refused((const char *)xml.data, xml.len, V2V_ERR_FORMAT, message);
}

static void
test_limits(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    v2v_bytes_printf(&xml, &err, "<a");
    for (int i = 0; i < 257; i++)
        v2v_bytes_printf(&xml, &err, " b%d=''", i);
    v2v_bytes_printf(&xml, &err, "/>");
    assert_refused((const char *)xml.data, xml.len, V2V_ERR_FORMAT,
                   "line 1: an element has more attributes than the limit of "
                   "256");
    assert_too_much(255, "<a>", "</a>",
                    "line 1: nested deeper than the limit of 256");
    assert_too_much(1 << 17, "<a/>", "",
                    "line 1: more elements than the limit of 131072");
    assert_too_much(1025, "<disk/>", "",
                    "1025 <disk> elements are more than the limit of 1024");
    assert_too_much(
        1025, "<interface/>", "",
        "1025 <interface> elements are more than the limit of 1024");
    assert_too_much((16 << 20) - 10, "x", "",
                    "larger than the limit of 16777216 bytes");
}

static void
test_secure_boot(void **state)
{
    static const struct {
        const char *os; /* what stands in <os>, or its start tag */
        enum domain_secure_boot expected;
    } cases[] = {
        { "<os><type>hvm</type></os>", DOMAIN_SECURE_BOOT_OFF },
        { "<os firmware='efi'><type>hvm</type></os>",
          DOMAIN_SECURE_BOOT_UNKNOWN },
        { "<os firmware='efi'><type>hvm</type><firmware><feature "
          "enabled='yes' name='enrolled-keys'/><feature enabled='yes' "
          "name='secure-boot'/></firmware></os>",
          DOMAIN_SECURE_BOOT_ON },
        { "<os firmware='efi'><type>hvm</type><firmware><feature "
          "enabled='no' name='secure-boot'/></firmware></os>",
          DOMAIN_SECURE_BOOT_OFF },
        { "<os><type>hvm</type><loader readonly='yes' secure='yes' "
          "type='pflash'>/x</loader></os>",
          DOMAIN_SECURE_BOOT_ON },
        { "<os><type>hvm</type><loader type='pflash'>/x</loader></os>",
          DOMAIN_SECURE_BOOT_UNKNOWN },
        { "<os><type>hvm</type><loader type='rom'>/x</loader></os>",
          DOMAIN_SECURE_BOOT_OFF },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(domain) struct domain *domain = NULL;
        struct v2v_error err = { 0 };
        char xml[1024];
        int len = snprintf(xml, sizeof xml,
                           "<domain type='kvm'><name>x</name>%s<devices/>"
                           "</domain>",
                           cases[i].os);

        assert_int_equal(domain_parse(xml, (size_t)len, &domain, &err), 0);
        assert_int_equal(domain_secure_boot(domain), cases[i].expected);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secure_boot),
        cmocka_unit_test(test_disks),
        cmocka_unit_test(test_scsi_controllers),
        cmocka_unit_test(test_interfaces),
        cmocka_unit_test(test_every_emulated_model),
        cmocka_unit_test(test_balloon),
        cmocka_unit_test(test_only_devices_whose_driver_is_there),
        cmocka_unit_test(test_boot_disk_stays),
        cmocka_unit_test(test_names_after_vdz),
        cmocka_unit_test(test_the_rest_of_the_file_stays),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_changes_and_warnings),
        cmocka_unit_test(test_what_is_left_for_want_of_a_driver_is_said),
        cmocka_unit_test(test_long_values_are_cut_at_a_character),
        cmocka_unit_test(test_moved_image),
        cmocka_unit_test(test_path_of_moved_image_is_escaped),
        cmocka_unit_test(test_changes_of_moved_image),
        cmocka_unit_test(test_refusals_of_moved_image),
        cmocka_unit_test(test_image_count),
        cmocka_unit_test(test_a_wrong_result_is_found),
        cmocka_unit_test(test_facts_of_disks),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
