/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/directories.h"

#include <stddef.h>

#include "base/text.h"
#include "media/media.h"

enum { client = 1, server = 3 };

/* Names: virtio-win ISOs; aliases: the older releases' floppies and RPMs.
 * Builds: Microsoft, "Windows Server release information" and "Windows 11
 * release information"; 26040 is the first public preview named Server 2025. */
static const struct directory directories[] = {
    { "w11", "Windows 11", 10, 0, 22000, client, { "Win11" } },
    { "w10", "Windows 10", 10, 0, 10240, client, { "Win10" } },
    { "w8.1", "Windows 8.1", 6, 3, 9600, client, { "Win8.1" } },
    { "w8", "Windows 8", 6, 2, 9200, client, { "Win8" } },
    { "w7", "Windows 7", 6, 1, 7600, client, { "Win7" } },
    { "xp", "Windows XP", 5, 1, 2600, client, { "WinXP", "WXP" } },
    { "2k25", "Windows Server 2025", 10, 0, 26040, server, { "Win2025" } },
    { "2k22", "Windows Server 2022", 10, 0, 20348, server, { "Win2022" } },
    { "2k19", "Windows Server 2019", 10, 0, 17763, server, { "Win2019" } },
    { "2k16", "Windows Server 2016", 10, 0, 14393, server, { "Win2016" } },
    { "2k12R2", "Windows Server 2012 R2", 6, 3, 9600, server, { "Win2012R2" } },
    { "2k12", "Windows Server 2012", 6, 2, 9200, server, { "Win2012" } },
    { "2k8R2", "Windows Server 2008 R2", 6, 1, 7600, server, { "Win2008R2" } },
    { "2k8",
      "Windows Server 2008",
      6,
      0,
      6001,
      server,
      { "Win2008", "Vista" } },
    { "2k3", "Windows Server 2003", 5, 2, 3790, server, { "Win2003", "WNET" } },
};

/* The first row whose kind and version are the guest's and whose build is not
 * above the guest's.  After the directory of the guest come those of older
 * Windows of its kind, since a driver for these runs on it, and then those of
 * the other kind that have the same kernel or an older one of the same
 * version.  The INF has the last word. */
static const struct {
    unsigned product_type;
    unsigned major, minor, build;
    const char *directories[8];
} rows[] = {
    { client, 10, 0, 26100, { "w11", "w10", "2k25", "2k22", "2k19", "2k16" } },
    { client, 10, 0, 22000, { "w11", "w10", "2k22", "2k19", "2k16" } },
    { client, 10, 0, 17763, { "w10", "2k19", "2k16" } },
    { client, 10, 0, 14393, { "w10", "2k16" } },
    { client, 10, 0, 0, { "w10" } },
    { client, 6, 3, 0, { "w8.1", "2k12R2" } },
    { client, 6, 2, 0, { "w8", "2k12" } },
    { client, 6, 1, 0, { "w7", "2k8R2" } },
    { client, 6, 0, 0, { "2k8" } },
    { client, 5, 2, 0, { "2k3", "xp" } }, /* XP x64 */
    { client, 5, 1, 0, { "xp" } },
    { server, 10, 0, 26040, { "2k25", "2k22", "2k19", "2k16", "w11", "w10" } },
    { server, 10, 0, 20348, { "2k22", "2k19", "2k16", "w10" } },
    { server, 10, 0, 17763, { "2k19", "2k16", "w10" } },
    { server, 10, 0, 0, { "2k16", "w10" } },
    { server, 6, 3, 0, { "2k12R2", "w8.1" } },
    { server, 6, 2, 0, { "2k12", "w8" } },
    { server, 6, 1, 0, { "2k8R2", "w7" } },
    { server, 6, 0, 0, { "2k8" } },
    { server, 5, 2, 0, { "2k3", "xp" } },
};

/* ISO: x86, amd64, ARM64; i386: floppies, and the copies on RHEL's ISO. */
static const struct {
    const char *name;
    enum inf_arch arch;
} archs[] = {
    { "amd64", INF_ARCH_AMD64 },   { "x64", INF_ARCH_AMD64 },
    { "x86_64", INF_ARCH_AMD64 },  { "x86", INF_ARCH_X86 },
    { "i386", INF_ARCH_X86 },      { "arm64", INF_ARCH_ARM64 },
    { "aarch64", INF_ARCH_ARM64 },
};

static bool
is_named(const struct directory *directory, const char *name)
{
    if (media_is_short_for(name, directory->name))
        return true;
    for (size_t i = 0; directory->aliases[i] != NULL; i++) {
        if (media_is_short_for(name, directory->aliases[i]))
            return true;
    }
    return false;
}

const struct directory *
directory_find(const char *name)
{
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        if (is_named(&directories[i], name))
            return &directories[i];
    }
    return NULL;
}

const char *const *
directories_for(const struct inf_target *target)
{
    unsigned kind = target->product_type == client ? client : server;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].product_type == kind && rows[i].major == target->major &&
            rows[i].minor == target->minor && rows[i].build <= target->build)
            return rows[i].directories;
    }
    return NULL;
}

struct inf_target
directory_target(const struct directory *directory, enum inf_arch arch)
{
    return (struct inf_target){ .arch = arch,
                                .major = directory->major,
                                .minor = directory->minor,
                                .build = directory->build,
                                .product_type = directory->product_type };
}

bool
directory_arch(const char *name, enum inf_arch *ret)
{
    for (size_t i = 0; i < sizeof archs / sizeof *archs; i++) {
        if (v2v_equal_nocase(name, archs[i].name)) {
            *ret = archs[i].arch;
            return true;
        }
    }
    return false;
}
