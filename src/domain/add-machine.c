/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Windows can know of the hypervisor below it. */
#include "domain/add.h"

/* virt-install 4.1 writes these for every Windows, from XP to Server 2022
 * (set_defaults() in virtinst/domain/features.py). */
#define RELAXED "<relaxed state='on'/>"
#define VAPIC "<vapic state='on'/>"
#define SPINLOCKS "<spinlocks state='on' retries='8191'/>"
#define HYPERV "<hyperv>" RELAXED VAPIC SPINLOCKS "</hyperv>"

static const struct {
    const char *name, *xml;
} enlightenments[] = {
    { "relaxed", RELAXED },
    { "vapic", VAPIC },
    { "spinlocks", SPINLOCKS },
};

#define HYPERVCLOCK "<timer name='hypervclock' present='yes'/>"

/* In the order of libvirt's own output. */
static const char *const before_features[] = { "os", "vcpu", "memory", "name",
                                               NULL };
static const char *const before_clock[] = { "cpu",    "features", "os", "vcpu",
                                            "memory", "name",     NULL };

static int
complete_hyperv(struct plan *plan, size_t hyperv)
{
    static const struct shown label = { "hyperv" };

    if (add_has(plan->doc, hyperv, "mode", "passthrough"))
        return 0; /* all that the host has */
    for (size_t i = 0; i < sizeof enlightenments / sizeof *enlightenments;
         i++) {
        const char *name = enlightenments[i].name;
        size_t child = xml_child(plan->doc, hyperv, name);

        if (child == XML_NONE &&
            (add_append(plan, hyperv, enlightenments[i].xml) < 0 ||
             rewrite_note(plan, &label, rewrite_asked_for, "%s added", name) <
                 0))
            return -1;
        if (child != XML_NONE && add_has(plan->doc, child, "state", "off") &&
            rewrite_warn(plan, "hyperv %s stays off: the XML says so", name) <
                0)
            return -1;
    }
    return 0;
}

int
add_hyperv(struct plan *plan)
{
    static const struct shown label = { "hyperv" };
    size_t features = xml_child(plan->doc, 0, "features");
    size_t hyperv = add_find(plan->doc, "features", "hyperv", NULL);

    if (hyperv != XML_NONE)
        return complete_hyperv(plan, hyperv);
    if ((features != XML_NONE
             ? add_append(plan, features, HYPERV)
             : add_to_root(plan, before_features,
                           "<features>" HYPERV "</features>")) < 0)
        return -1;
    return rewrite_note(plan, &label, rewrite_asked_for,
                        "relaxed, vapic and spinlocks added");
}

static bool
is_hypervclock(const struct xml_doc *doc, size_t timer)
{
    return add_has(doc, timer, "name", "hypervclock");
}

/* Without a <clock> libvirt has one with this offset. */
int
add_hypervclock(struct plan *plan)
{
    static const struct shown label = { "clock" };
    size_t clock = xml_child(plan->doc, 0, "clock");
    size_t timer = add_find(plan->doc, "clock", "timer", is_hypervclock);

    if (timer != XML_NONE)
        return add_has(plan->doc, timer, "present", "no")
                   ? rewrite_warn(plan,
                                  "hypervclock stays off: the XML says so")
                   : 0;
    if ((clock != XML_NONE
             ? add_append(plan, clock, HYPERVCLOCK)
             : add_to_root(plan, before_clock,
                           "<clock offset='utc'>" HYPERVCLOCK "</clock>")) < 0)
        return -1;
    return rewrite_note(plan, &label, rewrite_asked_for,
                        "timer hypervclock added");
}
