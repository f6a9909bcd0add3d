/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/add.h"

#include <stddef.h>
#include <string.h>

size_t
add_find(const struct xml_doc *doc, const char *outer, const char *inner,
         bool (*is)(const struct xml_doc *doc, size_t element))
{
    size_t parent = xml_child(doc, 0, outer);

    for (; parent != XML_NONE; parent = xml_next(doc, 0, parent, outer)) {
        size_t child = xml_child(doc, parent, inner);

        for (; child != XML_NONE; child = xml_next(doc, parent, child, inner))
            if (is == NULL || is(doc, child))
                return child;
    }
    return XML_NONE;
}

bool
add_has(const struct xml_doc *doc, size_t element, const char *attr,
        const char *value)
{
    const char *s = xml_value(doc, element, attr);

    return s != NULL && strcmp(s, value) == 0;
}

int
add_append(struct plan *plan, size_t parent, const char *xml)
{
    const struct xml_doc *doc = plan->doc;
    size_t last = XML_NONE, child = xml_next(doc, parent, XML_NONE, NULL);

    for (; child != XML_NONE; child = xml_next(doc, parent, child, NULL))
        last = child;
    return rewrite_insert_xml(plan, parent, last, xml);
}

int
add_to_root(struct plan *plan, const char *const *names, const char *xml)
{
    size_t after = XML_NONE;

    while (after == XML_NONE && *names != NULL)
        after = xml_child(plan->doc, 0, *names++);
    return rewrite_insert_xml(plan, 0, after, xml);
}

static int
add_device(struct plan *plan, const char *name, const char *xml)
{
    struct shown label = rewrite_show(name);

    if (add_append(plan, xml_child(plan->doc, 0, "devices"), xml) < 0)
        return -1;
    return rewrite_note(plan, &label, rewrite_asked_for, "added");
}

static bool
has_rng(const struct plan *plan)
{
    return add_find(plan->doc, "devices", "rng", NULL) != XML_NONE;
}

/* The source that libvirt's documentation recommends: it never blocks. */
static int
add_rng(struct plan *plan)
{
    return add_device(plan, "rng",
                      "<rng model='virtio'>"
                      "<backend model='random'>/dev/urandom</backend></rng>");
}

static bool
has_balloon_stats(const struct plan *plan)
{
    const struct devices *d = plan->devices;

    return d->balloon_count > 0 &&
           xml_child(plan->doc, d->balloons[0], "stats") != XML_NONE;
}

/* Without a <memballoon> libvirt adds a virtio one, so that is written. */
static int
add_balloon_stats(struct plan *plan)
{
    static const struct shown label = { "memballoon" };
    const struct devices *d = plan->devices;
    const char *model;

    if (d->balloon_count == 0)
        return add_device(plan, "memballoon",
                          "<memballoon model='virtio'>"
                          "<stats period='5'/></memballoon>");
    model = xml_value(plan->doc, d->balloons[0], "model");
    if (model == NULL || strncmp(model, "virtio", 6) != 0)
        return rewrite_warn(plan,
                            "balloon-stats is not added: the memballoon has "
                            "model '%s', which is not virtio",
                            model != NULL ? rewrite_show(model).text : "");
    if (rewrite_insert(plan, d->balloons[0], XML_NONE, "stats", "period", "5") <
        0)
        return -1;
    return rewrite_note(plan, &label, rewrite_asked_for,
                        "stats every 5 seconds");
}

static bool
is_agent_channel(const struct xml_doc *doc, size_t channel)
{
    return add_has(doc, xml_child(doc, channel, "target"), "name",
                   "org.qemu.guest_agent.0");
}

static bool
has_agent_channel(const struct plan *plan)
{
    return add_find(plan->doc, "devices", "channel", is_agent_channel) !=
           XML_NONE;
}

/* libvirt chooses the socket's path, and adds the virtio-serial controller. */
static int
add_agent_channel(struct plan *plan)
{
    return add_device(plan, "channel",
                      "<channel type='unix'><target type='virtio' "
                      "name='org.qemu.guest_agent.0'/></channel>");
}

/* libvirt takes one of each model; 'hyperv' is another way to say that Windows
 * has crashed, and absent means 'isa'. */
static bool
is_pvpanic(const struct xml_doc *doc, size_t panic)
{
    return !add_has(doc, panic, "model", "hyperv");
}

static bool
has_pvpanic(const struct plan *plan)
{
    return add_find(plan->doc, "devices", "panic", is_pvpanic) != XML_NONE;
}

/* The port: docs/specs/pvpanic.rst in QEMU's source. */
static int
add_pvpanic(struct plan *plan)
{
    return add_device(plan, "panic",
                      "<panic model='isa'>"
                      "<address type='isa' iobase='0x505'/></panic>");
}

#define DRIVER(name) offsetof(struct domain_drivers, name)
#define NO_DRIVER ((size_t)-1)

static const struct addition {
    size_t driver;                         /* that it needs */
    bool (*is_there)(const struct plan *); /* NULL: it finds out itself */
    int (*add)(struct plan *);
} additions[DOMAIN_FEATURES] = {
    [DOMAIN_ADD_RNG] = { DRIVER(viorng), has_rng, add_rng },
    [DOMAIN_ADD_BALLOON_STATS] = { DRIVER(balloon), has_balloon_stats,
                                   add_balloon_stats },
    [DOMAIN_ADD_AGENT_CHANNEL] = { DRIVER(vioserial), has_agent_channel,
                                   add_agent_channel },
    [DOMAIN_ADD_PVPANIC] = { DRIVER(pvpanic), has_pvpanic, add_pvpanic },
    [DOMAIN_ADD_HYPERV] = { NO_DRIVER, NULL, add_hyperv },
    [DOMAIN_ADD_HYPERVCLOCK] = { NO_DRIVER, NULL, add_hypervclock },
    [DOMAIN_ADD_DISCARD] = { NO_DRIVER, NULL, add_discard },
    [DOMAIN_ADD_IOTHREAD] = { NO_DRIVER, NULL, add_iothread },
};

static bool
has_driver(const struct domain_drivers *drivers, size_t driver)
{
    return driver == NO_DRIVER ||
           *(const bool *)((const char *)drivers + driver);
}

int
rewrite_add(struct plan *plan, enum domain_feature feature)
{
    const struct addition *a = &additions[feature];

    if (a->is_there != NULL && a->is_there(plan))
        return 0;
    if (!has_driver(plan->drivers, a->driver))
        return rewrite_warn(plan, "%s is not added: %s was not injected",
                            domain_feature_name(feature),
                            domain_feature_driver(feature));
    return a->add(plan);
}
