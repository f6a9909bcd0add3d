/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/osinfo.h"

#define URL(id) ("http://microsoft.com/win/" id)

/* Builds: Microsoft, "Windows 11 release information" and "Windows Server
 * release information", for Windows that share the version 10.0.
 *
 * Servers between two rows (1709 to 1809, 1903 to 20H2, 23H2) are called as
 * the one before them, as libosinfo has no ids for them.  XP x64 is 5.2 and a
 * client.  Debian 12's osinfo-db (20221130) does not know win2k25, and
 * virt-install ends at a name that it does not know. */
const struct domain_osinfo domain_osinfos[] = {
    { "winxp", URL("xp"), "winxp", { .major = 5, .minor = 1 } },
    { "winvista", URL("vista"), "winvista", { .major = 6 } },
    { "win7", URL("7"), "win7", { .major = 6, .minor = 1 } },
    { "win8", URL("8"), "win8", { .major = 6, .minor = 2 } },
    { "win8.1", URL("8.1"), "win8.1", { .major = 6, .minor = 3 } },
    { "win10", URL("10"), "win10", { .major = 10 } },
    { "win11", URL("11"), "win11", { .major = 10, .build = 22000 } },
    { "win2k3",
      URL("2k3"),
      "win2k3",
      { .major = 5, .minor = 2, .server = true } },
    { "win2k3r2",
      URL("2k3r2"),
      "win2k3r2",
      { .major = 5, .minor = 2, .server = true, .r2 = true } },
    { "win2k8", URL("2k8"), "win2k8", { .major = 6, .server = true } },
    { "win2k8r2",
      URL("2k8r2"),
      "win2k8r2",
      { .major = 6, .minor = 1, .server = true } },
    { "win2k12",
      URL("2k12"),
      "win2k12",
      { .major = 6, .minor = 2, .server = true } },
    { "win2k12r2",
      URL("2k12r2"),
      "win2k12r2",
      { .major = 6, .minor = 3, .server = true } },
    { "win2k16", URL("2k16"), "win2k16", { .major = 10, .server = true } },
    { "win2k19",
      URL("2k19"),
      "win2k19",
      { .major = 10, .build = 17763, .server = true } },
    { "win2k22",
      URL("2k22"),
      "win2k22",
      { .major = 10, .build = 20348, .server = true } },
    { "win2k25",
      URL("2k25"),
      "win2k22",
      { .major = 10, .build = 26100, .server = true } },
};

const size_t domain_osinfo_count =
    sizeof domain_osinfos / sizeof *domain_osinfos;

static bool
is_older(const struct domain_windows *a, const struct domain_windows *b)
{
    if (a->major != b->major)
        return a->major < b->major;
    if (a->minor != b->minor)
        return a->minor < b->minor;
    return a->build < b->build;
}

/* The rows of a kind are in their order. */
const struct domain_osinfo *
domain_osinfo(const struct domain_windows *windows)
{
    const struct domain_osinfo *found = &domain_osinfos[0];

    for (size_t i = 0; i < domain_osinfo_count; i++) {
        const struct domain_osinfo *os = &domain_osinfos[i];

        if (os->from.server == windows->server &&
            (windows->r2 || !os->from.r2) && !is_older(windows, &os->from))
            found = os;
    }
    return found;
}
