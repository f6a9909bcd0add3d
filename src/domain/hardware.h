/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/hardware.h - what a new machine is made of
 *
 * The choices that the virt-install line and the new XML share.  Private to
 * this folder.
 */
#ifndef V2V_DOMAIN_HARDWARE_H
#define V2V_DOMAIN_HARDWARE_H

#include <stdbool.h>

#include "domain/domain.h"
#include "domain/new.h"

struct hardware {
    const char *arch;        /* "x86_64" */
    const char *machine;     /* "q35", "pc" */
    const char *disk_bus;    /* "virtio", "scsi", "sata", "ide" */
    const char *disk_prefix; /* of target/@dev: "vd" */
    const char *nic_model;   /* "virtio", "e1000e" ... */
    const char *balloon;     /* "virtio", "none" */
    bool usb3;               /* else USB 2 */
    bool virtio_scsi;        /* the disks are on such a controller */
    bool iothread, discard;  /* for disks on virtio */
};

/* Does libvirt have it? */
bool hardware_has_format(const char *format);

struct hardware hardware_choose(const struct domain_guest *guest,
                                const struct domain_options *options);

#endif
