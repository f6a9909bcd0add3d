/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/devices.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void
devices_done(struct devices *devices)
{
    xml_done(&devices->doc);
    free(devices->scsi.items);
    free(devices->disks);
    free(devices->hostdevs);
    free(devices->nics);
    free(devices->balloons);
    *devices = (struct devices){ 0 };
}

static bool
is(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

/* virDiskNameParse() in src/util/virutil.c, whose index is an int */
static long
name_index(const char *dev)
{
    static const char *const prefixes[] = {
        "fd", "hd", "vd", "sd", "xvd", "ubd"
    };
    long index = 0;

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t n = strlen(prefixes[i]);

        if (strncmp(dev, prefixes[i], n) != 0)
            continue;
        for (dev += n; *dev >= 'a' && *dev <= 'z'; dev++) {
            index = index * 26 + (*dev - 'a' + 1);
            if (index > INT_MAX)
                return -1;
        }
        dev += strspn(dev, "0123456789"); /* a partition */
        return *dev == '\0' ? index - 1 : -1;
    }
    return -1;
}

static enum disk_kind
disk_kind(const char *device)
{
    static const struct {
        const char *device;
        enum disk_kind kind;
    } kinds[] = { { "disk", DISK_HARD },
                  { "lun", DISK_LUN },
                  { "cdrom", DISK_CDROM },
                  { "floppy", DISK_FLOPPY } };

    if (device == NULL) /* schema: the default is disk */
        return DISK_HARD;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(device, kinds[i].device) == 0)
            return kinds[i].kind;
    return DISK_UNKNOWN;
}

/* virDomainDiskDefPostParse() in src/conf/domain_postparse.c */
static const char *
effective_bus(const char *bus, enum disk_kind kind, const char *dev)
{
    static const struct {
        const char *prefix, *bus;
    } defaults[] = { { "hd", "ide" },
                     { "sd", "scsi" },
                     { "vd", "virtio" },
                     { "xvd", "xen" },
                     { "ubd", "uml" } };

    if (bus != NULL && *bus != '\0')
        return bus;
    if (kind == DISK_FLOPPY)
        return "fdc";
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (strncmp(dev, defaults[i].prefix, strlen(defaults[i].prefix)) == 0)
            return defaults[i].bus;
    return "ide";
}

/* The n-th <tag> of all /domain/devices. */
struct device_iter {
    const struct xml_doc *doc;
    const char *tag;
    size_t devices, device;
};

static bool
next_device(struct device_iter *it)
{
    for (;;) {
        if (it->devices != XML_NONE)
            it->device = xml_next(it->doc, it->devices, it->device, it->tag);
        if (it->devices != XML_NONE && it->device != XML_NONE)
            return true;
        it->devices = xml_next(it->doc, 0, it->devices, "devices");
        if (it->devices == XML_NONE)
            return false;
    }
}

static struct device_iter
each_device(const struct xml_doc *doc, const char *tag)
{
    return (struct device_iter){ doc, tag, XML_NONE, XML_NONE };
}

size_t
devices_next_controller(const struct xml_doc *doc, size_t controller)
{
    struct device_iter it = each_device(doc, "controller");

    if (controller != XML_NONE) {
        it.devices = doc->elements[controller].parent;
        it.device = controller;
    }
    return next_device(&it) ? it.device : XML_NONE;
}

static int
count_devices(const struct xml_doc *doc, const char *tag, size_t *ret,
              struct v2v_error *err)
{
    struct device_iter it = each_device(doc, tag);
    size_t n = 0;

    while (next_device(&it))
        n++;
    if (n > devices_max)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "%zu <%s> elements are more than the limit of %d", n,
                        tag, devices_max);
    *ret = n;
    return 0;
}

long
devices_number(const char *text)
{
    int base;
    char *end;
    long n;

    if (text == NULL || *text < '0' || *text > '9')
        return -1;
    base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
    errno = 0;
    n = strtol(text, &end, base);
    return *end == '\0' && errno == 0 && n <= INT_MAX ? n : -1;
}

static struct disk
read_disk(const struct xml_doc *doc, size_t element,
          const struct scsi_controllers *controllers)
{
    struct disk d = { .element = element,
                      .target = xml_child(doc, element, "target"),
                      .scsi_controller = XML_NONE };
    const char *dev = xml_value(doc, d.target, "dev");
    const struct scsi_controller *c = NULL;

    d.kind = disk_kind(xml_value(doc, element, "device"));
    d.dev = dev != NULL ? dev : "";
    d.bus = effective_bus(xml_value(doc, d.target, "bus"), d.kind, d.dev);
    d.index = name_index(d.dev);
    if (is(d.bus, "scsi")) {
        d.place = scsi_disk_place(doc, element, d.index);
        c = scsi_controller(controllers, d.place.controller);
    }
    if (c != NULL) {
        d.scsi_model = c->model;
        d.scsi_controller = c->element;
    }
    return d;
}

