/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/moves-disks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* virtio_blk.h: VIRTIO_BLK_ID_BYTES */
enum { virtio_serial_len = 20 };

static const char illegal[] = "libvirt refuses it on a virtio disk";
static const char illegal_on_scsi[] = "libvirt refuses it on a SCSI disk";
static const char of_controller[] = "on virtio-scsi it is the controller's";

/* qemuValidateDomainDeviceDefDiskFrontend() in src/qemu/qemu_validate.c and
 * virDomainDiskDefValidate() in src/conf/domain_validate.c */
static const struct rewrite_rule disk_rules[] = {
    { "target", "rotation_rate", NULL, illegal },
    { "target", "removable", NULL, illegal },
    { "target", "tray", NULL, illegal },
    { "geometry", "trans", NULL, illegal },
    { "wwn", NULL, NULL, illegal },
    { "vendor", NULL, NULL, illegal },
    { "product", NULL, NULL, illegal },
};

/* The rules of virtio-scsi: of the disk's bus it is the one that has names,
 * models and speeds. */
static const struct rewrite_rule scsi_rules[] = {
    { "target", "removable", NULL, illegal_on_scsi },
    { "target", "tray", NULL, illegal_on_scsi },
    { "geometry", "trans", NULL, illegal_on_scsi },
    { "driver", "queues", NULL, of_controller },
    { "driver", "iothread", NULL, of_controller },
};

enum disk_goal
rewrite_disk_goal(const struct disk *d, const struct domain_options *options)
{
    if (!devices_is_emulated(d) || *d->dev == '\0')
        return DISK_STAYS;
    if (d->kind == DISK_LUN || (d->kind == DISK_HARD && options->virtio_scsi))
        return options->drivers.vioscsi ? DISK_TO_SCSI : DISK_STAYS;
    return d->kind == DISK_HARD && options->drivers.viostor ? DISK_TO_BLK
                                                            : DISK_STAYS;
}

static const char *
why_emulated_stays(const struct disk *d, const struct domain_options *options)
{
    if (*d->dev == '\0')
        return "it has no target dev, which libvirt refuses";
    if (d->kind == DISK_LUN)
        return "device='lun' passes SCSI commands through, which virtio-blk "
               "cannot; virtio-scsi can, but vioscsi was not injected";
    return options->virtio_scsi ? "vioscsi was not injected"
                                : "viostor was not injected";
}

/* NULL: the disk moves, or stays without a word; else why it stays. */
static const char *
why_disk_stays(const struct disk *d, const struct domain_options *options)
{
    if (!devices_is_hard(d) || devices_is_on_virtio_scsi(d) ||
        rewrite_disk_goal(d, options) != DISK_STAYS)
        return NULL;
    if (strcmp(d->bus, "virtio") == 0)
        return NULL;
    if (strcmp(d->bus, "usb") == 0)
        return "it may be a stick that is pulled out";
    if (!devices_is_emulated(d))
        return "disks are moved from ide, sata, scsi and sd only";
    return why_emulated_stays(d, options);
}

static void
auto_new_disks(struct new_disks *new)
{
    free(new->disks);
    free(new->names);
}

static int
init_new_disks(const struct plan *plan, struct new_disks *new)
{
    size_t n = plan->devices->disk_count;

    new->disks = calloc(n + 1, sizeof *new->disks);
    new->names = calloc(n + 1, sizeof *new->names);
    if (new->disks == NULL || new->names == NULL)
        return v2v_fail_errno(plan->err, ENOMEM, "disks");
    memcpy(new->disks, plan->devices->disks, n * sizeof *new->disks);
    return 0;
}

static int
warn_of_serial(struct plan *plan, const struct disk *d,
               const struct shown *label)
{
    const struct xml_doc *doc = plan->doc;
    size_t serial = xml_child(doc, d->element, "serial");
    const char *text = serial != XML_NONE ? doc->elements[serial].text : NULL;

    if (text == NULL || strlen(text) <= virtio_serial_len)
        return 0;
    return rewrite_warn(
        plan,
        "%s: the guest sees only the first %d bytes of serial '%s' on "
        "virtio",
        label->text, virtio_serial_len, rewrite_show(text).text);
}

static int
warn_of_disk(struct plan *plan, const struct disk *d, const struct shown *label)
{
    if (xml_child(plan->doc, d->element, "shareable") == XML_NONE)
        return 0;
    return rewrite_warn(
        plan, "%s is shareable: other guests that use it are not changed",
        label->text);
}

