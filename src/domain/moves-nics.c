/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/moves.h"

#include <stdio.h>
#include <string.h>

/* Models that QEMU emulates, as libvirt and the tools of other hypervisors
 * write them; compared without case as libvirt does
 * (virDomainNetSetModelString() in src/conf/domain_conf.c). */
static const char *const emulated_nics[] = {
    "e1000",    "e1000e",   "e1000-82544gc", "e1000-82545em", "igb",
    "rtl8139",  "vmxnet3",  "e1000-82543gc", "vmxnet2",       "vmxnet",
    "vlance",   "pcnet",    "pcnet32",       "lance",         "ne2k_pci",
    "ne2k_isa", "i82550",   "i82551",        "i82557a",       "i82557b",
    "i82557c",  "i82558a",  "i82558b",       "i82559a",       "i82559b",
    "i82559c",  "i82559er", "i82562",        "i82801",        "am79c970a",
    "am79c973", "82540em",  "82545em",       "82543gc",       "tulip",
    "usb-net",  "netfront",
};

/* Not a device of QEMU's, or one that is virtio whatever the model says. */
static const char *const fixed_nic_types[] = { "hostdev", "vdpa", "vhostuser" };

#define IS_IN(s, list) is_in((s), (list), sizeof(list) / sizeof *(list))

static bool
is_in(const char *s, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) /* words of long texts, too */
        if ((s[0] | 0x20) == list[i][0] && v2v_equal_nocase(s, list[i]))
            return true;
    return false;
}

bool
rewrite_is_emulated_nic(const char *word)
{
    return IS_IN(word, emulated_nics);
}

static struct shown
nic_label(const struct plan *plan, size_t i)
{
    const struct xml_doc *doc = plan->doc;
    const char *mac = xml_value(
        doc, xml_child(doc, plan->devices->nics[i], "mac"), "address");
    struct shown label = { "" };

    if (mac != NULL)
        snprintf(label.text, sizeof label.text, "interface %.*s", shown_max,
                 rewrite_show(mac).text);
    else
        snprintf(label.text, sizeof label.text, "interface %zu", i + 1);
    return label;
}

static int
set_model(struct plan *plan, size_t nic, size_t model)
{
    size_t after = xml_child(plan->doc, nic, "source");

    if (model != XML_NONE)
        return rewrite_set_attr(plan, model, "type", "virtio");
    if (after == XML_NONE)
        after = xml_child(plan->doc, nic, "mac");
    return rewrite_insert(plan, nic, after, "model", "type", "virtio");
}

/* A boot ROM file is for the PCI id of the old card. */
static int
drop_rom_file(struct plan *plan, size_t nic, const struct shown *label)
{
    size_t rom = xml_child(plan->doc, nic, "rom");
    const struct xml_attr *file = xml_attr(plan->doc, rom, "file");

    if (file == NULL)
        return 0;
    if ((plan->doc->elements[rom].attrs_count == 1
             ? rewrite_drop(plan, rom)
             : rewrite_drop_attr(plan, rom, file)) < 0)
        return -1;
    return rewrite_note(plan, label, "it is a boot ROM for the old card",
                        "rom file dropped");
}

static int
warn_of_driver(struct plan *plan, size_t nic, const struct shown *label)
{
    size_t driver = xml_child(plan->doc, nic, "driver");

    if (driver == XML_NONE || (plan->doc->elements[driver].attrs_count == 0 &&
                               plan->doc->elements[driver].next == driver + 1))
        return 0;
    return rewrite_warn(
        plan,
        "%s: the settings in <driver> take effect now; an emulated "
        "card ignored them",
        label->text);
}

static int
move_nic(struct plan *plan, size_t nic, const struct shown *label,
         const char *model)
{
    plan->nic_moved = true;
    if (set_model(plan, nic, xml_child(plan->doc, nic, "model")) < 0 ||
        rewrite_note(plan, label, "netkvm was injected", "model %s -> virtio",
                     *model != '\0' ? rewrite_show(model).text : "(default)") <
            0 ||
        rewrite_drop_by_rules(plan, label, nic, rewrite_common_rules,
                              sizeof rewrite_common_rules /
                                  sizeof *rewrite_common_rules) < 0 ||
        drop_rom_file(plan, nic, label) < 0)
        return -1;
    return warn_of_driver(plan, nic, label);
}

