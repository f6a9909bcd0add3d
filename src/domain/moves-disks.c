/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/moves.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* virtio_blk.h: VIRTIO_BLK_ID_BYTES */
enum { virtio_serial_len = 20 };

static const char illegal[] = "libvirt refuses it on a virtio disk";

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

/* NULL: the disk moves, or stays without a word; else why it stays. */
static const char *
why_disk_stays(const struct disk *d, const struct domain_drivers *drivers)
{
    if (strcmp(d->bus, "virtio") == 0 || devices_is_on_virtio_scsi(d))
        return NULL;
    if (!devices_is_hard(d))
        return NULL;
    if (strcmp(d->bus, "usb") == 0)
        return "it may be a stick that is pulled out";
    if (!devices_is_emulated(d))
        return "disks are moved from ide, sata, scsi and sd only";
    if (d->kind == DISK_LUN)
        return "device='lun' passes SCSI commands through, which virtio-blk "
               "cannot";
    if (!drivers->viostor)
        return "viostor was not injected";
    if (*d->dev == '\0')
        return "it has no target dev, which libvirt refuses";
    return NULL;
}

static bool
disk_moves(const struct disk *d, const struct domain_drivers *drivers)
{
    return drivers->viostor && d->kind == DISK_HARD && devices_is_emulated(d) &&
           *d->dev != '\0';
}

struct disk_name {
    char text[16]; /* vd, and letters for at most INT_MAX + 1024 */
};

/* The disks as they will be. */
struct new_disks {
    struct disk *disks;
    struct disk_name *names; /* of those that move */
};

static void
auto_new_disks(struct new_disks *new)
{
    free(new->disks);
    free(new->names);
}

/* 0: vda, 25: vdz, 26: vdaa */
static struct disk_name
virtio_name(long index)
{
    struct disk_name name = { "" };
    char letters[16];
    size_t n = sizeof letters - 1;

    letters[n] = '\0';
    for (long i = index + 1; i > 0; i = (i - 1) / 26)
        letters[--n] = (char)('a' + (i - 1) % 26);
    snprintf(name.text, sizeof name.text, "vd%.12s", letters + n);
    return name;
}

/* A name must be unique among all disks, whatever their bus. */
static bool
name_is_taken(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->devices->disk_count; i++) {
        const struct disk *d = &plan->devices->disks[i];

        if (!disk_moves(d, plan->drivers) && strcmp(d->dev, name) == 0)
            return true;
    }
    return false;
}

/* Names from @index upwards for the disks that move, in libvirt's order, so
 * that they keep their order among themselves. */
static void
allot_names(const struct plan *plan, const size_t *order, long index,
            struct new_disks *new)
{
    for (size_t i = 0; i < plan->devices->disk_count; i++) {
        struct disk *d = &new->disks[order[i]];
        struct disk_name *name = &new->names[order[i]];

        if (!disk_moves(&plan->devices->disks[order[i]], plan->drivers))
            continue;
        do
            *name = virtio_name(index);
        while (name_is_taken(plan, name->text) && ++index > 0);
        d->index = index++;
        d->bus = "virtio";
        d->dev = name->text;
    }
}

static long
behind_virtio_disks(const struct devices *devices)
{
    long index = 0;

    for (size_t i = 0; i < devices->disk_count; i++)
        if (strcmp(devices->disks[i].bus, "virtio") == 0 &&
            devices->disks[i].index >= index)
            index = devices->disks[i].index + 1;
    return index;
}

static bool
same_sequence(const struct boot_sequence *a, const struct boot_sequence *b)
{
    return a->count == b->count && memcmp(a->elements, b->elements,
                                          a->count * sizeof *a->elements) == 0;
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

/* First the lowest free names; if they would boot another disk, names behind
 * all virtio disks that are there.  If neither keeps the sequence, @ret_kept
 * is false. */
static int
name_disks(const struct plan *plan, const struct boot_sequence *before,
           struct new_disks *new, bool *ret_kept)
{
    const struct devices *devices = plan->devices;
    const long starts[] = { 0, behind_virtio_disks(devices), 0 };
    V2V_AUTO(mem) size_t *order =
        calloc(devices->disk_count + 1, sizeof *order);
    struct boot_sequence after;

    if (order == NULL)
        return v2v_fail_errno(plan->err, errno, "disks");
    devices_order(devices->disks, devices->disk_count, order);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        allot_names(plan, order, starts[i], new);
        if (devices_boot_sequence(devices, new->disks, &after, plan->err) < 0)
            return -1;
        *ret_kept =
            devices_have_boot_order(devices) || same_sequence(before, &after);
        if (*ret_kept)
            break;
    }
    return 0;
}

