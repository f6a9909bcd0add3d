/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks that go to virtio-scsi, and the controllers there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/domain.h"

#define OPEN                                                                   \
    "<domain type='kvm'><os><type machine='pc'>hvm</type></os><devices>\n"
#define CLOSE "</devices></domain>\n"

#define DISK(target, more) "<disk><target " target "/>" more "</disk>\n"
#define LUN(target, more)                                                      \
    "<disk device='lun'><target " target "/>" more "</disk>\n"
#define CDROM(target, more)                                                    \
    "<disk device='cdrom'><target " target "/>" more "</disk>\n"
#define SD(letter) "dev='sd" letter "' bus='scsi'"
#define AT(controller, unit) AT_TARGET(controller, "0", unit)
#define AT_TARGET(controller, target, unit)                                    \
    "<address type='drive' controller='" controller                            \
    "' bus='0' target='" target "' unit='" unit "'/>"
#define CONTROLLER(index, model)                                               \
    "<controller type='scsi' index='" index "' model='" model "'/>\n"
#define VIRTIO_SCSI(index) CONTROLLER(index, "virtio-scsi")

/* viostor is there too: the option decides. */
static const struct domain_options to_scsi = {
    .drivers = { .viostor = true, .vioscsi = true },
    .virtio_scsi = true,
};
static const struct domain_options to_blk = {
    .drivers = { .viostor = true, .vioscsi = true },
};
static const struct domain_options without_vioscsi = {
    .drivers = { .viostor = true },
    .virtio_scsi = true,
};

struct scsi_case {
    const char *name;
    const char *before, *after; /* in <devices>; NULL: unchanged */
};

static void
rewrite(const char *xml, const struct domain_options *options,
        struct domain_rewrite *ret)
{
    V2V_AUTO(domain) struct domain *domain = NULL;
    struct v2v_error err = { 0 };

    if (domain_parse(xml, strlen(xml), &domain, &err) < 0 ||
        domain_rewrite(domain, options, ret, &err) < 0)
        fail_msg("%s\n%s", err.text, xml);
}

static void
check_xml(const char *name, const char *before, const char *after,
          const struct domain_options *options)
{
    V2V_AUTO(domain_rewrite) struct domain_rewrite first = { 0 };
    V2V_AUTO(domain_rewrite) struct domain_rewrite second = { 0 };

    rewrite(before, options, &first);
    assert_int_equal(v2v_bytes_add(&first.xml, "", 1, NULL), 0);
    if (strcmp((char *)first.xml.data, after) != 0)
        fail_msg("%s:\n%s", name, (char *)first.xml.data);
    assert_int_equal(first.change_count > 0, strcmp(before, after) != 0);
    rewrite(after, options, &second);
    if (second.change_count > 0)
        fail_msg("%s: a second rewrite changes it", name);
}

static void
check_cases(const struct scsi_case *cases, size_t count,
            const struct domain_options *options)
{
    for (size_t i = 0; i < count; i++) {
        const struct scsi_case *c = &cases[i];
        char before[4096], after[4096];

        snprintf(before, sizeof before, OPEN "%s" CLOSE, c->before);
        snprintf(after, sizeof after, OPEN "%s" CLOSE,
                 c->after != NULL ? c->after : c->before);
        check_xml(c->name, before, after, options);
    }
}

#define CHECK(cases, options)                                                  \
    check_cases((cases), sizeof(cases) / sizeof *(cases), (options))