static int
plan_nic(struct plan *plan, size_t i)
{
    const struct xml_doc *doc = plan->doc;
    size_t nic = plan->devices->nics[i];
    const char *type = xml_value(doc, nic, "type");
    const char *model = xml_value(doc, xml_child(doc, nic, "model"), "type");
    const struct shown label = nic_label(plan, i);

    if (model == NULL)
        model = "";
    if ((type != NULL && IS_IN(type, fixed_nic_types)) ||
        devices_is_virtio_nic_model(model))
        return 0;
    if (*model != '\0' && !rewrite_is_emulated_nic(model))
        return rewrite_warn(
            plan, "%s keeps model '%s': it is not a known emulated one",
            label.text, rewrite_show(model).text);
    if (!plan->drivers->netkvm)
        return rewrite_warn(
            plan, "%s keeps model '%s': netkvm was not injected", label.text,
            *model != '\0' ? rewrite_show(model).text : "(default)");
    return move_nic(plan, nic, &label, model);
}

int
rewrite_nics(struct plan *plan)
{
    for (size_t i = 0; i < plan->devices->nic_count; i++)
        if (plan_nic(plan, i) < 0)
            return -1;
    if (!plan->nic_moved)
        return 0;
    return rewrite_warn(
        plan, "Windows sees new network adapters: a static IP address "
              "stays with the old ones");
}

/* libvirt refuses several queues for the other types that are QEMU's own; what
 * is behind the fixed types has as many as it has. */
static const char *const multiqueue_types[] = { "network", "bridge", "direct",
                                                "ethernet" };

/* Without a name libvirt takes vhost if the host has it, as it did before; by
 * the name 'vhost' the machine would not start elsewhere. */
static int
set_queues(struct plan *plan, size_t nic, const struct shown *label)
{
    const struct xml_doc *doc = plan->doc;
    size_t driver = xml_child(doc, nic, "driver");
    const char *old = xml_value(doc, driver, "queues");
    char queues[16];

    snprintf(queues, sizeof queues, "%u", plan->options->nic_queues);
    if (old != NULL && strcmp(old, queues) == 0)
        return 0;
    if ((driver != XML_NONE
             ? rewrite_set_attr(plan, driver, "queues", queues)
             : rewrite_insert(plan, nic, xml_child(doc, nic, "model"), "driver",
                              "queues", queues)) < 0)
        return -1;
    return rewrite_note(plan, label, rewrite_asked_for, "queues %s -> %s",
                        old != NULL ? rewrite_show(old).text : "(default)",
                        queues);
}

static int
plan_queues(struct plan *plan, size_t i)
{
    const struct xml_doc *doc = plan->doc;
    size_t nic = plan->devices->nics[i];
    const char *type = xml_value(doc, nic, "type");
    const char *model = xml_value(doc, xml_child(doc, nic, "model"), "type");
    const struct shown label = nic_label(plan, i);

    if (model == NULL || !devices_is_virtio_nic_model(model) || type == NULL ||
        IS_IN(type, fixed_nic_types))
        return 0;
    if (IS_IN(type, multiqueue_types))
        return set_queues(plan, nic, &label);
    return rewrite_warn(plan,
                        "%s keeps one queue: libvirt has more for the types "
                        "network, bridge, direct and ethernet only, and this "
                        "is '%s'",
                        label.text, rewrite_show(type).text);
}

int
rewrite_nic_queues(struct plan *plan)
{
    if (plan->options->nic_queues == 0)
        return 0;
    for (size_t i = 0; i < plan->devices->nic_count; i++)
        if (plan_queues(plan, i) < 0)
            return -1;
    return 0;
}
