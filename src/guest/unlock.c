/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/log.h"
#include "guest/internal.h"

/* Tried in the order in which they were given, until one opens it. */
static int
try_keys(struct guest *guest, unsigned disk, const struct disk_volume *volume,
         const struct bitlocker *protectors, enum guest_lock *ret,
         struct v2v_error *err)
{
    struct guest_keys *keys = guest->keys;

    for (size_t i = 0; i < keys->count; i++) {
        struct guest_key *key = &keys->items[i];
        bool opened = false;

        if (!guest_key_is_for(key, disk, volume->number, protectors))
            continue;
        key->matched = true;
        *ret = GUEST_KEY_WRONG;
        if (guest->backend->unlock(guest->state, disk, volume, key->text,
                                   &opened, err) < 0)
            return -1;
        v2v_fact("guest", "%s: the key for %s %s",
                 guest_place(guest, disk, volume->number).text, key->name,
                 opened ? "opens it" : "does not open it");
        if (!opened)
            continue;
        *ret = GUEST_UNLOCKED;
        return 0;
    }
    return 0;
}

int
guest_unlock(struct guest *guest, unsigned disk,
             const struct disk_volume *volume,
             const struct bitlocker *protectors, enum guest_lock *ret,
             struct v2v_error *err)
{
    enum guest_lock lock = GUEST_LOCKED;

    if (guest->keys != NULL && guest->backend->unlock != NULL &&
        try_keys(guest, disk, volume, protectors, &lock, err) < 0)
        return v2v_fail_in(err, "%s",
                           guest_place(guest, disk, volume->number).text);
    *ret = lock;
    return 0;
}

/* One for all volumes may be for machines that have none. */
void
guest_warn_of_keys(const struct guest *guest)
{
    for (size_t i = 0; guest->keys != NULL && i < guest->keys->count; i++) {
        const struct guest_key *key = &guest->keys->items[i];

        if (!key->matched && key->kind != GUEST_KEY_ALL)
            v2v_warn("guest", "key-unused",
                     "--key %s: %s is no encrypted volume of this machine",
                     key->name, key->name);
    }
}