static void
test_disks(void **state)
{
    static const struct scsi_case cases[] = {
        { "ide: controller and address are added",
          DISK("dev='hda' bus='ide'", ""),
          DISK(SD("a"), AT("0", "0")) VIRTIO_SCSI("0") },
        { "sata keeps its name; its address is changed in place",
          DISK("dev='sdb' bus='sata'",
               "<address type='drive' controller='1' bus='2' unit='3'/>"),
          DISK(SD("b"), "<address type='drive' controller='0' bus='0' "
                        "unit='0'/>") VIRTIO_SCSI("0") },
        { "an SD card slot", DISK("dev='sda' bus='sd'", ""),
          DISK(SD("a"), AT("0", "0")) VIRTIO_SCSI("0") },
        { "q35: a cdrom is sda on sata",
          CDROM("dev='sda' bus='sata'", "") DISK("dev='hda' bus='ide'", ""),
          CDROM("dev='sda' bus='sata'", "") DISK(SD("b"), AT("0", "0"))
              VIRTIO_SCSI("0") },
        { "an address of another type",
          DISK("dev='hda'", "<address type='ccw' cssid='1'/>"),
          DISK("dev='sda' bus='scsi'", AT("0", "0")) VIRTIO_SCSI("0") },
        { "what SCSI disks can have stays",
          DISK("dev='hda' bus='ide' rotation_rate='7200'",
               "<wwn>5000c50015ea71ab</wwn><vendor>A</vendor>"
               "<product>B</product>"),
          DISK(SD("a") " rotation_rate='7200'",
               AT("0", "0") "<wwn>5000c50015ea71ab</wwn><vendor>A</vendor>"
                            "<product>B</product>") VIRTIO_SCSI("0") },
        { "what they cannot have goes",
          DISK("dev='hda' bus='ide' tray='open' removable='on'",
               "<geometry cyls='1' trans='lba'/><alias name='ide0-0-0'/>"),
          DISK(SD("a"), AT("0", "0") "<geometry cyls='1'/>") VIRTIO_SCSI("0") },
        { "aliases of the user's stay",
          DISK("dev='hda' bus='ide'", "<alias name='ua-system'/>"),
          DISK(SD("a"), AT("0", "0") "<alias name='ua-system'/>")
              VIRTIO_SCSI("0") },
        { "queues and iothread are the controller's",
          "<disk><driver name='qemu' queues='4' iothread='1' cache='none'/>"
          "<target dev='hda'/></disk>\n",
          "<disk><driver name='qemu' cache='none'/>"
          "<target dev='sda' bus='scsi'/><address type='drive' controller='0' "
          "bus='0' target='0' unit='0'/></disk>\n"
          "<controller type='scsi' index='0' model='virtio-scsi'>\n"
          "<driver queues='4' iothread='1'/>\n</controller>\n" },
        { "virtio, usb, cdroms and floppies stay",
          DISK("dev='vda' bus='virtio'", "") DISK("dev='sda' bus='usb'", "")
              CDROM("dev='hda' bus='ide'",
                    "") "<disk device='floppy'><target dev='fda'/></disk>\n",
          NULL },
    };

    (void)state;
    CHECK(cases, &to_scsi);
}

static void
test_controllers(void **state)
{
    static const struct scsi_case cases[] = {
        { "one that is there is used, the lowest places first",
          DISK("dev='hda' bus='ide'", "") DISK("dev='hdb' bus='ide'", "")
              CDROM(SD("c"), AT("4", "0")) VIRTIO_SCSI("4"),
          DISK(SD("a"), AT("4", "1")) DISK(SD("b"), AT("4", "2"))
              CDROM(SD("c"), AT("4", "0")) VIRTIO_SCSI("4") },
        { "a transitional one is one",
          DISK("dev='hda'", "") CONTROLLER("0", "virtio-transitional"),
          DISK("dev='sda' bus='scsi'", AT("0", "0"))
              CONTROLLER("0", "virtio-transitional") },
        { "a place by name is taken too",
          CDROM(SD("a"), "") DISK("dev='hda'", "") VIRTIO_SCSI("0"),
          CDROM(SD("a"), "") DISK("dev='sdb' bus='scsi'", AT("0", "1"))
              VIRTIO_SCSI("0") },
        { "a place of a passed-through device is taken too",
          DISK("dev='hda'", "") "<hostdev type='scsi'>" AT(
              "0", "0") "</hostdev>\n" VIRTIO_SCSI("0"),
          DISK("dev='sda' bus='scsi'", AT("0", "1")) "<hostdev type='scsi'>" AT(
              "0", "0") "</hostdev>\n" VIRTIO_SCSI("0") },
        { "an emulated one changes, its disks stay on it",
          DISK(SD("a"), AT("1", "3")) DISK(SD("b"), AT("1", "4"))
              CONTROLLER("1", "lsilogic"),
          DISK(SD("a"), AT("1", "3")) DISK(SD("b"), AT("1", "4"))
              VIRTIO_SCSI("1") },
        { "its address stays, unless it is none of PCI",
          DISK(SD("a"), AT("0", "0")) DISK(
              SD("b"),
              AT("1",
                 "0")) "<controller type='scsi' index='0'><address type='pci' "
                       "slot='0x9'/></controller>\n<controller type='scsi' "
                       "index='1' "
                       "model='ibmvscsi'><address "
                       "type='spapr-vio'/></controller>\n",
          DISK(SD("a"), AT("0", "0")) DISK(
              SD("b"),
              AT("1",
                 "0")) "<controller type='scsi' index='0' model='virtio-scsi'>"
                       "<address type='pci' "
                       "slot='0x9'/></controller>\n<controller "
                       "type='scsi' index='1' "
                       "model='virtio-scsi'></controller>\n" },
        { "it is left alone beside a virtio-scsi one",
          DISK(SD("a"), AT("0", "3")) CONTROLLER("0", "lsilogic")
              VIRTIO_SCSI("1"),
          DISK(SD("a"), AT("1", "0")) CONTROLLER("0", "lsilogic")
              VIRTIO_SCSI("1") },
        { "one without a model is emulated",
          DISK(SD("a"), "") "<controller type='scsi'/>\n",
          DISK(SD("a"), "") "<controller type='scsi' model='virtio-scsi'/>\n" },
        { "one that libvirt would add is written",
          DISK(SD("a"), "") DISK(SD("b"), ""),
          DISK(SD("a"), "") DISK(SD("b"), "") VIRTIO_SCSI("0") },
        { "7 disks a controller, by name", DISK(SD("g"), "") DISK(SD("h"), ""),
          DISK(SD("g"), "") DISK(SD("h"), "") VIRTIO_SCSI("0")
              VIRTIO_SCSI("1") },
        { "disks of other buses go to the changed one",
          DISK("dev='hda'", "") DISK(SD("a"), "") CONTROLLER("0", "lsilogic"),
          DISK(SD("b"), AT("0", "1") "<boot order='1'/>") DISK(SD("a"), "")
              VIRTIO_SCSI("0") },
        { "a cdrom keeps its emulated controller: another is added",
          DISK(SD("a"), AT("0", "0")) CDROM(SD("b"), AT("0", "1"))
              CONTROLLER("0", "lsilogic"),
          DISK(SD("a"), AT("1", "0")) CDROM(SD("b"), AT("0", "1"))
              CONTROLLER("0", "lsilogic") VIRTIO_SCSI("1") },
        { "so does one on a controller that libvirt adds",
          DISK(SD("a"), "") CDROM(SD("b"), ""),
          DISK(SD("a"), AT("1", "0")) CDROM(SD("b"), "") VIRTIO_SCSI("1") },
        { "and a passed-through device without an address",
          DISK(SD("a"), "") "<hostdev type='scsi'/>\n",
          DISK(SD("a"), AT("1", "0"))
              VIRTIO_SCSI("1") "<hostdev type='scsi'/>\n" },
        { "other passed-through devices do not matter",
          DISK(SD("a"), "") "<hostdev type='usb'/>\n",
          DISK(SD("a"), "") VIRTIO_SCSI("0") "<hostdev type='usb'/>\n" },
    };

    (void)state;
    CHECK(cases, &to_scsi);
}

