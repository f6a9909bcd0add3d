/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guest/internal.h"

int
guest_new(const struct guest_backend *backend, void *state, unsigned disk_count,
          struct guest **ret, struct v2v_error *err)
{
    struct guest *guest = calloc(1, sizeof *guest);

    if (guest == NULL) {
        backend->abandon(state);
        return v2v_fail_errno(err, errno, "guest");
    }
    *guest = (struct guest){ .backend = backend,
                             .state = state,
                             .disk_count = disk_count };
    *ret = guest;
    return 0;
}

const char *
guest_backend_name(const struct guest *guest)
{
    return guest->backend->name;
}

const char *
guest_backend_why(const struct guest *guest)
{
    return guest->why;
}

unsigned
guest_disk_count(const struct guest *guest)
{
    return guest->disk_count;
}

int
guest_disk(struct guest *guest, unsigned disk, struct disk_reader *ret,
           struct v2v_error *err)
{
    return guest->backend->disk(guest->state, disk, ret, err);
}

struct guest_place
guest_place(const struct guest *guest, unsigned disk, unsigned partition)
{
    struct guest_place place;

    if (guest->disk_count == 1)
        snprintf(place.text, sizeof place.text, "partition %u", partition);
    else
        snprintf(place.text, sizeof place.text, "disk %u, partition %u",
                 disk + 1, partition);
    return place;
}

static int
mount_volume(struct guest *guest, unsigned disk, unsigned partition,
             enum guest_fs fs, bool write, struct v2v_error *err)
{
    const struct guest_mounted wanted = { disk, partition, fs, write };

    /* unmounting is a matter of seconds where the appliance is emulated */
    if (guest->mounted && !write &&
        memcmp(&guest->what, &wanted, sizeof wanted) == 0)
        return 0;
    if (guest_unmount(guest, err) < 0)
        return -1;
    if (guest->backend->mount(guest->state, disk, partition, fs, write, err) <
        0)
        return v2v_fail_in(err, "%s", guest_place(guest, disk, partition).text);
    guest->mounted = true;
    guest->what = wanted;
    return 0;
}

int
guest_mount(struct guest *guest, unsigned disk, unsigned partition, bool write,
            struct v2v_error *err)
{
    return mount_volume(guest, disk, partition, GUEST_NTFS, write, err);
}

int
guest_mount_fat(struct guest *guest, unsigned disk, unsigned partition,
                struct v2v_error *err)
{
    return mount_volume(guest, disk, partition, GUEST_FAT, false, err);
}

int
guest_unmount(struct guest *guest, struct v2v_error *err)
{
    guest_forget_directories(guest);
    if (guest->mounted && guest->backend->unmount(guest->state, err) < 0)
        return -1;
    guest->mounted = false;
    return 0;
}

int
guest_check_mounted(const struct guest *guest, struct v2v_error *err)
{
    if (!guest->mounted)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no volume is mounted");
    return 0;
}

int
guest_free_space(struct guest *guest, uint64_t *ret, struct v2v_error *err)
{
    if (guest_check_mounted(guest, err) < 0)
        return -1;
    return guest->backend->free_space(guest->state, ret, err);
}

void
guest_abandon(struct guest *guest)
{
    if (guest == NULL)
        return;
    guest_forget_directories(guest);
    guest->backend->abandon(guest->state);
    free(guest);
}

int
guest_close(struct guest *guest, struct v2v_error *err)
{
    int rc = guest_unmount(guest, err);

    if (rc == 0)
        rc = guest->backend->close(guest->state, err);
    guest_abandon(guest);
    return rc;
}
