/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include <string.h>

#include "domain/domain.h"

static const struct {
    const char *name, *driver;
} features[DOMAIN_FEATURES] = {
    [DOMAIN_ADD_RNG] = { "rng", "viorng" },
    [DOMAIN_ADD_BALLOON_STATS] = { "balloon-stats", "Balloon" },
    [DOMAIN_ADD_AGENT_CHANNEL] = { "agent-channel", "vioserial" },
    [DOMAIN_ADD_PVPANIC] = { "pvpanic", "pvpanic" },
    [DOMAIN_ADD_HYPERV] = { "hyperv", NULL },
    [DOMAIN_ADD_HYPERVCLOCK] = { "hypervclock", NULL },
    [DOMAIN_ADD_DISCARD] = { "discard", NULL },
    [DOMAIN_ADD_IOTHREAD] = { "iothread", NULL },
};

static const struct {
    const char *name;
    size_t place;
} drivers_table[DOMAIN_DRIVERS] = {
    { "viostor", offsetof(struct domain_drivers, viostor) },
    { "vioscsi", offsetof(struct domain_drivers, vioscsi) },
    { "NetKVM", offsetof(struct domain_drivers, netkvm) },
    { "Balloon", offsetof(struct domain_drivers, balloon) },
    { "vioserial", offsetof(struct domain_drivers, vioserial) },
    { "viorng", offsetof(struct domain_drivers, viorng) },
    { "pvpanic", offsetof(struct domain_drivers, pvpanic) },
};

const char *
domain_driver_name(size_t i)
{
    return drivers_table[i].name;
}

bool *
domain_driver(struct domain_drivers *drivers, size_t i)
{
    return (bool *)((char *)drivers + drivers_table[i].place);
}

const char *
domain_feature_name(enum domain_feature feature)
{
    return features[feature].name;
}

const char *
domain_feature_driver(enum domain_feature feature)
{
    return features[feature].driver;
}

bool
domain_find_feature(const char *name, enum domain_feature *ret)
{
    for (size_t i = 0; i < DOMAIN_FEATURES; i++)
        if (strcmp(features[i].name, name) == 0) {
            *ret = (enum domain_feature)i;
            return true;
        }
    return false;
}