static int
list_devices(const struct xml_doc *doc, const char *tag, size_t **ret,
             size_t *ret_count, struct v2v_error *err)
{
    struct device_iter it = each_device(doc, tag);
    size_t n;

    if (count_devices(doc, tag, &n, err) < 0)
        return -1;
    *ret = calloc(n + 1, sizeof **ret);
    if (*ret == NULL)
        return v2v_fail_errno(err, errno, "devices");
    while (next_device(&it))
        (*ret)[(*ret_count)++] = it.device;
    return 0;
}

static int
list_disks(const struct xml_doc *doc, struct devices *d, struct v2v_error *err)
{
    struct device_iter it = each_device(doc, "disk");
    size_t n;

    if (count_devices(doc, "disk", &n, err) < 0)
        return -1;
    d->disks = calloc(n + 1, sizeof *d->disks);
    if (d->disks == NULL)
        return v2v_fail_errno(err, errno, "disks");
    while (next_device(&it))
        d->disks[d->disk_count++] = read_disk(doc, it.device, &d->scsi);
    return 0;
}

static int
list_controllers(const struct xml_doc *doc, struct devices *d,
                 struct v2v_error *err)
{
    if (count_devices(doc, "controller", &d->controller_count, err) < 0)
        return -1;
    return scsi_find_controllers(doc, &d->scsi, err);
}

int
devices_find(struct xml_doc *doc, struct devices *ret, struct v2v_error *err)
{
    struct devices d = { 0 };

    if (list_controllers(doc, &d, err) < 0 || list_disks(doc, &d, err) < 0 ||
        list_devices(doc, "hostdev", &d.hostdevs, &d.hostdev_count, err) < 0 ||
        list_devices(doc, "interface", &d.nics, &d.nic_count, err) < 0 ||
        list_devices(doc, "memballoon", &d.balloons, &d.balloon_count, err) <
            0) {
        devices_done(&d);
        return -1;
    }
    d.doc = *doc; /* its strings stay where they are */
    *doc = (struct xml_doc){ 0 };
    *ret = d;
    return 0;
}

/* qemuDomainMachineIsQ35() and qemuDomainMachineIsI440FX() in
 * src/qemu/qemu_domain.c; QEMU's own default is "pc". */
enum devices_machine
devices_machine(const struct xml_doc *doc)
{
    static const char *const i440fx[] = { "pc-i440fx-", "pc-0.", "pc-1.",
                                          "rhel" };
    size_t type = xml_child(doc, xml_child(doc, 0, "os"), "type");
    const char *name = xml_value(doc, type, "machine");

    if (name == NULL || is(name, "pc"))
        return DEVICES_I440FX;
    if (is(name, "q35") || strncmp(name, "pc-q35-", 7) == 0)
        return DEVICES_Q35;
    for (size_t i = 0; i < sizeof i440fx / sizeof *i440fx; i++)
        if (strncmp(name, i440fx[i], strlen(i440fx[i])) == 0)
            return DEVICES_I440FX;
    return DEVICES_OTHER_MACHINE;
}

bool
devices_is_hard(const struct disk *disk)
{
    return disk->kind == DISK_HARD || disk->kind == DISK_LUN;
}

const char *
devices_disk_path(const struct xml_doc *doc, const struct disk *disk)
{
    size_t source = xml_child(doc, disk->element, "source");
    const char *file = xml_value(doc, source, "file");

    return file != NULL ? file : xml_value(doc, source, "dev");
}

static bool
has_path(const struct xml_doc *doc, const struct disk *disk, const char *path)
{
    return is(devices_disk_path(doc, disk), path);
}

/* A volume of a pool, and an image that a host exports, have names too. */
static bool
has_base_name(const struct xml_doc *doc, const struct disk *disk,
              const char *name)
{
    size_t source = xml_child(doc, disk->element, "source");
    const char *path = devices_disk_path(doc, disk);

    if (path == NULL)
        path = xml_value(doc, source, "volume");
    if (path == NULL)
        path = xml_value(doc, source, "name");
    return path != NULL && is(v2v_base_name(path), name);
}

static size_t
find_disks(const struct devices *devices,
           bool (*has)(const struct xml_doc *, const struct disk *,
                       const char *),
           const char *what, const struct disk **ret)
{
    size_t n = 0;

    for (size_t i = 0; i < devices->disk_count; i++) {
        const struct disk *d = &devices->disks[i];

        if (devices_is_hard(d) && has(&devices->doc, d, what) && n++ == 0)
            *ret = d;
    }
    return n;
}

size_t
devices_find_path(const struct devices *devices, const char *path,
                  const struct disk **ret)
{
    return find_disks(devices, has_path, path, ret);
}

