/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/moves-disks.h - what the rules for disks share
 *
 * Which disk goes where (moves-disks.c), what it is called there and what boots
 * then (moves-names.c), and the controllers of those that go to virtio-scsi
 * (moves-scsi.c).  Private to this folder.
 */
#ifndef V2V_DOMAIN_MOVES_DISKS_H
#define V2V_DOMAIN_MOVES_DISKS_H

#include <stdbool.h>

#include "domain/devices.h"
#include "domain/domain.h"
#include "domain/moves.h"

enum disk_goal {
    DISK_STAYS,
    DISK_TO_BLK, /* bus='virtio' */
    DISK_TO_SCSI /* bus='scsi', behind a virtio-scsi controller */
};

/* By the options, the drivers, and what the disk is. */
enum disk_goal rewrite_disk_goal(const struct disk *d,
                                 const struct domain_options *options);

/* The disks as they will be, each at its place in devices->disks. */
struct new_disks {
    struct disk *disks;
    struct disk_name *names; /* of those that get a new one */
};

/* Names, buses and indices of @new; @new has room for all disks.  Is the boot
 * sequence the one of @before?  Else <boot order=> has to say it. */
int rewrite_name_disks(struct plan *plan, const struct boot_sequence *before,
                       struct new_disks *new, bool *ret_kept);

/* <boot order=> in the order of @seq, in place of <os><boot>. */
int rewrite_boot_order(struct plan *plan, const struct boot_sequence *seq);

/* Places of @new on virtio-scsi controllers, which are added or made of
 * emulated ones. */
int rewrite_place_disks(struct plan *plan, struct new_disks *new);

/* Does disk @i move to virtio-scsi with its controller? */
bool rewrite_moves_in_place(const struct plan *plan, size_t i);

/* The <address type='drive'> of @d. */
int rewrite_scsi_address(struct plan *plan, const struct disk *d,
                         const struct scsi_place *place);

#endif
