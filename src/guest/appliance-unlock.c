/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/appliance.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Where the appliance's program for it is; libguestfs says "luks" of all that
 * it opens (man guestfs, guestfs_cryptsetup_open()). */
static int
check_cryptsetup(const struct appliance *appliance, struct v2v_error *err)
{
    char feature[] = "luks";
    char *const features[] = { feature, NULL };
    int available = guestfs_feature_available(appliance->g, features);

    if (available < 0)
        return appliance_fail_in(appliance, err, "libguestfs");
    if (available == 0)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "libguestfs' appliance has no cryptsetup, which opens "
                        "encrypted volumes: install package cryptsetup-bin, or "
                        "give no --key");
    return 0;
}

/* Status 2 is "no permission (bad passphrase)".  But after a recovery key that
 * is one, of another volume, it is 1, "wrong parameters", without a word; there
 * is one wherever something else is the matter (measured: cryptsetup 2.6.1).
 * Source: cryptsetup(8), "RETURN CODES"; libguestfs, daemon/utils.ml. */
static bool
is_wrong_key(const struct appliance *appliance)
{
    static const char before[] = "cryptsetup exited with status ";
    const char *text = guestfs_last_error(appliance->g);
    const char *status = text != NULL ? strstr(text, before) : NULL;

    if (status == NULL)
        return false;
    status += sizeof before - 1;
    return *status == '2' || (status[0] == '1' && status[1] == ':' &&
                              status[2 + strspn(status + 2, " \n")] == '\0');
}

static int
add_volume(struct appliance *appliance, unsigned disk,
           const struct disk_volume *place, const char *name,
           struct v2v_error *err)
{
    struct appliance_volume *volume = calloc(1, sizeof *volume);

    if (volume == NULL)
        return v2v_fail_errno(err, errno, "list of volumes");
    *volume = (struct appliance_volume){ .disk = &appliance->disks[disk],
                                         .partition = place->number,
                                         .offset = place->offset,
                                         .decrypted = { .appliance = appliance,
                                                        .size = place->len },
                                         .next = appliance->volumes };
    snprintf(volume->decrypted.name, sizeof volume->decrypted.name,
             "/dev/mapper/%s", name);
    appliance->volumes = volume;
    return 0;
}

/* libguestfs' trace has "***" for a key, and the appliance gets it in a message
 * and keeps it in a file of its own. */
int
appliance_unlock(void *state, unsigned disk, const struct disk_volume *volume,
                 const char *key, bool *opened, struct v2v_error *err)
{
    struct appliance *appliance = state;
    struct appliance_name device;
    char name[24];

    if (check_cryptsetup(appliance, err) < 0)
        return -1;
    device = appliance_name(&appliance->disks[disk], volume->number);
    snprintf(name, sizeof name, "v2v-%u-%u", disk, volume->number);
    if (guestfs_cryptsetup_open(appliance->g, device.text, key, name,
                                GUESTFS_CRYPTSETUP_OPEN_CRYPTTYPE, "bitlk",
                                -1) == 0) {
        *opened = true;
        return add_volume(appliance, disk, volume, name, err);
    }
    if (is_wrong_key(appliance)) {
        *opened = false;
        return 0;
    }
    appliance_fail_in(appliance, err, "BitLocker");
    if (err != NULL)
        err->code = V2V_ERR_GUEST;
    return -1;
}

const struct appliance_volume *
appliance_find_volume(const struct appliance_disk *disk, uint64_t offset,
                      size_t *len)
{
    for (const struct appliance_volume *v = disk->appliance->volumes; v != NULL;
         v = v->next) {
        uint64_t end = v->offset + v->decrypted.size;

        if (v->disk != disk || end <= offset || v->offset >= offset + *len)
            continue;
        if (v->offset > offset) {
            *len = (size_t)(v->offset - offset); /* up to there */
            continue;
        }
        if (end - offset < *len)
            *len = (size_t)(end - offset);
        return v;
    }
    return NULL;
}

int
appliance_lock_all(const struct appliance *appliance, struct v2v_error *err)
{
    for (const struct appliance_volume *v = appliance->volumes; v != NULL;
         v = v->next)
        if (guestfs_cryptsetup_close(appliance->g, v->decrypted.name) < 0)
            return appliance_fail_in(appliance, err,
                                     "closing the encrypted volume");
    return 0;
}

void
appliance_forget_volumes(struct appliance *appliance)
{
    while (appliance->volumes != NULL) {
        struct appliance_volume *first = appliance->volumes;

        appliance->volumes = first->next;
        free(first);
    }
}
