/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/osinfo.h - what libosinfo calls a Windows
 *
 * virt-install and virt-manager choose a machine by libosinfo's short id, and
 * a domain's metadata hold its full one.
 *
 * Source: osinfo-db, data/os/microsoft.com; "osinfo-query os".
 */
#ifndef V2V_DOMAIN_OSINFO_H
#define V2V_DOMAIN_OSINFO_H

#include <stdbool.h>
#include <stddef.h>

/* Its NT version (6.1 is Windows 7), and what that does not tell. */
struct domain_windows {
    unsigned major, minor, build;
    bool server; /* a domain controller is one as well */
    bool r2;     /* Server 2003 R2, whose version is that of Server 2003 */
};

struct domain_osinfo {
    const char *name; /* "win10" */
    const char *url;  /* "http://microsoft.com/win/10" */
    const char *hint; /* what virt-install gets: @name, or an older sibling
                       * where the osinfo-db of hosts in use lacks that */
    struct domain_windows from; /* the first that is called so */
};

/* The last of its kind (client or server) that is not newer than @windows;
 * of a Windows older than XP, XP.  Never NULL. */
const struct domain_osinfo *domain_osinfo(const struct domain_windows *windows);

/* The table, for its test. */
extern const struct domain_osinfo domain_osinfos[];
extern const size_t domain_osinfo_count;

#endif
