/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/names.h"

#include <stddef.h>

#include "base/text.h"
#include "media/media.h"

/* Directory and INF of virtio-win ISOs, where they are spelt differently. */
static const struct {
    const char *driver, *stem;
} stems[] = {
    { "NetKVM", "netkvm" },    { "Balloon", "balloon" },
    { "vioserial", "vioser" }, { "pvpanic", "pvpanic-pci" },
    { "sriov", "vioprot" },
};

/* vioprot couples a virtio-net with an SR-IOV function: virtio-win,
 * kvm-guest-drivers-windows, NetKVM/ProtocolService/Readme. */
static const char *const on_request[] = { "sriov" };

/* fwcfg has a driver file, qemufwcfg only keeps the device (QEMU0002) from
 * being shown as unknown: their INFs. */
static const struct {
    const char *driver, *successor;
} successors[] = { { "qemufwcfg", "fwcfg" } };

static const struct {
    const char *driver;
    unsigned product_type;        /* 0: any; 3 stands for all servers */
    unsigned major, minor, build; /* this one and later */
    const char *why;
} bad[] = {
    { "smbus", 3, 10, 0, 26040,
      "with smbus Windows Server 2025 restarts without end at its first boot "
      "(github.com/apache/cloudstack-documentation issue 657)" },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

const char *
names_driver_of_inf(const char *stem)
{
    for (size_t i = 0; i < COUNT(stems); i++) {
        if (media_is_short_for(stem, stems[i].stem))
            return stems[i].driver;
    }
    return NULL;
}

bool
names_only_on_request(const char *driver)
{
    for (size_t i = 0; i < COUNT(on_request); i++) {
        if (v2v_equal_nocase(driver, on_request[i]))
            return true;
    }
    return false;
}

const char *
names_successor(const char *driver)
{
    for (size_t i = 0; i < COUNT(successors); i++) {
        if (v2v_equal_nocase(driver, successors[i].driver))
            return successors[i].successor;
    }
    return NULL;
}

static bool
is_since(const struct inf_target *target, unsigned major, unsigned minor,
         unsigned build)
{
    if (target->major != major)
        return target->major > major;
    if (target->minor != minor)
        return target->minor > minor;
    return target->build >= build;
}

const char *
names_known_bad(const char *driver, const struct inf_target *target)
{
    unsigned kind = target->product_type == 1 ? 1 : 3;

    for (size_t i = 0; i < COUNT(bad); i++) {
        if (v2v_equal_nocase(driver, bad[i].driver) &&
            (bad[i].product_type == 0 || bad[i].product_type == kind) &&
            is_since(target, bad[i].major, bad[i].minor, bad[i].build))
            return bad[i].why;
    }
    return NULL;
}
