/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Windows will see of the machine: domain_machine(). */
#include <string.h>

#include "base/text.h"
#include "domain/devices.h"
#include "domain/domain.h"
#include "domain/private.h"

static bool
is(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

static bool
starts(const char *s, const char *prefix)
{
    return s != NULL && strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Does QEMU get an argument of which @part is a part, past libvirt?
 * <qemu:arg value=> in <qemu:commandline>. */
static bool
has_qemu_arg(const struct xml_doc *doc, const char *part)
{
    size_t own = xml_next(doc, 0, XML_NONE, NULL);

    for (; own != XML_NONE; own = xml_next(doc, 0, own, NULL)) {
        size_t arg = XML_NONE;

        if (doc->elements[own].ns != XML_NS_QEMU)
            continue;
        while ((arg = xml_next(doc, own, arg, NULL)) != XML_NONE) {
            const char *value = xml_value(doc, arg, "value");

            if (value != NULL && strstr(value, part) != NULL)
                return true;
        }
    }
    return false;
}

/* Firmware ---------------------------------------------------------------- */

/* Names that distributions give to the firmware's file: QEMU's edk2-x86_64-
 * code.fd, Debian's OVMF_CODE.fd; SeaBIOS is bios.bin, bios-256k.bin. */
static enum domain_firmware
firmware_by_name(const char *path)
{
    static const struct {
        const char *suffix;
        enum domain_firmware firmware;
    } names[] = { { ".fd", DOMAIN_FIRMWARE_EFI },
                  { "bios.bin", DOMAIN_FIRMWARE_BIOS },
                  { "bios-256k.bin", DOMAIN_FIRMWARE_BIOS } };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (v2v_has_suffix_nocase(path, names[i].suffix))
            return names[i].firmware;
    return DOMAIN_FIRMWARE_UNKNOWN;
}

static enum domain_firmware
firmware(const struct xml_doc *doc)
{
    size_t os = xml_child(doc, 0, "os");
    size_t loader = xml_child(doc, os, "loader");
    const char *automatic = xml_value(doc, os, "firmware");
    const char *path = loader != XML_NONE ? doc->elements[loader].text : NULL;

    if (automatic != NULL)
        return is(automatic, "efi")    ? DOMAIN_FIRMWARE_EFI
               : is(automatic, "bios") ? DOMAIN_FIRMWARE_BIOS
                                       : DOMAIN_FIRMWARE_UNKNOWN;
    if (is(xml_value(doc, loader, "type"), "pflash"))
        return DOMAIN_FIRMWARE_EFI;
    if (path != NULL && *path != '\0')
        return firmware_by_name(path);
    if (has_qemu_arg(doc, "-bios") || has_qemu_arg(doc, "pflash"))
        return DOMAIN_FIRMWARE_UNKNOWN;
    return DOMAIN_FIRMWARE_BIOS;
}

/* PCI ids ----------------------------------------------------------------- */

/* Up to its machine type 2.6 QEMU made all virtio devices legacy ones:
 * hw_compat_2_6 in hw/core/machine.c. */
static bool
is_before_modern(const char *name)
{
    static const char *const families[] = { "pc-i440fx-2.", "pc-q35-2." };

    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (starts(name, families[i])) {
            long minor = devices_number(name + strlen(families[i]));

            return minor >= 0 && minor <= 6;
        }
    return false;
}

/* The controller whose bus is @index, and which ids a virtio device has that
 * is plugged into it. */
static enum domain_virtio_ids
ids_on_bus(const struct xml_doc *doc, long index)
{
    static const struct {
        const char *model;
        enum domain_virtio_ids ids;
    } models[] = {
        { "pci-root", DOMAIN_VIRTIO_TRANSITIONAL },
        { "pcie-root", DOMAIN_VIRTIO_TRANSITIONAL },
        { "pci-bridge", DOMAIN_VIRTIO_TRANSITIONAL },
        { "dmi-to-pci-bridge", DOMAIN_VIRTIO_TRANSITIONAL },
        { "pcie-to-pci-bridge", DOMAIN_VIRTIO_TRANSITIONAL },
        { "pci-expander-bus", DOMAIN_VIRTIO_TRANSITIONAL },
        { "pcie-root-port", DOMAIN_VIRTIO_MODERN },
        { "pcie-switch-downstream-port", DOMAIN_VIRTIO_MODERN },
    };
    size_t c = XML_NONE;

    if (index == 0) /* the root, whether the XML has it or not */
        return DOMAIN_VIRTIO_TRANSITIONAL;
    while ((c = devices_next_controller(doc, c)) != XML_NONE) {
        const char *model = xml_value(doc, c, "model");

        if (!is(xml_value(doc, c, "type"), "pci") ||
            devices_number(xml_value(doc, c, "index")) != index)
            continue;
        for (size_t i = 0; i < sizeof models / sizeof *models; i++)
            if (is(model, models[i].model))
                return models[i].ids;
        break;
    }
    return DOMAIN_VIRTIO_EITHER;
}

/* Bus and slot 0 is the host bridge's place, so libvirt takes an address that
 * is all zero for none (virPCIDeviceAddressIsEmpty() in src/util/virpci.h). */
static bool
has_place(const struct xml_doc *doc, size_t address)
{
    static const char *const parts[] = { "domain", "bus", "slot", "function" };

    if (!is(xml_value(doc, address, "type"), "pci"))
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (devices_number(xml_value(doc, address, parts[i])) > 0)
            return true;
    return false;
}

static enum domain_virtio_ids
ids_by_place(const struct xml_doc *doc, size_t device,
             enum devices_machine machine)
{
    static const enum domain_virtio_ids placed_by_libvirt[] = {
        [DEVICES_OTHER_MACHINE] = DOMAIN_VIRTIO_EITHER,
        [DEVICES_I440FX] = DOMAIN_VIRTIO_TRANSITIONAL,
        [DEVICES_Q35] = DOMAIN_VIRTIO_MODERN,
    };
    size_t address = xml_child(doc, device, "address");
    long bus = devices_number(xml_value(doc, address, "bus"));

    if (!has_place(doc, address))
        return placed_by_libvirt[machine];
    if (machine == DEVICES_I440FX) /* has no PCI Express at all */
        return DOMAIN_VIRTIO_TRANSITIONAL;
    return ids_on_bus(doc, bus > 0 ? bus : 0);
}

/* @model: of the device; NULL and all but these two: QEMU decides by place */
static enum domain_virtio_ids
virtio_ids(const struct xml_doc *doc, size_t device, const char *model)
{
    size_t type = xml_child(doc, xml_child(doc, 0, "os"), "type");
    const char *name = xml_value(doc, type, "machine");

    if (model != NULL && v2v_equal_nocase(model, "virtio-transitional"))
        return DOMAIN_VIRTIO_TRANSITIONAL;
    if (model != NULL && v2v_equal_nocase(model, "virtio-non-transitional"))
        return DOMAIN_VIRTIO_MODERN;
    if (has_qemu_arg(doc, "disable-modern") ||
        has_qemu_arg(doc, "disable-legacy"))
        return DOMAIN_VIRTIO_EITHER;
    if (is_before_modern(name))
        return DOMAIN_VIRTIO_TRANSITIONAL;
    return ids_by_place(doc, device, devices_machine(doc));
}

/* The boot disk ----------------------------------------------------------- */

/* The <boot order=> of a device, -1: it has none. */
static long
boot_order(const struct xml_doc *doc, size_t device)
{
    return devices_number(
        xml_value(doc, xml_child(doc, device, "boot"), "order"));
}

static const struct disk *
first_by_order(const struct devices *devices)
{
    const struct disk *first = NULL;
    long least = 0;

    for (size_t i = 0; i < devices->disk_count; i++) {
        const struct disk *d = &devices->disks[i];
        long order = boot_order(&devices->doc, d->element);

        if (!devices_is_hard(d) || order < 0 ||
            (first != NULL && order >= least))
            continue;
        first = d;
        least = order;
    }
    return first;
}

static const struct disk *
hard_disk_at(const struct devices *devices, size_t element)
{
    for (size_t i = 0; i < devices->disk_count; i++)
        if (devices->disks[i].element == element &&
            devices_is_hard(&devices->disks[i]))
            return &devices->disks[i];
    return NULL;
}

/* @ret: NULL: there is none */
static int
find_boot_disk(const struct devices *devices, const char *image,
               const struct disk **ret, struct v2v_error *err)
{
    struct boot_sequence seq = { .count = 0 };
    const struct disk *disk = NULL;

    if (image != NULL && devices_find_image(devices, image, &disk) == 1) {
        *ret = disk;
        return 0;
    }
    disk = NULL;
    if (devices_have_boot_order(devices))
        disk = first_by_order(devices);
    else if (devices_boot_sequence(devices, devices->disks, &seq, err) < 0)
        return -1;
    for (size_t i = 0; disk == NULL && i < seq.count; i++)
        disk = hard_disk_at(devices, seq.elements[i]);
    *ret = disk;
    return 0;
}

static enum domain_controller
controller_of(const struct disk *disk)
{
    static const struct {
        const char *bus;
        enum domain_controller controller;
    } buses[] = { { "virtio", DOMAIN_CONTROLLER_VIRTIO_BLK },
                  { "sata", DOMAIN_CONTROLLER_SATA },
                  { "ide", DOMAIN_CONTROLLER_IDE },
                  { "nvme", DOMAIN_CONTROLLER_NVME } };

    if (devices_is_on_virtio_scsi(disk))
        return DOMAIN_CONTROLLER_VIRTIO_SCSI;
    for (size_t i = 0; i < sizeof buses / sizeof *buses; i++)
        if (is(disk->bus, buses[i].bus))
            return buses[i].controller;
    return DOMAIN_CONTROLLER_OTHER;
}

static void
describe_boot_disk(const struct xml_doc *doc, const struct disk *disk,
                   struct domain_machine *machine)
{
    machine->has_boot_disk = true;
    machine->boot_disk = disk->dev;
    machine->controller = controller_of(disk);
    if (machine->controller == DOMAIN_CONTROLLER_VIRTIO_BLK)
        machine->controller_ids = virtio_ids(
            doc, disk->element, xml_value(doc, disk->element, "model"));
    if (machine->controller == DOMAIN_CONTROLLER_VIRTIO_SCSI)
        machine->controller_ids =
            virtio_ids(doc, disk->scsi_controller, disk->scsi_model);
}

/* Network cards ----------------------------------------------------------- */

/* vhost-user is virtio-net only, and vDPA without a model too
 * (qemuDomainDeviceNetDefPostParse() in src/qemu/qemu_domain.c); a device that
 * is passed through is what it is. */
static bool
is_virtio_nic(const struct xml_doc *doc, size_t nic)
{
    const char *type = xml_value(doc, nic, "type");
    const char *model = xml_value(doc, xml_child(doc, nic, "model"), "type");

    if (is(type, "hostdev"))
        return false;
    if (is(type, "vhostuser") || is(type, "vdpa"))
        return true;
    return model != NULL && devices_is_virtio_nic_model(model);
}

static void
count_nics(const struct devices *devices, struct domain_machine *machine)
{
    const struct xml_doc *doc = &devices->doc;

    for (size_t i = 0; i < devices->nic_count; i++) {
        size_t nic = devices->nics[i];
        enum domain_virtio_ids ids;

        if (!is_virtio_nic(doc, nic))
            continue;
        ids = virtio_ids(doc, nic,
                         xml_value(doc, xml_child(doc, nic, "model"), "type"));
        if (machine->virtio_nics++ == 0)
            machine->nic_ids = ids;
        else if (machine->nic_ids != ids)
            machine->nic_ids = DOMAIN_VIRTIO_EITHER;
    }
}

int
domain_machine(const struct domain *domain, const char *image,
               struct domain_machine *ret, struct v2v_error *err)
{
    const struct devices *devices = &domain->devices;
    struct domain_machine machine = {
        .firmware = firmware(&devices->doc),
        .secure_boot = domain_secure_boot(domain),
        .hard_disks = domain_disk_count(domain),
    };
    const struct disk *disk;

    if (find_boot_disk(devices, image, &disk, err) < 0)
        return -1;
    if (disk != NULL)
        describe_boot_disk(&devices->doc, disk, &machine);
    count_nics(devices, &machine);
    *ret = machine;
    return 0;
}
