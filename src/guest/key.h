/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/key.h - keys of encrypted volumes, and which volume each is for
 *
 * Opens nothing: guest_unlock() does.  A key's text is never printed.
 */
#ifndef V2V_GUEST_KEY_H
#define V2V_GUEST_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "disk/bitlocker.h"

enum guest_key_for {
    GUEST_KEY_ALL,   /* whatever volume */
    GUEST_KEY_PLACE, /* a partition of a disk */
    GUEST_KEY_ID     /* the volume that it, or a protector of it, is named so */
};

struct guest_key {
    char *name; /* as it was said, without the key: "/dev/sda2" */
    enum guest_key_for kind;
    unsigned disk, partition; /* as guest_mount() has them */
    char *text;   /* the key: UTF-8; a BitLocker volume's password or its
                   * recovery password, eight groups of six digits */
    bool matched; /* there was a volume that it is for */
};

/* What became of the keys at a volume. */
enum guest_lock {
    GUEST_LOCKED,    /* none is for it */
    GUEST_KEY_WRONG, /* those that are do not open it */
    GUEST_UNLOCKED
};

struct guest_keys {
    struct guest_key *items;
    size_t count;
};

/* One more, all zero, or NULL and @err. */
struct guest_key *guest_keys_add(struct guest_keys *keys,
                                 struct v2v_error *err);

/* The texts are overwritten. */
void guest_keys_done(struct guest_keys *keys);

static inline void
v2v_auto_guest_keys(struct guest_keys *keys)
{
    guest_keys_done(keys);
}

/* Is the key for the volume at this place? */
bool guest_key_is_for(const struct guest_key *key, unsigned disk,
                      unsigned partition, const struct bitlocker *volume);

#endif
