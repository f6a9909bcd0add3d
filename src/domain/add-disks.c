/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How QEMU treats the disks that are on virtio. */
#include "domain/add.h"

#include <stdio.h>
#include <string.h>

/* libvirt refuses both settings for a vhostuser disk: another process does its
 * work (virDomainDiskVhostUserValidate() in src/conf/domain_validate.c). */
static bool
is_qemus(const struct xml_doc *doc, const struct disk *d)
{
    return d->kind == DISK_HARD &&
           !add_has(doc, d->element, "type", "vhostuser");
}

static bool
is_on_virtio_blk(const struct disk *d)
{
    return strcmp(d->bus, "virtio") == 0;
}

/* What has that attribute keeps it. */
static int
set_driver(struct plan *plan, const struct shown *label, size_t device,
           const char *attr, const char *value)
{
    size_t driver = xml_child(plan->doc, device, "driver");

    if (xml_attr(plan->doc, driver, attr) != NULL)
        return 0;
    if ((driver != XML_NONE ? rewrite_set_attr(plan, driver, attr, value)
                            : rewrite_insert(plan, device, XML_NONE, "driver",
                                             attr, value)) < 0)
        return -1;
    return rewrite_note(plan, label, rewrite_asked_for, "%s %s", attr, value);
}

int
add_discard(struct plan *plan)
{
    for (size_t i = 0; i < plan->devices->disk_count; i++) {
        const struct disk *d = &plan->devices->disks[i];
        const struct shown label = rewrite_disk_label(d);

        if (is_qemus(plan->doc, d) &&
            (is_on_virtio_blk(d) || devices_is_on_virtio_scsi(d)) &&
            set_driver(plan, &label, d->element, "discard", "unmap") < 0)
            return -1;
    }
    return 0;
}

/* A virtio-scsi controller does the work of its disks.  One that libvirt adds
 * itself is none. */
static bool
has_scsi_disk(const struct plan *plan, size_t controller)
{
    for (size_t i = 0; i < plan->devices->disk_count; i++) {
        const struct disk *d = &plan->devices->disks[i];

        if (devices_is_hard(d) && devices_is_on_virtio_scsi(d) &&
            d->scsi_controller == controller)
            return true;
    }
    return false;
}

static struct shown
controller_label(const struct xml_doc *doc, size_t controller)
{
    const char *index = xml_value(doc, controller, "index");
    struct shown label = { "controller scsi" };

    if (index != NULL)
        snprintf(label.text, sizeof label.text, "controller scsi %.*s",
                 shown_max, rewrite_show(index).text);
    return label;
}

/* The devices that can have an iothread, one after another. */
struct worker {
    size_t disk;       /* the next one to look at */
    size_t controller; /* the last one seen, when no disk is left */
    size_t element;
    struct shown label;
};

static bool
next_worker(const struct plan *plan, struct worker *w)
{
    const struct devices *devices = plan->devices;

    while (w->disk < devices->disk_count) {
        const struct disk *d = &devices->disks[w->disk++];

        if (!is_qemus(plan->doc, d) || !is_on_virtio_blk(d))
            continue;
        w->element = d->element;
        w->label = rewrite_disk_label(d);
        return true;
    }
    do
        w->controller = devices_next_controller(plan->doc, w->controller);
    while (w->controller != XML_NONE && !has_scsi_disk(plan, w->controller));
    if (w->controller == XML_NONE)
        return false;
    w->element = w->controller;
    w->label = controller_label(plan->doc, w->controller);
    return true;
}

/* QEMU does not start then: "ioeventfd is required for iothread". */
static bool
has_no_ioeventfd(const struct xml_doc *doc, size_t device)
{
    return add_has(doc, xml_child(doc, device, "driver"), "ioeventfd", "off");
}

/* One of the attribute, or several below <driver>: libvirt 10 and later. */
static bool
has_iothread(const struct xml_doc *doc, size_t device)
{
    size_t driver = xml_child(doc, device, "driver");

    return xml_attr(doc, driver, "iothread") != NULL ||
           xml_child(doc, driver, "iothreads") != XML_NONE;
}

static bool
is_iothread_wanted(const struct plan *plan)
{
    struct worker w = { .controller = XML_NONE };

    while (next_worker(plan, &w))
        if (!has_iothread(plan->doc, w.element) &&
            !has_no_ioeventfd(plan->doc, w.element))
            return true;
    return false;
}

static int
give_iothread(struct plan *plan, const struct worker *w, const char *id)
{
    if (has_iothread(plan->doc, w->element))
        return 0;
    if (has_no_ioeventfd(plan->doc, w->element))
        return rewrite_warn(plan,
                            "%s gets no iothread: QEMU has none with "
                            "ioeventfd='off'",
                            w->label.text);
    return set_driver(plan, &w->label, w->element, "iothread", id);
}

/* The id of an iothread that the machine has, 0: it has none; -1: the XML says
 * what libvirt does not take, or that there shall be none.  Those without an
 * id get the lowest free ones (virDomainIOThreadIDDefArrayInit() in
 * src/conf/domain_conf.c). */
static long
find_iothread(const struct xml_doc *doc)
{
    size_t count = xml_child(doc, 0, "iothreads");
    size_t named = add_find(doc, "iothreadids", "iothread", NULL);
    long n;

    if (named != XML_NONE) {
        n = devices_number(xml_value(doc, named, "id"));
        return n > 0 ? n : -1;
    }
    if (count == XML_NONE)
        return 0;
    n = devices_number(doc->elements[count].text);
    return n > 0 ? 1 : -1;
}

static int
make_iothread(struct plan *plan)
{
    static const struct shown label = { "iothreads" };
    static const char *const before[] = { "vcpus",  "vcpu", "currentMemory",
                                          "memory", "name", NULL };

    if (add_to_root(plan, before, "<iothreads>1</iothreads>") < 0)
        return -1;
    return rewrite_note(plan, &label, rewrite_asked_for, "1 added");
}

int
add_iothread(struct plan *plan)
{
    struct worker w = { .controller = XML_NONE };
    bool wanted = is_iothread_wanted(plan);
    long id = find_iothread(plan->doc);
    char text[24];

    if (wanted && id < 0)
        return rewrite_warn(plan, "iothread is not added: the XML says in "
                                  "<iothreads> or <iothreadids> that there "
                                  "are none");
    if (wanted && id == 0 && make_iothread(plan) < 0)
        return -1;
    snprintf(text, sizeof text, "%ld", id > 0 ? id : 1);
    while (next_worker(plan, &w))
        if (give_iothread(plan, &w, text) < 0)
            return -1;
    return 0;
}