/* @bus: as it is called in the note */
static int
set_target(struct plan *plan, const struct disk *old, const struct disk *new,
           const char *why, const char *bus)
{
    const struct shown label = rewrite_disk_label(old);
    bool renamed = strcmp(old->dev, new->dev) != 0;

    if (strcmp(old->bus, new->bus) != 0 &&
        (rewrite_set_attr(plan, old->target, "dev", new->dev) < 0 ||
         rewrite_set_attr(plan, old->target, "bus", new->bus) < 0))
        return -1;
    return rewrite_note(plan, &label, why, "bus %s -> %s%s%s%s%s", old->bus,
                        bus, renamed ? ", dev " : "",
                        renamed ? rewrite_show(old->dev).text : "",
                        renamed ? " -> " : "", renamed ? new->dev : "");
}

static int
move_to_blk(struct plan *plan, const struct disk *old, const struct disk *new)
{
    const struct shown label = rewrite_disk_label(old);

    if (set_target(plan, old, new, "viostor was injected", "virtio") < 0 ||
        rewrite_drop_by_rules(plan, &label, old->element, disk_rules,
                              sizeof disk_rules / sizeof *disk_rules) < 0 ||
        rewrite_drop_by_rules(plan, &label, old->element, rewrite_common_rules,
                              sizeof rewrite_common_rules /
                                  sizeof *rewrite_common_rules) < 0)
        return -1;
    return warn_of_serial(plan, old, &label);
}

static int
move_to_scsi(struct plan *plan, const struct disk *old, const struct disk *new)
{
    const struct shown label = rewrite_disk_label(old);

    if (set_target(plan, old, new, "vioscsi was injected", "virtio-scsi") < 0)
        return -1;
    if (strcmp(old->bus, "scsi") == 0 &&
        old->place.controller == new->place.controller)
        return 0; /* its controller moved under it */
    if (rewrite_drop_by_rules(plan, &label, old->element, scsi_rules,
                              sizeof scsi_rules / sizeof *scsi_rules) < 0 ||
        rewrite_drop_by_rules(plan, &label, old->element, &rewrite_alias_rule,
                              1) < 0)
        return -1;
    return rewrite_scsi_address(plan, old, &new->place);
}

static int
move_disk(struct plan *plan, const struct disk *old, const struct disk *new)
{
    enum disk_goal goal = rewrite_disk_goal(old, plan->options);
    const struct shown label = rewrite_disk_label(old);

    if (goal == DISK_STAYS)
        return 0;
    plan->disk_moved = true;
    if ((goal == DISK_TO_BLK ? move_to_blk(plan, old, new)
                             : move_to_scsi(plan, old, new)) < 0)
        return -1;
    return warn_of_disk(plan, old, &label);
}

static int
warn_of_virtio_blk(struct plan *plan)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->devices->disk_count; i++)
        n += strcmp(plan->devices->disks[i].bus, "virtio") == 0;
    if (n == 0 || !plan->options->virtio_scsi)
        return 0;
    return rewrite_warn(plan,
                        "%zu disk(s) on virtio-blk stay there: only emulated "
                        "disks are moved to virtio-scsi",
                        n);
}

int
rewrite_disks(struct plan *plan)
{
    __attribute__((cleanup(auto_new_disks))) struct new_disks new = { 0 };
    const struct devices *devices = plan->devices;
    struct boot_sequence before;
    bool kept;

    if (init_new_disks(plan, &new) < 0 ||
        devices_boot_sequence(devices, devices->disks, &before, plan->err) <
            0 ||
        rewrite_name_disks(plan, &before, &new, &kept) < 0 ||
        rewrite_place_disks(plan, &new) < 0 || warn_of_virtio_blk(plan) < 0)
        return -1;
    for (size_t i = 0; i < devices->disk_count; i++) {
        const struct disk *d = &devices->disks[i];
        const char *why = why_disk_stays(d, plan->options);

        if (why != NULL &&
            rewrite_warn(plan, "%s stays on %s: %s", rewrite_disk_label(d).text,
                         rewrite_show(d->bus).text, why) < 0)
            return -1;
        if (move_disk(plan, d, &new.disks[i]) < 0)
            return -1;
    }
    return kept ? 0 : rewrite_boot_order(plan, &before);
}
