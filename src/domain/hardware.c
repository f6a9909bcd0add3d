/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/hardware.h"

#include <string.h>

/* virStorageFileFormat in libvirt's src/conf/storage_source_conf.c, of which
 * what image/ works on. */
bool
hardware_has_format(const char *format)
{
    static const char *const formats[] = { "raw",  "qcow2", "qcow", "qed",
                                           "vmdk", "vpc",   "vdi" };

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(format, formats[i]) == 0)
            return true;
    return false;
}

static bool
is_from(const struct domain_windows *windows, unsigned major, unsigned minor)
{
    return windows->major > major ||
           (windows->major == major && windows->minor >= minor);
}

/* AHCI has a driver in Windows since Vista, but only the q35 machine has such a
 * controller of its own; without virtio the other one has IDE. */
static void
choose_disks(const struct domain_options *options, bool q35,
             struct hardware *ret)
{
    static const struct {
        const char *bus, *prefix;
    } buses[] = {
        { "virtio", "vd" }, { "scsi", "sd" }, { "sata", "sd" }, { "ide", "hd" }
    };
    bool scsi = options->virtio_scsi && options->drivers.vioscsi;
    bool blk = !options->virtio_scsi && options->drivers.viostor;
    size_t i = blk ? 0 : scsi ? 1 : q35 ? 2 : 3;

    ret->disk_bus = buses[i].bus;
    ret->disk_prefix = buses[i].prefix;
    ret->virtio_scsi = scsi;
    ret->iothread = options->add[DOMAIN_ADD_IOTHREAD] && (scsi || blk);
    ret->discard = options->add[DOMAIN_ADD_DISCARD] && (scsi || blk);
}

/* q35 from 6.1, USB 3 from 6.2, e1000e from 6.1: osinfo-db, from which
 * virt-install chooses.  It gives e1000 to XP as well, but XP has no driver for
 * that card (VirtualBox manual, "Virtual Networking Hardware"); for rtl8139 it
 * has (netrtsnt.inf), and virt-v2v gives it that. */
static const char *
choose_nic(const struct domain_windows *windows)
{
    return is_from(windows, 6, 1)   ? "e1000e"
           : is_from(windows, 6, 0) ? "e1000"
                                    : "rtl8139";
}

/* A 32-bit Windows runs on an x86_64 machine, but 64-bit UEFI cannot start its
 * boot manager. */
struct hardware
hardware_choose(const struct domain_guest *guest,
                const struct domain_options *options)
{
    const struct domain_drivers *drivers = &options->drivers;
    bool q35 = is_from(&guest->windows, 6, 1);
    struct hardware hardware = {
        .arch = guest->efi && !guest->amd64 ? "i686" : "x86_64",
        .machine = q35 ? "q35" : "pc",
        .nic_model = drivers->netkvm ? "virtio" : choose_nic(&guest->windows),
        .balloon = drivers->balloon ? "virtio" : "none",
        .usb3 = is_from(&guest->windows, 6, 2),
    };

    choose_disks(options, q35, &hardware);
    return hardware;
}
