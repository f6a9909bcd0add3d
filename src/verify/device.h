/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * verify/device.h - a device of the machine by the ids that Windows gives it
 *
 * Which ones a machine shows is read from the domain XML; both forms of a
 * virtio device where QEMU's and libvirt's placement decides.
 */
#ifndef V2V_VERIFY_DEVICE_H
#define V2V_VERIFY_DEVICE_H

#include "verify/internal.h"

enum device_kind {
    DEVICE_VIRTIO_BLK,
    DEVICE_VIRTIO_SCSI,
    DEVICE_VIRTIO_NET,
    DEVICE_AHCI,
    DEVICE_IDE, /* the controller and its channel */
    DEVICE_NVME
};

struct device {
    const char *name;    /* static: "virtio-blk 1af4:1042 (modern)" */
    const char *service; /* static: the name that its driver's service usually
                          * has; to tell whether there was ever one */
    const char *enumerated; /* static: of a device of Windows' own drivers, how
                             * its key below Enum begins; NULL: a virtio one */
    struct v2v_strings ids; /* hardware ids, then compatible ids, each the more
                             * specific one first */
    size_t hardware_count;  /* of @ids */
};

enum { DEVICES_MAX = 2 };

struct device_list {
    struct device items[DEVICES_MAX];
    size_t count;
};

/* @ret: all zero */
int device_list_make(enum device_kind kind, enum domain_virtio_ids ids,
                     struct device_list *ret, struct v2v_error *err);
void device_list_done(struct device_list *devices);

static inline void
v2v_auto_device_list(struct device_list *devices)
{
    device_list_done(devices);
}

#endif
