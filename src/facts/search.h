/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * facts/search.h - every Windows and every boot configuration on the disks of
 * a guest
 *
 * Looks, and judges nothing: which Windows it is and whether it may be written
 * is find.c's.
 */
#ifndef V2V_FACTS_SEARCH_H
#define V2V_FACTS_SEARCH_H

#include "disk/ntfs.h"
#include "disk/probe.h"
#include "facts/boot.h"
#include "facts/find.h"

/* A Windows. */
struct search_windows {
    unsigned disk, partition;
    char *system_root;
    struct ntfs_state state;
};

/* A disk, as far as it could be looked into. */
struct search_disk {
    struct disk_reader reader;
    struct disk_layout layout; /* empty when there is none */
    struct boot_config boot;
    const struct disk_volume *unclean_boot; /* an NTFS with a BCD; or NULL */
};

struct search {
    struct guest *guest;
    const struct facts_root *root;
    struct search_disk *disks;
    unsigned disk_count;
    struct search_windows *found;
    size_t count; /* of @found */
    /* why a volume could not be looked into, and a disk; else V2V_OK */
    struct v2v_error bad_volume, bad_disk;
};

/* Is it the volume, or one of those, that @root names? */
bool search_matches(const struct facts_root *root, unsigned disk,
                    unsigned partition);

/**
 * search_disks() - look into every volume of every disk
 * @search: guest and root are set, the rest is zero; search_done(), also after
 *          a failure
 *
 * A volume or a disk that cannot be read does not hide a Windows elsewhere,
 * unless it is the one that root names: bad_volume and bad_disk say why.
 * Whichever volume was the last one stays mounted.
 *
 * Returns: 0, or -1 with why that one cannot be read, or V2V_ERR_INTERNAL.
 */
int search_disks(struct search *search, struct v2v_error *err);

void search_done(struct search *search);

static inline void
v2v_auto_search(struct search *search)
{
    search_done(search);
}

#endif
