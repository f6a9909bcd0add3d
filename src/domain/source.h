/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * domain/source.h - where the hard disks of a domain have their content
 *
 * Opens nothing, and asks no libvirt: a volume's path is for others to find.
 */
#ifndef V2V_DOMAIN_SOURCE_H
#define V2V_DOMAIN_SOURCE_H

#include "domain/domain.h"

/* Strings live as long as the domain. */
struct domain_source {
    const char *disk;   /* target/@dev, or "" */
    const char *format; /* driver/@type as QEMU names it; libvirt's default, and
                           so that of a disk that does not say, is "raw" */
    const char *path;   /* a file's or a block device's; NULL: it is a volume */
    const char *pool, *volume;
    const char *obstacle; /* why this content is not to be had by its path, for
                             people: "it is on the network"; NULL: it is */
    bool boots;           /* what the machine boots from, as far as that is a
                             hard disk: see domain_machine() */
};

/**
 * domain_source() - hard disk @i < domain_disk_count()
 *
 * Returns: 0, or -1 as domain_machine().
 *
 * Source: libvirt "Domain XML format", "Hard drives, floppy disks, CDROMs".
 */
int domain_source(const struct domain *domain, size_t i,
                  struct domain_source *ret, struct v2v_error *err);

#endif
