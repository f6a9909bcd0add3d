/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/moves.h"

#include <string.h>

#include "base/text.h"

static const char why_moved[] = "what was injected is a new file";
static const char why_dropped[] = "it is the old image's";

/* libvirt looks for the backing files of an image itself when the XML does not
 * list them. */
static const struct rewrite_rule image_rules[] = {
    { "backingStore", NULL, NULL, why_dropped },
    { "auth", NULL, NULL, why_dropped }, /* libvirt >= 3.9: in <source> */
};

static int
fail_not_one(struct plan *plan, size_t n)
{
    const char *name = v2v_base_name(plan->moved->from);

    if (n == 0)
        return v2v_fail(plan->err, V2V_ERR_USAGE,
                        "no disk of this machine is named %s, so none can be "
                        "given the new image: is it the right XML?",
                        name);
    return v2v_fail(plan->err, V2V_ERR_USAGE,
                    "%zu disks of this machine are named %s: say which one is "
                    "meant by the path of the image as the XML has it",
                    n, name);
}

static int
find_disk(struct plan *plan, const struct disk **ret)
{
    const char *from = plan->moved->from, *to = plan->moved->to;
    const struct disk *old = NULL, *new = NULL;
    size_t moved = devices_find_path(plan->devices, to, &new);
    size_t n = devices_find_path(plan->devices, from, &old);

    if (n == 0 && moved == 1) { /* by an earlier rewrite */
        *ret = new;
        return 0;
    }
    if (moved > 1 || (moved == 1 && new != old))
        return v2v_fail(plan->err, V2V_ERR_USAGE,
                        "%s has %s already: two disks cannot be one file",
                        rewrite_disk_label(new).text, to);
    n = devices_find_image(plan->devices, from, &old);
    if (n != 1)
        return fail_not_one(plan, n);
    *ret = old;
    return 0;
}

/* NULL: the disk can become a file in a format of its own. */
static const char *
why_not_moved(const struct xml_doc *doc, const struct disk *d)
{
    size_t source = xml_child(doc, d->element, "source");

    if (d->kind == DISK_LUN)
        return "device='lun' passes SCSI commands to a device, and a file is "
               "none";
    if (xml_child(doc, d->element, "mirror") != XML_NONE)
        return "a block job is copying it (<mirror>); let that end first";
    if (xml_child(doc, d->element, "encryption") != XML_NONE ||
        xml_child(doc, source, "encryption") != XML_NONE)
        return "the XML says that it is encrypted, which the new image is not";
    /* qemuBlockStorageSourceSupportsConcurrentAccess() in
     * src/qemu/qemu_block.c */
    if (xml_child(doc, d->element, "shareable") != XML_NONE)
        return "it is shareable, which libvirt allows for raw images only";
    return NULL;
}

/* Of what a <source> of any type can have only this holds for another file. */
static int
drop_rest_of_source(struct plan *plan, const struct shown *label, size_t source)
{
    const struct xml_doc *doc = plan->doc;
    const struct xml_element *e = &doc->elements[source];
    size_t child = xml_next(doc, source, XML_NONE, NULL);

    for (size_t i = e->attrs; i < e->attrs + e->attrs_count; i++) {
        const struct xml_attr *a = &doc->attrs[i];

        if (a->declares || a->qualified || strcmp(a->name, "file") == 0 ||
            strcmp(a->name, "startupPolicy") == 0)
            continue;
        if (rewrite_drop_attr(plan, source, a) < 0 ||
            rewrite_note(plan, label, why_dropped, "source %s dropped",
                         rewrite_show(a->name).text) < 0)
            return -1;
    }
    for (; child != XML_NONE; child = xml_next(doc, source, child, NULL)) {
        const struct xml_element *c = &doc->elements[child];

        if (c->ns != XML_NS_NONE || strcmp(c->name, "seclabel") == 0)
            continue;
        if (rewrite_drop(plan, child) < 0 ||
            rewrite_note(plan, label, why_dropped, "source %s dropped",
                         rewrite_show(c->name).text) < 0)
            return -1;
    }
    return 0;
}

static int
set_source(struct plan *plan, const struct disk *d, const struct shown *label)
{
    const struct xml_doc *doc = plan->doc;
    const char *type = xml_value(doc, d->element, "type");
    const char *old = devices_disk_path(doc, d);
    size_t source = xml_child(doc, d->element, "source");

    if (type != NULL && strcmp(type, "file") != 0 && /* the default */
        (rewrite_set_attr(plan, d->element, "type", "file") < 0 ||
         rewrite_note(plan, label, why_moved, "type %s -> file",
                      rewrite_show(type).text) < 0))
        return -1;
    if (rewrite_set_attr(plan, source, "file", plan->moved->to) < 0)
        return -1;
    if ((old == NULL || strcmp(old, plan->moved->to) != 0) &&
        rewrite_note(plan, label, why_moved, "source %s -> %s",
                     old != NULL ? old : "(not a file)", plan->moved->to) < 0)
        return -1;
    return drop_rest_of_source(plan, label, source);
}

static int
set_format(struct plan *plan, const struct disk *d, const struct shown *label)
{
    const char *format = plan->moved->format;
    size_t driver = xml_child(plan->doc, d->element, "driver");
    size_t source = xml_child(plan->doc, d->element, "source");
    const char *old = xml_value(plan->doc, driver, "type");

    if (old != NULL && strcmp(old, format) == 0)
        return 0;
    if ((driver != XML_NONE ? rewrite_set_attr(plan, driver, "type", format)
                            : rewrite_insert(plan, d->element, source, "driver",
                                             "type", format)) < 0)
        return -1;
    return rewrite_note(plan, label, why_moved, "format %s -> %s",
                        old != NULL ? rewrite_show(old).text : "(default)",
                        format);
}

int
rewrite_image(struct plan *plan)
{
    const struct disk *d;
    struct shown label;
    const char *why;

    if (plan->moved == NULL)
        return 0;
    if (*plan->moved->to != '/')
        return v2v_fail(plan->err, V2V_ERR_USAGE,
                        "%s: libvirt takes absolute paths only",
                        plan->moved->to);
    if (find_disk(plan, &d) < 0)
        return -1;
    label = rewrite_disk_label(d);
    why = why_not_moved(plan->doc, d);
    if (why != NULL)
        return v2v_refuse(plan->err, V2V_ERR_GUEST, "domain-unsupported",
                          "%s cannot be given another image: %s", label.text,
                          why);
    if (set_source(plan, d, &label) < 0 || set_format(plan, d, &label) < 0)
        return -1;
    return rewrite_drop_by_rules(plan, &label, d->element, image_rules,
                                 sizeof image_rules / sizeof *image_rules);
}