static void
test_luns(void **state)
{
    static const struct scsi_case moving[] = {
        { "a lun moves with its controller, the disk to virtio-blk",
          LUN(SD("a"), AT("0", "0")) DISK(SD("b"), AT("0", "1"))
              CONTROLLER("0", "lsilogic"),
          LUN(SD("a"), AT("0", "0")) DISK("dev='vda' bus='virtio'", "")
              VIRTIO_SCSI("0") },
        { "on virtio-scsi it is left", LUN(SD("a"), "") VIRTIO_SCSI("0"),
          NULL },
        { "on virtio-blk it is left", LUN("dev='vda' bus='virtio'", ""), NULL },
    };
    static const struct scsi_case staying[] = {
        { "not without vioscsi",
          LUN(SD("a"), AT("0", "0")) CONTROLLER("0", "lsilogic"), NULL },
        { "no disk does", DISK("dev='hda'", ""), NULL },
    };

    (void)state;
    CHECK(moving, &to_blk);
    CHECK(staying, &without_vioscsi);
}

/* libvirt sorts the disks of a bus by name and boots from the first. */
static void
test_boot_disk_stays(void **state)
{
    static const struct scsi_case cases[] = {
        { "names that suit are kept",
          DISK("dev='sdb' bus='sata'", "") DISK("dev='sdd' bus='sata'", ""),
          DISK(SD("b"), AT("0", "0")) DISK(SD("d"), AT("0", "1"))
              VIRTIO_SCSI("0") },
        { "unless that boots another disk: then all are new, in the old order",
          DISK("dev='hda' bus='ide'", "") DISK("dev='sda' bus='sata'", ""),
          DISK(SD("a"), AT("0", "0")) DISK(SD("b"), AT("0", "1"))
              VIRTIO_SCSI("0") },
        { "a disk that is on the bus is booted: names behind it",
          DISK(SD("b"), "") DISK("dev='hda' bus='ide'", "") VIRTIO_SCSI("0"),
          DISK(SD("b"), "") DISK(SD("c"), AT("0", "0")) VIRTIO_SCSI("0") },
        { "no name can help: orders are written",
          DISK("dev='hda' bus='ide'", "") DISK(SD("a"), "") VIRTIO_SCSI("0"),
          DISK(SD("b"), AT("0", "1") "<boot order='1'/>") DISK(SD("a"), "")
              VIRTIO_SCSI("0") },
        { "orders that are there stay",
          DISK("dev='hda' bus='ide'", "<boot order='2'/>")
              DISK(SD("a"), "<boot order='1'/>") VIRTIO_SCSI("0"),
          DISK(SD("b"), AT("0", "1") "<boot order='2'/>")
              DISK(SD("a"), "<boot order='1'/>") VIRTIO_SCSI("0") },
    };

    (void)state;
    CHECK(cases, &to_scsi);
}

