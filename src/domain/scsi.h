/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/scsi.h - the SCSI controllers of a domain, and what is where on them
 *
 * As libvirt sees them: controllers without an index, devices without an
 * address.  Changes nothing.  Private to this folder.
 */
#ifndef V2V_DOMAIN_SCSI_H
#define V2V_DOMAIN_SCSI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "domain/xml.h"

struct scsi_controller {
    size_t element;
    long index;
    const char *model; /* NULL: libvirt's default, which QEMU emulates */
};

struct scsi_controllers {
    struct scsi_controller *items;
    size_t count;
};

/* <address type='drive'>; its bus is 0 on every controller that QEMU has. */
struct scsi_place {
    long controller, target, unit; /* @unit -1: libvirt takes a free one */
};

/* Fills @ret, whose items the caller frees. */
int scsi_find_controllers(const struct xml_doc *doc,
                          struct scsi_controllers *ret, struct v2v_error *err);

/* NULL: there is none, and libvirt adds one of its default model. */
const struct scsi_controller *
scsi_controller(const struct scsi_controllers *list, long index);

/* A model that vioscsi drives; NULL is none. */
bool scsi_is_virtio_model(const char *model);

/* Where a disk is.  @index: that of its name, -1 for none. */
struct scsi_place scsi_disk_place(const struct xml_doc *doc, size_t disk,
                                  long index);

/* Where a <hostdev type='scsi'> is; false: it is none. */
bool scsi_hostdev_place(const struct xml_doc *doc, size_t hostdev,
                        struct scsi_place *ret);

#endif
