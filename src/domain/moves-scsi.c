/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The controllers of the disks that move to virtio-scsi.
 *
 * They go to a virtio-scsi controller that is there.  If there is none, an
 * emulated one from which all disks move becomes one, with its disks where they
 * are, and takes the others too; else one is added.  Addresses are written,
 * because libvirt would put sdh on controller 1, and add that as an emulated
 * one, whatever controllers there are. */
#include "domain/moves-disks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OVMF looks for disks on units 0 to 7 of targets 0 to 31 only
 * (PcdVirtioScsiMaxLunLimit in edk2's OvmfPkg/OvmfPkg.dec). */
enum { units_of_target = 8 };

static bool
is_on_scsi(const struct disk *d)
{
    return strcmp(d->bus, "scsi") == 0;
}

static enum disk_goal
goal_of(const struct plan *plan, size_t i)
{
    return rewrite_disk_goal(&plan->devices->disks[i], plan->options);
}

static const struct scsi_controller *
controller_at(const struct plan *plan, long index)
{
    return scsi_controller(&plan->devices->scsi, index);
}

static bool
has_hostdev(const struct plan *plan, long index)
{
    struct scsi_place place;

    for (size_t i = 0; i < plan->devices->hostdev_count; i++)
        if (scsi_hostdev_place(plan->doc, plan->devices->hostdevs[i], &place) &&
            place.controller == index)
            return true;
    return false;
}

/* Does a device stay on controller @index as it is? */
static bool
has_staying(const struct plan *plan, long index)
{
    for (size_t i = 0; i < plan->devices->disk_count; i++) {
        const struct disk *d = &plan->devices->disks[i];

        if (is_on_scsi(d) && d->place.controller == index &&
            goal_of(plan, i) == DISK_STAYS)
            return true;
    }
    return has_hostdev(plan, index);
}

/* The first virtio-scsi controller that is there; NULL: none is. */
static const struct scsi_controller *
virtio_controller(const struct plan *plan)
{
    const struct scsi_controllers *list = &plan->devices->scsi;

    for (size_t i = 0; i < list->count; i++)
        if (scsi_is_virtio_model(list->items[i].model))
            return &list->items[i];
    return NULL;
}

bool
rewrite_moves_in_place(const struct plan *plan, size_t i)
{
    const struct disk *d = &plan->devices->disks[i];

    return goal_of(plan, i) == DISK_TO_SCSI && is_on_scsi(d) &&
           virtio_controller(plan) == NULL &&
           !has_staying(plan, d->place.controller);
}

/* Is @i the first disk that moves with its controller? */
static bool
is_first_in_place(const struct plan *plan, size_t i)
{
    const struct disk *disks = plan->devices->disks;

    if (!rewrite_moves_in_place(plan, i))
        return false;
    for (size_t j = 0; j < i; j++)
        if (is_on_scsi(&disks[j]) &&
            disks[j].place.controller == disks[i].place.controller &&
            goal_of(plan, j) == DISK_TO_SCSI)
            return false;
    return true;
}

/* The value of a disk's driver/@name that belongs to the controller here:
 * qemuValidateDomainDeviceDefDiskIOThreads() in src/qemu/qemu_validate.c; -1
 * when no disk that moves has it. */
static long
driver_value(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->devices->disk_count; i++) {
        size_t disk = plan->devices->disks[i].element;
        size_t driver = xml_child(plan->doc, disk, "driver");
        long n = devices_number(xml_value(plan->doc, driver, name));

        if (n > 0 && goal_of(plan, i) == DISK_TO_SCSI)
            return n;
    }
    return -1;
}

struct driver_attrs {
    char text[80]; /* " queues='4' iothread='1'", or nothing */
};

static struct driver_attrs
driver_attrs(const struct plan *plan)
{
    static const char *const names[] = { "queues", "iothread" };
    struct driver_attrs attrs = { "" };
    size_t len = 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        long n = driver_value(plan, names[i]);

        if (n > 0)
            len += (size_t)snprintf(attrs.text + len, sizeof attrs.text - len,
                                    " %s='%ld'", names[i], n);
    }
    return attrs;
}

/* Behind the controllers that are there, as libvirt writes them. */
static int
add_controller(struct plan *plan, size_t disk, long index)
{
    static const struct shown label = { "controller" };
    const struct xml_doc *doc = plan->doc;
    const struct driver_attrs attrs = driver_attrs(plan);
    size_t parent = doc->elements[disk].parent;
    size_t after = XML_NONE, child = XML_NONE;
    char xml[256];

    while ((child = xml_next(doc, parent, child, "disk")) != XML_NONE)
        after = child;
    while ((child = xml_next(doc, parent, child, "controller")) != XML_NONE)
        after = child;
    snprintf(xml, sizeof xml,
             *attrs.text != '\0'
                 ? "<controller type='scsi' index='%ld' model='virtio-scsi'>"
                   "<driver%s/></controller>"
                 : "<controller type='scsi' index='%ld' model='virtio-scsi'/>",
             index, attrs.text);
    if (plan->devices->controller_count + ++plan->added_controllers >
        devices_max)
        return v2v_refuse(plan->err, V2V_ERR_GUEST, "domain-unsupported",
                          "no controller can be added for virtio-scsi: there "
                          "would be more than the limit of %d",
                          devices_max);
    if (rewrite_insert_xml(plan, parent, after, xml) < 0)
        return -1;
    return rewrite_note(plan, &label, "vioscsi was injected",
                        "scsi %ld added: virtio-scsi", index);
}