/* OVMF sees units 0 to 7 only. */
static void
test_more_disks_than_units(void **state)
{
    V2V_AUTO(domain_rewrite) struct domain_rewrite result = { 0 };
    char xml[2048] = OPEN;
    size_t len = strlen(xml);

    (void)state;
    for (int i = 0; i < 17; i++)
        len += (size_t)snprintf(xml + len, sizeof xml - len,
                                DISK("dev='hd%c'", ""), 'a' + i);
    snprintf(xml + len, sizeof xml - len, CLOSE);
    rewrite(xml, &to_scsi, &result);
    assert_int_equal(v2v_bytes_add(&result.xml, "", 1, NULL), 0);
    assert_non_null(
        strstr((char *)result.xml.data,
               DISK("dev='sdi' bus='scsi'", AT_TARGET("0", "1", "0"))));
    assert_non_null(
        strstr((char *)result.xml.data,
               DISK("dev='sdq' bus='scsi'", AT_TARGET("0", "2", "0"))));
}

static void
test_what_is_said(void **state)
{
    static const struct {
        const struct domain_options *options;
        const char *devices, *said;
    } cases[] = {
        { &to_scsi, DISK("dev='hda'", ""),
          "disk hda: bus ide -> virtio-scsi, dev hda -> sda "
          "(vioscsi was injected)" },
        { &to_scsi, DISK("dev='hda'", ""),
          "controller: scsi 0 added: virtio-scsi (vioscsi was injected)" },
        { &to_scsi, DISK(SD("a"), "") CONTROLLER("0", "lsilogic"),
          "controller: scsi 0: model lsilogic -> virtio-scsi "
          "(vioscsi was injected)" },
        { &to_scsi, DISK(SD("a"), "") CONTROLLER("0", "lsilogic"),
          "disk sda: bus scsi -> virtio-scsi (vioscsi was injected)" },
        { &to_scsi, DISK("dev='hda' tray='open'", ""),
          "disk hda: target tray dropped (libvirt refuses it on a SCSI disk)" },
        { &to_scsi, DISK("dev='vda'", ""),
          "1 disk(s) on virtio-blk stay there: only emulated disks are moved "
          "to "
          "virtio-scsi" },
        { &to_scsi, DISK("dev='hda'", "<shareable/>"),
          "disk hda is shareable: other guests that use it are not changed" },
        { &without_vioscsi, DISK("dev='hda'", ""),
          "disk hda stays on ide: vioscsi was not injected" },
        { &without_vioscsi, LUN(SD("a"), ""),
          "disk sda stays on scsi: device='lun' passes SCSI commands through, "
          "which virtio-blk cannot; virtio-scsi can, but vioscsi was not "
          "injected" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(domain_rewrite) struct domain_rewrite result = { 0 };
        char xml[1024], said[2048] = "";
        size_t len = 0;

        snprintf(xml, sizeof xml, OPEN "%s" CLOSE, cases[i].devices);
        rewrite(xml, cases[i].options, &result);
        for (size_t j = 0; j < result.change_count; j++)
            len +=
                (size_t)snprintf(said + len, sizeof said - len, "%s: %s (%s)\n",
                                 result.changes[j].device,
                                 result.changes[j].what, result.changes[j].why);
        for (size_t j = 0; j < result.warnings.count; j++)
            len += (size_t)snprintf(said + len, sizeof said - len, "%s\n",
                                    result.warnings.items[j]);
        if (strstr(said, cases[i].said) == NULL)
            fail_msg("not said: %s, but:\n%s", cases[i].said, said);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disks),
        cmocka_unit_test(test_controllers),
        cmocka_unit_test(test_luns),
        cmocka_unit_test(test_boot_disk_stays),
        cmocka_unit_test(test_more_disks_than_units),
        cmocka_unit_test(test_what_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
