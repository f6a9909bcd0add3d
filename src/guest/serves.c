/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/serves.h"

#include <stdio.h>
#include <string.h>

/* Volumes that are made of others: the appliance's kernel may know more of
 * them than we do. */
static bool
is_lvm(const struct disk_volume *volume)
{
    /* 0x8e: Linux LVM (fdisk(8)); E6D6D379-F507-44C2-A23C-238F2A3DF928, as a
     * disk stores it: the Discoverable Partitions Specification */
    static const uint8_t lvm[16] = { 0x79, 0xd3, 0xd6, 0xe6, 0x07, 0xf5,
                                     0xc2, 0x44, 0xa2, 0x3c, 0x23, 0x8f,
                                     0x2a, 0x3d, 0xf9, 0x28 };

    return volume->mbr_type == 0x8e ||
           memcmp(volume->type_guid, lvm, sizeof lvm) == 0;
}

static const char *
obstacle(const struct disk_volume *volume)
{
    if (volume->content == DISK_BITLOCKER || volume->content == DISK_LDM ||
        volume->content == DISK_STORAGE_SPACES)
        return disk_content_name(volume->content);
    return is_lvm(volume) ? "LVM" : NULL;
}

bool
direct_serves(const struct disk_layout *layout, char *why, size_t why_size)
{
    for (size_t i = 0; i < layout->count; i++) {
        const char *what = obstacle(&layout->volumes[i]);

        if (what == NULL)
            continue;
        snprintf(why, why_size, "partition %u: %s", layout->volumes[i].number,
                 what);
        return false;
    }
    return true;
}
