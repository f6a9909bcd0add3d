/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "verify/device.h"

/* A device as QEMU shows it.  @subsystem is subsystem id and vendor as in
 * SUBSYS_, @class base class, subclass and programming interface as in CC_.
 *
 * Source: QEMU, hw/virtio/virtio-pci.c (a modern device has REV_01 and the
 * default subsystem 1af4:1100, a transitional one the virtio id), hw/ide/ich.c,
 * hw/ide/piix.c, hw/nvme/ctrl.c, include/hw/pci/pci_ids.h. */
struct model {
    enum device_kind kind;
    enum domain_virtio_ids ids; /* EITHER: the device has no second form */
    const char *name, *service, *enumerated;
    uint16_t vendor, device;
    uint32_t subsystem;
    uint8_t revision;
    uint32_t class;
    const char *names[3]; /* in place of all these: not a PCI device */
};

#define MODERN DOMAIN_VIRTIO_MODERN
#define OLD DOMAIN_VIRTIO_TRANSITIONAL

static const struct model models[] = {
    { DEVICE_VIRTIO_BLK,
      OLD,
      "virtio-blk 1af4:1001 (transitional)",
      "viostor",
      NULL,
      0x1af4,
      0x1001,
      0x00021af4,
      0x00,
      0x010000,
      { NULL } },
    { DEVICE_VIRTIO_BLK,
      MODERN,
      "virtio-blk 1af4:1042 (modern)",
      "viostor",
      NULL,
      0x1af4,
      0x1042,
      0x11001af4,
      0x01,
      0x010000,
      { NULL } },
    { DEVICE_VIRTIO_SCSI,
      OLD,
      "virtio-scsi 1af4:1004 (transitional)",
      "vioscsi",
      NULL,
      0x1af4,
      0x1004,
      0x00081af4,
      0x00,
      0x010000,
      { NULL } },
    { DEVICE_VIRTIO_SCSI,
      MODERN,
      "virtio-scsi 1af4:1048 (modern)",
      "vioscsi",
      NULL,
      0x1af4,
      0x1048,
      0x11001af4,
      0x01,
      0x010000,
      { NULL } },
    { DEVICE_VIRTIO_NET,
      OLD,
      "virtio-net 1af4:1000 (transitional)",
      "netkvm",
      NULL,
      0x1af4,
      0x1000,
      0x00011af4,
      0x00,
      0x020000,
      { NULL } },
    { DEVICE_VIRTIO_NET,
      MODERN,
      "virtio-net 1af4:1041 (modern)",
      "netkvm",
      NULL,
      0x1af4,
      0x1041,
      0x11001af4,
      0x01,
      0x020000,
      { NULL } },
    { DEVICE_AHCI,
      DOMAIN_VIRTIO_EITHER,
      "AHCI controller 8086:2922",
      "storahci",
      "PCI\\VEN_8086&DEV_2922&",
      0x8086,
      0x2922,
      0x11001af4,
      0x02,
      0x010601,
      { NULL } },
    { DEVICE_IDE,
      DOMAIN_VIRTIO_EITHER,
      "IDE controller 8086:7010",
      "intelide",
      "PCI\\VEN_8086&DEV_7010&",
      0x8086,
      0x7010,
      0x11001af4,
      0x00,
      0x010180,
      { NULL } },
    /* what intelide.sys finds behind the controller: ids of mshdc.inf, read in
     * hives of Windows 7 and 10 1709 */
    { DEVICE_IDE,
      DOMAIN_VIRTIO_EITHER,
      "IDE channel",
      "atapi",
      "PCIIDE\\IDEChannel",
      0,
      0,
      0,
      0,
      0,
      { "Primary_IDE_Channel", "Internal_IDE_Channel", "*PNP0600" } },
    { DEVICE_NVME,
      DOMAIN_VIRTIO_EITHER,
      "NVMe controller 1b36:0010",
      "stornvme",
      "PCI\\VEN_1B36&DEV_0010&",
      0x1b36,
      0x0010,
      0x11001af4,
      0x02,
      0x010802,
      { NULL } },
};

static int __attribute__((format(printf, 3, 4)))
add(struct device *d, struct v2v_error *err, const char *fmt, ...)
{
    char id[64];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(id, sizeof id, fmt, args);
    va_end(args);
    return v2v_strings_add(&d->ids, id, err);
}

/* Source: Microsoft, "Identifiers for PCI devices". */
static int
add_pci_ids(const struct model *m, struct device *d, struct v2v_error *err)
{
    unsigned ven = m->vendor, dev = m->device;

    if (add(d, err, "PCI\\VEN_%04X&DEV_%04X&SUBSYS_%08X&REV_%02X", ven, dev,
            m->subsystem, m->revision) < 0 ||
        add(d, err, "PCI\\VEN_%04X&DEV_%04X&SUBSYS_%08X", ven, dev,
            m->subsystem) < 0 ||
        add(d, err, "PCI\\VEN_%04X&DEV_%04X&CC_%06X", ven, dev, m->class) < 0 ||
        add(d, err, "PCI\\VEN_%04X&DEV_%04X&CC_%04X", ven, dev, m->class >> 8) <
            0)
        return -1;
    d->hardware_count = d->ids.count;
    if (add(d, err, "PCI\\VEN_%04X&DEV_%04X&REV_%02X", ven, dev, m->revision) <
            0 ||
        add(d, err, "PCI\\VEN_%04X&DEV_%04X", ven, dev) < 0 ||
        add(d, err, "PCI\\VEN_%04X&CC_%06X", ven, m->class) < 0 ||
        add(d, err, "PCI\\VEN_%04X&CC_%04X", ven, m->class >> 8) < 0 ||
        add(d, err, "PCI\\VEN_%04X", ven) < 0 ||
        add(d, err, "PCI\\CC_%06X", m->class) < 0)
        return -1;
    return add(d, err, "PCI\\CC_%04X", m->class >> 8);
}

static int
add_names(const struct model *m, struct device *d, struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof m->names / sizeof *m->names; i++)
        if (m->names[i] != NULL &&
            v2v_strings_add(&d->ids, m->names[i], err) < 0)
            return -1;
    d->hardware_count = d->ids.count;
    return 0;
}

static bool
is_wanted(const struct model *m, enum device_kind kind,
          enum domain_virtio_ids ids)
{
    return m->kind == kind && (m->ids == DOMAIN_VIRTIO_EITHER ||
                               ids == DOMAIN_VIRTIO_EITHER || m->ids == ids);
}

int
device_list_make(enum device_kind kind, enum domain_virtio_ids ids,
                 struct device_list *ret, struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct device *d = &ret->items[ret->count];

        if (!is_wanted(&models[i], kind, ids))
            continue;
        d->name = models[i].name;
        d->service = models[i].service;
        d->enumerated = models[i].enumerated;
        ret->count++;
        if ((models[i].names[0] != NULL ? add_names : add_pci_ids)(&models[i],
                                                                   d, err) < 0)
            return -1;
    }
    return 0;
}

void
device_list_done(struct device_list *devices)
{
    for (size_t i = 0; i < devices->count; i++)
        v2v_strings_done(&devices->items[i].ids);
    *devices = (struct device_list){ 0 };
}
