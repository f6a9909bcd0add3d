/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine cannot have, before the rewrite or after it: said, and left
 * to the user. */
#include "domain/moves.h"

#include <string.h>

#include "domain/moves-disks.h"

/* Slots that an i440fx machine has for disks beside its usual devices; for more
 * libvirt adds PCI bridges. */
enum { max_disks_of_i440fx = 25 };

/* virDomainDefValidate() lets it pass; the QEMU driver refuses: "IDE
 * controllers are unsupported for this QEMU binary or machine type". */
static int
warn_of_ide(struct plan *plan)
{
    static const char why[] = "machine type q35 has no IDE, and libvirt "
                              "refuses it: move it to sata by hand";
    const struct xml_doc *doc = plan->doc;
    size_t c = XML_NONE;

    if (devices_machine(doc) != DEVICES_Q35)
        return 0;
    for (size_t i = 0; i < plan->devices->disk_count; i++) {
        const struct disk *d = &plan->devices->disks[i];

        if (strcmp(d->bus, "ide") == 0 &&
            rewrite_disk_goal(d, plan->options) == DISK_STAYS &&
            rewrite_warn(plan, "%s: %s", rewrite_disk_label(d).text, why) < 0)
            return -1;
    }
    while ((c = devices_next_controller(doc, c)) != XML_NONE) {
        const char *type = xml_value(doc, c, "type");

        if (type != NULL && strcmp(type, "ide") == 0)
            return rewrite_warn(plan,
                                "controller ide: machine type q35 has no IDE, "
                                "and libvirt refuses it: remove it by hand");
    }
    return 0;
}

static bool
becomes_virtio(const struct plan *plan, const struct scsi_controller *c)
{
    for (size_t i = 0; i < plan->devices->disk_count; i++)
        if (plan->devices->disks[i].scsi_controller == c->element &&
            rewrite_moves_in_place(plan, i))
            return true;
    return false;
}

/* "Unsupported controller model: buslogic": it is VMware's. */
static int
warn_of_buslogic(struct plan *plan)
{
    for (size_t i = 0; i < plan->devices->scsi.count; i++) {
        const struct scsi_controller *c = &plan->devices->scsi.items[i];

        if (c->model != NULL && strcmp(c->model, "buslogic") == 0 &&
            !becomes_virtio(plan, c))
            return rewrite_warn(
                plan,
                "controller scsi %ld: QEMU has no buslogic, and "
                "libvirt refuses it: remove it by hand",
                c->index);
    }
    return 0;
}

static int
warn_of_slots(struct plan *plan)
{
    size_t before = 0, moved = 0;

    for (size_t i = 0; i < plan->devices->disk_count; i++) {
        const struct disk *d = &plan->devices->disks[i];

        before += strcmp(d->bus, "virtio") == 0;
        moved += rewrite_disk_goal(d, plan->options) == DISK_TO_BLK;
    }
    if (devices_machine(plan->doc) != DEVICES_I440FX || moved == 0 ||
        before + moved <= max_disks_of_i440fx)
        return 0;
    return rewrite_warn(plan,
                        "%zu disks on virtio need a PCI slot each, for which "
                        "libvirt adds PCI bridges; with --block-driver "
                        "virtio-scsi they share one",
                        before + moved);
}

int
rewrite_machine(struct plan *plan)
{
    if (warn_of_ide(plan) < 0 || warn_of_buslogic(plan) < 0)
        return -1;
    return warn_of_slots(plan);
}