/* What QEMU emulates becomes virtio-scsi. */
static int
change_controller(struct plan *plan, const struct scsi_controller *c)
{
    static const struct shown label = { "controller" };

    if (rewrite_set_attr(plan, c->element, "model", "virtio-scsi") < 0 ||
        rewrite_drop_by_rules(plan, &label, c->element, &rewrite_address_rule,
                              1) < 0)
        return -1;
    return rewrite_note(plan, &label, "vioscsi was injected",
                        "scsi %ld: model %s -> virtio-scsi", c->index,
                        c->model != NULL ? rewrite_show(c->model).text
                                         : "(default)");
}

/* The controllers that become virtio-scsi; some of them are libvirt's own. */
static int
change_controllers(struct plan *plan)
{
    for (size_t i = 0; i < plan->devices->disk_count; i++) {
        const struct disk *d = &plan->devices->disks[i];
        const struct scsi_controller *c;

        if (!is_first_in_place(plan, i))
            continue;
        c = controller_at(plan, d->place.controller);
        if ((c != NULL
                 ? change_controller(plan, c)
                 : add_controller(plan, d->element, d->place.controller)) < 0)
            return -1;
    }
    return 0;
}

/* -1: none is, or becomes, virtio-scsi. */
static long
existing_controller(const struct plan *plan)
{
    const struct scsi_controller *c = virtio_controller(plan);

    if (c != NULL)
        return c->index;
    for (size_t i = 0; i < plan->devices->disk_count; i++)
        if (rewrite_moves_in_place(plan, i))
            return plan->devices->disks[i].place.controller;
    return -1;
}

static long
free_index(const struct plan *plan)
{
    long index = 0;

    while (controller_at(plan, index) != NULL || has_staying(plan, index))
        index++;
    return index;
}

/* Is there a device, or will there be one, at this place? */
static bool
is_taken(const struct plan *plan, const struct new_disks *new,
         const struct scsi_place *place)
{
    const struct devices *devices = plan->devices;

    for (size_t i = 0; i < devices->disk_count; i++)
        if (is_on_scsi(&new->disks[i]) &&
            memcmp(&new->disks[i].place, place, sizeof *place) == 0)
            return true;
    for (size_t i = 0; i < devices->hostdev_count; i++) {
        struct scsi_place other;

        if (scsi_hostdev_place(plan->doc, devices->hostdevs[i], &other) &&
            memcmp(&other, place, sizeof *place) == 0)
            return true;
    }
    return false;
}

/* The disks that need a place are those on controller -1; @ret is how many. */
static size_t
unplace(const struct plan *plan, struct new_disks *new)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->devices->disk_count; i++)
        if (goal_of(plan, i) == DISK_TO_SCSI &&
            !rewrite_moves_in_place(plan, i)) {
            new->disks[i].place.controller = -1;
            n++;
        }
    return n;
}

/* In libvirt's order: the boot disk is most often the first, and some firmware
 * boots from unit 0 only. */
static void
allot_places(const struct plan *plan, const size_t *order, long controller,
             struct new_disks *new)
{
    long n = 0;

    for (size_t i = 0; i < plan->devices->disk_count; i++) {
        struct disk *d = &new->disks[order[i]];
        struct scsi_place place;

        if (!is_on_scsi(d) || d->place.controller >= 0)
            continue;
        do {
            place = (struct scsi_place){ controller, n / units_of_target,
                                         n % units_of_target };
            n++;
        } while (is_taken(plan, new, &place));
        d->place = place;
    }
}

int
rewrite_place_disks(struct plan *plan, struct new_disks *new)
{
    const struct devices *devices = plan->devices;
    V2V_AUTO(mem) size_t *order =
        calloc(devices->disk_count + 1, sizeof *order);
    long controller = existing_controller(plan);

    if (order == NULL)
        return v2v_fail_errno(plan->err, errno, "disks");
    if (change_controllers(plan) < 0)
        return -1;
    if (unplace(plan, new) == 0)
        return 0;
    if (controller < 0) {
        controller = free_index(plan);
        if (add_controller(plan, devices->disks[0].element, controller) < 0)
            return -1;
    }
    devices_order(devices->disks, devices->disk_count, order);
    allot_places(plan, order, controller, new);
    return 0;
}

/* An absent one is 0. */
static int
set_number(struct plan *plan, size_t address, const char *name, long value)
{
    long old = devices_number(xml_value(plan->doc, address, name));
    char text[24];

    if (old == value ||
        (value == 0 && xml_attr(plan->doc, address, name) == NULL))
        return 0;
    snprintf(text, sizeof text, "%ld", value);
    return rewrite_set_attr(plan, address, name, text);
}

static int
add_address(struct plan *plan, const struct disk *d,
            const struct scsi_place *place)
{
    char xml[160];

    snprintf(xml, sizeof xml,
             "<address type='drive' controller='%ld' bus='0' target='%ld' "
             "unit='%ld'/>",
             place->controller, place->target, place->unit);
    return rewrite_insert_xml(plan, d->element, d->target, xml);
}

int
rewrite_scsi_address(struct plan *plan, const struct disk *d,
                     const struct scsi_place *place)
{
    size_t address = xml_child(plan->doc, d->element, "address");
    const char *type = xml_value(plan->doc, address, "type");

    if (type == NULL || strcmp(type, "drive") != 0) {
        if (address != XML_NONE && rewrite_drop(plan, address) < 0)
            return -1;
        return add_address(plan, d, place);
    }
    if (set_number(plan, address, "controller", place->controller) < 0 ||
        set_number(plan, address, "bus", 0) < 0 ||
        set_number(plan, address, "target", place->target) < 0)
        return -1;
    return set_number(plan, address, "unit", place->unit);
}
