/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/scsi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "domain/devices.h"

static bool
is(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

const struct scsi_controller *
scsi_controller(const struct scsi_controllers *list, long index)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].index == index)
            return &list->items[i];
    return NULL;
}

static size_t
next_scsi_controller(const struct xml_doc *doc, size_t c)
{
    do
        c = devices_next_controller(doc, c);
    while (c != XML_NONE && !is(xml_value(doc, c, "type"), "scsi"));
    return c;
}

/* A controller without an index gets the first free one
 * (virDomainAssignControllerIndexes() in src/conf/domain_postparse.c). */
static void
number_controllers(struct scsi_controllers *list)
{
    long unused = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].index >= 0)
            continue;
        while (scsi_controller(list, unused) != NULL)
            unused++;
        list->items[i].index = unused;
    }
}

int
scsi_find_controllers(const struct xml_doc *doc, struct scsi_controllers *ret,
                      struct v2v_error *err)
{
    struct scsi_controllers list = { 0 };
    size_t n = 0, c = XML_NONE;

    while ((c = next_scsi_controller(doc, c)) != XML_NONE)
        n++;
    list.items = calloc(n + 1, sizeof *list.items);
    if (list.items == NULL)
        return v2v_fail_errno(err, errno, "controllers");
    while ((c = next_scsi_controller(doc, c)) != XML_NONE)
        list.items[list.count++] = (struct scsi_controller){
            .element = c,
            .index = devices_number(xml_value(doc, c, "index")),
            .model = xml_value(doc, c, "model"),
        };
    number_controllers(&list);
    *ret = list;
    return 0;
}

bool
scsi_is_virtio_model(const char *model)
{
    static const char *const models[] = { "virtio-scsi", "virtio-transitional",
                                          "virtio-non-transitional" };

    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (is(model, models[i]))
            return true;
    return false;
}

static long
number_or_zero(const struct xml_doc *doc, size_t address, const char *name)
{
    long n = devices_number(xml_value(doc, address, name));

    return n < 0 ? 0 : n; /* the default */
}

static bool
read_address(const struct xml_doc *doc, size_t device, struct scsi_place *ret)
{
    size_t address = xml_child(doc, device, "address");

    if (!is(xml_value(doc, address, "type"), "drive"))
        return false;
    ret->controller = number_or_zero(doc, address, "controller");
    ret->target = number_or_zero(doc, address, "target");
    ret->unit = number_or_zero(doc, address, "unit");
    return true;
}

/* Without an address: virDomainDiskDefAssignAddress() in
 * src/conf/domain_conf.c, whose QEMU driver has narrow buses. */
struct scsi_place
scsi_disk_place(const struct xml_doc *doc, size_t disk, long index)
{
    enum { units = 7 };
    struct scsi_place place = { 0, 0, 0 };

    if (!read_address(doc, disk, &place) && index >= 0)
        place = (struct scsi_place){ index / units, 0, index % units };
    return place;
}

/* virDomainHostdevAssignAddress() in src/conf/domain_conf.c begins with
 * controller 0. */
bool
scsi_hostdev_place(const struct xml_doc *doc, size_t hostdev,
                   struct scsi_place *ret)
{
    if (!is(xml_value(doc, hostdev, "type"), "scsi"))
        return false;
    if (!read_address(doc, hostdev, ret))
        *ret = (struct scsi_place){ 0, 0, -1 };
    return true;
}