size_t
devices_find_image(const struct devices *devices, const char *path,
                   const struct disk **ret)
{
    size_t n = devices_find_path(devices, path, ret);

    return n > 0 ? n
                 : find_disks(devices, has_base_name, v2v_base_name(path), ret);
}

/* The models of virDomainControllerModelSCSI that are virtio-scsi. */
bool
devices_is_on_virtio_scsi(const struct disk *disk)
{
    return is(disk->bus, "scsi") && scsi_is_virtio_model(disk->scsi_model);
}

bool
devices_is_virtio_nic_model(const char *model)
{
    static const char *const models[] = {
        "virtio",         "virtio-transitional", "virtio-non-transitional",
        "virtio-net-pci", "virtio-net",
    };

    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (v2v_equal_nocase(model, models[i]))
            return true;
    return false;
}

bool
devices_is_emulated(const struct disk *disk)
{
    return is(disk->bus, "ide") || is(disk->bus, "sata") ||
           is(disk->bus, "sd") ||
           (is(disk->bus, "scsi") && !devices_is_on_virtio_scsi(disk));
}

void
devices_order(const struct disk *disks, size_t count, size_t *ret)
{
    for (size_t n = 0; n < count; n++) {
        size_t place = n; /* behind all, unless its bus is there */
        bool found = false;

        for (size_t j = n; j-- > 0;) {
            const struct disk *other = &disks[ret[j]];

            if (strcmp(other->bus, disks[n].bus) != 0)
                continue;
            if (other->index > disks[n].index)
                place = j;
            else if (!found)
                place = j + 1;
            else
                continue;
            found = true;
        }
        memmove(ret + place + 1, ret + place, (n - place) * sizeof *ret);
        ret[place] = n;
    }
}

bool
devices_have_boot_order(const struct devices *devices)
{
    static const char *const tags[] = { "disk", "interface", "hostdev",
                                        "redirdev" };

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        struct device_iter it = each_device(&devices->doc, tags[i]);

        while (next_device(&it))
            if (xml_child(&devices->doc, it.device, "boot") != XML_NONE)
                return true;
    }
    return false;
}

static size_t
first_disk(const struct disk *disks, const size_t *order, size_t count,
           unsigned kinds)
{
    for (size_t i = 0; i < count; i++)
        if ((1u << disks[order[i]].kind & kinds) != 0)
            return disks[order[i]].element;
    return XML_NONE;
}

static size_t
boots_from(const struct devices *devices, const struct disk *disks,
           const size_t *order, const char *dev)
{
    static const struct {
        const char *dev;
        unsigned kinds;
    } sources[] = { { "hd", 1u << DISK_HARD | 1u << DISK_LUN },
                    { "cdrom", 1u << DISK_CDROM },
                    { "fd", 1u << DISK_FLOPPY } };

    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (is(dev, sources[i].dev))
            return first_disk(disks, order, devices->disk_count,
                              sources[i].kinds);
    if (is(dev, "network") && devices->nic_count > 0)
        return devices->nics[0];
    return XML_NONE;
}

static void
add_boot(struct boot_sequence *seq, size_t element)
{
    for (size_t i = 0; i < seq->count; i++)
        if (seq->elements[i] == element)
            return;
    if (element != XML_NONE && seq->count < boot_max)
        seq->elements[seq->count++] = element;
}

int
devices_boot_sequence(const struct devices *devices, const struct disk *disks,
                      struct boot_sequence *ret, struct v2v_error *err)
{
    const struct xml_doc *doc = &devices->doc;
    size_t os = xml_child(doc, 0, "os");
    size_t boot = xml_child(doc, os, "boot");
    V2V_AUTO(mem) size_t *order =
        calloc(devices->disk_count + 1, sizeof *order);
    struct boot_sequence seq = { 0 };

    if (order == NULL)
        return v2v_fail_errno(err, errno, "boot order");
    devices_order(disks, devices->disk_count, order);
    if (boot == XML_NONE)
        add_boot(&seq, boots_from(devices, disks, order, "hd"));
    for (; boot != XML_NONE; boot = xml_next(doc, os, boot, "boot"))
        add_boot(&seq, boots_from(devices, disks, order,
                                  xml_value(doc, boot, "dev")));
    *ret = seq;
    return 0;
}

struct disk_name
devices_name(const char *prefix, long index)
{
    struct disk_name name = { "" };
    char letters[16];
    size_t n = sizeof letters - 1;

    letters[n] = '\0';
    for (long i = index + 1; i > 0; i = (i - 1) / 26)
        letters[--n] = (char)('a' + (i - 1) % 26);
    snprintf(name.text, sizeof name.text, "%.2s%.12s", prefix, letters + n);
    return name;
}