static int
warn_of_disk(struct plan *plan, const struct disk *d, const struct shown *label)
{
    const struct xml_doc *doc = plan->doc;
    size_t serial = xml_child(doc, d->element, "serial");

    if (serial != XML_NONE && doc->elements[serial].text != NULL &&
        strlen(doc->elements[serial].text) > virtio_serial_len &&
        rewrite_warn(
            plan,
            "%s: the guest sees only the first %d bytes of serial '%s' on "
            "virtio",
            label->text, virtio_serial_len,
            rewrite_show(doc->elements[serial].text).text) < 0)
        return -1;
    if (xml_child(doc, d->element, "shareable") != XML_NONE)
        return rewrite_warn(
            plan, "%s is shareable: other guests that use it are not changed",
            label->text);
    return 0;
}

static int
move_disk(struct plan *plan, const struct disk *old, const struct disk *new)
{
    static const char why[] = "viostor was injected";
    const struct shown label = rewrite_disk_label(old);
    bool renamed = strcmp(old->dev, new->dev) != 0;

    plan->disk_moved = true;
    if (rewrite_set_attr(plan, old->target, "dev", new->dev) < 0 ||
        rewrite_set_attr(plan, old->target, "bus", new->bus) < 0 ||
        rewrite_note(plan, &label, why, "bus %s -> virtio%s%s%s%s", old->bus,
                     renamed ? ", dev " : "",
                     renamed ? rewrite_show(old->dev).text : "",
                     renamed ? " -> " : "", renamed ? new->dev : "") < 0 ||
        rewrite_drop_by_rules(plan, &label, old->element, disk_rules,
                              sizeof disk_rules / sizeof *disk_rules) < 0 ||
        rewrite_drop_by_rules(plan, &label, old->element, rewrite_common_rules,
                              sizeof rewrite_common_rules /
                                  sizeof *rewrite_common_rules) < 0)
        return -1;
    return warn_of_disk(plan, old, &label);
}

static int
drop_os_boot(struct plan *plan)
{
    size_t os = xml_child(plan->doc, 0, "os");
    size_t boot = xml_child(plan->doc, os, "boot");

    for (; boot != XML_NONE; boot = xml_next(plan->doc, os, boot, "boot"))
        if (rewrite_drop(plan, boot) < 0)
            return -1;
    return 0;
}

/* libvirt refuses <os><boot> beside orders of devices. */
static int
write_boot_order(struct plan *plan, const struct boot_sequence *seq)
{
    static const struct shown label = { "boot" };

    for (size_t i = 0; i < seq->count; i++) {
        size_t device = seq->elements[i];
        size_t after = xml_child(plan->doc, device, "target");
        char order[24];

        if (after == XML_NONE)
            after = xml_child(plan->doc, device, "source");
        snprintf(order, sizeof order, "%zu", i + 1);
        if (rewrite_insert(plan, device, after, "boot", "order", order) < 0)
            return -1;
    }
    if (drop_os_boot(plan) < 0)
        return -1;
    return rewrite_note(
        plan, &label,
        "libvirt would boot another disk: it sorts the disks of a bus "
        "by name",
        "os boot -> boot order of %zu device(s)", seq->count);
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
        name_disks(plan, &before, &new, &kept) < 0)
        return -1;
    for (size_t i = 0; i < devices->disk_count; i++) {
        const struct disk *d = &devices->disks[i];
        const char *why = why_disk_stays(d, plan->drivers);

        if (why != NULL &&
            rewrite_warn(plan, "%s stays on %s: %s", rewrite_disk_label(d).text,
                         rewrite_show(d->bus).text, why) < 0)
            return -1;
        if (disk_moves(d, plan->drivers) &&
            move_disk(plan, d, &new.disks[i]) < 0)
            return -1;
    }
    return kept ? 0 : write_boot_order(plan, &before);
}
