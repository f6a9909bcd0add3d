/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/source.h"

#include <string.h>

#include "domain/private.h"

/* disk/@type; absent is "file" (virDomainDiskDefParseXML() in
 * src/conf/domain_conf.c). */
static const struct source_type {
    const char *type;
    const char *attribute; /* of <source>, that is a path; NULL: none is */
    const char *obstacle;
} types[] = {
    { "file", "file", NULL },
    { "block", "dev", NULL },
    { "volume", NULL, NULL },
    { "network", NULL, "it is on the network" },
    { "nvme", NULL, "it is an NVMe device that the guest has to itself" },
    { "dir", NULL, "it is a folder that QEMU shows as a disk" },
    { "vhostuser", NULL, "another process provides it (vhostuser)" },
    { "vhostvdpa", NULL, "a vDPA device provides it" },
};

static const struct source_type *
find_type(const char *name)
{
    static const struct source_type unknown = { "", NULL,
                                                "its type is not known here" };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].type, name != NULL ? name : "file") == 0)
            return &types[i];
    return &unknown;
}

/* Elements below <disk>, or below its <source>, with which the file is not what
 * the guest sees. */
static const struct {
    const char *name;
    const char *child; /* that it has to have; NULL: none */
    const char *obstacle;
} elements[] = {
    { "encryption", NULL, "it is encrypted" },
    { "backingStore", "source", "it lies on another image (<backingStore>)" },
    { "slices", NULL, "it is a part of a file (<slices>)" },
    { "shareable", NULL, "it is shared with other machines (<shareable>)" },
};

static const char *
find_obstacle(const struct xml_doc *doc, size_t parent)
{
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        size_t element = xml_child(doc, parent, elements[i].name);

        if (element != XML_NONE &&
            (elements[i].child == NULL ||
             xml_child(doc, element, elements[i].child) != XML_NONE))
            return elements[i].obstacle;
    }
    return NULL;
}

static const char *
obstacle_of(const struct xml_doc *doc, const struct domain_source *source,
            const struct source_type *type, const struct disk *disk,
            size_t element)
{
    const char *obstacle = type->obstacle;

    if (obstacle == NULL)
        obstacle = find_obstacle(doc, disk->element);
    if (obstacle == NULL)
        obstacle = find_obstacle(doc, element);
    if (obstacle == NULL && source->path == NULL &&
        (source->pool == NULL || source->volume == NULL))
        obstacle = "its <source> names nothing";
    return obstacle;
}

static const char *
or_else(const char *value, const char *otherwise)
{
    return value != NULL ? value : otherwise;
}

static void
describe(const struct xml_doc *doc, const struct disk *disk,
         struct domain_source *ret)
{
    const struct source_type *type =
        find_type(xml_value(doc, disk->element, "type"));
    size_t source = xml_child(doc, disk->element, "source");
    size_t driver = xml_child(doc, disk->element, "driver");

    *ret = (struct domain_source){
        .disk = disk->dev,
        .format = or_else(xml_value(doc, driver, "type"), "raw"),
        .path = type->attribute != NULL
                    ? xml_value(doc, source, type->attribute)
                    : NULL,
        .pool = xml_value(doc, source, "pool"),
        .volume = xml_value(doc, source, "volume")
    };
    ret->obstacle = obstacle_of(doc, ret, type, disk, source);
}

int
domain_source(const struct domain *domain, size_t i, struct domain_source *ret,
              struct v2v_error *err)
{
    const struct disk *disk = domain->devices.disks;
    struct domain_machine machine;

    if (domain_machine(domain, NULL, &machine, err) < 0)
        return -1;
    while (!devices_is_hard(disk) || i-- > 0)
        disk++;
    describe(&domain->devices.doc, disk, ret);
    ret->boots =
        machine.has_boot_disk && strcmp(machine.boot_disk, ret->disk) == 0;
    return 0;
}
