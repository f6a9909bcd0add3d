/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/devices.h - the disks and interfaces of a domain as libvirt sees them
 *
 * Which bus a disk is really on, in which order libvirt lists the disks, and
 * what the machine therefore boots from.  Changes nothing.  Private to this
 * folder.
 *
 * Strings point into the XML document.
 */
#ifndef V2V_DOMAIN_DEVICES_H
#define V2V_DOMAIN_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "domain/scsi.h"
#include "domain/xml.h"

enum disk_kind { DISK_HARD, DISK_LUN, DISK_CDROM, DISK_FLOPPY, DISK_UNKNOWN };

struct disk {
    size_t element, target; /* @target may be XML_NONE */
    enum disk_kind kind;
    const char *dev;         /* target/@dev, "" when absent */
    const char *bus;         /* effective */
    long index;              /* 0 for sda, vda ...; -1 when @dev has none */
    const char *scsi_model;  /* on bus scsi: of its controller, NULL if that is
                                libvirt's default */
    size_t scsi_controller;  /* that controller; XML_NONE: on another bus, or
                                libvirt adds it */
    struct scsi_place place; /* on bus scsi */
};

/* Disks and interfaces take a PCI slot each, so real guests have some dozens.
 * The limit bounds what is quadratic: sorting and naming. */
enum { devices_max = 1024 };

struct devices {
    struct xml_doc doc;
    struct disk *disks;
    size_t disk_count;
    size_t controller_count; /* of all types */
    struct scsi_controllers scsi;
    size_t *hostdevs, hostdev_count; /* <hostdev> elements, of all types */
    size_t *nics, nic_count;         /* <interface> elements */
    size_t *balloons, balloon_count; /* <memballoon> elements */
};

/* At most one device for each of <boot dev='hd|cdrom|fd|network'>. */
enum { boot_max = 4 };

struct boot_sequence {
    size_t elements[boot_max]; /* <disk> or <interface>, first one first */
    size_t count;
};

/* Fills @ret from @doc, which it takes over when it succeeds.
 * V2V_ERR_FORMAT for more than 1024 of one kind. */
int devices_find(struct xml_doc *doc, struct devices *ret,
                 struct v2v_error *err);

void devices_done(struct devices *devices);

enum devices_machine { DEVICES_OTHER_MACHINE, DEVICES_I440FX, DEVICES_Q35 };

/* By <os><type machine=>. */
enum devices_machine devices_machine(const struct xml_doc *doc);

/* 'disk' or 'lun', not a CD-ROM or a floppy. */
bool devices_is_hard(const struct disk *disk);

/* source/@file or source/@dev, or NULL (network, volume, none). */
const char *devices_disk_path(const struct xml_doc *doc,
                              const struct disk *disk);

/* How many hard disks have exactly the path @path; the first one. */
size_t devices_find_path(const struct devices *devices, const char *path,
                         const struct disk **ret);

/* The same; when it would be none: those with the base name of @path, of which
 * more than one cannot be told apart.  See domain_image_count(). */
size_t devices_find_image(const struct devices *devices, const char *path,
                          const struct disk **ret);

struct disk_name {
    char text[16]; /* vd or sd, and letters for at most INT_MAX + 1024 */
};

/* A target/@dev.  0: vda, 25: vdz, 26: vdaa */
struct disk_name devices_name(const char *prefix, long index);

/* The bus is ide, sata, sd, or scsi behind a controller that is not
 * virtio-scsi: hardware that QEMU emulates and that virtio-blk replaces. */
bool devices_is_emulated(const struct disk *disk);

bool devices_is_on_virtio_scsi(const struct disk *disk);

/* A model of <interface> that is virtio-net; without regard to case. */
bool devices_is_virtio_nic_model(const char *model);

/* The next <controller> behind @controller (XML_NONE: the first) of all
 * /domain/devices; XML_NONE at the end. */
size_t devices_next_controller(const struct xml_doc *doc, size_t controller);

/* The value of a number's attribute: decimal, or 0x and hexadecimal; -1 when
 * it is absent or none. */
long devices_number(const char *text);

/**
 * devices_order() - the places of @disks (@count of them, in document order)
 *                   in libvirt's own list
 * @ret: room for @count; ret[0] is the place in @disks of libvirt's first
 *
 * libvirt inserts each disk into its list so that the disks of one bus are
 * sorted by name (virDomainDiskInsert() in src/conf/domain_conf.c).
 */
void devices_order(const struct disk *disks, size_t count, size_t *ret);

/* A device has a <boot order=> of its own: then names and <os><boot> do not
 * matter. */
bool devices_have_boot_order(const struct devices *devices);

/**
 * devices_boot_sequence() - what <os><boot>, or its absence, boots
 * @disks: devices->disks, or a copy with other names and buses
 *
 * libvirt gives each <boot dev=> to the first device of its kind in its list
 * (qemuProcessPrepareDeviceBootorder() in src/qemu/qemu_process.c), and
 * without any it takes 'hd'.
 */
int devices_boot_sequence(const struct devices *devices,
                          const struct disk *disks, struct boot_sequence *ret,
                          struct v2v_error *err);

#endif
